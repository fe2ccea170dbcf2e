"""Every letter about a seminar, one function each, in the active language and with the seminar's words in that language.

Subjects say when, never what about: they stand on lock screens.
"""

from zoneinfo import ZoneInfo

from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from project.mail.letters import Button, Facts, Heading, Letter, Links, Paragraph, Small
from project.practice.models import Practice
from project.practice.phones import phone_words
from project.practice.zones import moment_words, time_words

from . import itip, links, waiting
from .models import Mode, Registration


def confirmed(registration):
    """Their seat is reserved: everything they need for the day, with the invite."""
    practice = Practice.current()
    return _seat_letter(
        registration,
        practice,
        subject=_("Your seat is reserved: %(date)s") % {"date": _day(registration.seminar)},
        heading=_greeting(registration),
        opening=ngettext(
            "Your seat is reserved. We look forward to seeing you.",
            "Your %(count)d seats are reserved. We look forward to seeing you all.",
            registration.party_size,
        )
        % {"count": registration.party_size},
    )


def promoted(registration):
    """A seat has become free and is theirs: the same as `confirmed`, said to somebody who waited."""
    practice = Practice.current()
    return _seat_letter(
        registration,
        practice,
        subject=_("A seat is yours: %(date)s") % {"date": _day(registration.seminar)},
        heading=_greeting(registration),
        opening=_(
            "Good news: a seat has become free, and it is yours. If you can’t come any more, please let us know, so that the next person can."
        ),
    )


def changed(registration, old):
    """The seminar has moved: old and new in words, then everything they need, with the updated invite. `old`: a seminar as it was before."""
    practice = Practice.current()
    seminar = registration.seminar
    online = registration.mode == Mode.ONLINE
    return _seat_letter(
        registration,
        practice,
        subject=_("Please note the change: now %(date)s") % {"date": _day(seminar)},
        heading=_("Your seminar has changed"),
        opening=_("Your seat stays yours. You need to do nothing if the new time suits you.")
        if online
        else _("Your seat stays yours. You need to do nothing if the new time and place suit you."),
        before=[Facts(_change(old, seminar, registration.mode))],
    )


def changed_waiting(registration, old):
    """The seminar they wait for has moved. No invite: they have none."""
    practice = Practice.current()
    seminar = registration.seminar
    return Letter(
        subject=_("Please note the change: now %(date)s") % {"date": _day(seminar)},
        preheader=_("You keep your place on the waiting list."),
        blocks=[
            Heading(_("The seminar you wait for has changed")),
            Facts(_change(old, seminar, registration.mode)),
            Paragraph(_("You keep your place on the waiting list. We write to you when a seat becomes free.")),
            Button(_("See your place in line"), links.registration_url(registration)),
            *_questions(practice),
        ],
    ).message()


def waitlisted(registration):
    """They are on the waiting list: their place, and what happens next. No invite yet, and nothing of the day, lest it pass for a seat."""
    practice = Practice.current()
    seminar = registration.seminar
    return Letter(
        subject=_("You are on the waiting list: %(date)s") % {"date": _day(seminar)},
        preheader=_("We write to you as soon as a seat becomes free."),
        blocks=[
            Heading(_greeting(registration)),
            Paragraph(
                ngettext(
                    "All seats are taken at the moment, so we have put you on the waiting list. %(place)s",
                    "There are not enough seats for the %(count)d of you at the moment, so we have put you on the waiting list. %(place)s",
                    registration.party_size,
                )
                % {"count": registration.party_size, "place": waiting.place_words(waiting.place(registration))}
            ),
            Paragraph(_("When a seat becomes free, it is yours at once, and we send you everything you need. You don’t have to do anything.")),
            Facts(
                [
                    (_("Seminar"), _title(seminar)),
                    (_("When"), moment_words(seminar.starts_at, seminar.zone)),
                    (_("Where"), _place(seminar, registration.mode)),
                ]
            ),
            Button(_("See your place in line"), links.registration_url(registration)),
            Paragraph(_("You don’t want to wait? You can leave the waiting list on the same page, or choose another date.")),
            Links([(_("All seminars"), links.seminars_url())]),
            *_questions(practice),
        ],
    ).message()


