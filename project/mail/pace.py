"""How fast newsletters may leave by a route: letters a second, letters a day, and the slow first days of a new sender.

The limits, and what has been taken of them, stand on the route's row, so that every worker on every machine shares them: who would begin
letters takes them first, by one conditional UPDATE, and begins only what was granted. Nobody waits in here: without a grant the worker is
told when to ask again, and lets go of its chunk until then.

The rate is a bucket of one second's letters (two letters at least) that fills again at the route's rate: in any stretch of time no more
leave than the rate allows plus one bucket. Who finds it empty is told to come back when it is half full, so that a worker who comes a little
late has lost nothing. It is kept as one moment, `next_at`, up to which the rate has been used up. A day lasts from
midnight to midnight by the practice's clocks. Where the other side asked for time (429, 421), the route rests as it was asked to
(routes.note) and then goes on at half its rate for a while; without a rate, resting is all there is.

Only newsletters are counted and held back; single letters, which somebody waits for, never are.
"""

import math
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from datetime import time as time_of_day
from zoneinfo import ZoneInfo

from project.practice.models import Practice

from .models import Route

#: A new server, domain or provider sends so many letters on its first day, its second, …; afterwards only the other limits hold.
WARM_UP = tuple(50 * 2**day for day in range(14))

#: How much of the rate may be taken at once, in seconds; and at least how many letters.
_BUCKET, _LEAST = 1.0, 2

#: How long a route goes at half its rate after it has rested because it was asked to.
SLOWED = timedelta(minutes=10)

#: How long a process may believe that a route has no limits, in seconds: for so long a new limit can go unnoticed.
_BELIEVE = 1.0

#: Clocks know microseconds only, so a moment that was reckoned may lie one or two early, in seconds.
_GRAIN = 3e-6

#: How often somebody else may be faster before we ask again later, and when.
_TRIES, _MOMENT = 8, timedelta(milliseconds=50)

#: How far two machines' clocks may differ before one takes the other's mark for a clock set back.
_SKEW = timedelta(minutes=1)

_COLUMNS = ("per_second", "per_day", "warm_up_from", "next_at", "day", "day_count", "slowed_until")


@dataclass(frozen=True)
class Grant:
    """`count` letters may be begun now. Fewer than were asked for: `again_at` is when it is worth asking again."""

    count: int
    again_at: datetime | None = None


@dataclass(frozen=True)
class Pace:
    """A route's limits as they are at a moment; None where there is none. `today`: how many have been begun."""

    per_second: float | None  # what holds now, half of what was set while slowed
    per_day: int | None  # the lower of the daily limit and the warm-up's
    today: int
    slowed_until: datetime | None
    warm_up_day: int | None  # from 1

    @property
    def limited(self):
        return self.per_second is not None or self.per_day is not None

    @property
    def left_today(self):
        return None if self.per_day is None else max(self.per_day - self.today, 0)


def take(stream, wanted, now):
    """Ask to begin `wanted` letters: a Grant. Outside any transaction, lest the route's row stay locked until it ends."""
    if wanted <= 0 or not _may_be_limited(stream):
        return Grant(max(wanted, 0))
    for _try in range(_TRIES):
        seen = _row(stream)
        if seen is None:
            return Grant(wanted)
        grant, taken = _reckon(seen, wanted, now)
        if not grant.count or _swap(stream, seen, taken):
            return grant
    return Grant(0, now + _MOMENT)


def give_back(stream, count, now):
    """These were granted and not begun: others may."""
    if count <= 0 or not _may_be_limited(stream):
        return
    for _try in range(_TRIES):
        seen = _row(stream)
        if seen is None:
            return
        rate = _rate(seen, now)
        back = {}
        if rate and seen["next_at"]:
            back["next_at"] = seen["next_at"] - timedelta(seconds=count / rate)
        if seen["day"] == _day(seen, now):
            back["day_count"] = max(seen["day_count"] - count, 0)
        if not back or _swap(stream, seen, back):
            return


def of(stream, now):
    """The Pace of a stream's route."""
    seen = _row(stream) or dict.fromkeys(_COLUMNS)
    day = _day(seen, now)
    warm_up_day = _warm_up_day(seen, day)
    slowed = bool(seen["slowed_until"] and seen["slowed_until"] > now)
    return Pace(
        per_second=_rate(seen, now),
        per_day=_cap(seen, day),
        today=seen["day_count"] if seen["day"] == day else 0,
        slowed_until=seen["slowed_until"] if slowed and seen["per_second"] else None,
        warm_up_day=warm_up_day,
    )


