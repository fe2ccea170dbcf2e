"""Django e-mail backends of our own: a folder of letters for the demo, providers' with their keys, and the transactional route itself."""

import os
import uuid
from pathlib import Path

from anymail.backends import brevo, resend
from django.core.mail.backends.base import BaseEmailBackend

from .seven_bits import in_seven_bits
from .smtp import SmtpBackend

__all__ = ["BrevoBackend", "FileBackend", "ResendBackend", "SmtpBackend", "TransactionalBackend"]


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

        return connection("transactional").send_messages([in_seven_bits(message) for message in email_messages])
