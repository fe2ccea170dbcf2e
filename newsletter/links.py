"""A subscriber's own links, for the letters that carry them. Each is absolute and under the letter's language.

What a link may do is in its token's salt, whom it concerns is an opaque id; nothing personal can be read from it.
"""

from project.mail import tokens
from project.practice.links import absolute


def unsubscribe_url(subscriber, language):
    """Opens a page with one button, and takes the RFC 8058 one-click POST. It never expires."""
    return absolute("newsletter-unsubscribe", tokens.make("unsubscribe", subscriber.public_id.hex), language=language)


def preferences_url(subscriber, language):
    """The subscriber's own page: topics, language, name."""
    return absolute("newsletter-preferences", tokens.make("preferences", subscriber.public_id.hex), language=language)


def confirm_token(request):
    return tokens.make("confirm", request.public_id.hex)


def confirm_url(request, language, *, packet):
    """The page with the one button that says “yes, this is my address”: with `packet`, the one that then opens it."""
    return absolute("info-packet-open" if packet else "newsletter-confirm", confirm_token(request), language=language)
