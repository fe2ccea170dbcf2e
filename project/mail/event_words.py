"""What a provider tells of a letter, read into an Event: each provider's words for it, and ours.

anymail has the types. What it folds together or leaves out (whether a bounce is final, our own name for the letter) stands in the provider's
own payload, which it hands on whole as `esp_event`: an envelope at some, the bare event at others. So the tables here name fields by their
whole path, and have a line for each provider that says the thing at all; tests/mail/payloads/ has what each of them sends.
"""

import hashlib
import json
import math
import re
from datetime import UTC, timedelta
from email.utils import parseaddr

from anymail.signals import EventType, RejectReason
from django.utils import timezone

from . import outcomes, routes
from .addresses import address_hash
from .models import Event

#: What anymail takes for another type, or does not know: (what the payload says, the type it is), by provider.
_TYPES = {
    "mandrill": [({"event": "delivered"}, EventType.DELIVERED)],
    "postal": [({"payload.status": "Held", "payload.details": ".*suppression list.*"}, EventType.REJECTED)],
    "resend": [({"type": "email.failed"}, EventType.FAILED), ({"type": "email.suppressed"}, EventType.REJECTED)],
    # A mailbox provider takes back that somebody had reported it.
    "ses": [({"complaint.complaintFeedbackType": "not-spam"}, EventType.UNKNOWN)],
}

# One of those codes somewhere in what a mail server answered.
_NO_SUCH_ADDRESS = rf"(.*[^\d.])?({'|'.join(map(re.escape, sorted(outcomes.HARD_STATUS)))})([^\d.].*)?"

#: Which bounce means “no such address, ever”. Of a provider's lines one must hold, and of a line every field.
_HARD = {
    "brevo": [{"event": "hard_bounce|invalid_email"}],
    "mailersend": [{"type": "activity.hard_bounced"}],
    "mailgun": [{"event-data.severity": "permanent", "event-data.reason": "bounce|suppress-bounce"}, {"event": "bounced", "code": "5.*"}],
    "mailjet": [{"event": "bounce", "hard_bounce": "True|true"}],
    "mailtrap": [{"event": "bounce"}],
    "mandrill": [{"event": "hard_bounce"}],
    # It gives up on whatever was refused for good, so the refusal itself must say why. A letter that came back (MessageBounced) says nothing.
    "postal": [{"payload.status": "HardFail", "payload.output": _NO_SUCH_ADDRESS}],
    "postmark": [{"Type": "HardBounce"}, {"SuppressionReason": "HardBounce"}],
    # Not every payload has the type; then only the sentence tells.
    "resend": [{"data.bounce.type": "Permanent"}, {"data.bounce.message": ".*(hard bounce|suppressed sending).*"}],
    "sendgrid": [{"event": "bounce", "type": "bounce"}],
    "ses": [{"bounce.bounceType": "Permanent"}],
    # 10: invalid recipient; 30: no RCPT.
    "sparkpost": [{"msys.message_event.bounce_class": "10|30"}],
    "unisender-go": [{"delivery_info.delivery_status": "err_user_unknown|err_user_inactive"}],
}

#: Refused before it was tried, for what anymail calls a bounce: yet the address exists.
_REFUSED_FOR_NOW = {"mailjet": [{"error": "quota exceeded"}]}

#: What tells an event from the others, where anymail's event id does not: Mailgun's is of the signature, and its own id is unique for a day.
_IDENTITY = {"mailgun": ("event-data.id", "event-data.timestamp")}

#: Where the letter's own Message-ID comes back, which holds our name for it: for letters that left by the provider's SMTP, without metadata.
_MESSAGE_ID = {
    "brevo": ("message-id",),
    "mailgun": ("event-data.message.headers.message-id",),
    "postal": ("payload.message.message_id", "payload.original_message.message_id"),
    "sendgrid": ("smtp-id",),
    "ses": ("mail.commonHeaders.messageId",),
}

#: Older, or from the future: a clock gone wrong, or seconds where milliseconds were meant.
_LONGEST_AGO = timedelta(days=365)

#: What no database keeps: PostgreSQL takes neither NUL nor half a surrogate pair, which JSON may hold, as may what a mail server answered.
_UNKEEPABLE = re.compile("[\0\ud800-\udfff]")

