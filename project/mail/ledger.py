"""The hold: a database that was moved or restored sends nothing until a person has looked (docs/operations.md, “After a restore”).

How to tell a restored database from a machine that was switched off for the night? The same pulse is kept twice: in the database, which a
restore sets back, and in a file beside it (`MAIL_WITNESS`), which it does not.
"""

import contextlib
import os
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from . import addresses
from .models import Ledger

#: How old `alive_at` may grow before a drain writes it again; every drain writing the same row would make them queue.
_PULSE = timedelta(seconds=10)

#: How far the two may differ: the file is written a moment after the row, and another machine may have written the row last.
_AGREE = timedelta(minutes=1)

#: So many ticks may stay out before the clock is called late: a worker may be at its letters for two of them, and find a broker again in two.
_TICKS_MISSED = 8


def _row(now):
    return Ledger.objects.get_or_create(
        pk=1, defaults={"site_url": settings.SITE_URL, "key_fingerprint": addresses.key_fingerprint(), "alive_at": now}
    )[0]


def hold(now=None):
    """Why nothing may be sent now: a word of Ledger.Hold, "by-hand" under MAIL_HOLD=1, or '' when mail flows. Notes that we are alive."""
    now = now or timezone.now()
    ledger = _row(now)
    found = ledger.hold or _look(ledger, now)
    if found and not ledger.hold:
        Ledger.objects.filter(pk=1, hold="").update(hold=found, held_at=now)
    if now - ledger.alive_at > _PULSE:
        Ledger.objects.filter(pk=1, alive_at__lt=now).update(alive_at=now)
        _witness(now)
    return found or ("by-hand" if settings.MAIL_HOLD else "")


def _look(ledger, now):
    if ledger.site_url != settings.SITE_URL:
        return Ledger.Hold.MOVED
    if ledger.key_fingerprint != addresses.key_fingerprint():
        return Ledger.Hold.KEY_CHANGED
    seen = _seen()
    if seen and seen - ledger.alive_at > _AGREE:  # the database is older than we remember it
        return Ledger.Hold.STOOD_STILL
    if now - ledger.alive_at > settings.MAIL_STANDSTILL and not (seen and ledger.alive_at - seen <= _AGREE):
        return Ledger.Hold.STOOD_STILL
    return ""


def _seen():
    """The last pulse by the file; None where there is none, or none that can be read."""
    with contextlib.suppress(OSError, ValueError):
        return datetime.fromisoformat(settings.MAIL_WITNESS.read_text())
    return None


def _witness(now):
    """Write the pulse to the file; without one (a full or read-only disk) a standstill is taken for a restore, as on a new machine."""
    beside = settings.MAIL_WITNESS.with_suffix(f".{os.getpid()}")
    with contextlib.suppress(OSError):
        beside.write_text(now.isoformat())
        beside.replace(settings.MAIL_WITNESS)


def release(now=None):
    """A person has looked: this database belongs here, and mail may flow."""
    now = now or timezone.now()
    _row(now)
    Ledger.objects.filter(pk=1).update(
        hold="", held_at=None, alive_at=now, site_url=settings.SITE_URL, key_fingerprint=addresses.key_fingerprint()
    )
    _witness(now)


def ticked(now):
    Ledger.objects.filter(pk=1).update(ticked_at=now)


def tick_age(now=None):
    """Seconds since beat last came by, or None when it never did."""
    ticked_at = _row(now or timezone.now()).ticked_at
    return None if ticked_at is None else ((now or timezone.now()) - ticked_at).total_seconds()


def clock():
    """ "ok", or "late" when beat has not come by for so long that nobody rings for what is due; a broker that answers does not tell."""
    age = tick_age()
    return "ok" if age is not None and age <= settings.MAIL_TICK * _TICKS_MISSED else "late"
