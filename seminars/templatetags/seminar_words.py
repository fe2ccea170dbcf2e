"""What templates say about a seminar, in the active language."""

from django import template
from django.conf import settings
from django.urls import translate_url
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from project.practice.zones import moment_words, time_words, unbroken

from ..models import Mode, Seminar
from ..nearby import distance_words
from ..words import length_words, seats_by_mode, seats_level, seats_words

register = template.Library()


@register.filter
def when(seminar):
    """`Thursday, December 3, 2026, at 6:00 p.m. Eastern Time`."""
    return unbroken(moment_words(seminar.starts_at, seminar.zone))


@register.filter
def until(seminar):
    return unbroken(time_words(seminar.ends_at, seminar.zone))


@register.filter
def length(seminar):
    """`1 hour 30 minutes`."""
    return length_words(seminar.ends_at - seminar.starts_at)


@register.filter
def place(seminar):
    """Where, in a line of a list: `Harbor Hotel, Tampa, FL`, `Online`, or both; and how far the room is, where that was worked out."""
    if seminar.format == Seminar.Format.ONLINE:
        return _("Online")
    room = f"{seminar.venue.name}, {seminar.venue.city}, {seminar.venue.state}"
    if (miles := getattr(seminar, "miles", None)) is not None:
        room = f"{room}, {distance_words(miles)}"
    if seminar.format == Seminar.Format.HYBRID:
        return _("%(place)s, and online") % {"place": room}
    return room


@register.filter
def place_in_full(seminar, mode):
    """Where somebody goes who attends that way, with the street, for those who get no letter. Without a mode as `place` says it."""
    if mode == Mode.IN_PERSON:
        return f"{seminar.venue.name}, {seminar.venue.address}"
    return _("Online") if mode == Mode.ONLINE else place(seminar)


@register.filter
def seats(seminar):
    """Seats in words, one for each way to attend: dicts of `words` and `level` (`good`, `few` or `full`)."""
    pools = [pool for pool in seminar.pools.all() if pool.mode in seminar.modes]
    return [
        {
            "words": seats_words(pool.free) if len(pools) == 1 else seats_by_mode(pool.mode, pool.free),
            "level": seats_level(pool.free),
        }
        for pool in pools
    ]


@register.filter
def talk_words(language):
    """`In English`: the language a talk is held in."""
    return {"en": _("In English"), "es": _("In Spanish")}[language]


@register.filter
def other_language_words(language):
    """`The talk is in Spanish.`, for a page that says so only where its reader would not expect it: nothing in the talk's own language."""
    if language == get_language():
        return ""
    return {"en": _("The talk is in English."), "es": _("The talk is in Spanish.")}[language]


@register.filter
def format_words(seminar):
    """`In person`."""
    return seminar.get_format_display().capitalize()


@register.inclusion_tag("seminars/alternates.html", takes_context=True)
def alternates(context):
    """The page's canonical address and its address in each language, for search engines. Without the query: that is only a filter."""
    path = context["request"].path
    links = [(language, settings.SITE_URL + translate_url(path, language)) for language, _name in settings.LANGUAGES]
    return {"canonical": settings.SITE_URL + path, "links": links, "default": links[0][1]}
