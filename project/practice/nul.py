"""NUL in an address's question: no text we keep can hold one, and PostgreSQL refuses to be asked for it."""

from django.core.exceptions import BadRequest


class NulMiddleware:
    """Answers it with the page for what can't be read (400), before any filter or search asks the database. Forms refuse it by themselves."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        if "%00" in request.META.get("QUERY_STRING", ""):
            raise BadRequest("NUL in the query string.")
        return self.get_response(request)
