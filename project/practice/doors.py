"""What is decided about a request before any page is asked: whom a probe may call by which name, and how much anybody may hand in."""

from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from .pages import trouble

_PROBES = {"/health/live", "/health/ready"}
_HOOKS = "/webhooks/"

#: Nothing here needs them, so no page, and nothing that found its way into one, may ask for them.
_UNUSED_POWERS = "camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), usb=()"


class AnyNameForProbes:
    """Takes a question after our health as put to our own name: a load balancer asks by our IP address, which no list of names holds.

    Before anything that asks for the host. All other pages go on refusing a name that is not ours.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.path_info in _PROBES:
            request.META["HTTP_HOST"] = urlsplit(settings.SITE_URL).netloc
        return self.get_response(request)


class BodyLimit:
    """Refuses what is too large before a byte of it is read; Django would lay a file in the temporary folder first and check the form later.

    Only people of the front desk upload files, and only mail providers tell thousands of things at once: their view reads nothing before it has
    seen their secret (`mail.webhooks`). Everybody else may send no more than fits in memory. A body of untold length
    (chunked) is refused too: WSGI has no word for its end, so Django takes it for an empty one.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if request.META.get("HTTP_TRANSFER_ENCODING"):
            sentence = _("Something in the request was not as expected. Please go back and try again.")
            return trouble(request, 411, _("We couldn’t read that"), sentence)
        length = _length(request)
        if length > settings.DATA_UPLOAD_MAX_MEMORY_SIZE and length > _most_by(request):
            return trouble(request, 413, _("That is too large"), _("We can’t take that much at once. Please send a smaller file."))
        return self.get_response(request)


def _length(request):
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0  # as Django reads it: nothing


def _most_by(request):
    known = request.user.is_staff or request.path_info.startswith(_HOOKS)
    return settings.LARGEST_BODY if known else settings.DATA_UPLOAD_MAX_MEMORY_SIZE


class Headers:
    """What every answer says beside what it holds: powers of the browser that nobody gets; and the front desk is in no search engine."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["Permissions-Policy"] = _UNUSED_POWERS
        if request.resolver_match and request.resolver_match.app_name == "admin":
            response["X-Robots-Tag"] = "noindex"
        return response
