"""What templates say about the practice, in words: phones, moments, and the same page in the other language."""

from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.urls import NoReverseMatch, reverse, translate_url
from django.utils import formats
from django.utils.translation import get_language, override

from project.practice import phones, zones

register = template.Library()

# Each sentence stands in the language it invites to, so none of them is translated.
_INVITATIONS = {"en": "Also in English", "es": "También disponible en español"}


@register.filter
def phone_words(e164):
    """`+18135550123` → `(813) 555-0123`."""
    return phones.phone_words(e164)


@register.filter
def phone_href(e164):
    """`+18135550123` → `tel:+18135550123`, what a phone dials when tapped."""
    return f"tel:{e164}"


@register.filter
def moment_words(moment, zone):
    """`Thursday, December 3, 2026, at 6:00 p.m. Eastern Time`."""
    return zones.moment_words(moment, zone)


@register.filter
def date_words(moment, zone):
    """`Thursday, December 3, 2026`."""
    return zones.date_words(moment, zone)


@register.filter
def time_words(moment, zone):
    """`6:00 p.m.`."""
    return zones.time_words(moment, zone)


@register.filter
def zone_name(zone):
    """`America/New_York` → `Eastern Time`."""
    return zones.zone_name(zone)


@register.inclusion_tag("leaf.html")
def date_leaf(moment, zone):
    """A calendar's leaf: weekday, day, month. It repeats a date written out beside it, so screen readers pass it by."""
    local = moment.astimezone(ZoneInfo(zone))
    return {"weekday": formats.date_format(local, "D").capitalize(), "day": local.day, "month": formats.date_format(local, "M").capitalize()}


@register.simple_tag(takes_context=True)
def other_languages(context):
    """The same page in each other language: dicts of `code`, `url`, `invitation`. A page that has no address gets the other home page."""
    request = context.get("request")
    here = request.get_full_path() if request else "/"
    active = (get_language() or settings.LANGUAGE_CODE)[:2]
    return [
        {"code": code, "url": _elsewhere(here, code), "invitation": _INVITATIONS.get(code, name)}
        for code, name in settings.LANGUAGES
        if code != active
    ]


def _elsewhere(here, code):
    there = translate_url(here, code)
    if there != here:
        return there
    with override(code):
        try:
            return reverse("home")
        except NoReverseMatch:
            return "/"
