"""The front desk's clock: in the admin every moment is shown in the practice's own zone, and typed in it."""

from zoneinfo import ZoneInfo

from django.utils import timezone

from .models import Practice


class DeskClockMiddleware:
    """Active for the admin only: pages and letters for the public name the zone of what they tell."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        try:
            return self.get_response(request)
        finally:
            timezone.deactivate()  # the next request of this thread may be a patient's

    def process_view(self, request, view, args, kwargs):
        if request.resolver_match.app_name == "admin":
            timezone.activate(ZoneInfo(Practice.current().zone))
