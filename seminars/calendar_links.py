"""“Add to calendar” for those whose mail program ignores invites. The vendors document none of these addresses: golden tests hold them.

Like the invite they say nothing of the topic; unlike it they hold no link of the person's own, because the address lands in others' logs.
"""

from datetime import UTC
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from .itip import clean, neutral_title
from .models import Mode

_BASIC = "%Y%m%dT%H%M%SZ"
_DASHED = "%Y-%m-%dT%H:%M:%SZ"


def calendar_links(registration, practice):
    """Pairs of a calendar's name and its address, in the active language."""
    seminar = registration.seminar
    online = registration.mode == Mode.ONLINE
    facts = {
        "title": clean(neutral_title(practice)),
        "place": _("Online") if online else clean(f"{seminar.venue.name}, {seminar.venue.address}"),
        "words": _("The link to join is on your registration’s page. You find that page in our e-mail.") if online else "",
        "start": seminar.starts_at.astimezone(UTC),
        "end": seminar.ends_at.astimezone(UTC),
        "zone": seminar.zone,
    }
    return [
        ("Google", google(**facts)),
        ("Outlook.com", outlook("outlook.live.com", **facts)),
        ("Microsoft 365", outlook("outlook.office.com", **facts)),
        ("Yahoo", yahoo(**facts)),
    ]


def google(*, title, place, words, start, end, zone):
    return _url(
        "https://calendar.google.com/calendar/render",
        action="TEMPLATE",
        text=title,
        dates=f"{start:{_BASIC}}/{end:{_BASIC}}",
        details=words,
        location=place,
        ctz=zone,
    )


def outlook(host, *, title, place, words, start, end, zone):
    """Dashed times only: the basic format stopped working in 2020."""
    return _url(
        f"https://{host}/calendar/0/deeplink/compose",
        path="/calendar/action/compose",
        rru="addevent",
        subject=title,
        startdt=f"{start:{_DASHED}}",
        enddt=f"{end:{_DASHED}}",
        location=place,
        body=words,
    )


def yahoo(*, title, place, words, start, end, zone):
    return _url("https://calendar.yahoo.com/", v="60", title=title, st=f"{start:{_BASIC}}", et=f"{end:{_BASIC}}", desc=words, in_loc=place)


def _url(base, **query):
    """%20 for a space: Outlook shows a + as it is."""
    return f"{base}?{urlencode(query, quote_via=quote, safe='/:')}"
