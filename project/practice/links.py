"""Whole addresses of our pages, for letters, calendars and feeds."""

from django.conf import settings
from django.urls import reverse
from django.utils import translation


def absolute(name, *args, language=None):
    """`SITE_URL` and the path of a page under a language, the active one by default; never the host a request came in by."""
    with translation.override(language or translation.get_language()):
        return settings.SITE_URL + reverse(name, args=args)
