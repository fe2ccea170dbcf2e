"""Places where a test may have this process die as `kill -9` would: at once, with nothing cleaned up. No-ops outside DEBUG."""

import os
from collections import Counter

from django.conf import settings

_reached = Counter()


def reach(name):
    """Die here when LECTERN_CRASH names this place: `marked` at the first time, `marked:3` at this process's third."""
    if not settings.LOCAL:
        return
    place, _colon, nth = os.environ.get("LECTERN_CRASH", "").partition(":")
    if place != name:
        return
    _reached[name] += 1
    if _reached[name] == int(nth or 1):
        os._exit(137)
