"""Where registrations came from is of use for some days, to see that one place takes many seats; then it is forgotten."""

import time

from django.utils import timezone

from .models import Registration

_AT_A_TIME = 500


def places_due(now):
    """For the table of work: whether there is one to forget."""
    return int(Registration.objects.of_a_known_place(now).exists())


def drain(deadline):
    """Forget them until `time.monotonic()` passes `deadline`; True when some are left. One by one: no lock is held beside another."""
    now = timezone.now()
    while pks := list(Registration.objects.of_a_known_place(now).values_list("pk", flat=True)[:_AT_A_TIME]):
        for pk in pks:
            if time.monotonic() > deadline:
                return True
            Registration.objects.filter(pk=pk).update(place_hash="")
    return False
