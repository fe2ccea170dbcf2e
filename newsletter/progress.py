"""How a campaign comes along: what holds it back, which zones are still to come, and when it will be done. Only looks."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from django.db.models import Count, Max, Min, Q
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from project.mail import pace, routes
from project.practice.models import Practice
from project.practice.zones import moment_words, time_words

from . import hours
from .models import Campaign, Chunk, Delivery

Status, State = Campaign.Status, Delivery.State

STREAM = "bulk"


@dataclass(frozen=True)
class Zone:
    """The readers of one zone, by what is left of their chunks. `first_at`: when the next of them get it; None once all have."""

    zone: str
    first_at: datetime | None
    last_at: datetime | None
    chunks: int
    done: int
    held: int

    def words(self, now):
        if self.done == self.chunks:
            return _("done")
        if self.held or self.first_at is None or self.first_at <= now:
            return _("being sent")
        return _("waits")


@dataclass(frozen=True)
class Progress:
    """`because`: sentences, in the active language, on what holds it back. `done_at`: about when the last letter leaves, as far as it shows."""

    because: list[str] = field(default_factory=list)
    zones: list[Zone] = field(default_factory=list)
    done_at: datetime | None = None


def of(campaign, report, now):
    """The Progress of a campaign, with its Report."""
    practice = Practice.current()
    zones = _zones(campaign, practice, now)
    if campaign.status != Status.SENDING or not report.states[State.PENDING]:
        return Progress(zones=zones)
    route = routes.row(STREAM)
    return Progress(
        because=[*_route(route, now, practice), *_limits(pace.of(STREAM, now), practice), *_clocks(zones, now, practice)],
        zones=zones,
        done_at=None if route.paused_at else _done_at(report, zones, now),
    )


def left_words(done_at, now, zone):
    """`About 2 hours are left.` in the active language; beyond a day and a half, the day and the hour."""
    minutes = -(-(done_at - now).total_seconds() // 60)
    if minutes > 36 * 60:
        return _("It is done about %(when)s.") % {"when": moment_words(done_at, zone)}
    if minutes > 90:
        count = round(minutes / 60)
        return ngettext("About %(n)d hour is left.", "About %(n)d hours are left.", count) % {"n": count}
    count = max(int(minutes), 1)
    return ngettext("About %(n)d minute is left.", "About %(n)d minutes are left.", count) % {"n": count}


def _zones(campaign, practice, now):
    left = ~Q(state=Chunk.State.DONE)
    rows = (
        Chunk.objects.filter(campaign=campaign)
        .order_by()
        .values("zone")
        .annotate(
            first_at=Min("due_at", filter=left),
            last_at=Max("due_at", filter=left),
            chunks=Count("pk"),
            done=Count("pk", filter=~left),
            held=Count("pk", filter=Q(state=Chunk.State.HELD)),
        )
    )
    ends = ("first_at", "last_at")
    zones = [Zone(**row | {end: _when(row["zone"], row[end], practice, now) for end in ends}) for row in rows]
    return sorted(zones, key=lambda zone: (zone.first_at is not None, zone.first_at, zone.zone))


def _when(zone, due_at, practice, now):
    """When a chunk really leaves: quiet hours may have been chosen, or have begun, since its time was written down."""
    return due_at and (hours.not_before(zone, max(due_at, now), practice) or due_at)


def _done_at(report, zones, now):
    """The latest of what can be reckoned: at the pace of the last minute, by the route's limits, by the clocks. None while nothing can be."""
    pending, open_zones = report.states[State.PENDING], [zone for zone in zones if zone.first_at]
    begin = max(now, min((zone.first_at for zone in open_zones), default=now))
    last = max((zone.last_at for zone in open_zones), default=now)
    reckoned = {pace.done_by(STREAM, pending, begin), last}
    if report.per_minute:
        reckoned.add(begin + timedelta(minutes=pending / report.per_minute))
    return max(reckoned) if max(reckoned) > now else None


def _route(route, now, practice):
    if route.paused_at:
        yield _("The way out for newsletters is stopped, so nothing leaves: %(why)s") % {"why": route.paused_because or "–"}
    elif route.probe_at and route.probe_at > now:
        yield _("The mail server asked for a rest or could not be reached. At %(time)s we try again.") % {
            "time": time_words(route.probe_at, practice.zone)
        }


def _limits(limits, practice):
    if limits.slowed_until:
        yield _("The other side asked us to go slower: until %(time)s at most %(rate)s a second.") % {
            "time": time_words(limits.slowed_until, practice.zone),
            "rate": f"{limits.per_second:g}",
        }
    elif limits.per_second:
        yield _("Your mail route is limited to %(rate)s a second.") % {"rate": f"{limits.per_second:g}"}
    if limits.per_day is None:
        return
    numbers = {"cap": limits.per_day, "left": limits.left_today, "day": limits.warm_up_day}
    if limits.warm_up_day:
        yield _("Day %(day)d of the warm-up: at most %(cap)d letters today, %(left)d are left.") % numbers
    else:
        yield _("Your mail route is limited to %(cap)d letters a day; %(left)d are left today.") % numbers


def _clocks(zones, now, practice):
    waiting = [zone for zone in zones if zone.first_at]
    if not waiting or any(zone.held or zone.first_at <= now for zone in waiting):
        return
    first = waiting[0]
    where = hours.clock(first.zone, practice)
    if hours.not_before(first.zone, now, practice):
        yield _("These are quiet hours. It goes on %(when)s.") % {"when": moment_words(first.first_at, where)}
    elif first.first_at - now > timedelta(minutes=1):
        yield _("The next readers get it %(when)s.") % {"when": moment_words(first.first_at, where)}
