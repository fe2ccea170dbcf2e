"""HMAC-SHA-256 (RFC 2104) with a key that is used again and again: what hashing the key leaves is kept, and half of the work spared."""

import functools
import hashlib

_BLOCK = 64
_INNER, _OUTER = (bytes(byte ^ pad for byte in range(256)) for pad in (0x36, 0x5C))


def digest(key, message):
    """The same 32 bytes as `hmac.digest(key, message, "sha256")`. For a handful of keys, which stay in memory."""
    inner, outer = _prepared(key)
    inner, outer = inner.copy(), outer.copy()
    inner.update(message)
    outer.update(inner.digest())
    return outer.digest()


@functools.lru_cache(maxsize=64)
def _prepared(key):
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK else key).ljust(_BLOCK, b"\0")
    return hashlib.sha256(block.translate(_INNER)), hashlib.sha256(block.translate(_OUTER))
