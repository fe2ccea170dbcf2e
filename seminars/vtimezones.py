"""VTIMEZONE (RFC 5545 §3.6.5) as zoneinfo knows it. Our own, because icalendar's starts daylight time an hour late."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from icalendar import Timezone, TimezoneDaylight, TimezoneStandard
from icalendar.prop import vRecur

_LONG_AGO = datetime(1970, 1, 1)  # noqa: DTZ001  a wall time

_DAYS = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"]


def vtimezone(zone, first, last):
    """The component that gives local times of an IANA zone their offsets for all moments from `first` to `last` (aware)."""
    component = Timezone()
    component.add("tzid", zone)
    for observance in _observances(zone, first.year - 1, last.year + 1):
        component.add_component(observance)
    return component


def _observances(zone, first_year, last_year):
    """As the country's clocks go by a rule, one DAYLIGHT and one STANDARD with that rule, which every program understands; else what held
    at the beginning, and each change by itself.
    """
    changes = [change for year in range(first_year, last_year + 1) for change in _changes(zone, year)]
    rules = {_rule(zone, change) for change in changes}
    if len(rules) == 2 and len(changes) == 2 * (last_year - first_year + 1):
        return [_observance(zone, change, rule=_rule(zone, change)) for change in changes[:2]]
    return [_standing(zone, datetime(first_year, 1, 1, tzinfo=UTC)), *(_observance(zone, change) for change in changes)]


@lru_cache(maxsize=256)
def _changes(zone, year):
    """The moments (UTC) in a UTC year at which a zone's offset changes, to the second."""
    clock = ZoneInfo(zone)
    days = [datetime(year, 1, 1, tzinfo=UTC) + timedelta(days=n) for n in range(367)]
    found = [_between(clock, before, after) for before, after in pairwise(days) if _offset(clock, before) != _offset(clock, after)]
    return [change for change in found if change.year == year]


def _offset(clock, moment):
    return moment.astimezone(clock).utcoffset()


def _between(clock, before, after):
    """The first second with the later offset, by halving."""
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if _offset(clock, middle) == _offset(clock, before):
            before = middle
        else:
            after = middle
    return after


def _local_onset(zone, change):
    """The change as clocks showed it just before: what DTSTART of an observance means (RFC 5545 §3.6.5)."""
    before = (change - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    return change.replace(tzinfo=None) + before.utcoffset()


def _rule(zone, change):
    """(month, nth weekday, hour …) of a change; equal in every year that follows the same rule. The fifth such weekday counts as the last."""
    onset = _local_onset(zone, change)
    nth = (onset.day - 1) // 7 + 1
    return onset.month, nth if nth < 5 else -1, _DAYS[onset.weekday()], onset.time()


def _observance(zone, change, rule=None):
    """What holds from a change on."""
    after = change.astimezone(ZoneInfo(zone))
    before = (change - timedelta(seconds=1)).astimezone(ZoneInfo(zone))
    component = _component(after, begins=_local_onset(zone, change), offset_before=before.utcoffset())
    if rule:
        month, nth, day, _time = rule
        component.add("rrule", vRecur(freq="YEARLY", bymonth=month, byday=f"{nth}{day}"))
    return component


def _standing(zone, moment):
    """What holds at a moment, as if it had held long before: who reads it looks no further back than the changes that follow."""
    there = moment.astimezone(ZoneInfo(zone))
    return _component(there, begins=_LONG_AGO, offset_before=there.utcoffset())


def _component(there, *, begins, offset_before):
    """`there`: any local time at which it holds; `begins`: a wall time."""
    component = TimezoneDaylight() if there.dst() else TimezoneStandard()
    component.add("dtstart", begins)
    component.add("tzoffsetfrom", offset_before)
    component.add("tzoffsetto", there.utcoffset())
    component.add("tzname", there.tzname())
    return component
