"""Signing in at the front desk: who is let try, and what is said when somebody tried too often.

Tries are counted by django-axes, in the database. This module tells it where a try comes from, which name it is for, and when a place has
tried too many names.
"""

from axes.handlers.database import AxesDatabaseHandler
from axes.models import AccessAttempt
from django.conf import settings
from django.db.models import Sum
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers

from .guard import place_of

#: What axes' table holds of a name. PostgreSQL refuses a longer one.
_LONGEST_NAME = AccessAttempt._meta.get_field("username").max_length


def address_of(request):
    """The place a try is counted for, as an address; None, which all such tries share, when it can't be told."""
    place = place_of(request)
    return None if place == "unknown" else place


def name_tried(request, credentials):
    """The name a try is counted for: as much of it as there is room for, because anybody may send a longer one than anybody has."""
    name = (credentials or request.POST).get("username")
    return name and name[:_LONGEST_NAME]


class Tries(AxesDatabaseHandler):
    """Shuts the door for one name from one place after AXES_FAILURE_LIMIT wrong tries, and for a whole place after SIGN_IN_PER_PLACE."""

    def get_failures(self, request, credentials=None):
        failures = super().get_failures(request, credentials)
        if self._failures_of_place(request) >= settings.SIGN_IN_PER_PLACE:
            return max(failures, settings.AXES_FAILURE_LIMIT)
        return failures

    def _failures_of_place(self, request):
        recent = request.axes_attempt_time - settings.AXES_COOLOFF_TIME
        tries = AccessAttempt.objects.filter(ip_address=request.axes_ip_address, attempt_time__gte=recent)
        return tries.aggregate(sum=Sum("failures_since_start"))["sum"] or 0


def shut(request, original_response, credentials=None):
    """The page for a shut door: 429, with the time to wait in words and in Retry-After (RFC 9110 §10.2.3)."""
    wait = int(settings.AXES_COOLOFF_TIME.total_seconds())
    response = render(request, "lockout.html", {"minutes": wait // 60}, status=429)
    add_never_cache_headers(response)
    response["Retry-After"] = str(wait)
    return response
