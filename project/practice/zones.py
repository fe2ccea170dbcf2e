"""Time zones: which are real, and how a person reads a moment in one."""

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo, available_timezones

from django.core.exceptions import ValidationError
from django.utils import formats
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

# How people in the United States say them. Others go by their city.
_NAMES = {
    "America/New_York": gettext_lazy("Eastern Time"),
    "America/Detroit": gettext_lazy("Eastern Time"),
    "America/Chicago": gettext_lazy("Central Time"),
    "America/Denver": gettext_lazy("Mountain Time"),
    "America/Phoenix": gettext_lazy("Arizona Time"),
    "America/Los_Angeles": gettext_lazy("Pacific Time"),
    "America/Anchorage": gettext_lazy("Alaska Time"),
    "Pacific/Honolulu": gettext_lazy("Hawaii Time"),
    "America/Puerto_Rico": gettext_lazy("Atlantic Time"),
    "UTC": gettext_lazy("Universal Time"),
}

#: For coordinators to choose from: the country's zones by the name people say.
CHOICES = [(zone, name) for zone, name in _NAMES.items() if zone not in {"America/Detroit", "UTC"}]


_HALF_OF_THE_DAY = re.compile(r"(?<=\d) (?=[ap]\.)")


def validate_zone(value):
    if value not in available_timezones():
        raise ValidationError(_("“%(zone)s” is not a time zone. Choose one like America/New_York."), params={"zone": value})


def zone_name(zone):
    """The zone as people say it: `America/New_York` → `Eastern Time`."""
    return str(_NAMES.get(zone) or _("%(city)s Time") % {"city": zone.rsplit("/", 1)[-1].replace("_", " ")})


def date_words(moment, zone):
    """`Thursday, December 3, 2026` / `jueves, 3 de diciembre de 2026`: an aware moment's date in an IANA zone, in the active language."""
    return formats.date_format(moment.astimezone(ZoneInfo(zone)), _("l, F j, Y"))


def time_words(moment, zone):
    """`6:00 p.m.`: an aware moment's wall time in an IANA zone, in the active language."""
    return formats.date_format(moment.astimezone(ZoneInfo(zone)), _("P"))


def moment_words(moment, zone):
    """`Thursday, December 3, 2026, at 6:00 p.m. Eastern Time`: date, time and zone written out, in the active language."""
    return _("%(date)s, at %(time)s %(zone)s") % {
        "date": date_words(moment, zone),
        "time": time_words(moment, zone),
        "zone": zone_name(zone),
    }


def unbroken(words):
    """The same words, never with a line end between an hour and its `p.m.`: on a phone a lone number reads like a price."""
    return _HALF_OF_THE_DAY.sub("\u00a0", words)


def from_wall(date, time, zone):
    """The moment (aware, UTC) at which the clocks of an IANA zone show that date and time.

    Raises ValidationError with a sentence for the two hours a year that don't exist or come twice, which zoneinfo would take without a word,
    and for a year nobody can mean.
    """
    if not 1900 <= date.year <= 2199:  # beyond, there are no clocks to ask, and the far end of the calendar has no other zone
        raise ValidationError(_("Please check the year."), code="year")
    wall = datetime.combine(date, time)
    early, late = (wall.replace(tzinfo=ZoneInfo(zone), fold=fold) for fold in (0, 1))
    if early.utcoffset() != late.utcoffset():
        if early.astimezone(UTC).astimezone(ZoneInfo(zone)).replace(tzinfo=None) != wall:
            raise ValidationError(_("The clocks are set forward that night, so this time does not exist. Please choose another."), code="gap")
        raise ValidationError(_("The clocks are set back that night, so this time comes twice. Please choose another."), code="twice")
    return early.astimezone(UTC)


def nearest(wall, zone):
    """The moment (aware, UTC) for a naive wall-clock datetime where nobody can be asked.

    Of a time that comes twice that night it is the first; one that does not exist is taken an hour later.
    """
    return wall.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def to_wall(moment, zone):
    """The naive wall-clock datetime an IANA zone's clocks show at an aware moment: what a form fills in."""
    return moment.astimezone(ZoneInfo(zone)).replace(tzinfo=None)
