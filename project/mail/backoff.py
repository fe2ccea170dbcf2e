"""When to try again."""

import random
from datetime import timedelta

_STEPS = [timedelta(minutes=1), timedelta(minutes=5), timedelta(minutes=15), timedelta(hours=1), timedelta(hours=4)]

#: A letter refused for so long since its first refusal is no news to anyone any more: it fails, and a person sees it on Today.
GIVE_UP_AFTER = timedelta(hours=24)

#: A letter that may have left is handed over once more after so long: time enough for a provider's webhook to settle it before.
DOUBT = timedelta(minutes=15)


def wait(attempts):
    """How long after the `attempts`-th failed try (from 1); up to a fifth more at random, lest a thousand letters come back as one."""
    step = _STEPS[min(attempts, len(_STEPS)) - 1]
    return step * (1 + random.random() / 5)
