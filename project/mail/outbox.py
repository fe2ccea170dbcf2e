"""Post a letter: a row now, in the caller's transaction; an envelope after the commit."""

from django.utils import timezone

from . import bells
from .addresses import address_hash
from .models import Message, Stream


def post(kind, ref, *, key, address, language, stream=Stream.TRANSACTIONAL, due_at=None):
    """Put one letter into the ledger. True when it is new, False when `key` was posted before: the same letter is never posted twice.

    `ref`: a dict of ids and small numbers the kind's `build` understands; nothing personal. `due_at`: aware, default now.
    """
    _letter, new = Message.objects.get_or_create(
        key=key,
        defaults={
            "kind": kind,
            "ref": ref,
            "stream": stream,
            "language": language,
            "address": address,
            "address_hash": address_hash(address),
            "due_at": due_at or timezone.now(),
        },
    )
    bells.ring_after_commit("letters")
    return new
