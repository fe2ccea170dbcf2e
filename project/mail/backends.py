"""Django e-mail backends of our own: SMTP that knows how far it came, a folder of letters for the demo, and the transactional route itself."""

import os
import smtplib
import uuid
from email import policy
from pathlib import Path

from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as StockSmtpBackend


def _telling(connection_class, backend):
    class Telling(connection_class):
        """Notes when the letter itself was on its way: from then on a broken connection leaves it in doubt."""

        def data(self, msg):
            backend.dot_sent = True
            try:
                return super().data(msg)
            except smtplib.SMTPDataError:
                backend.dot_sent = False  # the server has said no
                raise

    return Telling


class SmtpBackend(StockSmtpBackend):
    """The stock backend, strict (`fail_silently` is not used), which says by `dot_sent` whether a letter that broke off may have arrived."""

    dot_sent = False

    @property
    def connection_class(self):
        return _telling(smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP, self)

    def open(self):
        """True when a new connection was made, False when the kept one still answers."""
        if self.connection is not None and not self._answers():
            self.close()
        return super().open()

    def _answers(self):
        try:
            return self.connection.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def send_messages(self, email_messages):
        """Unlike the stock backend, keeps the connection open whoever opened it."""
        self.dot_sent = False
        self.open()
        return super().send_messages(email_messages)


class FileBackend(BaseEmailBackend):
    """Each letter one `.eml` file in a folder, as a mail server would receive it (CRLF, RFC 5322). For the demo and for tests.

    Written under a temporary name and renamed, so that a reader never sees half a letter.
    """

    def __init__(self, folder, **kwargs):
        super().__init__(**kwargs)
        self.folder = Path(folder)

    def open(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        return False

    def send_messages(self, email_messages):
        self.open()
        for message in email_messages:
            name = uuid.uuid4().hex
            beside = self.folder / f".{name}.part"
            with beside.open("wb") as file:
                file.write(message.message().as_bytes(policy=policy.SMTP.clone(cte_type="7bit")))
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self.folder / f"{name}.eml")
        return len(email_messages)


class TransactionalBackend(BaseEmailBackend):
    """`EMAIL_BACKEND`: Django's own mail (password reset, error reports) leaves by the transactional route, without a row in the ledger."""

    def send_messages(self, email_messages):
        from .routes import connection  # noqa: PLC0415  the app registry is not ready when Django imports its e-mail backend

        return connection("transactional").send_messages(email_messages)
