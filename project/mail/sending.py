"""Transactional letters: claim, build, hand over, record. At least once.

A letter whose worker died with it in hand is handed over once more (the same calendar UID and SEQUENCE, the same Message-ID), and after a
second such death listed as in doubt.
"""

import logging
import time
import uuid

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone, translation

from . import backoff, crashpoints, events, kinds, routes, suppressions
from .models import Message, new_public_id
from .outcomes import Outcome, Verdict

logger = logging.getLogger(__name__)

State, Reason = Message.State, Message.Reason

#: How many due letters are looked up at a time.
BATCH = 20

#: A letter that can't be built is tried so often: the defect may be mended by a release, or be a database that was away for a moment.
BUILD_TRIES = 3


def slots_due(now):
    """One worker drains transactional letters, so one bell is enough."""
    waiting = Message.objects.due(now).exists() or Message.objects.abandoned(now).exists()
    return int(waiting and routes.open_now("transactional", now))


def drain(deadline):
    """Hand over what is due until `time.monotonic()` passes `deadline` or the route rests. True when something due could go at once."""
    while time.monotonic() < deadline:
        now = timezone.now()
        take_back(now)
        if not routes.open_now("transactional", now):
            return False
        due = list(Message.objects.due(now).in_turn().values_list("pk", flat=True)[:BATCH])
        if not due:
            return False
        for pk in due:
            if time.monotonic() >= deadline:
                return True
            outcome = send_one(pk)
            if outcome and outcome.verdict in {Verdict.LATER, Verdict.PAUSE, Verdict.UNCERTAIN}:
                break  # the route has news: look at it before the next letter
    return True


def take_back(now):
    """Letters whose worker is gone: once more the first time, in doubt the second; neither where a provider has told what became of them."""
    for letter in Message.objects.abandoned(now):
        with transaction.atomic():
            if letter.doubts:
                _settle(letter, State.UNCERTAIN, Reason.CRASHED, now)
            else:
                _put_back(letter, doubts=1)
            events.reconcile(letter)


def send_one(pk):
    """Claim, build and hand over one letter. The route's Outcome; None when it was not to be had or never reached the route."""
    letter = claim(pk, timezone.now())
    if letter is None:
        return None
    crashpoints.reach("claimed")
    message = build(letter)
    if isinstance(message, Outcome):
        record(letter, message)
        return None
    if isinstance(message, kinds.Skip):
        _settle(letter, State.SKIPPED, message.reason, timezone.now())
        return None
    crashpoints.reach("built")
    outcome = routes.hand_over(letter.stream, message)
    crashpoints.reach("accepted")
    record(letter, outcome)
    return outcome


def claim(pk, now):
    """The letter, ours until its lease runs out; None when somebody else was first or it is no longer due."""
    token = uuid.uuid4()
    won = (
        Message.objects.due(now)
        .filter(pk=pk)
        .update(state=State.HANDING, token=token, lease_until=now + settings.MAIL_LEASE, attempts=F("attempts") + 1, tried_at=now)
    )
    return Message.objects.filter(pk=pk, token=token).first() if won else None


def build(letter):
    """The EmailMessage, a Skip, or the Outcome of a defect: one letter that can't be built must not stop the others."""
    if not letter.address:
        return kinds.Skip(Reason.NO_ADDRESS)
    if suppressions.blocks(letter.address_hash, letter.stream):
        return kinds.Skip(Reason.SUPPRESSED)
    try:
        with translation.override(letter.language):
            message = kinds.get(letter.kind).build(letter.ref, letter.language)
    except Exception as error:
        logger.exception("Letter %s (%s) could not be built.", letter.pk, letter.kind)
        return Outcome(Verdict.RETRY if letter.attempts < BUILD_TRIES else Verdict.FAILED, "defect", type(error).__name__)
    if isinstance(message, kinds.Skip):
        return message
    message.to = [letter.address]
    message.extra_headers.setdefault("Message-ID", f"<{letter.public_id}@{routes.message_id_domain()}>")
    message.extra_headers.setdefault("Auto-Submitted", "auto-generated")
    # Opaque, for a provider's webhook to tell us back; anymail reads it, other routes pass it by.
    message.metadata = {"letter": letter.public_id}
    return message


def record(letter, outcome):
    """Write down what became of it, with what its provider may have told meanwhile; nothing when the letter is no longer ours."""
    with transaction.atomic():
        _record(letter, outcome)
        if outcome.verdict in {Verdict.SENT, Verdict.UNCERTAIN}:
            letter.provider_id = outcome.provider_id
            events.reconcile(letter)


def _record(letter, outcome):
    now = timezone.now()
    detail = {"reason": outcome.reason, "detail": outcome.detail}
    give_up_at = letter.give_up_at or now + backoff.GIVE_UP_AFTER
    match outcome.verdict:
        case Verdict.SENT:
            _settle(letter, State.SENT, "", now, provider_id=outcome.provider_id, detail="")
        case Verdict.RETRY if now < give_up_at:
            _put_back(letter, due_at=now + backoff.wait(letter.attempts), give_up_at=give_up_at, **detail)
        case Verdict.LATER | Verdict.PAUSE:
            # The route rests, not the letter: it stays due, and this try does not count.
            _put_back(letter, attempts=F("attempts") - 1, **detail)
        case Verdict.UNCERTAIN if letter.doubts == 0:
            _put_back(letter, due_at=now + backoff.DOUBT, doubts=1, provider_id=outcome.provider_id, **detail)
        case Verdict.UNCERTAIN:
            _settle(letter, State.UNCERTAIN, outcome.reason, now, detail=outcome.detail, provider_id=outcome.provider_id)
        case verdict:
            with transaction.atomic():
                _settle(letter, State.FAILED, outcome.reason, now, detail=outcome.detail)
                if verdict is Verdict.BOUNCED:
                    suppressions.hard_bounce(letter.address_hash)


def send_again(pk):
    """A person wants a failed or doubtful letter sent once more, from the beginning. True when it was one and now waits."""
    # What came back came back under its old names; what is in doubt keeps its own, so that its reader's server may know it again.
    Message.objects.filter(pk=pk, state=State.FAILED).update(public_id=new_public_id(), provider_id="")
    again = {"state": State.PENDING, "due_at": timezone.now(), "settled_at": None, "attempts": 0, "doubts": 0, "give_up_at": None}
    return bool(Message.objects.needs_a_person().filter(pk=pk).update(**again, reason="", detail="", tried_at=None))


def _ours(letter):
    return Message.objects.filter(pk=letter.pk, state=State.HANDING, token=letter.token)


def _put_back(letter, **changes):
    _ours(letter).update(state=State.PENDING, token=None, lease_until=None, **changes)


def _settle(letter, state, reason, now, **changes):
    """The final state, and its owner told, in one transaction."""
    with transaction.atomic():
        won = _ours(letter).update(state=state, reason=reason, settled_at=now, token=None, lease_until=None, **changes)
        if won:
            kinds.tell(letter, kinds.Settled(state, reason, letter.address))
        crashpoints.reach("recording")
