"""Ring a worker's bell. A bell lost, doubled or late changes only when a letter leaves, never whether: `tick` rings again."""

import logging
import time

from celery import current_app
from django.conf import settings
from django.db import connection, transaction

from . import crashpoints, work

logger = logging.getLogger(__name__)

#: After a broker failed, this process leaves it alone for so many seconds, so that a dead broker costs one page one short wait.
SILENCE = 30

#: What fails within so many seconds was a broken connection; a broker that is silent takes longer.
_AT_ONCE = 0.5

_silent_until = 0.0


def ring(name):
    """Ask a worker to drain that work. Never raises; False when the broker could not be told."""
    global _silent_until
    crashpoints.reach("bell")
    if time.monotonic() < _silent_until:
        return False
    try:
        _publish(name)
    except Exception as error:  # noqa: BLE001  each broker's driver raises its own; none may reach the visitor
        _silent_until = time.monotonic() + SILENCE
        logger.warning("The broker can't be reached (%s); the next tick will ring.", type(error).__name__)
        return False
    return True


def _publish(name):
    """By a connection this process has open, or a new one.

    A broker that was restarted has broken the open ones, which shows in no time: then the same one is opened anew, once. A broker that keeps
    us waiting is not asked twice, so that a page waits for it once.
    """
    began = time.monotonic()
    with current_app.producer_pool.acquire(block=True) as producer:
        try:
            _send(name, producer)
        except Exception:  # noqa: BLE001  each broker's driver raises its own
            if time.monotonic() - began > _AT_ONCE:
                raise
            producer.revive(producer.connection)
            _send(name, producer)


def _send(name, producer):
    expires = settings.MAIL_TICK * 4
    try:
        current_app.send_task("mail.drain", args=[name], queue=work.get(name).queue, expires=expires, retry=False, producer=producer)
    except Exception:
        producer.connection.collect()  # without a farewell, for whose answer we would wait again
        raise


def broker():
    """ "ok" when the broker lets us in, else "down"; asked within two seconds, and not at all while we leave it alone."""
    if time.monotonic() < _silent_until:
        return "down"
    try:
        with current_app.connection_for_write() as link:
            link.ensure_connection(max_retries=1, interval_start=0, timeout=2)
    except Exception:  # noqa: BLE001  as above
        return "down"
    return "ok"


def ring_after_commit(name):
    """Ring once this transaction has committed, however many letters it posts."""
    bell = _after_commit.setdefault(name, lambda: ring(name))
    if not any(callback is bell for _savepoints, callback, *_ in connection.run_on_commit):
        transaction.on_commit(bell, robust=True)


_after_commit = {}
