"""Chunks: who may hand over which deliveries, and what is written down of it. Only the database; no letter leaves from here.

A worker holds a chunk by a `Claim` and goes on by turns. Every turn is one transaction that begins by locking the chunk's row, if `token` is
still ours. Whoever takes over from a worker that has not been heard of puts in a token of its own, and from then on the old one records
nothing, save evidence that a letter in doubt was sent after all.
"""

import random
import uuid
from dataclasses import dataclass, field
from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Min, Q
from django.utils import timezone

from project.mail import backoff, crashpoints, suppressions
from project.mail.outcomes import Verdict

from . import deliveries, windows
from .models import Campaign, Chunk, Delivery
from .windows import Letter

__all__ = ["Claim", "FenceLost", "Letter", "abandoned", "claim", "held", "late_evidence", "ready", "release", "take_back", "turn"]

State, Reason = Delivery.State, Delivery.Reason

#: After so many tries, spread by mail's backoff over some six hours, a letter that is only ever put off has failed.
MOST_TRIES = 6

#: How many candidates a worker looks at; it begins at a random one, so that two workers seldom try for the same.
_LOOK = 4


#: After one of these a letter waits as it did before.
_NOT_TRIED = {Verdict.LATER, Verdict.PAUSE, Verdict.UNTRIED}

#: The columns of a chunk that nobody holds.
_FREE = {"token": None, "lease_until": None, "window_lo": None, "window_hi": None, "window_at": None}


class FenceLost(Exception):
    """Another worker has taken this chunk over."""


@dataclass
class Claim:
    """A chunk that is ours until `lease_until`.

    `waiting`: the primary keys that were due at `began` and whose turn has not come, in order. `under_way`: the letters handed over of which
    nothing has been recorded yet, by primary key. `remains`: some of the chunk wait for later, whatever becomes of these.
    """

    chunk: Chunk
    token: uuid.UUID
    began: datetime
    lease_until: datetime
    waiting: list[int]
    remains: bool = False
    under_way: dict[int, Letter] = field(default_factory=dict)


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
            letters = {delivery.public_id: delivery.pk for delivery in doubtful}
            deliveries.catch_up([row for rows in windows.run(*deliveries.questions(letters)) for row in rows], letters)
            _let_go(chunk, now)


def claim(now):
    """A Claim to a chunk that is due; None when there is none."""
    candidates = list(ready(now).order_by("due_at", "pk").select_related("campaign__topic")[:_LOOK])
    random.shuffle(candidates)
    for chunk in candidates:
        token, lease_until = uuid.uuid4(), now + settings.MAIL_LEASE
        free = Chunk.objects.filter(pk=chunk.pk, state=Chunk.State.READY, due_at__lte=now)
        if free.update(state=Chunk.State.HELD, token=token, lease_until=lease_until):
            crashpoints.reach("claimed")
            return _claimed(chunk, token, now, lease_until)
    return None


def _claimed(chunk, token, now, lease_until):
    [rows] = windows.run(windows.listing(chunk))
    due = [pk for pk, retry_at in rows if retry_at is None or windows.moment_of(retry_at) <= now]
    return Claim(chunk, token, now, lease_until, due, remains=len(due) < len(rows))


# -- Turns -------------------------------------------------------------------------------------------------------------------------------


def turn(claim, settled, room):
    """Record what was settled, `[(Letter, Outcome), …]`, and mark what comes next: at most `room` Letters, to be begun before the lease ends.

    Empty when nothing more is due, or the campaign was stopped: hand over what is under way, then `release`. Raises FenceLost, with nothing
    recorded. May be repeated after a database error: writing the same down twice is writing it once.
    """
    now = timezone.now()
    lease_until = now + settings.MAIL_LEASE
    with transaction.atomic():
        found = _record_and_read(claim, settled, claim.waiting[:room], now)
        letters, waiting, skips = _next(claim, found, room, now)
        under_way = _still_under_way(claim, settled) | {letter.pk: letter for letter in letters}
        windows.run(*skips, windows.marking(claim.chunk, claim.token, under_way, claim.began, lease_until))
        crashpoints.reach("before-mark")
    claim.remains = claim.remains or _any_waits(settled)
    claim.lease_until, claim.waiting, claim.under_way = lease_until, waiting, under_way
    crashpoints.reach("marked")
    return letters


