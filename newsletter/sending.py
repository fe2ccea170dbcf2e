"""Campaigns on their way: launch what is due, claim a chunk, hand it over turn by turn. At most once.

The network is only ever touched between two transactions (chunks.py), and nobody sleeps with a chunk in hand.
"""

import logging
import time
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from project.mail import bells, carriers, crashpoints, pace, routes
from project.mail.outcomes import SENT, Verdict

from . import campaigns, chunks, guard, hours, skeleton, writing

logger = logging.getLogger(__name__)

STREAM = "bulk"


def slots_due(now):
    """How many workers could use a bell: one for each free slot that has a chunk to take, and one where a campaign is to begin or to end."""
    housekeeping = campaigns.due(now).exists() or chunks.abandoned(now).exists() or campaigns.unfinished().exists()
    free = max(settings.BULK_SLOTS - chunks.held(now).count(), 0)
    waiting = chunks.ready(now)[:free].count() if free and routes.open_now(STREAM, now) else 0
    return max(int(housekeeping), waiting)


def drain(deadline):
    """Send what is due until `time.monotonic()` passes `deadline`. True when something is left that is due before the next tick would ring."""
    _begin_and_end(timezone.now())
    while time.monotonic() < deadline and routes.is_open(route := routes.row(STREAM), now := timezone.now()):
        claim = chunks.claim(now)
        if claim:
            send(claim, deadline, healthy=not route.failures)
        elif not _due_within(min(settings.MAIL_TICK, max(deadline - time.monotonic(), 0)), now):
            break
        else:
            time.sleep(_MOMENT)
            _begin_and_end(timezone.now())
    now = timezone.now()
    _begin_and_end(now)
    return routes.open_now(STREAM, now) and _due_within(settings.MAIL_TICK, now)


#: How long to wait for a chunk that the route's pace has put off, at a time. With no chunk in hand.
_MOMENT = 0.2


def _due_within(seconds, now):
    """Whether a chunk is due by then: a route's pace puts it off by a moment only."""
    return chunks.ready(now + timedelta(seconds=seconds)).exists()


def _begin_and_end(now):
    """What is not a chunk's: doubts of dead workers are listed, due campaigns begin, and those all of whose chunks are done have been sent."""
    chunks.take_back(now)
    if campaigns.launch_due(now):
        for _other_slot in range(slots_due(now) - 1):  # this worker needs no bell
            bells.ring("campaigns")
    campaigns.finish(now)


def send(claim, deadline, *, healthy=False):
    """Hand over a chunk that is ours, as far as time, the route and the clocks of its readers allow, and let go of it.

    `healthy`: the route's row says of no failure, so a success need not be told to it.
    """
    run = _Run(claim, deadline, healthy)
    try:
        try:
            run.to_its_end()
        except DatabaseError:
            logger.exception("Chunk %s is let go: the database went away. What is known of its letters is recorded first.", claim.chunk.pk)
            run.finish()
        _surely(claim, lambda: chunks.release(claim, run.settled, not_before=run.not_before))
    except chunks.FenceLost:
        logger.warning("Chunk %s was taken over while we held it.", claim.chunk.pk)
        run.finish()
        chunks.late_evidence(run.settled)
    finally:
        run.finish()  # what went wrong was ours: the next chunk must not be told of this one's letters


