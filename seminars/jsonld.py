"""A seminar as search engines read it: schema.org Event in JSON-LD, in the active language."""

import json
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.html import format_html
from django.utils.safestring import mark_safe

from . import links
from .models import Seminar

_SCHEMA = "https://schema.org"
_ATTENDANCE = {
    Seminar.Format.IN_PERSON: "OfflineEventAttendanceMode",
    Seminar.Format.ONLINE: "OnlineEventAttendanceMode",
    Seminar.Format.HYBRID: "MixedEventAttendanceMode",
}
# What could end the script element or start a comment in it, as JSON's own escapes: it stays the same text.
_ESCAPES = {ord(sign): f"\\u{ord(sign):04X}" for sign in "<>&\u2028\u2029"}


def event(seminar, practice, now):
    """A JSON-able dict of what the page says, never more: no link to join, and seats on offer only while people can register.

    One that was called off keeps its date and says so by its status; Google Search Central, “Event structured data”.
    """
    text, url = seminar.text(), links.seminar_url(seminar)
    zone = ZoneInfo(seminar.zone)
    organizer = {"@type": "MedicalOrganization", "name": practice.name, "url": settings.SITE_URL}
    if practice.phone:
        organizer["telephone"] = practice.phone
    said = {
        "@context": _SCHEMA,
        "@type": "Event",
        "@id": url,
        "url": url,
        "name": text.title,
        "description": text.summary,
        "startDate": seminar.starts_at.astimezone(zone).isoformat(timespec="minutes"),
        "endDate": seminar.ends_at.astimezone(zone).isoformat(timespec="minutes"),
        "eventStatus": f"{_SCHEMA}/{'EventCancelled' if seminar.status == Seminar.Status.CANCELLED else 'EventScheduled'}",
        "eventAttendanceMode": f"{_SCHEMA}/{_ATTENDANCE[seminar.format]}",
        "location": _location(seminar, url),
        "organizer": organizer,
        "performer": [{"@type": "Person", "name": speaker.full_name} for speaker in seminar.speakers.all()],
        "inLanguage": seminar.talk_language,
        "isAccessibleForFree": True,
    }
    if seminar.is_open(now):
        said["offers"] = _offer(seminar, url)
    return said


def _offer(seminar, url):
    """A waiting list is no seat: full is SoldOut, whoever may still join it."""
    has_seats = any(pool.free for pool in seminar.pools.all())
    return {
        "@type": "Offer",
        "url": url,
        "price": "0",
        "priceCurrency": "USD",
        "availability": f"{_SCHEMA}/{'InStock' if has_seats else 'SoldOut'}",
        "validFrom": seminar.published_at.isoformat(timespec="minutes"),
    }


def _location(seminar, url):
    places = []
    if seminar.format != Seminar.Format.ONLINE:
        venue = seminar.venue
        places.append(
            {
                "@type": "Place",
                "name": venue.name,
                "address": {
                    "@type": "PostalAddress",
                    "streetAddress": venue.street,
                    "addressLocality": venue.city,
                    "addressRegion": venue.state,
                    "postalCode": venue.postal_code,
                    "addressCountry": "US",
                },
            }
        )
    if seminar.format != Seminar.Format.IN_PERSON:
        places.append({"@type": "VirtualLocation", "url": url})
    return places[0] if len(places) == 1 else places


def script(data):
    """The `<script type="application/ld+json">` of a JSON-able dict. It is data and runs nothing, so the page's CSP lets it stand."""
    text = json.dumps(data, ensure_ascii=False).translate(_ESCAPES)
    return format_html('<script type="application/ld+json">{}</script>', mark_safe(text))  # noqa: S308  escaped just above
