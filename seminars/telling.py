"""Tell a person something: by letter where there is an address, else by a call the front desk makes.

Verbs call this inside their transaction; `kinds` builds the letters, `emails` words them.
"""

from datetime import timedelta

from django.utils import timezone

from project.mail import outbox
from project.mail.addresses import address_hash
from project.mail.models import Message

from .models import Callback

#: So many letters about new registrations go to one address in a day; anybody can type anybody's address into the form.
DAILY_LETTERS = 10
DAY = timedelta(days=1)

_CAPPED = ["seminars.confirmed", "seminars.waitlisted"]


def tell(registration, news, *, call=None, due_at=None, **ref):
    """Post the letter `news` (a kind's name without its app), or note a call for the reason `call` where there is only a phone.

    The letter's key holds the registration's present sequence: the same news of the same state is told once.
    """
    if not registration.email:
        if call:
            note_call(registration, call)
        return
    outbox.post(
        f"seminars.{news}",
        {"registration": registration.pk, "sequence": registration.sequence, **ref},
        key=letter_key(registration.pk, news, registration.sequence),
        address=registration.email,
        language=registration.language,
        due_at=due_at,
    )


def tell_of_registering(registration, news, now):
    """The first letter of a registration. One address gets so many a day; the next ones wait their turn, and somebody calls."""
    earlier = _recent_letters(registration.email, now) if registration.email else 0
    days, place = divmod(earlier, DAILY_LETTERS)
    if days and not place:
        note_call(registration, Callback.Reason.MANY_LETTERS)
    tell(registration, news, due_at=now + days * DAY)


def _recent_letters(email, now):
    """Letters about new registrations that left for an address in the last day or wait to."""
    return Message.objects.filter(address_hash=address_hash(email), kind__in=_CAPPED, due_at__gt=now - DAY).count()


def letter_key(pk, news, sequence):
    return f"registration/{pk}/{news}/{sequence}"


def note_call(registration, reason):
    """A call to make, once per reason and state of the registration."""
    Callback.objects.get_or_create(
        registration=registration, reason=reason, sequence=registration.sequence, defaults={"created_at": timezone.now()}
    )


def drop_calls(registrations, now, **which):
    """Open calls to these registrations, all or those with `reason=…`, are not needed any more: something newer happened."""
    open_calls = Callback.objects.open().filter(registration__in=registrations, **which)
    open_calls.update(outcome=Callback.Outcome.NOT_NEEDED, done_at=now)
