"""Django e-mail backends of our own: SMTP that knows how far it came, a folder of letters for the demo, and the transactional route itself."""

import os
import smtplib
import uuid
from pathlib import Path

from anymail.backends import brevo, resend
from django.core.mail.backends.base import BaseEmailBackend
from django.core.mail.backends.smtp import EmailBackend as StockSmtpBackend


def _telling(connection_class, backend):
    class Telling(connection_class):
        """Notes how far the letter came: whether the dialogue about it had begun, and whether its final dot has left."""

        def mail(self, sender, options=()):
            answer = super().mail(sender, options)
            backend.begun = True
            return answer

        def send(self, s):
            super().send(s)
            # Only the letter itself comes as bytes that end with the dot; what broke off before was never whole.
            if isinstance(s, bytes | bytearray) and s.endswith(b"\r\n.\r\n"):
                backend.dot_sent = True

        def data(self, msg):
            code, reply = super().data(msg)
            backend.dot_sent = False  # the server has answered, so nothing is in doubt
            return code, reply

    return Telling


class SmtpBackend(StockSmtpBackend):
    """The stock backend, strict (`fail_silently` is not used), keeping its connection, which says how far a letter that broke off had come.

    `begun`: the other side had answered MAIL, so what broke off later may be this letter's own doing. `dot_sent`: it may have the letter.
    """

    begun = dot_sent = False

    @property
    def connection_class(self):
        return _telling(smtplib.SMTP_SSL if self.use_ssl else smtplib.SMTP, self)

    def _answers(self):
        try:
            return self.connection.noop()[0] == 250
        except (smtplib.SMTPException, OSError):
            return False

    def send_messages(self, email_messages):
        """Unlike the stock backend, keeps the connection open whoever opened it, and asks a kept one whether it is still there."""
        self.begun = self.dot_sent = False
        if self.connection is not None and not self._answers():
            self.close()
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
            content = message.message().as_bytes(linesep="\r\n")
            with beside.open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            beside.rename(self.folder / f"{name}.eml")
        return len(email_messages)


class ResendBackend(resend.EmailBackend):
    """anymail's, with Resend's `Idempotency-Key`, for which anymail has no place. A message says its key by `idempotency_key`."""

    def build_message_payload(self, message, defaults):
        payload = super().build_message_payload(message, defaults)
        if key := getattr(message, "idempotency_key", ""):
            payload.headers["Idempotency-Key"] = key
        return payload


_KEYS = uuid.UUID("5f5b6d0e-6c7b-4b0a-9d3a-0c1f9a3e7b52")


class BrevoBackend(brevo.EmailBackend):
    """anymail's, with Brevo's `idempotencyKey`, a UUID among the letter's headers that Brevo takes out again."""

    def build_message_payload(self, message, defaults):
        if key := getattr(message, "idempotency_key", ""):
            message.extra_headers["idempotencyKey"] = str(uuid.uuid5(_KEYS, key))
        return super().build_message_payload(message, defaults)


class TransactionalBackend(BaseEmailBackend):
    """`EMAIL_BACKEND`: Django's own mail (password reset, error reports) leaves by the transactional route, without a row in the ledger."""

    def send_messages(self, email_messages):
        from .routes import connection  # noqa: PLC0415  the app registry is not ready when Django imports its e-mail backend

        return connection("transactional").send_messages(email_messages)
