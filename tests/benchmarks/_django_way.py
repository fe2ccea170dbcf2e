"""Workers that send as plain Django would: `EmailMultiAlternatives` built for each reader, over one kept connection per process.

The pipeline is the same one, chunks and records and all; only the carrier is the slow lane's, with Django's own SMTP backend.
"""

import dataclasses

import django
from django.core.mail.backends.smtp import EmailBackend

from project.celery import app

django.setup()

from project.mail import carriers, routes  # noqa: E402  they need the apps

__all__ = ["Kept", "app"]

_parse = routes.parse


class Kept(EmailBackend):
    """Django's own, which closes after every call unless it was open before."""

    def send_messages(self, email_messages):
        self.open()
        return super().send_messages(email_messages)


def _stock(url):
    chosen = _parse(url)
    return dataclasses.replace(chosen, backend=f"{__name__}.Kept") if chosen.scheme == "smtp" else chosen


routes.parse = _stock
carriers.of = carriers.OneByOne
