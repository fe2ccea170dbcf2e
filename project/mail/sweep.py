"""The sweep: what makes the broker optional. Beat calls it every MAIL_TICK seconds; cron or a person may, by `./run manage tick`."""

import time

from django.utils import timezone

from . import bells, ledger, work


def tick():
    """Ring for what is due, at most once per free slot. Any number of ticks at once do no more than one."""
    now = timezone.now()
    held = ledger.hold(now)
    ledger.ticked(now)
    if held:
        return
    for kind in work.everything():
        for _slot in range(kind.slots_due(now)):
            bells.ring(kind.name)


def tick_inline(seconds):
    """Do here what is due, without a broker or a worker, for at most so many seconds. True when something due is left, or all is held."""
    now = timezone.now()
    held = ledger.hold(now)
    ledger.ticked(now)
    if held:
        return True
    deadline = time.monotonic() + seconds
    left = [kind.drain(deadline) for kind in work.everything()]
    return any(left)
