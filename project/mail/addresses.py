"""E-mail addresses: which we accept, how we compare them, and how we remember one without keeping it."""

import hashlib
import hmac
import re
import unicodedata

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from email_validator import EmailNotValidError, validate_email

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069,;<>\"()\[\]\\]")


def parse_address(text):
    """The address a person typed, trimmed, NFC, its domain in lower case and ASCII (IDNA).

    Stricter than Django's validator: no quoted local part, no IP literal, no bare host, no control or invisible character, one address only,
    and an ASCII local part, because SES and many others refuse to carry any other. Raises ValidationError with a sentence for the person.
    """
    text = unicodedata.normalize("NFC", (text or "").strip())
    sentence = _("That doesn’t look like an e-mail address. Please check it, for example name@example.org.")
    if _FORBIDDEN.search(text) or len(text) > 254:
        raise ValidationError(sentence, code="invalid")
    try:
        # test_environment lets .test pass and checks no DNS: nobody waits on a name server to register.
        parts = validate_email(text, check_deliverability=False, allow_smtputf8=False, test_environment=True)
    except EmailNotValidError:
        raise ValidationError(sentence, code="invalid") from None
    if "." not in parts.ascii_domain:
        raise ValidationError(sentence, code="invalid")
    return f"{parts.local_part}@{parts.ascii_domain.lower()}"


def address_hash(address):
    """64 hex digits that stand for an address: HMAC-SHA-256 under ADDRESS_KEY of its case-folded form.

    The local part is folded too: in theory `Ana@` and `ana@` are two people (RFC 5321 §2.4), in practice never, and a person who unsubscribed
    as one must not be written to as the other.
    """
    return hmac.new(settings.ADDRESS_KEY.encode(), address.strip().casefold().encode(), hashlib.sha256).hexdigest()


def key_fingerprint():
    """What `ADDRESS_KEY` looks like from outside, kept in the ledger so that a changed key is noticed before anybody is written to again."""
    return address_hash("fingerprint@address-key.invalid")[:16]
