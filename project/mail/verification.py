"""What must always be true of the mail ledger; `./run manage verify` asks. Ids only, never an address."""

from datetime import timedelta

from django.db.models import Exists, OuterRef
from django.utils import timezone

from . import addresses, kinds
from .models import Ledger, Message, Suppression

_STUCK = timedelta(hours=1)
_OVERDUE = timedelta(hours=24)


def findings():
    """A sentence for everything that is off."""
    now = timezone.now()
    yield from _ledger()
    for sentence, letters in _rules(now):
        for pk in letters.order_by("pk").values_list("pk", flat=True):
            yield f"Letter {pk} {sentence}."
    yield from _hashes()


def _rules(now):
    """(what is off, the letters of which it is true)."""
    letters, state = Message.objects, Message.State
    stopped = Suppression.objects.filter(address_hash=OuterRef("address_hash"), scope=Suppression.Scope.ALL)
    yield "is in a state that is none", letters.exclude(state__in=state.values)
    yield "has been in a worker's hands for over an hour", letters.filter(state=state.HANDING, lease_until__lt=now - _STUCK)
    yield "has been due for over a day", letters.filter(state=state.PENDING, due_at__lt=now - _OVERDUE)
    yield "is settled, but nobody knows since when", letters.filter(state__in=Message.FINAL, settled_at=None)
    yield "is not settled, but says since when", letters.exclude(state__in=Message.FINAL).exclude(settled_at=None)
    yield "is held by a worker, but in no worker's hands", letters.exclude(state=state.HANDING).exclude(token=None)
    yield (
        "was sent to an address that was suppressed before",
        letters.filter(state=state.SENT, tried_at__isnull=False).filter(Exists(stopped.filter(created_at__lt=OuterRef("tried_at")))),
    )
    yield "is of a kind no app knows", letters.filter(state=state.PENDING, due_at__lte=now).exclude(kind__in=kinds.names())
    yield "was skipped without a reason", letters.filter(state=state.SKIPPED, reason="")


def _ledger():
    ledger = Ledger.objects.first()
    if ledger and ledger.key_fingerprint != addresses.key_fingerprint():
        yield "ADDRESS_KEY has changed: no suppression would be found."


def _hashes():
    """A letter still to leave must be found by its address's suppression."""
    waiting = Message.objects.filter(state=Message.State.PENDING).exclude(address="")
    for pk, address, kept in waiting.order_by("pk").values_list("pk", "address", "address_hash").iterator():
        if addresses.address_hash(address) != kept:
            yield f"Letter {pk} would not be stopped by a suppression of its address."
