"""Chunks and windows: who may hand over which deliveries, and what is written down of it. Only the database; no letter leaves from here.

Every step of a worker is one transaction that begins with a fenced UPDATE of the chunk's row: `token` must still be ours. Whoever takes over
from a worker that has not been heard of puts in a token of its own, and from then on the old one records nothing, save evidence that a letter
in doubt was sent after all.
"""

import random
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F, Min
from django.utils import timezone

from project.mail import backoff, suppressions
from project.mail.outcomes import Verdict

from . import audience, deliveries
from .models import Campaign, Chunk, Delivery

State, Reason = Delivery.State, Delivery.Reason

#: After so many tries, spread by mail's backoff over some six hours, a letter that is only ever put off has failed.
MOST_TRIES = 6

#: How many candidates a worker looks at; it begins at a random one, so that two workers seldom try for the same.
_LOOK = 8


class FenceLost(Exception):
    """Another worker has taken this chunk over."""


# -- Claiming ----------------------------------------------------------------------------------------------------------------------------


def ready(now):
    """Chunks a worker could begin. Not those of a paused campaign."""
    return Chunk.objects.filter(state=Chunk.State.READY, due_at__lte=now, campaign__status=Campaign.Status.SENDING)


def abandoned(now):
    """Held by a worker that has not been heard of since its lease ran out."""
    return Chunk.objects.filter(state=Chunk.State.HELD, lease_until__lt=now)


def held(now):
    """Held by a worker that lives, as far as we know."""
    return Chunk.objects.filter(state=Chunk.State.HELD, lease_until__gte=now)


def take_back(now):
    """End what dead workers left: the unrecorded deliveries of their windows are in doubt, the rest of their chunks is ready for anyone."""
    for chunk in abandoned(now):
        token = uuid.uuid4()
        with transaction.atomic():
            ours = abandoned(now).filter(pk=chunk.pk, token=chunk.token)
            # The window is read again under the row's lock: it may have moved between the look and the UPDATE.
            if not ours.update(token=token, lease_until=now + settings.MAIL_LEASE):
                continue
            chunk.refresh_from_db()
            doubtful = list(_in_window(chunk))
            _in_window(chunk).update(state=State.UNCERTAIN, reason=Reason.CRASHED, settled_at=now)
            deliveries.catch_up(doubtful)
            _let_go(chunk, now)


def claim(now):
    """A chunk that is due, ours until its lease runs out; None when there is none. It starts at its first delivery."""
    candidates = list(ready(now).order_by("due_at", "pk").values_list("pk", flat=True)[:_LOOK])
    random.shuffle(candidates)
    for pk in candidates:
        token = uuid.uuid4()
        won = Chunk.objects.filter(pk=pk, state=Chunk.State.READY, due_at__lte=now).update(
            state=Chunk.State.HELD, token=token, lease_until=now + settings.MAIL_LEASE
        )
        if won:
            return Chunk.objects.select_related("campaign").get(pk=pk)
    return None


# -- Windows -----------------------------------------------------------------------------------------------------------------------------


def next_window(chunk, handed, after):
    """Record what was handed over, and mark what comes next: the deliveries beyond the primary key `after`, at most settings.BULK_WINDOW.

    `handed`: `[(delivery, Outcome), …]`. Returns deliveries with their subscribers, to be handed over before the lease runs out; empty when
    nothing is left for now or the campaign was stopped: then `release` the chunk. Raises FenceLost, with nothing recorded.
    """
    now = timezone.now()
    while True:
        with transaction.atomic():
            _keep(chunk, now)
            _record(handed, now)
            handed = []
            found = _look(chunk, after, now)
            letters = _settle_skipped(found, now)
            mark(chunk, letters, now)
        if letters or not found:
            return letters
        after = found[-1].pk  # a window of nobody but people who have left


def release(chunk, handed, not_before=None):
    """Record what was handed over and let go of the chunk: done when nothing of it is pending, else ready again when its next try is due,
    but not before `not_before`. Raises FenceLost, with nothing recorded."""
    now = timezone.now()
    with transaction.atomic():
        _keep(chunk, now)
        _record(handed, now)
        _let_go(chunk, max(now, not_before or now))


def late_evidence(handed):
    """What a worker that lost its chunk still knows for certain: these letters left. Settles those in doubt, and claims none."""
    sent = [delivery.pk for delivery, outcome in handed if outcome.verdict is Verdict.SENT]
    deliveries.settle_uncertain(Delivery.objects.filter(pk__in=sent))


def _keep(chunk, now):
    """The fence. Also the row lock that pause, cancel and takeovers wait for."""
    ours = Chunk.objects.filter(pk=chunk.pk, state=Chunk.State.HELD, token=chunk.token)
    lease_until = now + settings.MAIL_LEASE
    if not ours.update(lease_until=lease_until, window_lo=None, window_hi=None, window_at=None):
        raise FenceLost
    chunk.lease_until = lease_until


