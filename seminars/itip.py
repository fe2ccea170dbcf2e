"""Calendar objects: rows in, bytes out, by icalendar. REQUEST and CANCEL for one registration (RFC 5546, RFC 6047), PUBLISH for feeds.

One UID per registration, for good, so that its cancellation is the whole event's and nobody ever sees another attendee. ORGANIZER is the
address letters come from: Google neither moves nor removes an event that another address sends. No condition, no secret link and no link to
the registration's page (people share calendars) is in an in-person invite; an online one has that page as its place.
"""

import re
from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _
from icalendar import Calendar, Event, vCalAddress, vText, vUri

from project.mail.letters import Calendar as CalendarPart
from project.mail.routes import message_id_domain
from project.practice.phones import phone_words

from . import links
from .models import Mode, Seminar
from .vtimezones import vtimezone

PRODID = "-//Lectern//Seminars//EN"
REFRESH = timedelta(hours=6)

# icalendar escapes line ends and refuses them in addresses, but hands on other controls; these also end lines for many parsers.
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_LINE_ENDS = re.compile(r"\r\n|[\r\u0085\u2028\u2029\x0b\x0c]")


def request(registration, practice):
    """The invite as it stands: the first one, or an update when SEQUENCE has grown. In the active language."""
    return CalendarPart("REQUEST", _calendar("REQUEST", [_invite(registration, practice, "CONFIRMED")]))


def cancel(registration, practice):
    """Takes the event out of the person's calendar (RFC 5546 §3.2.5)."""
    return CalendarPart("CANCEL", _calendar("CANCEL", [_invite(registration, practice, "CANCELLED")]))


def download(registration, practice):
    """The file on a confirmed registration's page: the invite, which later letters move; without an attendee where there is only a phone."""
    if registration.email:
        return request(registration, practice)
    return CalendarPart("PUBLISH", _calendar("PUBLISH", [_invite(registration, practice, "CONFIRMED")]))


def feed(seminars, practice, language, *, url):
    """A calendar to subscribe to or to download: these seminars in one language, those without its words left out.

    Equal rows give equal bytes. `url`: where the feed itself is. Seminars as `with_words()` loads them.
    """
    told = [seminar for seminar in seminars if seminar.text(language)]
    events = [_announcement(seminar, practice, language) for seminar in sorted(told, key=lambda seminar: (seminar.starts_at, seminar.pk))]
    name = vText(clean(_("Seminars: %(practice)s") % {"practice": practice.name}))
    calendar = [
        ("NAME", name, {}),
        ("X-WR-CALNAME", name, {}),
        ("X-WR-TIMEZONE", vText(practice.zone), {}),
        ("REFRESH-INTERVAL", REFRESH, {"VALUE": "DURATION"}),
        ("X-PUBLISHED-TTL", vText("PT6H"), {}),
        ("SOURCE", vUri(url), {"VALUE": "URI"}),
    ]
    return _calendar("PUBLISH", events, calendar)


def neutral_title(practice):
    """What stands in a calendar others may see: no topic, no condition."""
    return _("Seminar at %(practice)s") % {"practice": practice.name}


def clean(text):
    """Text without control characters, its line ends `\\n`."""
    return _CONTROLS.sub("", _LINE_ENDS.sub("\n", text))


def _calendar(method, events, properties=()):
    calendar = Calendar()
    calendar.add("prodid", PRODID)
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", method)
    for name, value, parameters in properties:
        calendar.add(name, value, parameters=parameters)
    for zone, moments in sorted(_zones(events).items()):
        calendar.add_component(vtimezone(zone, min(moments), max(moments)))
    for event in events:
        calendar.add_component(event)
    return calendar.to_ical()


def _zones(events):
    """Every zone that is named by a TZID, with the moments it must cover."""
    found = {}
    for event in events:
        for moment in (event["DTSTART"].dt, event["DTEND"].dt):
            if moment.tzinfo is not UTC:
                found.setdefault(moment.tzinfo.key, []).append(moment)
    return found


