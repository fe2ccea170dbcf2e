"""The map of our public pages in each language, and what crawlers should leave alone."""

from django.conf import settings
from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone

from project.practice.links import absolute
from project.practice.pages import read_only

from .models import Seminar

#: Pages that are always there, by URL name.
PAGES = ["home", "seminar-list", "info-packet", "newsletter-subscribe"]
#: What lies behind a login or a signed link, under each language's prefix.
_APART = ["/admin/", "/registrations/", "/newsletter/confirm/", "/newsletter/preferences/", "/newsletter/unsubscribe/", "/webhooks/"]


@read_only
def sitemap(request):
    """Every public page once per language, each naming the other languages' (sitemaps.org 0.9 with xhtml:link).

    A seminar leaves it as it leaves the list, once it has begun: whoever searches then is too late for it.
    """
    pages = [(_addresses(name), None) for name in PAGES]
    pages += [(_addresses("seminar", seminar.slug), seminar.changed_at) for seminar in Seminar.objects.published().to_come(timezone.now())]
    return render(request, "seminars/sitemap.xml", {"pages": pages}, content_type="application/xml")


def _addresses(name, *args):
    """Pairs of a language and the page's address in it."""
    return [(language, absolute(name, *args, language=language)) for language, _name in settings.LANGUAGES]


@read_only
def robots(request):
    apart = [prefix + path for path in _APART for prefix in ("", "/es")]
    lines = ["User-agent: *", *(f"Disallow: {path}" for path in apart), "", f"Sitemap: {absolute('sitemap')}"]
    return HttpResponse("\n".join(lines) + "\n", content_type="text/plain; charset=utf-8")
