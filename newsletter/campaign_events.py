"""What providers tell of campaigns' letters: what was in doubt arrived, what had left came back, and who reports a letter wants no more.

Order-free: a delivery's state is worked out from all that was told of it, so any order, with repeats, ends in the same state.
"""

from anymail.signals import EventType
from django.db import transaction
from django.utils import timezone

from project.mail import events
from project.mail.models import Event

from . import chunks, subscribing
from .models import Consent, Delivery, Subscriber

State = Delivery.State

_METHODS = {EventType.COMPLAINED: Consent.Method.COMPLAINT, EventType.UNSUBSCRIBED: Consent.Method.ONE_CLICK}


def told(event):
    """A new Event: settle its delivery, and end the subscriptions of who complained or unsubscribed at the provider."""
    delivery = _delivery(event)
    if delivery:
        reconcile(delivery)
    if event.type in _METHODS:
        _stop(event)


def reconcile(delivery):
    """Bring a delivery in line with everything told of it since it was last sent: returned beats arrived, and arrived beats doubt.

    One that waits stays: its worker records it, or it was never tried.
    """
    types = set(_events_of(delivery).values_list("type", flat=True))
    mine = Delivery.objects.filter(pk=delivery.pk)
    if types & events.RETURNED:
        left = mine.filter(state__in=[State.SENT, State.UNCERTAIN])
        left.update(state=State.FAILED, reason="bounced", settled_at=timezone.now())
    elif types & events.ARRIVED:
        chunks.settle_uncertain(mine)


def _delivery(event):
    """By the id it told back, else by the provider's; and only if the letter went to that address."""
    if event.letter:
        found = Delivery.objects.by_public_id(event.letter)
    elif event.provider_id:
        found = Delivery.objects.filter(provider_id=event.provider_id)
    else:
        return None
    return found.filter(subscriber__address_hash=event.address_hash).first()


def _events_of(delivery):
    letter = delivery.public_id
    since = Event.objects.filter(received_at__gt=delivery.again_at) if delivery.again_at else Event.objects.all()
    mine = since.filter(letter=letter)
    return mine | since.filter(letter="", provider_id=delivery.provider_id) if delivery.provider_id else mine


def _stop(event):
    """A subscription that was begun after they said so stays: a newer confirmed opt-in beats an older no."""
    with transaction.atomic():
        subscriber = Subscriber.objects.filter(address_hash=event.address_hash).first()
        if subscriber and subscriber.subscriptions.active().filter(started_at__lte=event.occurred_at).exists():
            subscribing.unsubscribe(subscriber, _METHODS[event.type], form="provider")
