"""Campaigns on their way: launch what is due, take a chunk, hand it over window by window. At most once.

The network is only ever touched between two transactions (chunks.py), and nobody sleeps with a chunk in hand.
"""

import logging
import time

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from project.mail import bells, routes
from project.mail.outcomes import Outcome, Verdict
from project.practice.models import Practice

from . import campaign_letters, campaigns, chunks, content

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
    while time.monotonic() < deadline:
        now = timezone.now()
        chunks.take_back(now)
        if campaigns.launch_due(now):
            for _other_slot in range(slots_due(now) - 1):  # this worker needs no bell
                bells.ring("campaigns")
        campaigns.finish(now)
        chunk = chunks.claim(now) if routes.open_now(STREAM, now) else None
        if chunk is None:
            break
        send(chunk, deadline)
    now = timezone.now()
    campaigns.finish(now)
    return routes.open_now(STREAM, now) and chunks.ready(now).exists()


def send(chunk, deadline):
    """Hand over a chunk that is ours, as far as time and the route allow, and let go of it."""
    writer = _writer(chunk)
    if writer is None:
        return chunks.release(chunk, [])
    handed, after, stop = [], chunk.lo - 1, False
    try:
        while not stop:
            letters = chunks.next_window(chunk, handed, after)
            handed = []
            if not letters:
                break
            after = letters[-1].pk
            for delivery in letters:
                # Past its lease a worker hands over nothing: another may have taken the chunk, and these letters for doubtful.
                stop = time.monotonic() >= deadline or timezone.now() >= chunk.lease_until
                if stop:
                    break
                handed.append((delivery, _hand_over(writer, delivery)))
                stop = handed[-1][1].verdict in {Verdict.LATER, Verdict.PAUSE}
                if stop:
                    break
        chunks.release(chunk, handed, not_before=routes.row(STREAM).probe_at)
    except chunks.FenceLost:
        logger.warning("Chunk %s was taken over while we held it.", chunk.pk)
        chunks.late_evidence(handed)


def _writer(chunk):
    """A function from a delivery to its message; None when the words are not what was launched: then the campaign is paused."""
    campaign = chunk.campaign
    texts = {text.language: text for text in campaign.texts.all()}
    if content.content_hash(texts.values()) != campaign.content_hash:
        _stop(campaign, _("Its words were changed after it was launched."))
        return None
    practice, topic = Practice.current(), campaign.topic
    try:
        compiled = content.compiled(texts[chunk.language], practice)
    except Exception:
        logger.exception("Campaign %s could not be rendered.", campaign.pk)
        _stop(campaign, _("Its text could not be turned into a letter."))
        return None
    return lambda delivery: campaign_letters.message(compiled, delivery.subscriber, practice, topic, letter=delivery.public_id)


def _stop(campaign, because):
    try:
        with translation.override(settings.LANGUAGE_CODE):
            campaigns.pause(campaign, because)
    except campaigns.CampaignRefused:
        logger.info("Campaign %s had been stopped already.", campaign.pk)


def _hand_over(writer, delivery):
    """The Outcome for one letter; one that can't be built must not stop the others."""
    try:
        with translation.override(delivery.language):
            message = writer(delivery)
    except Exception as error:
        logger.exception("The letter of delivery %s could not be built.", delivery.pk)
        return Outcome(Verdict.FAILED, "defect", type(error).__name__)
    return routes.hand_over(STREAM, message)
