"""Carriers: how a route takes newsletters, many at once, where `routes.hand_over` takes one letter.

A *letter* is whatever the caller knows it by, with an `address` and a `name`, opaque and the same at every try. A *writer* makes of it what a
carrier needs. A carrier raises nothing: what goes wrong is in the outcomes. What concerns the whole route is for the caller to note.
"""

import logging
import os
from typing import Protocol

from django.conf import settings
from django.utils import timezone

from . import crashpoints, routes
from .batches import BatchCarrier
from .outcomes import UNTRIED, Outcome, Verdict
from .smtp import SmtpCarrier

logger = logging.getLogger(__name__)

#: After one of these nothing more is begun: the route rests or waits for a person.
STOPPED = {Verdict.LATER, Verdict.PAUSE}


class Writer(Protocol):
    """One campaign in one language, ready to write any reader's letter."""

    sender: str  #: the envelope's bare address

    def wire(self, letter) -> bytes:
        """The whole letter as it goes over the wire (RFC 5322, CRLF, 7 bit), no line of it beginning with a dot."""

    def parts(self, letter) -> list[bytes]:
        """The same in pieces, most of them the same objects for every letter."""

    def message(self, letter):
        """The same letter as a Django EmailMessage, for a route that takes one at a time."""

    def batch(self, letters, can):
        """One message for all of them, with their merge data, for a provider's batch call. `can`: what the route can carry (capabilities)."""


class Carrier(Protocol):
    """One route's way of taking many letters, kept by this process.

    `window`: the most letters that may be under way, and so in doubt, at once. `under_way`: how many have no outcome yet.
    """

    window: int
    under_way: int

    def ready(self) -> Outcome | None:
        """Open or check what is kept, before anything is marked. LATER or PAUSE when nothing can be sent now."""

    def hand_over(self, writer, letters, until):
        """Begin these; `[(letter, Outcome), …]` of what is settled, possibly of letters begun by an earlier call.

        Comes back when it could use more letters, and with `letters` empty only when none is under way. Nothing is begun past `until` (aware):
        what was not comes back UNTRIED. When it returns a LATER or PAUSE, none is under way any more.
        """


class OneByOne:
    """Letters handed over one after the other: for a folder, a test, and a provider that can't take many in one call."""

    under_way = 0

    def __init__(self, stream):
        self.stream = stream

    @property
    def window(self):
        return settings.BULK_WINDOW

    def ready(self):
        return None

    def hand_over(self, writer, letters, until):
        settled, stopped = [], False
        for letter in letters:
            stopped = stopped or timezone.now() >= until
            outcome = UNTRIED if stopped else self._one(writer, letter)
            stopped = stopped or outcome.verdict in STOPPED
            settled.append((letter, outcome))
        return settled

    def _one(self, writer, letter):
        """One letter that can't be built must not stop the others."""
        try:
            message = writer.message(letter)
        except Exception as error:
            logger.exception("Letter %s could not be built.", letter.name)
            return Outcome(Verdict.FAILED, "defect", type(error).__name__)
        outcome = routes.attempt(self.stream, message)
        crashpoints.reach("handing")
        return outcome


_kept = {}


def of(stream):
    """This process's own carrier of that stream's route: made once, kept, never shared with a forked child."""
    spec = routes.spec(stream)
    key = (os.getpid(), stream, spec.url)
    if key not in _kept:
        _kept[key] = _made(stream, spec)
    return _kept[key]


def _made(stream, spec):
    if spec.scheme in {"smtp", "smtps"}:
        return SmtpCarrier(spec.options)
    return BatchCarrier(spec) if spec.can.dialect else OneByOne(stream)
