"""Places where a test may have this process die as `kill -9` would: at once, with nothing cleaned up. No-ops outside DEBUG."""

import os

from django.conf import settings


def reach(name):
    """Die here when LECTERN_CRASH names this place."""
    if settings.LOCAL and os.environ.get("LECTERN_CRASH") == name:
        os._exit(137)
