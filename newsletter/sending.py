"""Campaigns on their way: launch what is due, claim a chunk, hand it over turn by turn. At most once.

The network is only ever touched between two transactions (chunks.py), and nobody sleeps with a chunk in hand.
"""

import logging
import time
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError, close_old_connections
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from project.mail import bells, carriers, crashpoints, routes
from project.mail.outcomes import SENT, Verdict

from . import campaigns, chunks, writing

logger = logging.getLogger(__name__)

STREAM = "bulk"


def slots_due(now):
    """How many workers could use a bell: one for each free slot that has a chunk to take, and one where a campaign is to begin or to end."""
    housekeeping = campaigns.due(now).exists() or chunks.abandoned(now).exists() or campaigns.unfinished().exists()
    free = max(settings.BULK_SLOTS - chunks.held(now).count(), 0)
    waiting = chunks.ready(now)[:free].count() if free and routes.open_now(STREAM, now) else 0
    return max(int(housekeeping), waiting)


def drain(deadline):
    """Send what is due until `time.monotonic()` passes `deadline`. True when something due is left."""
    _begin_and_end(timezone.now())
    while time.monotonic() < deadline:
        now = timezone.now()
        claim = chunks.claim(now) if routes.open_now(STREAM, now) else None
        if claim is None:
            break
        send(claim, deadline)
    now = timezone.now()
    _begin_and_end(now)
    return routes.open_now(STREAM, now) and chunks.ready(now).exists()


def _begin_and_end(now):
    """What is not a chunk's: doubts of dead workers are listed, due campaigns begin, and those all of whose chunks are done have been sent."""
    chunks.take_back(now)
    if campaigns.launch_due(now):
        for _other_slot in range(slots_due(now) - 1):  # this worker needs no bell
            bells.ring("campaigns")
    campaigns.finish(now)


def send(claim, deadline):
    """Hand over a chunk that is ours, as far as time and the route allow, and let go of it."""
    writer = _writer(claim.chunk)
    carrier = carriers.of(STREAM)
    refusal = carrier.ready() if writer else None
    if refusal:
        routes.note(STREAM, refusal)
    settled = []
    try:
        if writer and not refusal:
            settled = _turns(claim, writer, carrier, deadline)
        _surely(claim, lambda: chunks.release(claim, settled, not_before=routes.row(STREAM).probe_at))
    except chunks.FenceLost as lost:
        logger.warning("Chunk %s was taken over while we held it.", claim.chunk.pk)
        chunks.late_evidence(lost.args[0] if lost.args else settled)
    finally:
        if carrier.under_way:  # what went wrong was ours: the next chunk must not be told of this one's letters
            carrier.hand_over(writer, [], claim.lease_until)


def _turns(claim, writer, carrier, deadline):
    """Window after window, until nothing is due, time is up, or the route rests. Returns what was settled last, which is not recorded yet."""
    settled, stopped, noted = [], False, False
    while True:
        stopped = stopped or time.monotonic() >= deadline
        room = 0 if stopped else carrier.window - carrier.under_way
        try:
            letters = _surely(claim, lambda settled=settled, room=room: chunks.turn(claim, settled, room))
        except chunks.FenceLost:
            raise chunks.FenceLost(settled + carrier.hand_over(writer, [], claim.lease_until)) from None
        if not letters and not carrier.under_way:
            return []
        settled = carrier.hand_over(writer, letters, _until(claim, deadline))
        crashpoints.reach("accepted")
        noted = _note(settled, noted)
        stopped = stopped or any(outcome.verdict in carriers.STOPPED for _letter, outcome in settled)
        if stopped and not carrier.under_way:
            return settled


def _until(claim, deadline):
    """Past its lease a worker begins nothing: another may have taken the chunk, and these letters for doubtful."""
    return min(claim.lease_until, timezone.now() + timedelta(seconds=max(deadline - time.monotonic(), 0)))


def _note(settled, noted):
    """Tell the route's row how it fares: of trouble the gravest, of success once per chunk. True when it has been told of a success."""
    verdicts = {outcome.verdict: outcome for _letter, outcome in settled}
    trouble = next((verdicts[bad] for bad in (Verdict.PAUSE, Verdict.LATER, Verdict.UNCERTAIN) if bad in verdicts), None)
    if trouble:
        routes.note(STREAM, trouble)
    elif not noted and Verdict.SENT in verdicts:
        routes.note(STREAM, SENT)
        return True
    return noted


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
