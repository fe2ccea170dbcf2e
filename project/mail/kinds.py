"""Kinds of letters: how mail asks the app above to build a letter, and tells it what became of it.

Mail knows addresses and letters, not seminars or subscribers. Each app registers its kinds in `ready()`; this registry is the one place where
the arrow between layers turns round.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass

from django.core.mail import EmailMessage
from django.db import transaction

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Skip:
    """Returned by a kind instead of a letter: don't send it, and why, as one of `Message.Reason`."""

    reason: str


@dataclass(frozen=True)
class Settled:
    """What became of a letter: `state` one of Message.State's final ones, `reason` a word of Message.Reason or an error class, or ''."""

    state: str
    reason: str
    address: str


def _ignore(ref, settled):
    pass


@dataclass(frozen=True)
class Kind:
    """One kind of letter.

    `build(ref, language)` is called at hand-over time with the language active, so that a retry carries fresh data; it returns the letter, or a
    Skip when it has been overtaken. `settle(ref, settled)` is called in the transaction that records a final state, and once more with
    "failed" when a provider's event tells later that a sent letter bounced, or with "sent" when it tells that a doubtful one arrived.
    `words` is what the front desk calls such a letter.
    """

    name: str
    build: Callable[[dict, str], "EmailMessage | Skip"]
    settle: Callable[[dict, Settled], None] = _ignore
    words: str = ""


_kinds: dict[str, Kind] = {}


def register(kind):
    if kind.name in _kinds:
        raise ValueError(f"The kind {kind.name!r} is registered twice.")
    _kinds[kind.name] = kind


def get(name):
    """The kind of that name. Raises KeyError for one that no installed app registered."""
    return _kinds[name]


def words(name):
    """What the front desk calls a letter of that kind, also of one no app registers any more."""
    kind = _kinds.get(name)
    return str(kind.words) if kind and kind.words else name


def tell(letter, settled):
    """Tell the letter's kind. An owner that fails loses its news, not the ledger's: a sent letter recorded as unsent would leave twice."""
    try:
        with transaction.atomic():
            get(letter.kind).settle(letter.ref, settled)
    except Exception:
        logger.exception("Letter %s (%s) is %s, but its owner could not take the news.", letter.pk, letter.kind, settled.state)


def names():
    return sorted(_kinds)
