"""What became of a delivery, from all that was told of it since it was last sent: returned beats arrived, and arrived beats doubt.

A hard bounce leaves the reason a refusal at the door would have left; who got it and complained keeps “sent”, with the complaint as the reason.

Order-free: whoever writes a final state looks for news that came before it, and news looks for a final state; both under the row's lock, so
that the second of two at the same moment sees what the first has written.
"""

from anymail.signals import EventType
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from project.mail import events
from project.mail.models import Event

from .models import Delivery
from .models.campaigns import COMPLAINED, DEAD_ADDRESS

State = Delivery.State


def reconcile(pk):
    """Bring a delivery in line with everything told of it. One that waits stays: its worker records it, or it was never tried."""
    with transaction.atomic():
        mine = Delivery.objects.filter(pk=pk)
        delivery = mine.select_for_update(of=("self",)).select_related("subscriber").first()
        if delivery is None or delivery.subscriber is None:
            return
        told = list(_events_of(delivery).values_list("type", "hard"))
        types = {event_type for event_type, _hard in told}
        if types & events.RETURNED:
            reason = DEAD_ADDRESS if any(hard for _type, hard in told) else "bounced"
            left = mine.filter(Q(state__in=[State.SENT, State.UNCERTAIN]) | Q(state=State.FAILED, reason="bounced"))
            left.exclude(reason=reason).update(state=State.FAILED, reason=reason, settled_at=timezone.now())
        elif types & events.ARRIVED:
            settle_uncertain(mine)
            if EventType.COMPLAINED in types:
                mine.filter(state=State.SENT).update(reason=COMPLAINED)


def questions(letters, names=None):
    """The statements that ask for news of these deliveries, to be run after they were given a final state, in the same transaction.

    `letters`: `{public id: primary key}`; `names`: `{the provider's id: [primary key, …]}`, for some providers name a whole call by one id.
    """
    return events.told_of(letters, names or {})


def catch_up(told, letters, names=None):
    """Follow news that came while these were being handed over. `told`: all rows of `questions(letters, names)`."""
    for pk in {letters[letter] for letter, _name in told if letter} | {pk for letter, name in told if not letter for pk in names[name]}:
        reconcile(pk)


def settle_uncertain(deliveries):
    """Those of them that were in doubt have been sent; how many."""
    return deliveries.filter(state=State.UNCERTAIN).update(state=State.SENT, reason="", detail="", settled_at=timezone.now())


def _events_of(delivery):
    """Only what was told of that letter to that address, and nothing from before it was sent again by hand."""
    told = Event.objects.filter(address_hash=delivery.subscriber.address_hash)
    if delivery.again_at:
        told = told.filter(received_at__gt=delivery.again_at)
    mine = told.filter(letter=delivery.public_id)
    return mine | told.filter(letter="", provider_id=delivery.provider_id) if delivery.provider_id else mine
