"""Signed links: what a link may do is in its salt, whom it concerns is an opaque id, and nothing personal can be read from it."""

from django.core import signing

_BASE = "lectern"


def make(purpose, value):
    """A URL-safe token for a purpose ("registration", "confirm", "unsubscribe" …) and an opaque id (int or str)."""
    return signing.dumps(value, salt=f"{_BASE}.{purpose}", compress=False)


def read(purpose, token, max_age=None):
    """The value; None for a token that was altered, made for another purpose, or is older than `max_age` (a timedelta)."""
    try:
        return signing.loads(token, salt=f"{_BASE}.{purpose}", max_age=max_age)
    except signing.BadSignature:
        return None
