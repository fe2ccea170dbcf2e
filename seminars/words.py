"""How pages say what the rows know: seats, lengths and ways to get there, in the active language."""

from urllib.parse import urlencode

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from .models import Mode

#: From here on down people are told to hurry.
FEW = 5


def seats_words(left):
    """Seats as a person would say them. `left`: how many a newcomer can still get; 0 while others wait, whatever is free.

    Never the last one by number: who watched it could tell by trying which people are registered (docs/architecture.md).
    """
    if left <= 0:
        return _("Full – waiting list open")
    if left <= FEW:
        return _("A few seats left")
    return _("Plenty of seats")


def seats_level(left):
    """How pressing that is, for its colour: `good`, `few` or `full`. The words alone say it too."""
    if left <= 0:
        return "full"
    return "few" if left <= FEW else "good"


def length_words(length):
    """`1 hour 30 minutes`: a timedelta, to the minute."""
    hours, minutes = divmod(round(length.total_seconds() / 60), 60)
    parts = []
    if hours:
        parts.append(ngettext("%(hours)d hour", "%(hours)d hours", hours) % {"hours": hours})
    if minutes or not hours:
        parts.append(ngettext("%(minutes)d minute", "%(minutes)d minutes", minutes) % {"minutes": minutes})
    return " ".join(parts)


def seats_by_mode(mode, left):
    """`In person: plenty of seats`, for a seminar that can be attended in two ways."""
    sentences = {Mode.IN_PERSON: _("In person: %(seats)s"), Mode.ONLINE: _("Online: %(seats)s")}
    words = seats_words(left)
    return sentences[mode] % {"seats": words[:1].lower() + words[1:]}


def map_url(address, user_agent):
    """A link that opens the device's own map at an address, or its map page where there is no such program.

    No single address does that everywhere: `geo:` does nothing on an iPhone or a desktop, and Apple's links open no program on Android. Both
    makers document one link that hands over to their program and falls back to a page, so Apple's devices get Apple's (iPads call themselves
    Macs, which have the same program) and all others get Google's, which Android opens in Maps. It is a plain link: nothing is asked of
    either before the person follows it, and the page that uses it varies by User-Agent.
    """
    if any(device in user_agent for device in ("iPhone", "iPad", "Macintosh")):
        return f"https://maps.apple.com/?{urlencode({'q': address})}"
    return f"https://www.google.com/maps/search/?{urlencode({'api': 1, 'query': address})}"