def done_by(stream, count, now):
    """When `count` more letters could have left if nothing but these limits held them back; `now` where there are none."""
    seen = _row(stream)
    if seen is None or count <= 0:
        return now
    rate, moment, day = _rate(seen, now), now, _day(seen, now)
    used = seen["day_count"] if seen["day"] == day else 0
    for _day_of_many in range(3660):
        cap = _cap(seen, day)
        today = count if cap is None else min(count, max(cap - used, 0))
        if today == count:
            return moment + timedelta(seconds=count / rate if rate else 0)
        count, used, day = count - today, 0, day + timedelta(days=1)
        moment = _midnight(day)
    return moment


def slow(stream, until):
    """Go at half the rate until then: the other side asked for time."""
    Route.objects.filter(stream=stream).update(slowed_until=until)


def forget():
    """Look at the limits afresh: somebody in this process has just set them."""
    _believed.clear()


# -- Reckoning: a row as it was seen, and a moment, in; what may be taken, out -----------------------------------------------------------


def _reckon(seen, wanted, now):
    """`(Grant, the columns after it)`."""
    day = _day(seen, now)
    used = seen["day_count"] if seen["day"] == day else 0
    cap, rate = _cap(seen, day), _rate(seen, now)
    left = wanted if cap is None else min(wanted, cap - used)
    if left <= 0:
        return Grant(0, _midnight(day + timedelta(days=1))), {}
    taken = {"day": day, "day_count": used}
    count, again_at = left, None if left == wanted else _midnight(day + timedelta(days=1))
    if rate:
        bucket = max(rate * _BUCKET, _LEAST)
        begin = _begin(seen["next_at"], now, bucket, rate)
        count = min(left, math.floor(bucket - (begin - now).total_seconds() * rate + rate * _GRAIN))
        end = begin + timedelta(seconds=max(count, 0) / rate)
        if count < left:
            again_at = end - timedelta(seconds=(bucket - math.floor(bucket / 2)) / rate)
        taken["next_at"] = end
    return Grant(max(count, 0), again_at), taken | {"day_count": used + max(count, 0)}


def _begin(next_at, now, bucket, rate):
    """From when on the rate is free. Far further ahead than an empty bucket explains, the clock was set back: then from now on."""
    if next_at is None or next_at > now + timedelta(seconds=bucket / rate) + _SKEW:
        return now
    return max(next_at, now)


def _rate(seen, now):
    rate = seen["per_second"]
    return rate / 2 if rate and seen["slowed_until"] and seen["slowed_until"] > now else rate


def _cap(seen, day):
    warm_up_day = _warm_up_day(seen, day)
    caps = [seen["per_day"], WARM_UP[warm_up_day - 1] if warm_up_day else None]
    return min((cap for cap in caps if cap is not None), default=None)


def _warm_up_day(seen, day):
    number = (day - seen["warm_up_from"]).days + 1 if seen["warm_up_from"] else 0
    return number if 1 <= number <= len(WARM_UP) else None


def _day(seen, now):
    """The day to count on. Never the day before one that was begun: a clock set back across midnight must not give out a day twice."""
    today = now.astimezone(ZoneInfo(_zone())).date()
    return seen["day"] if seen["day"] == today + timedelta(days=1) else today


def _midnight(day):
    return datetime.combine(day, time_of_day(), tzinfo=ZoneInfo(_zone())).astimezone(UTC)


# -- The row -----------------------------------------------------------------------------------------------------------------------------

_believed: dict[str, tuple[float, object]] = {}


def _believing(name, look):
    at, believed = _believed.get(name, (-_BELIEVE, None))
    if not 0 <= time.monotonic() - at < _BELIEVE:
        believed = look()
        _believed[name] = time.monotonic(), believed
    return believed


def _may_be_limited(stream):
    return _believing(stream, lambda: Route.objects.filter(stream=stream).exclude(per_second=None, per_day=None, warm_up_from=None).exists())


def _zone():
    return _believing("zone", lambda: Practice.objects.filter(pk=1).values_list("zone", flat=True).first() or Practice().zone)


def _row(stream):
    return Route.objects.filter(stream=stream).values(*_COLUMNS).first()


def _swap(stream, seen, changes):
    """Write it down if nobody has taken or given back anything since we looked; True when we did."""
    as_seen = {name: seen[name] for name in ("next_at", "day", "day_count")}
    return bool(Route.objects.filter(stream=stream, **as_seen).update(**changes))