def _event(seminar, *, uid, sequence, stamp, status, summary):
    start, end = _times(seminar)
    event = Event()
    event.add("uid", uid)
    event.add("sequence", sequence)
    event.add("dtstamp", stamp.astimezone(UTC))
    event.add("last-modified", stamp.astimezone(UTC))
    event.add("dtstart", start)
    event.add("dtend", end)
    event.add("summary", clean(summary))
    event.add("status", status)
    return event


def _times(seminar):
    """Start and end as the zone's wall time, so that they stay put should the law on daylight time change.

    In UTC where wall time can't say it: the second time round of the hour that is repeated in the fall.
    """
    zone = ZoneInfo(seminar.zone)
    times = [moment.astimezone(zone) for moment in (seminar.starts_at, seminar.ends_at)]
    if seminar.zone == "UTC" or any(time.fold for time in times):
        return [time.astimezone(UTC) for time in times]
    return times


def _invite(registration, practice, status):
    seminar = registration.seminar
    event = _event(
        seminar,
        uid=registration.uid,
        sequence=registration.sequence,
        stamp=registration.changed_at,
        status=status,
        summary=neutral_title(practice),
    )
    event.add("created", registration.created_at.astimezone(UTC))
    event.add("class", "PRIVATE")
    event.add("transp", "OPAQUE")
    event.add("location", clean(_place(registration)))
    event.add("description", clean(_description(registration, practice)))
    event.add("organizer", _organizer(practice), encode=0)
    if registration.email:
        event.add("attendee", _attendee(registration), encode=0)
    return event


def _place(registration):
    if registration.mode == Mode.ONLINE:
        return links.registration_url(registration)
    venue = registration.seminar.venue
    return f"{venue.name}, {venue.address}"


def _description(registration, practice):
    lines = []
    if registration.mode == Mode.ONLINE:
        lines.append(_("Open your registration’s page to join: %(url)s") % {"url": links.registration_url(registration)})
    lines.append(_("To cancel, use the button in our e-mail."))
    if practice.phone:
        lines.append(_("Questions? Call %(practice)s at %(phone)s.") % {"practice": practice.name, "phone": phone_words(practice.phone)})
    return "\n".join(lines)


def _address(mailbox, name):
    """A CAL-ADDRESS: a bare mailto, the name beside it. RFC 6868 would write a quote as ^', which Outlook and Gmail show as it is."""
    address = vCalAddress(f"mailto:{mailbox}")
    address.params["CN"] = vText(" ".join(clean(name).replace('"', "’").split()))
    return address


def _organizer(practice):
    return _address(practice.sender, practice.name)


def _attendee(registration):
    """The person alone. They have accepted by registering, and nobody reads calendar replies: none is asked for."""
    attendee = _address(registration.email, registration.name)
    for name, value in (("CUTYPE", "INDIVIDUAL"), ("ROLE", "REQ-PARTICIPANT"), ("PARTSTAT", "ACCEPTED"), ("RSVP", "FALSE")):
        attendee.params[name] = vText(value)
    return attendee


def _announcement(seminar, practice, language):
    text = seminar.text(language)
    url = links.seminar_url(seminar)
    called_off = seminar.status == Seminar.Status.CANCELLED
    event = _event(
        seminar,
        uid=f"sem-{seminar.pk}@{message_id_domain()}",
        sequence=seminar.revision,
        stamp=seminar.changed_at,
        status="CANCELLED" if called_off else "CONFIRMED",
        summary=text.title,
    )
    place = _("Online") if seminar.format == Seminar.Format.ONLINE else f"{seminar.venue.name}, {seminar.venue.address}"
    event.add("location", clean(place))
    event.add("description", clean("\n\n".join(filter(None, [text.summary, _("More and registration: %(url)s") % {"url": url}]))))
    event.add("url", vUri(url))
    event.add("organizer", _organizer(practice), encode=0)
    return event
