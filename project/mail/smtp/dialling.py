"""Opening a connection: greeting, EHLO, TLS and login by smtplib, but with our own reading, so that no server can hold us for long."""

import smtplib
import time

from .replies import Replies


class _Timely:
    """Each reply whole within `timeout` of being due. smtplib waits so long for each byte, which a server that drips them makes for ever."""

    _replies = _read_from = None

    def getreply(self):
        if self._read_from is not self.sock:
            if self._read_from is not None and not self.in_step:  # slipped in by somebody between us, before TLS began
                self.close()
                raise smtplib.SMTPServerDisconnected("Said too much before TLS began.")
            self._replies, self._read_from = Replies(), self.sock
            self._waiting = []
        deadline = time.monotonic() + self.timeout
        try:
            while not self._waiting:
                self._read(deadline)
            self.sock.settimeout(self.timeout)
        except OSError as error:
            self.close()
            raise smtplib.SMTPServerDisconnected(f"Connection unexpectedly closed: {error}") from error
        code, text = self._waiting.pop(0)
        return code, text.strip()

    def _read(self, deadline):
        self.sock.settimeout(max(deadline - time.monotonic(), 0.001))
        data = self.sock.recv(8192)
        if not data:
            raise ConnectionAbortedError("no more answers")
        self._waiting += self._replies.feed(data)
        if self._replies.garbage and not self._waiting:
            raise ConnectionAbortedError("not an SMTP reply")

    @property
    def in_step(self):
        """Nothing has been said that we did not ask for."""
        return not (self._waiting or self._replies.unfinished or self._replies.garbage)


class Connection(_Timely, smtplib.SMTP):
    pass


class TlsConnection(_Timely, smtplib.SMTP_SSL):
    pass
