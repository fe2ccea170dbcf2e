"""A subscriber's own links, for the letters that carry them. Each is absolute and under the letter's language.

What a link may do is in its token's salt, whom it concerns is an opaque id; nothing personal can be read from it.
"""

import functools

from django.conf import settings

from project.mail import tokens
from project.practice.links import absolute

#: Merge field → the page it leads to, and the purpose its token is made for.
_OWN = {
    "unsubscribe_url": ("newsletter-unsubscribe", "unsubscribe"),
    "preferences_url": ("newsletter-preferences", "preferences"),
}


def unsubscribe_url(subscriber, language):
    """Opens a page with one button, and takes the RFC 8058 one-click POST. It never expires."""
    return _url("unsubscribe_url", subscriber, language)


def preferences_url(subscriber, language):
    """The subscriber's own page: topics, language, name."""
    return _url("preferences_url", subscriber, language)


def _url(field, subscriber, language):
    before, after = around(field, language)
    return f"{before}{tokens_of(subscriber)[field]}{after}"


def tokens_of(subscriber):
    """`{merge field: token}`: what of such links is the reader’s own: letters, digits, `-`, `_` and `:`, which nothing needs to escape."""
    value = subscriber.public_id.hex
    return {field: tokens.make(purpose, value) for field, (_page, purpose) in _OWN.items()}


def around(field, language):
    """What stands before and after the token, the same for all readers of a language."""
    return _around(field, language, settings.SITE_URL)


@functools.lru_cache(maxsize=16)
def _around(field, language, _site):
    before, _token, after = absolute(_OWN[field][0], "TOKEN", language=language).rpartition("TOKEN")
    return before, after


def confirm_token(request):
    return tokens.make("confirm", request.public_id.hex)


def confirm_url(request, language, *, packet):
    """The page with the one button that says “yes, this is my address”: with `packet`, the one that then opens it."""
    return absolute("info-packet-open" if packet else "newsletter-confirm", confirm_token(request), language=language)