def release(claim, settled, not_before=None):
    """Record what was settled and let go of the chunk: done when nothing of it is pending, else ready again when its next try is due, but not
    before `not_before`. Raises FenceLost, with nothing recorded."""
    now = timezone.now()
    all_done = not claim.remains and not claim.waiting and not claim.under_way.keys() - {letter.pk for letter, _outcome in settled}
    all_done = all_done and not _any_waits(settled)
    with transaction.atomic():
        _record_and_read(claim, settled, [], now)
        if all_done:
            Chunk.objects.filter(pk=claim.chunk.pk).update(state=Chunk.State.DONE, **_FREE)
        else:
            _let_go(claim.chunk, max(now, not_before or now))
    crashpoints.reach("recorded")


def late_evidence(settled):
    """What a worker that lost its chunk still knows for certain: these letters left. Settles those in doubt, and claims none."""
    sent = [letter.pk for letter, outcome in settled if outcome.verdict is Verdict.SENT]
    deliveries.settle_uncertain(Delivery.objects.filter(pk__in=sent))


def _record_and_read(claim, settled, pks, now):
    """Make sure that the chunk is ours, record, and read these deliveries: `[windows.Found, …]`. Together, because they cost least together."""
    record = Record(settled, now)
    reading = [windows.reading(claim.chunk, pks)] if pks else []
    locked, *rows = windows.run(windows.locking(claim.chunk, claim.token), *record.statements, *reading)
    if not windows.is_ours(locked):
        raise FenceLost
    found = [windows.found(row) for row in rows.pop()] if reading else []
    record.follow(rows)
    return found


def _still_under_way(claim, settled):
    known = {letter.pk for letter, _outcome in settled}
    return {pk: letter for pk, letter in claim.under_way.items() if pk not in known}


def _next(claim, found, room, now):
    """`(letters, whose turn has not come, what is to be written down of those who are passed)`. `found`: the first `room` of the waiting."""
    letters, waiting, skips = [], claim.waiting, []
    while room and waiting and not letters:
        if any(row.campaign_status == Campaign.Status.PAUSED for row in found):
            break
        waiting = waiting[room:]
        reasons = {row.pk: _skip_reason(row) for row in found}
        for reason in set(reasons.values()) - {""}:
            those = [pk for pk, given in reasons.items() if given == reason]
            skips.append(windows.settling(those, {"state": State.SKIPPED, "reason": reason, "settled_at": now}))
        letters = [Letter(row.pk, row.attempts, row.reader) for row in found if not reasons[row.pk]]
        if waiting and not letters:  # a window of nobody but people who have left
            found = [windows.found(row) for row in windows.run(windows.reading(claim.chunk, waiting[:room]))[0]]
    return letters, waiting, skips


def _skip_reason(row):
    if row.campaign_status == Campaign.Status.CANCELLED:
        return Reason.CANCELLED
    if row.reader is None:
        return Reason.ERASED
    if row.suppressed:
        return Reason.SUPPRESSED
    return "" if row.subscribed else Reason.UNSUBSCRIBED


def _in_window(chunk):
    """The marked deliveries of which nothing has been recorded. Those put off during this claim are due later than `window_at`."""
    if chunk.window_at is None:
        return Delivery.objects.none()
    return Delivery.objects.of(chunk).due(chunk.window_at).filter(pk__range=(chunk.window_lo, chunk.window_hi))


# -- Recording ---------------------------------------------------------------------------------------------------------------------------


