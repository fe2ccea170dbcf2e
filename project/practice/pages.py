"""What all public pages share: the methods they take, the privacy of those behind a signed link, and a friendly page for what does not work."""

import functools
from dataclasses import dataclass

from django.core import signing
from django.core.exceptions import NON_FIELD_ERRORS
from django.shortcuts import redirect, render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import gettext as _


def allow(*methods):
    """Only these HTTP methods; another one gets 405 with a sentence and a way on, in the page's language, where Django would send nothing."""

    def decorate(view):
        @functools.wraps(view)
        def wrapped(request, *args, **kwargs):
            if request.method in methods:
                return view(request, *args, **kwargs)
            return refused_method(request, methods)

        wrapped.methods = methods  # for who answers before the view is asked, as the CSRF check does
        return wrapped

    return decorate


def refused_method(request, methods):
    response = trouble(request, 405, _("This page can’t be used that way"), _("Please open it in your browser and use its buttons."))
    response["Allow"] = ", ".join(methods)
    return response


read_only = allow("GET", "HEAD")
page_or_button = allow("GET", "HEAD", "POST")
button_only = allow("POST")


def private(view):
    """A page that concerns one person: kept by no cache, listed by no search engine, and its address told to no other site."""

    @functools.wraps(view)
    def wrapped(request, *args, **kwargs):
        response = view(request, *args, **kwargs)
        add_never_cache_headers(response)
        response["X-Robots-Tag"] = "noindex"
        response["Referrer-Policy"] = "same-origin"
        return response

    return wrapped


@dataclass(frozen=True)
class JustTyped:
    """Passes what was typed on one page to the next, which repeats it so that a slip is seen there and not missed for days.

    It travels in a signed cookie for that page alone and a few minutes: in the page's address it would stand in logs, and a session would keep
    it in a table. `name` is the cookie's; `version` changes with the shape of what is passed, so that no page reads an older one's.
    """

    name: str
    version: int = 1

    _AGE = 15 * 60  # seconds

    @property
    def _salt(self):
        return f"lectern.{self.name}.{self.version}"

    def redirect(self, request, typed, page, **kwargs):
        """A redirect to the page of that URL name, which finds `typed`, any JSON value, by `read`."""
        response = redirect(page, **kwargs)
        response.set_cookie(
            self.name,
            signing.dumps(typed, salt=self._salt),
            max_age=self._AGE,
            path=response.url,
            secure=request.is_secure(),
            httponly=True,
            samesite="Lax",
        )
        return response

    def read(self, request):
        """What was typed; None without the cookie, or when it was altered or is too old."""
        try:
            return signing.loads(request.COOKIES.get(self.name, ""), salt=self._salt, max_age=self._AGE)
        except signing.BadSignature:
            return None


def form_status(form):
    """The status of a page with this form: 200 before it is sent, 422 with mistakes in it, 429 when there was no mistake but too many."""
    if not form.is_bound:
        return 200
    return 429 if form.has_error(NON_FIELD_ERRORS, "too-many") else 422


def trouble(request, status, title, text, again=None):
    """What is wrong in a sentence, and the ways on that every such page has. `again`: where a new letter can be asked for."""
    return render(request, "oops.html", {"title": title, "text": text, "again": again}, status=status)


def altered_link(request):
    """The same for a link that was altered, is cut short, or leads to nothing any more."""
    return trouble(
        request,
        404,
        _("This link doesn’t work"),
        _("Sometimes a mail program breaks a long link. Please open it once more from our e-mail, by its button, or call us."),
    )