is_name = re.compile("[a-z0-9-]+").fullmatch


class Unreadable(ValueError):
    """Nobody can make an event of it; told again it would be the same."""


def read(provider, told):
    """The Event, not stored yet, of an AnymailTrackingEvent; None where it concerns nobody. Raises Unreadable."""
    try:
        return _read(provider, told, timezone.now())
    except (LookupError, TypeError, ValueError, AttributeError, OverflowError, RecursionError) as error:
        raise Unreadable(type(error).__name__) from error


def _read(provider, told, now):
    address = _address(told.recipient)
    if not address:
        return None
    raw = _clean(told.esp_event.dict() if hasattr(told.esp_event, "dict") else told.esp_event)
    event_type = _type(provider, told, raw)
    return Event(
        dedupe=_dedupe(provider, told, raw, address),
        provider=provider,
        type=event_type,
        hard=_is_hard(provider, event_type, told.reject_reason, raw),
        address_hash=address_hash(address),
        letter=_letter(provider, told.metadata, raw),
        provider_id=_clean(str(told.message_id or ""))[:200],
        occurred_at=_moment(told.timestamp, now),
        raw=raw,
    )


def _clean(value):
    """JSON's values as every database can keep them. What would be lost is replaced, so that the rest of an event is not lost with it."""
    match value:
        case str():
            return _UNKEEPABLE.sub("\ufffd", value)
        case dict():
            return {_clean(str(name)): _clean(inner) for name, inner in value.items()}
        case list() | tuple():
            return [_clean(inner) for inner in value]
        case float() if not math.isfinite(value):
            return str(value)
        case None | bool() | int() | float():
            return value
    return _clean(str(value))


def _address(recipient):
    """The bare address: some providers tell it with the name, as the letter had it."""
    text = _clean(str(recipient or "")).strip()
    return parseaddr(text)[1] or text


def _moment(timestamp, now):
    if timestamp is None:
        return now
    if timezone.is_naive(timestamp):
        timestamp = timestamp.replace(tzinfo=UTC)
    return timestamp if now - _LONGEST_AGO < timestamp <= now else now


# -- The tables read -----------------------------------------------------------------------------------------------------------------------


def _at(raw, path):
    """What stands at `a.b.c` of a payload; None where there is no such place."""
    for name in path.split("."):
        raw = raw.get(name) if isinstance(raw, dict) else None
    return raw


def _says(raw, fields):
    """Whether the payload says just that: at every path something its pattern matches whole."""
    return all(re.fullmatch(pattern, str(_at(raw, path)), re.DOTALL) for path, pattern in fields.items())


def _type(provider, told, raw):
    ours = (event_type for fields, event_type in _TYPES.get(provider, ()) if _says(raw, fields))
    return next(ours, told.event_type or EventType.UNKNOWN)


def _is_hard(provider, event_type, reject_reason, raw):
    if event_type not in {EventType.BOUNCED, EventType.REJECTED, EventType.FAILED}:
        return False
    if event_type == EventType.REJECTED and reject_reason in {RejectReason.BOUNCED, RejectReason.INVALID}:
        return not any(_says(raw, fields) for fields in _REFUSED_FOR_NOW.get(provider, ()))
    return any(_says(raw, fields) for fields in _HARD.get(provider, ()))


def _letter(provider, metadata, raw):
    """Our name for the letter, as its metadata told it back, else its Message-ID; or ''."""
    if isinstance(metadata, dict) and metadata.get("letter"):
        return _clean(str(metadata["letter"]))[:64]
    for path in _MESSAGE_ID.get(provider, ()):
        name, _sign, domain = str(_at(raw, path) or "").strip("<>").rpartition("@")
        if domain.lower() == routes.message_id_domain().lower() and is_name(name):
            return name[:64]
    return ""


def _dedupe(provider, told, raw, address):
    """Some providers give no event id, and one SES id covers several recipients."""
    own = [_at(raw, path) for path in _IDENTITY.get(provider, ())]
    identity = json.dumps(own) if own and all(own) else told.event_id or json.dumps(raw, sort_keys=True)
    parts = [provider, _clean(str(identity)), address.casefold(), str(told.event_type)]
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()