def _look(chunk, after, now):
    """The next due deliveries, each with all that could keep it from being sent. One read; nobody is dropped here without a word."""
    rows = Delivery.objects.of(chunk).due(now).filter(pk__gt=after).select_related("subscriber")
    facts = rows.annotate(
        campaign_status=F("campaign__status"),
        subscribed=audience.subscribed(chunk.campaign.topic_id, "subscriber_id"),
        suppressed=audience.suppressed("subscriber__address_hash"),
    )
    found = list(facts.order_by("pk")[: settings.BULK_WINDOW])
    paused = any(delivery.campaign_status == Campaign.Status.PAUSED for delivery in found)
    return [] if paused else found


def _skip_reason(delivery):
    if delivery.campaign_status == Campaign.Status.CANCELLED:
        return Reason.CANCELLED
    if delivery.subscriber is None:
        return Reason.ERASED
    if delivery.suppressed:
        return Reason.SUPPRESSED
    return "" if delivery.subscribed else Reason.UNSUBSCRIBED


def _settle_skipped(found, now):
    """Write down who is not to get it any more; the others."""
    reasons = {delivery.pk: _skip_reason(delivery) for delivery in found}
    for reason in set(reasons.values()) - {""}:
        pks = [pk for pk, given in reasons.items() if given == reason]
        Delivery.objects.filter(pk__in=pks, state=State.PENDING).update(state=State.SKIPPED, reason=reason, settled_at=now)
    return [delivery for delivery in found if not reasons[delivery.pk]]


def mark(chunk, letters, now):
    """From this commit on these deliveries are being handed over: should we die, they are in doubt."""
    if letters:
        Chunk.objects.filter(pk=chunk.pk).update(window_lo=letters[0].pk, window_hi=letters[-1].pk, window_at=now)


def _in_window(chunk):
    """The marked deliveries of which nothing has been recorded."""
    if chunk.window_at is None:
        return Delivery.objects.none()
    return Delivery.objects.of(chunk).due(chunk.window_at).filter(pk__range=(chunk.window_lo, chunk.window_hi))


# -- Recording ---------------------------------------------------------------------------------------------------------------------------


def _record(handed, now):
    """Most letters of a window fare alike, so alike ones are written by one statement. Whoever is not pending any more stays as it is."""
    alike = {}
    for delivery, outcome in handed:
        delivery.provider_id = outcome.provider_id
        alike.setdefault((outcome, delivery.attempts), []).append(delivery)
    for (outcome, attempts), those in alike.items():
        changes = _changes(outcome, attempts + 1, now)
        if changes:
            Delivery.objects.filter(pk__in=[delivery.pk for delivery in those], state=State.PENDING).update(**changes)
        if outcome.verdict is Verdict.BOUNCED:
            for delivery in those:
                suppressions.hard_bounce(delivery.subscriber.address_hash)
    deliveries.catch_up([delivery for delivery, outcome in handed if outcome.verdict in {Verdict.SENT, Verdict.UNCERTAIN}])


def _changes(outcome, attempts, now):
    """What an outcome does to a delivery; nothing when the route rests: then the letter was not tried."""
    final = {"reason": outcome.reason, "detail": outcome.detail, "attempts": attempts, "settled_at": now}
    match outcome.verdict:
        case Verdict.SENT:
            return final | {"state": State.SENT, "reason": "", "detail": "", "provider_id": outcome.provider_id}
        case Verdict.LATER | Verdict.PAUSE:
            return {}
        case Verdict.RETRY if attempts < MOST_TRIES:
            return {"reason": outcome.reason, "detail": outcome.detail, "attempts": attempts, "retry_at": now + backoff.wait(attempts)}
        case Verdict.RETRY:
            return final | {"state": State.FAILED, "reason": "gave-up"}
        case Verdict.UNCERTAIN:
            return final | {"state": State.UNCERTAIN}
    return final | {"state": State.FAILED}


def _let_go(chunk, due_at):
    """Done, or ready when the earliest of what is left may be tried. Under the chunk's row lock, with our token in it."""
    pending = Delivery.objects.of(chunk).filter(state=State.PENDING)
    free = {"token": None, "lease_until": None, "window_lo": None, "window_hi": None, "window_at": None}
    if Campaign.objects.filter(pk=chunk.campaign_id, status=Campaign.Status.CANCELLED).exists():
        pending.update(state=State.SKIPPED, reason=Reason.CANCELLED, settled_at=timezone.now())
    if not pending.filter(retry_at=None).exists():
        earliest = pending.aggregate(earliest=Min("retry_at"))["earliest"]
        if earliest is None:
            Chunk.objects.filter(pk=chunk.pk).update(state=Chunk.State.DONE, **free)
            return
        due_at = max(due_at, earliest)
    Chunk.objects.filter(pk=chunk.pk).update(state=Chunk.State.READY, due_at=due_at, **free)
