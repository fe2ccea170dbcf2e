"""Questions in an address that no column of ours can answer: NUL, and numbers too large to be compared with any."""

from django.core.exceptions import BadRequest
from django.db import DataError


class Unanswerable:
    """Answers them with the page for what can't be read (400). Forms refuse them by themselves.

    NUL is looked for beforehand: no text we keep can hold one, and PostgreSQL refuses to be asked for it. Whether a number is too large each
    column says for itself, and Django's own lists pass that on as an error of the site.
    """

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in the query string.")
        return self.get_response(request)

    def process_exception(self, request, exception):
        if request.method in {"GET", "HEAD"} and request.GET and isinstance(exception, (OverflowError, DataError)):
            raise BadRequest("A number in the query string is too large.") from exception
