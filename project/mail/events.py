"""What providers tell us of letters after they left: one vocabulary (anymail's EventType), each told once however often it is told.

Applying is order-free: what follows is worked out from all events of a letter, so any order, with repeats, ends in the same state.
Apps above hook in with `on(listener)`. A bulk letter carries `metadata["letter"]`, an opaque id of its delivery (at most 64 characters, not
an address); it comes back as `Event.letter`.
"""

from collections.abc import Callable
from datetime import timedelta

from anymail.signals import EventType, RejectReason
from django.db import transaction
from django.utils import timezone

from . import event_words, kinds, suppressions
from .models import Event, Message

KEEP_RAW = timedelta(days=30)

#: The letter reached the other side's server, or at least left the provider's.
ARRIVED = {EventType.SENT, EventType.DELIVERED, EventType.OPENED, EventType.CLICKED, EventType.COMPLAINED, EventType.UNSUBSCRIBED}
#: It did not, or was thrown back afterwards: this wins over any arrival.
RETURNED = {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}

_listeners: list[Callable[[Event], None]] = []


def on(listener):
    """`listener(event)` is called once for every new Event, in the transaction that stores it. What it raises makes the provider tell again.

    It must not mind the order: look at all that was told of `event.letter` rather than at this event alone.
    """
    _listeners.append(listener)


def told_of(letters, provider_ids):
    """Statements, `[(SQL, parameters), …]`, for the rows `(letter, provider id)` of events about any of these; by the provider's id only where
    no letter was told back. As statements, because campaigns ask for every window they record, beside what else they ask.

    `letters`: our own names, in which nothing needs to be escaped; they are written out, for a driver takes its time with parameters.
    """
    select, asked = f"SELECT letter, provider_id FROM {Event._meta.db_table} WHERE", []
    if letters:
        if not all(map(event_words.is_name, letters)):
            raise ValueError("That is no name of ours.")
        names = "', '".join(letters)
        asked.append((f"{select} letter IN ('{names}')", []))
    if provider_ids:
        places = ", ".join(["%s"] * len(provider_ids))
        asked.append((f"{select} letter = '' AND provider_id IN ({places})", list(provider_ids)))
    return asked


def take(provider, told):
    """Store an AnymailTrackingEvent and do what follows from it. False when it was known, or concerns nobody. Raises Unreadable."""
    event = event_words.read(provider, told)
    if event is None:
        return False
    with transaction.atomic():
        if not Event.objects.store_once(event):
            return False
        _suppress(event, told.reject_reason)
        for letter in _letters_of(event):
            reconcile(letter)
        for listener in _listeners:
            listener(event)
    return True


def reconcile(letter):
    """Bring a letter's state in line with everything told of it: bounced beats arrived, and arrived beats doubt."""
    with transaction.atomic():
        mine = Message.objects.filter(pk=letter.pk)
        # Of an event and a worker's record at the same moment, the second sees what the first has written: so the row first, then the events.
        list(mine.select_for_update().values_list("pk"))
        types = set(_events_of(letter).values_list("type", flat=True))
        if types & RETURNED:
            since = [Message.State.SENT, Message.State.UNCERTAIN]
            state, reason = Message.State.FAILED, Message.Reason.BOUNCED
        elif types & ARRIVED:
            since = [Message.State.UNCERTAIN]
            state, reason = Message.State.SENT, ""
        else:
            return
        settled = {"state": state, "reason": reason, "settled_at": timezone.now(), "lease_until": None, "token": None}
        # A letter in doubt that waits for its second try needs none any more.
        won = mine.filter(state__in=since).update(**settled) or mine.filter(state=Message.State.PENDING, doubts__gte=1).update(**settled)
        if won:
            kinds.tell(letter, kinds.Settled(state, reason, letter.address))


def purge(now, limit=1000):
    """Forget the raw payloads of a month ago, at most so many at a time. How many were forgotten."""
    old = Event.objects.filter(received_at__lt=now - KEEP_RAW, raw__isnull=False).values_list("pk", flat=True)[:limit]
    return Event.objects.filter(pk__in=list(old)).update(raw=None)


def drain(deadline):
    """The purge as a kind of work."""
    purge(timezone.now())
    return False


def purge_due(now):
    return int(Event.objects.filter(received_at__lt=now - KEEP_RAW, raw__isnull=False).exists())


def _suppress(event, reject_reason):
    if event.hard:
        suppressions.hard_bounce(event.address_hash)
    if event.type == EventType.COMPLAINED or reject_reason == RejectReason.SPAM and event.type == EventType.REJECTED:
        suppressions.complaint(event.address_hash)


def _letters_of(event):
    """The ledger's letters an event is about: by the id it told back, else by the provider's. And only if they went to that address."""
    letters = Message.objects.filter(address_hash=event.address_hash)
    if event.letter:
        return letters.filter(public_id=event.letter)
    return letters.filter(provider_id=event.provider_id) if event.provider_id else letters.none()


def _events_of(letter):
    """Without those told before the letter was sent again by hand: that gave it another public id and took its provider's."""
    told = Event.objects.filter(address_hash=letter.address_hash)
    mine = told.filter(letter=letter.public_id)
    return (mine | told.filter(letter="", provider_id=letter.provider_id)) if letter.provider_id else mine
