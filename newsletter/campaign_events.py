"""What providers tell of campaigns' letters: what was in doubt arrived, what had left came back, and who reports a letter wants no more."""

from functools import partial

from anymail.signals import EventType
from django.db import transaction

from project.mail import events

from . import deliveries, guard, subscribing
from .models import Consent, Delivery, Subscriber

_METHODS = {EventType.COMPLAINED: Consent.Method.COMPLAINT, EventType.UNSUBSCRIBED: Consent.Method.ONE_CLICK}
_AGAINST = {*events.RETURNED, EventType.COMPLAINED}


def told(event):
    """A new Event: settle its delivery, and end the subscriptions of who complained or unsubscribed at the provider."""
    delivery = _delivery(event)
    if delivery:
        deliveries.reconcile(delivery.pk)
        if event.type in _AGAINST:  # once committed: a pause that waited for our rows while we waited for its would be a deadlock
            transaction.on_commit(partial(guard.look, delivery.campaign_id), robust=True)
    if event.type in _METHODS:
        _stop(event)


def _delivery(event):
    """By the id it told back, else by the provider's; and only if the letter went to that address."""
    if event.letter:
        found = Delivery.objects.by_public_id(event.letter)
    elif event.provider_id:
        found = Delivery.objects.by_provider_id(event.provider_id)
    else:
        return None
    return found.filter(subscriber__address_hash=event.address_hash).first()


def _stop(event):
    """A subscription that was begun after they said so stays: a newer confirmed opt-in beats an older no."""
    subscriber = Subscriber.objects.filter(address_hash=event.address_hash).first()
    if subscriber:
        subscribing.unsubscribe(subscriber, _METHODS[event.type], form="provider", begun_by=event.occurred_at)
