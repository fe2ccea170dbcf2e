"""What `verify` asks of campaigns: that everybody in an audience is accounted for, and no dead worker's mark was left behind."""

from datetime import timedelta

from django.db.models import Count, Exists, OuterRef
from django.utils import timezone

from .models import Campaign, Chunk, Delivery

State, Status = Delivery.State, Campaign.Status

#: Workers and ticks take a moment to notice that a lease has run out.
_PATIENCE = timedelta(minutes=5)


def problems(now=None):
    """What is off, one sentence each for the person at the terminal, without names or addresses; empty when the promises hold."""
    now = now or timezone.now()
    return [*_unaccounted(), *_forgotten(), *_old_leases(now), *_unfinished(now)]


def _unaccounted():
    """Final states are final: what was sent or ended has its moment, what waits has none, and nothing waits when all is over."""
    deliveries = Delivery.objects.order_by()
    undated = deliveries.exclude(state=State.PENDING).filter(settled_at=None)
    dated = deliveries.filter(state=State.PENDING).exclude(settled_at=None)
    over = deliveries.filter(state=State.PENDING, campaign__status=Status.SENT)
    for rows, what in [
        (undated, "deliveries ended at no moment"),
        (dated, "deliveries wait though they have ended"),
        (over, "deliveries wait though the campaign was sent"),
    ]:
        for row in rows.values("campaign").annotate(count=Count("pk")):
            yield f"Campaign {row['campaign']}: {row['count']} {what}."


def _forgotten():
    """A delivery that waits and is in no open chunk would wait for ever."""
    of_it = Chunk.objects.filter(
        campaign=OuterRef("campaign"),
        language=OuterRef("language"),
        variant=OuterRef("variant"),
        zone=OuterRef("zone"),
        lo__lte=OuterRef("pk"),
        hi__gte=OuterRef("pk"),
    )
    waiting = Delivery.objects.filter(~Exists(of_it.exclude(state=Chunk.State.DONE)), state=State.PENDING)
    for row in waiting.order_by().values("campaign").annotate(count=Count("pk")):
        yield f"Campaign {row['campaign']}: {row['count']} deliveries wait in no open chunk."


def _old_leases(now):
    for chunk in Chunk.objects.filter(state=Chunk.State.HELD, lease_until__lt=now - _PATIENCE):
        yield f"Campaign {chunk.campaign_id}: chunk {chunk.pk} is held by a worker not heard of since {chunk.lease_until:%Y-%m-%d %H:%M} UTC."


def _unfinished(now):
    for campaign in Campaign.objects.filter(status=Status.SCHEDULED, launch_at__lt=now - timedelta(hours=1)):
        yield f"Campaign {campaign.pk} should have begun at {campaign.launch_at:%Y-%m-%d %H:%M} UTC."
