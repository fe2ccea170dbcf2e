"""How the bulk route takes many letters by SMTP: several kept connections, each always with a next letter behind the one under way."""

from django.conf import settings
from django.utils import timezone

from .backend import SmtpBackend
from .exchange import Exchange
from .lanes import Job

#: After so many seconds without a word a connection is asked whether it is still there.
_IDLE = 5


class SmtpCarrier:
    """Carries letters as bytes (`writer.parts`) over up to `connections` connections, opened as they are needed and kept. It never raises.

    One thread; not to be shared between processes. With PIPELINING a letter costs one round trip and is the only one of its connection in doubt
    should it break; with CHUNKING too, all of a window are under way, and in doubt; without either it is the stock dialogue.
    """

    def __init__(self, options):
        """`options`: a Spec's, as for SmtpBackend, and `connections`."""
        self._backend = SmtpBackend(**options)
        self.window = settings.BULK_WINDOW
        self._exchange = Exchange(
            self._backend.dial,
            connections=options.get("connections") or settings.BULK_CONNECTIONS,
            window=self.window,
            timeout=self._backend.timeout,
        )

    @property
    def under_way(self):
        """Letters that were handed over and have no outcome yet."""
        return self._exchange.under_way

    def ready(self):
        """None when there is a connection that answers, else the Outcome (LATER, PAUSE) that says why not."""
        return self._exchange.wake(_IDLE)

    def hand_over(self, writer, letters, until):
        """Begin these letters; `[(letter, Outcome), …]` of all that have been settled, from earlier calls too.

        Comes back when another letter could be begun, for `letters=[]` when nothing is under way. Nothing is begun after `until`:
        what was not comes back UNTRIED. With a LATER or PAUSE among the outcomes nothing is under way any more.
        """
        sender, parts = writer.sender.encode("ascii"), writer.parts

        def build(letter):
            return Job(letter, sender, (letter.address.encode("ascii"),), parts(letter), plain=True)

        seconds = (until - timezone.now()).total_seconds()
        return self._exchange.hand_over(letters, build, more=bool(letters), seconds=seconds)

    def close(self):
        self._exchange.close()