def _records(settled, now):
    """The statements that write down what was settled. Most letters of a window fare alike, and alike ones are written by one."""
    fates, alike = {}, {}
    for letter, outcome in settled:
        key = id(outcome), letter.attempts  # most outcomes are one and the same object
        if key not in fates:
            fates[key] = _fate(outcome, letter.attempts + 1)
        if fates[key]:
            alike.setdefault((fates[key], letter.attempts + 1), []).append((letter, outcome))
    return [_written(fate, attempts, those, now) for (fate, attempts), those in alike.items()]


class Record:
    """What is written down of letters that were settled, and what follows from it. Run `statements` and `follow` in one transaction."""

    def __init__(self, settled, now):
        self._bounced = [letter for letter, outcome in settled if outcome.verdict is Verdict.BOUNCED]
        left = [(letter, outcome) for letter, outcome in settled if outcome.verdict in {Verdict.SENT, Verdict.UNCERTAIN}]
        self._letters = {letter.name: letter.pk for letter, _outcome in left}
        self._names = {}
        for letter, outcome in left:
            if outcome.provider_id:
                self._names.setdefault(outcome.provider_id, []).append(letter.pk)
        self._written = _records(settled, now)
        self.statements = [*self._written, *deliveries.questions(self._letters, self._names)]

    def follow(self, rows):
        """`rows`: those of `statements`. Dead addresses are suppressed, and news told while the letters were being handed over is heard."""
        for letter in self._bounced:
            suppressions.hard_bounce(letter.reader.address_hash)
        news = [row for answer in rows[len(self._written) :] for row in answer]
        deliveries.catch_up(news, self._letters, self._names)


def _fate(outcome, attempts):
    """(state, reason, detail), plain strings, that an outcome leaves a delivery in; None when it was not tried, or the route rests."""
    match outcome.verdict:
        case Verdict.SENT:
            return State.SENT.value, "", ""
        case verdict if verdict in _NOT_TRIED:
            return None
        case Verdict.RETRY if attempts < MOST_TRIES:
            return State.PENDING.value, outcome.reason, outcome.detail
        case Verdict.RETRY:
            return State.FAILED.value, "gave-up", outcome.detail
        case Verdict.UNCERTAIN:
            return State.UNCERTAIN.value, outcome.reason, outcome.detail
    return State.FAILED.value, outcome.reason, outcome.detail


def _any_waits(settled):
    """Whether one of these is to be tried once more."""
    return any(
        outcome.verdict in _NOT_TRIED or (outcome.verdict is Verdict.RETRY and letter.attempts + 1 < MOST_TRIES) for letter, outcome in settled
    )


def _written(fate, attempts, those, now):
    state, reason, detail = fate
    changes = {"state": state, "reason": reason, "detail": detail, "attempts": attempts}
    changes |= {"retry_at": now + backoff.wait(attempts)} if state == State.PENDING else {"settled_at": now}
    told = [outcome.provider_id for _letter, outcome in those] if state != State.PENDING else []
    return windows.settling([letter.pk for letter, _outcome in those], changes, told if any(told) else None)


def _let_go(chunk, due_at):
    """Done, or ready when the earliest of what is left may be tried. Under the chunk's row lock, with our token in it."""
    pending = Delivery.objects.of(chunk).filter(state=State.PENDING)
    left = pending.aggregate(count=Count("pk"), untried=Count("pk", filter=Q(retry_at=None)), earliest=Min("retry_at"))
    if left["count"] and Campaign.objects.filter(pk=chunk.campaign_id, status=Campaign.Status.CANCELLED).exists():
        pending.update(state=State.SKIPPED, reason=Reason.CANCELLED, settled_at=timezone.now())
        left["count"] = 0
    changes = {"state": Chunk.State.READY, "due_at": due_at if left["untried"] else max(due_at, left["earliest"] or due_at)}
    Chunk.objects.filter(pk=chunk.pk).update(**_FREE, **(changes if left["count"] else {"state": Chunk.State.DONE}))