def cancelled(registration, *, invited):
    """They don't come. With `invited`, the event leaves their calendar; who only waited has none there."""
    practice = Practice.current()
    seminar = registration.seminar
    if invited:
        subject = _("Your registration is cancelled: %(date)s")
        said = _("Your registration is cancelled, and your seat is free for somebody else. The event will leave your calendar.")
        preheader = _("Changed your mind? You can register again while there are seats.")
        again = _("Changed your mind, or was this not you? You can register again while there are seats.")
    else:
        subject = _("You are off the waiting list: %(date)s")
        said = _("You are no longer on the waiting list.")
        preheader = _("Changed your mind? You can get back in line.")
        again = _("Changed your mind, or was this not you? You can get back in line on the seminar’s page.")
    return Letter(
        subject=subject % {"date": _day(seminar)},
        preheader=preheader,
        blocks=[
            Heading(_greeting(registration)),
            Paragraph(said),
            Facts([(_("Seminar"), _title(seminar)), (_("When"), moment_words(seminar.starts_at, seminar.zone))]),
            Paragraph(again),
            Button(_("See the seminar"), links.seminar_url(seminar)),
            *_questions(practice),
        ],
    ).message(calendar=itip.cancel(registration, practice) if invited else None)


def already(registration):
    """Somebody, most likely they, sent the form again: what they have is as it was. No invite: they have it."""
    practice = Practice.current()
    seats = ngettext(
        "You are already registered: 1 seat is yours.", "You are already registered: %(count)d seats are yours.", registration.party_size
    ) % {"count": registration.party_size}
    waits = registration.status == Registration.Status.WAITLISTED
    return Letter(
        subject=_("You are already registered: %(date)s") % {"date": _day(registration.seminar)},
        preheader=_("Nothing has changed. Here is what we have for you."),
        blocks=[
            Heading(_greeting(registration)),
            Paragraph(
                _("You are already on the waiting list. %(place)s") % {"place": waiting.place_words(waiting.place(registration))}
                if waits
                else seats
            ),
            Paragraph(_("We got the registration form again with your name on it. Your first registration has not changed:")),
            Facts(_stored(registration)),
            Button(_("See your place in line") if waits else _("See your registration"), links.registration_url(registration)),
            Paragraph(
                _(
                    "Are more of you coming, or fewer? Please call us. You can also cancel on your registration’s page and register again, "
                    "but then your place may go to somebody else."
                )
            ),
            _was_this_not_you(),
            *_questions(practice),
        ],
    ).message()


def enough(registration, parties):
    """Somebody asked for more parties than one address has at a seminar: what it has, and that more are ours to enter. `registration`: one."""
    practice = Practice.current()
    seminar = registration.seminar
    return Letter(
        subject=_("You are already registered: %(date)s") % {"date": _day(seminar)},
        preheader=_("Would you like more seats? Please call us."),
        blocks=[
            Heading(_("You are already registered")),
            Paragraph(
                _(
                    "We got the registration form once more with this e-mail address. Our website doesn’t take more registrations for it, "
                    "so nothing was added. This is what you have:"
                )
            ),
            Facts(
                [
                    (_("Seminar"), _title(seminar)),
                    (_("When"), moment_words(seminar.starts_at, seminar.zone)),
                    *((party.name, _has(party)) for party in parties),
                ]
            ),
            Links([(_("See the registration of %(name)s") % {"name": party.name}, links.registration_url(party)) for party in parties]),
            Paragraph(_("Are more people coming with you? Please call us.")),
            _was_this_not_you(),
            *_questions(practice),
        ],
    ).message()


def called_off(registration, *, invited):
    """The seminar does not take place."""
    practice = Practice.current()
    seminar = registration.seminar
    blocks = [
        Heading(_("We are sorry: this seminar is cancelled")),
        Paragraph(_("The seminar below will not take place. You don’t need to do anything.")),
        Facts([(_("Seminar"), _title(seminar)), (_("Was planned for"), moment_words(seminar.starts_at, seminar.zone))]),
    ]
    if invited:
        blocks.append(Paragraph(_("The event will leave your calendar.")))
    return Letter(
        subject=_("Cancelled: the seminar on %(date)s") % {"date": _day(seminar)},
        preheader=_("It will not take place. We are sorry."),
        blocks=[
            *blocks,
            Paragraph(_("You are welcome at another one.")),
            Button(_("See other dates"), links.seminars_url()),
            *_questions(practice),
        ],
    ).message(calendar=itip.cancel(registration, practice) if invited else None)


