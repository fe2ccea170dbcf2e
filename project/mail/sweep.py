"""The sweep: what makes the broker optional. Beat calls it every MAIL_TICK seconds; cron or a person may, by `./run manage tick`."""

import logging
import time

from django.utils import timezone

from . import bells, ledger, work

logger = logging.getLogger(__name__)


def tick():
    """Ring for what is due, at most once per free slot. Any number of ticks at once do no more than one."""
    now = timezone.now()
    held = ledger.hold(now)
    ledger.ticked(now)
    if held:
        return
    for kind in work.everything():
        for _slot in range(_slots_due(kind, now)):
            bells.ring(kind.name)


def _slots_due(kind, now):
    try:
        return kind.slots_due(now)
    except Exception:
        logger.exception("What is due of %r can't be told.", kind.name)  # and must not keep the other bells from ringing
        return 0


def tick_inline(seconds):
    """Do here what is due, without a broker or a worker, for at most so many seconds. True when something due is left, or all is held."""
    now = timezone.now()
    held = ledger.hold(now)
    ledger.ticked(now)
    if held:
        return True
    deadline = time.monotonic() + seconds
    # Letters somebody waits for go before newsletters, which could take all the time there is.
    in_order = sorted(work.everything(), key=lambda kind: kind.queue != "transactional")
    left = [_drain(kind, deadline) for kind in in_order]
    return any(left)


def _drain(kind, deadline):
    try:
        return kind.drain(deadline)
    except Exception:
        logger.exception("%r could not be drained.", kind.name)  # and must not keep the rest from leaving
        return True
