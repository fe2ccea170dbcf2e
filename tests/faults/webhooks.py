"""Everything a provider may tell of a campaign's letters, in any order and more than once, and what it must come to."""

from anymail.signals import AnymailTrackingEvent
from django.db import transaction
from django.utils import timezone

from newsletter import chunks, windows
from newsletter.models import Delivery, Subscription
from newsletter.windows import Letter, Reader
from project.mail import events
from project.mail.models import Suppression
from project.mail.outcomes import SENT, Outcome, Verdict

State = Delivery.State

KINDS = ["queued", "deferred", "sent", "delivered", "opened", "clicked", "complained", "unsubscribed", "bounced", "hard bounced", "failed"]

#: What a worker may have to write down, before, after or between.
RECORDS = [None, SENT, Outcome(Verdict.UNCERTAIN, "connection-broken"), Outcome(Verdict.FAILED, "refused")]


def tellings(deliveries, chance, most=4):
    """`[(delivery, what), …]`, each event twice: kinds of events, and for those still to be recorded the Outcome of their hand-over."""
    found = []
    for delivery in deliveries:
        told = chance.sample(KINDS, chance.randrange(most + 1)) * 2
        outcome = chance.choice(RECORDS)
        found += [(delivery, what) for what in [*told, *([outcome] if outcome else [])]]
    chance.shuffle(found)
    return found


def tell(delivery, what):
    if isinstance(what, Outcome):
        reader = delivery.subscriber
        names = Reader(reader.pk, reader.public_id, reader.address, reader.address_hash, reader.first_name, reader.last_name)
        record = chunks.Record([(Letter(delivery.pk, 0, names), what)], timezone.now())
        with transaction.atomic():
            record.follow(windows.run(*record.statements))
        return
    hard = what == "hard bounced"
    event = AnymailTrackingEvent(
        event_type="bounced" if hard else what,
        recipient=delivery.subscriber.address,
        metadata={"letter": delivery.public_id},
        event_id=f"{delivery.pk}/{what}",
        timestamp=timezone.now(),
        esp_event={"event": what, "severity": "permanent" if hard else "temporary", "reason": "bounce"},
    )
    events.take("mailgun", event)


def outcome(deliveries):
    """All that was to follow, for comparing."""
    pks = [delivery.pk for delivery in deliveries]
    return {
        "deliveries": sorted(Delivery.objects.filter(pk__in=pks).values_list("pk", "state", "reason")),
        "suppressions": sorted(Suppression.objects.values_list("address_hash", "scope", "reason")),
        "subscribed": sorted(Subscription.objects.active().values_list("subscriber", flat=True)),
    }


def expected(told):
    """`{delivery's pk: state}` worked out from the set of tellings alone, whatever their order."""
    everything = {}
    for delivery, what in told:
        everything.setdefault(delivery.pk, set()).add(what)
    return {pk: _state(whats) for pk, whats in everything.items()}


def _state(whats):
    records = {what.verdict for what in whats if isinstance(what, Outcome)}
    if not records:
        return State.PENDING
    if Verdict.FAILED in records:
        return State.FAILED
    if whats & {"bounced", "hard bounced", "failed"}:
        return State.FAILED
    arrived = whats & {"sent", "delivered", "opened", "clicked", "complained", "unsubscribed"}
    return State.SENT if arrived or Verdict.SENT in records else State.UNCERTAIN