def _seat_letter(registration, practice, *, subject, heading, opening, before=()):
    """What all letters to somebody with a seat say, and the invite as it stands."""
    seminar = registration.seminar
    online = registration.mode == Mode.ONLINE
    return Letter(
        subject=subject,
        preheader=moment_words(seminar.starts_at, seminar.zone),
        blocks=[
            Heading(heading),
            *before,
            Paragraph(opening),
            Facts(_facts(registration)),
            *([Paragraph(_("On the day, open your registration’s page to join. No account is needed."))] if online else []),
            Button(_("See your registration"), links.registration_url(registration)),
            Paragraph(_("The calendar invite is in this e-mail. Your own page also has links for Google, Outlook, Yahoo and Apple calendars.")),
            Paragraph(_("Can’t come? Please cancel on your registration’s page, so that somebody who waits gets the seat.")),
            *_questions(practice),
        ],
    ).message(calendar=itip.request(registration, practice))


def _greeting(registration):
    return _("Hello %(name)s,") % {"name": registration.first_name}


def _day(seminar):
    """`Thursday, December 3`: short enough for a subject on a phone."""
    return formats.date_format(seminar.starts_at.astimezone(ZoneInfo(seminar.zone)), _("l, F j"))


def _title(seminar):
    text = seminar.text()
    return text.title if text else ""


def _place(seminar, mode):
    return _("Online") if mode == Mode.ONLINE else f"{seminar.venue.name}, {seminar.venue.address}"


def _facts(registration):
    """Label and words of all that matters on the day; what nobody has written is left out."""
    seminar, text = registration.seminar, registration.seminar.text()
    rows = [
        (_("Seminar"), _title(seminar)),
        (_("When"), moment_words(seminar.starts_at, seminar.zone)),
        (_("Until"), time_words(seminar.ends_at, seminar.zone)),
        (_("Where"), _place(seminar, registration.mode)),
    ]
    if registration.mode == Mode.IN_PERSON and (room := seminar.venue.text()):
        rows += [(_("Parking"), room.parking), (_("Getting in"), room.access)]
    rows += [
        (_("Who speaks"), "; ".join(speaker.full_name for speaker in seminar.speakers.all())),
        (_("Language of the talk"), seminar.get_talk_language_display()),
        (_("What to bring"), text.bring if text else ""),
        (_("People"), str(registration.party_size) if registration.party_size > 1 else ""),
    ]
    return [(label, words) for label, words in rows if words]


def _stored(registration):
    """What somebody asked for and we keep: who, when, where and how many."""
    seminar = registration.seminar
    return [
        (_("Name"), registration.name),
        (_("Seminar"), _title(seminar)),
        (_("When"), moment_words(seminar.starts_at, seminar.zone)),
        (_("Where"), _place(seminar, registration.mode)),
        (_("People"), str(registration.party_size)),
    ]


def _has(registration):
    """`2 people, in person`, and that they wait, where they do."""
    people = ngettext("%(n)d person", "%(n)d people", registration.party_size) % {"n": registration.party_size}
    words = f"{people}, {registration.get_mode_display()}"
    return f"{words} ({_('on the waiting list')})" if registration.status == Registration.Status.WAITLISTED else words


def _change(old, new, mode):
    """Old and new, of time and place, whichever changed; who attends online is told of no place."""
    rows = []
    was, now = moment_words(old.starts_at, old.zone), moment_words(new.starts_at, new.zone)
    if was != now:
        rows += [(_("Old time"), was), (_("New time"), now)]
    if mode == Mode.IN_PERSON and old.venue and new.venue and old.venue != new.venue:
        rows += [(_("Old place"), _place(old, Mode.IN_PERSON)), (_("New place"), _place(new, Mode.IN_PERSON))]
    if not rows:
        rows.append((_("New end"), time_words(new.ends_at, new.zone)))
    return rows


def _was_this_not_you():
    """Anybody can type anybody's address into our form."""
    return Small(_("Was this not you? Then you don’t have to do anything. Nothing has changed."))


def _questions(practice):
    if not practice.phone:
        return []
    return [Small(_("Questions? Call %(practice)s at %(phone)s.") % {"practice": practice.name, "phone": phone_words(practice.phone)})]
