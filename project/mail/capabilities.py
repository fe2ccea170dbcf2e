"""What a route can carry, and a letter made to fit it. Each line is tested against what the route's backend really builds."""

import copy
from dataclasses import dataclass
from datetime import timedelta

from django.core.mail.message import EmailAttachment


@dataclass(frozen=True)
class Can:
    """`calendar`: the invite as an alternative, "bytes", "text" (the provider takes JSON), or "" where it can't be carried.

    `invite`: the content type of the attached invite. `metadata`: an opaque id comes back with the provider's events. `own_headers`: each
    recipient of one call has headers of their own (List-Unsubscribe). `merge`: the provider fills in fields without a template stored there.
    `idempotent_for`: how long a repeated call with the same key is known as such. `batch`: recipients in one call. `dialect`: how fields are
    written in a call for many readers (newsletter/batching.py); "" where every letter goes alone, for want of merging or of own headers.
    """

    calendar: str = ""
    invite: str = "application/ics"
    metadata: bool = True
    own_headers: bool = False
    merge: bool = False
    idempotent_for: timedelta = timedelta(0)
    batch: int = 1
    dialect: str = ""

    @property
    def idempotent(self):
        """Whether a letter in doubt may simply be handed over again: its key outlives our patience with it."""
        return self.idempotent_for >= timedelta(hours=24)


#: A route that takes the letter as MIME, as SMTP does.
MIME = Can(calendar="bytes", batch=1)


def fit(message, can):
    """A copy of the letter that this route can carry. An invite never keeps a confirmation from leaving: at worst it is only a file."""
    fitted = copy.copy(message)
    fitted.extra_headers = dict(message.extra_headers)
    # The same at every try of the same letter, in either stream: what a provider knows a repeated call by.
    fitted.idempotency_key = (getattr(message, "metadata", None) or {}).get("letter", "")
    fitted.attachments = [_attachment(attachment, can) for attachment in message.attachments]
    if hasattr(message, "alternatives"):
        fitted.alternatives = [_alternative(part, can) for part in message.alternatives if can.calendar or not _is_calendar(part)]
    if not can.metadata:
        fitted.__dict__.pop("metadata", None)
    return fitted


def _is_calendar(alternative):
    return alternative.mimetype.startswith("text/calendar")


def _alternative(part, can):
    if _is_calendar(part) and can.calendar == "text" and isinstance(part.content, bytes):
        return part._replace(content=part.content.decode())
    return part


def _attachment(attachment, can):
    if isinstance(attachment, EmailAttachment) and attachment.mimetype == "application/ics":
        return attachment._replace(mimetype=can.invite)
    return attachment
