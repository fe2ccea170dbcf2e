"""Celery's view of mail: two bells. Everything they do is in `sending` and `sweep`."""

import time

from celery import shared_task
from django.conf import settings

from . import bells, ledger, sweep, work


@shared_task(name="mail.drain")
def drain(name):
    """Drain one kind of work within the budget; ring again when something due is left."""
    if ledger.hold():
        return
    if work.get(name).drain(time.monotonic() + settings.MAIL_TASK_BUDGET):
        bells.ring(name)


@shared_task(name="mail.tick")
def tick():
    sweep.tick()
