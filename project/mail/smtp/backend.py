"""Django's SMTP backend, pipelined where the server allows it: for the transactional route, and for any EmailMessage by `get_connection`."""

import smtplib

from django.conf import settings
from django.core.mail.backends.smtp import EmailBackend as StockSmtpBackend
from django.core.mail.message import sanitize_address

from project.mail.outcomes import NotSent, Verdict

from .dialling import Connection, TlsConnection
from .exchange import Exchange
from .lanes import Job

#: How many letters are under way at once with a server that offers CHUNKING. All of them are in doubt should the connection break.
_WINDOW = 8


class SmtpBackend(StockSmtpBackend):
    """The stock backend's settings and logins; it keeps its connection whoever opened it, and asks a kept one whether it is still there.

    `send_messages` hands over all of them, whatever becomes of the first, and then raises NotSent, a smtplib.SMTPException with an Outcome, for
    the first that was not taken. `deliver` tells of each.
    """

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.timeout is None:
            self.timeout = settings.MAIL_SOCKET_TIMEOUT

    @property
    def connection_class(self):
        return TlsConnection if self.use_ssl else Connection

    def open(self):
        opened = super().open()
        if opened:
            try:
                self.connection.ehlo_or_helo_if_needed()
            except OSError:
                self.connection.close()
                self.connection = None
                if not self.fail_silently:
                    raise
                return None
        return opened

    def dial(self):
        """A connection of smtplib's, after EHLO and login, for the caller to keep."""
        try:
            self.open()
        except BaseException:
            half, self._partial_connection = self._partial_connection, None
            if half is not None:
                half.close()  # at once: stock says QUIT, and waits for the answer of a server that gives none
            raise
        connection, self.connection = self.connection, None
        if connection is None or not connection.in_step:
            raise smtplib.SMTPServerDisconnected("The server hung up.")
        return connection

    def send_messages(self, email_messages):
        defects, sent, first = {}, 0, None
        for message, outcome in self.deliver(email_messages or [], defects):
            if outcome.verdict is Verdict.SENT:
                sent += 1
            else:
                first = first or defects.get(id(message)) or NotSent(outcome)
        if first and not self.fail_silently:
            raise first
        return sent

    def deliver(self, email_messages, defects=None):
        """`[(message, Outcome), …]`, in the order they were settled; SENT when one recipient at least was accepted. Each message then says in
        `refusals` what became of the others: `{address: Outcome}`.

        `defects` is filled with the exceptions of messages that can't be written, by `id(message)`. Raises what smtplib raises when there is no
        connection to begin with.
        """
        messages = [message for message in email_messages if message.recipients()]
        jobs, defects = {}, {} if defects is None else defects

        def build(message):
            try:
                jobs[id(message)] = _job(message)
            except Exception as error:
                defects[id(message)] = error
                raise
            return jobs[id(message)]

        with self._lock:
            if not messages or not self._opened():
                return []
            results = self._exchange(messages, build)
        for message, _outcome in results:
            job = jobs.get(id(message))
            message.refusals = {address.decode(): why for address, why in (job and job.refusals or {}).items()}
        return results

    def _exchange(self, messages, build):
        exchange = Exchange(self.dial, connections=1, window=_WINDOW, timeout=self.timeout)
        exchange.adopt(self.connection)
        self.connection = None
        try:
            return exchange.hand_over(messages, build, more=False)
        finally:
            self.connection = next(iter(exchange.release()), None)

    def _opened(self):
        if self.connection is not None and not self._answers():
            self.connection.close()
            self.connection = None
        self.open()
        return self.connection is not None

    def _answers(self):
        try:
            return self.connection.noop()[0] == 250 and self.connection.in_step
        except (smtplib.SMTPException, OSError):
            return False


def _job(message):
    encoding = message.encoding or settings.DEFAULT_CHARSET
    addresses = [smtplib.quoteaddr(sanitize_address(address, encoding)) for address in (message.from_email, *message.recipients())]
    sender, *recipients = [address.removeprefix("<").removesuffix(">").encode("ascii") for address in addresses]
    body = message.message().as_bytes(linesep="\r\n")
    return Job(message, sender, recipients, [body if body.endswith(b"\r\n") else body + b"\r\n"], plain=False)
