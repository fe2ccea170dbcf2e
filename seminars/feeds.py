"""Calendar files: the public ones to subscribe to or to download, and a registration's own."""

import hashlib
from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpResponse
from django.utils import timezone
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date, quote_etag
from django.utils.translation import get_language

from project.practice.models import Practice
from project.practice.pages import altered_link, private, read_only

from . import itip, links
from .models import Registration, Seminar

#: How long a seminar that is over stays in the feed, for calendars that read it seldom.
PAST_STAYS = timedelta(days=30)


@read_only
def seminars_calendar(request):
    """All upcoming seminars in the page's language; those called off stay for a while, marked so."""
    now = timezone.now()
    return _feed(request, Seminar.objects.listed(now).filter(ends_at__gt=now - PAST_STAYS), "seminars.ics")


@read_only
def seminar_calendar(request, slug):
    """One seminar, for the visitor's own calendar."""
    found = Seminar.objects.exclude(published_at=None).exclude(status=Seminar.Status.DRAFT).filter(slug=slug)
    if not found:
        raise Http404
    return _feed(request, found, "seminar.ics")


def _feed(request, seminars, filename):
    """Equal rows give equal bytes, so their hash is the ETag; who has them gets 304 and nothing else (RFC 9110 §13)."""
    seminars = list(seminars.with_words())
    content = itip.feed(seminars, Practice.current(), get_language(), url=settings.SITE_URL + request.path)
    etag = quote_etag(hashlib.sha256(content).hexdigest()[:32])
    changed = int(max(seminar.changed_at for seminar in seminars).timestamp()) if seminars else None
    response = HttpResponse(content, content_type="text/calendar; charset=utf-8")
    response["Content-Disposition"] = f'inline; filename="{filename}"'
    response["ETag"] = etag
    if changed:
        response["Last-Modified"] = http_date(changed)
    patch_cache_control(response, public=True, max_age=300)
    return get_conditional_response(request, etag=etag, last_modified=changed, response=response)


@read_only
@private
def registration_calendar(request, token):
    """The invite of somebody who has a seat, as a file: the same event that the letters move and cancel."""
    registration = links.registration_of(token)
    if registration is None or registration.status != Registration.Status.CONFIRMED:
        return altered_link(request)
    part = itip.download(registration, Practice.current())
    response = HttpResponse(part.content, content_type=f"text/calendar; charset=utf-8; method={part.method}")
    response["Content-Disposition"] = 'attachment; filename="invite.ics"'
    return response
