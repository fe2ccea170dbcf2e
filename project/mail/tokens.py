"""Signed links: what a link may do is in its salt, whom it concerns is an opaque id, and nothing personal can be read from it."""

import binascii
import functools
import hashlib
import json
import time

from django.conf import settings
from django.core import signing

from . import keyed

_BASE = "lectern"

_json = json.JSONEncoder(separators=(",", ":"))


def make(purpose, value):
    """A URL-safe token for a purpose ("registration", "confirm", "unsubscribe" …) and an opaque id (int or str).

    Letter for letter what `signing.dumps(value, salt=…)` gives, in a tenth of the time, since every reader of a campaign needs two: what it
    derives anew each time is kept.
    """
    signed = f"{_payload(value)}:{_seconds(int(time.time()))}"
    return f"{signed}:{_base64(keyed.digest(_key(purpose, settings.SECRET_KEY), signed.encode()))}"


def read(purpose, token, max_age=None):
    """The value; None for a token that was altered, made for another purpose, or is older than `max_age` (a timedelta)."""
    try:
        return signing.loads(token, salt=_salt(purpose), max_age=max_age)
    except signing.BadSignature:
        return None


def _salt(purpose):
    return f"{_BASE}.{purpose}"


@functools.lru_cache(maxsize=32)
def _key(purpose, secret):
    """The key that Django's Signer and salted_hmac derive from the salt and SECRET_KEY."""
    return hashlib.sha256(f"{_salt(purpose)}signer{secret}".encode()).digest()


@functools.lru_cache(maxsize=4)
def _seconds(now):
    return signing.b62_encode(now)


@functools.lru_cache(maxsize=2, typed=True)  # 1 is not True
def _payload(value):
    """A reader's two links carry the same."""
    return _base64(_json.encode(value).encode())


def _base64(data):
    return binascii.b2a_base64(data, newline=False).translate(_URLSAFE, b"=").decode()


_URLSAFE = bytes.maketrans(b"+/", b"-_")