class _Run:
    """One claim being handed over. `settled`: what is known and not recorded yet; `not_before`: when the chunk may be tried again."""

    def __init__(self, claim, deadline, healthy):
        self.claim, self.deadline, self.healthy = claim, deadline, healthy
        self.writer = _writer(claim.chunk)
        self.carrier = carriers.of(STREAM)
        self.settled, self.not_before = [], None
        self.stopped = False

    def to_its_end(self):
        """Window after window, until nothing is due, time is up, or the route rests. What was settled last is left for the release."""
        if self.writer is None or not self._ready():
            return
        while True:
            room = self._room()
            letters = _surely(self.claim, partial(chunks.turn, self.claim, self.settled, room))
            self.settled = []
            guard.look(self.claim.chunk.campaign_id)
            pace.give_back(STREAM, room - len(letters), timezone.now())
            if letters or self.carrier.under_way:
                self._hand_over(letters)
            if not self.carrier.under_way and (self.stopped or not letters or not self.claim.waiting):
                return

    def finish(self):
        """Wait for what is under way."""
        if self.carrier.under_way:
            self.settled += self.carrier.hand_over(self.writer, [], self.claim.lease_until)

    def _ready(self):
        refusal = self.carrier.ready()
        if refusal:
            routes.note(STREAM, refusal)
            self._stop(routes.row(STREAM).probe_at)
        return not refusal

    def _room(self):
        """How many letters to begin now. None: what is under way is finished, and the chunk let go."""
        now = timezone.now()
        quiet_until = hours.not_before(self.claim.chunk.zone, now, self.writer.practice)
        if time.monotonic() >= self.deadline or quiet_until:
            self._stop(quiet_until)
        if self.stopped:
            return 0
        grant = pace.take(STREAM, min(self.carrier.window - self.carrier.under_way, len(self.claim.waiting)), now)
        if not grant.count and self.claim.waiting:
            self._stop(grant.again_at)
        return grant.count

    def _stop(self, not_before=None):
        self.stopped, self.not_before = True, not_before or self.not_before

    def _hand_over(self, letters):
        self.settled = self.carrier.hand_over(self.writer, letters, self._until())
        if not self.claim.waiting:
            self.finish()
        crashpoints.reach("accepted")
        self._note()

    def _until(self):
        """Past its lease a worker begins nothing: another may have taken the chunk, and these letters for doubtful."""
        return min(self.claim.lease_until, timezone.now() + timedelta(seconds=max(self.deadline - time.monotonic(), 0)))

    def _note(self):
        """Tell the route's row how it fares: of trouble the gravest, of success once after trouble."""
        verdicts = {outcome.verdict: outcome for _letter, outcome in self.settled}
        trouble = next((verdicts[bad] for bad in (Verdict.PAUSE, Verdict.LATER, Verdict.UNCERTAIN) if bad in verdicts), None)
        if trouble or (not self.healthy and Verdict.SENT in verdicts):
            routes.note(STREAM, trouble or SENT)
        self.healthy = not trouble and (self.healthy or Verdict.SENT in verdicts)
        untried = sum(outcome.verdict in {*carriers.STOPPED, Verdict.UNTRIED} for _letter, outcome in self.settled)
        if untried:
            pace.give_back(STREAM, untried, timezone.now())
        if carriers.STOPPED & verdicts.keys():
            self._stop(routes.row(STREAM).probe_at)


#: How long a worker keeps what it knows while the database is away, as when it is restarted.
_PATIENCE = timedelta(seconds=20)


def _surely(claim, step):
    """Do a step of ours that may be repeated; again, on a new connection, when the database went away meanwhile, as long as the lease lasts."""
    give_up = min(claim.lease_until, timezone.now() + _PATIENCE)
    while True:
        try:
            return step()
        except DatabaseError:
            if timezone.now() >= give_up:
                raise
            logger.warning("The database went away while chunk %s was in hand; trying again.", claim.chunk.pk)
            close_old_connections()
            time.sleep(0.5)


def _writer(chunk):
    """The chunk's Writer; None when the words can't be sent: then the campaign is paused, and says why."""
    try:
        return writing.of(chunk)
    except writing.WordsChanged:
        _stop(chunk.campaign, _("Its words were changed after it was launched."))
    except skeleton.SkeletonDiffers as differs:
        _stop(chunk.campaign, str(differs))
    except DatabaseError:
        raise
    except Exception:
        logger.exception("Campaign %s could not be rendered.", chunk.campaign_id)
        _stop(chunk.campaign, _("Its text could not be turned into a letter."))
    return None


def _stop(campaign, because):
    try:
        with translation.override(settings.LANGUAGE_CODE):
            campaigns.pause(campaign, because)
    except campaigns.CampaignRefused:
        logger.info("Campaign %s had been stopped already.", campaign.pk)
