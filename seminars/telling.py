"""Tell a person something: by letter where there is an address, else by a call the front desk makes.

Verbs call this inside their transaction; `kinds` builds the letters, `emails` words them.
"""

from datetime import timedelta

from django.utils import timezone

from project.mail import outbox
from project.mail.addresses import address_hash
from project.mail.models import Message
from project.practice.zones import to_wall

from .models import Callback

#: So many letters that the form brings about go to one address in a day: anybody can type anybody's address into it.
DAILY_LETTERS = 10
DAY = timedelta(days=1)

_CAPPED = ["seminars.confirmed", "seminars.waitlisted", "seminars.already", "seminars.enough"]


def tell(registration, news, *, call=None, due_at=None, once=None, **ref):
    """Post the letter `news` (a kind's name without its app), or note a call for the reason `call` where there is only a phone.

    The letter's key holds the registration's present sequence, or `once`: the same news of the same state is told once.
    """
    if not registration.email:
        if call:
            note_call(registration, call)
        return
    outbox.post(
        f"seminars.{news}",
        {"registration": registration.pk, "sequence": registration.sequence, **ref},
        key=letter_key(registration.pk, news, registration.sequence if once is None else once),
        address=registration.email,
        language=registration.language,
        due_at=due_at,
    )


def tell_of_registering(registration, news, now):
    """The first letter of a registration."""
    tell(registration, news, due_at=_its_turn(registration, now))


def tell_again(registration, now, *, more=False):
    """What they have, to somebody who asks once more, or for a third party (`more`): by letter once a day, or by one call.

    The day is the seminar's own, so that “today” is the same for whoever reads it there.
    """
    news, call = ("enough", Callback.Reason.MORE) if more else ("already", Callback.Reason.AGAIN)
    today = to_wall(now, registration.seminar.zone).date()
    tell(registration, news, call=call, due_at=_its_turn(registration, now), once=today)


def _its_turn(registration, now):
    """When a letter that anybody's pressing brings about may leave. One address gets so many a day; the next ones wait, and somebody calls."""
    earlier = _recent_letters(registration.email, now) if registration.email else 0
    days, place = divmod(earlier, DAILY_LETTERS)
    if days and not place:
        note_call(registration, Callback.Reason.MANY_LETTERS)
    return now + days * DAY


def _recent_letters(email, now):
    """Letters brought about by the form that left for an address in the last day or wait to."""
    return Message.objects.filter(address_hash=address_hash(email), kind__in=_CAPPED, due_at__gt=now - DAY).count()


def letter_key(pk, news, once):
    return f"registration/{pk}/{news}/{once}"


def note_call(registration, reason):
    """A call to make, once per reason and state of the registration."""
    Callback.objects.get_or_create(
        registration=registration, reason=reason, sequence=registration.sequence, defaults={"created_at": timezone.now()}
    )


def drop_calls(registrations, now, **which):
    """Open calls to these registrations, all or those with `reason=…`, are not needed any more: something newer happened."""
    open_calls = Callback.objects.open().filter(registration__in=registrations, **which)
    open_calls.update(outcome=Callback.Outcome.NOT_NEEDED, done_at=now)
