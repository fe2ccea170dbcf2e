"""When a newsletter may leave by the clocks where it is read: that time of day in each reader's own zone, and no letter in quiet hours.

A zone of '' is the practice's, and so is one that no clock knows. Quiet hours are the practice's own choice (off at first) and hold for
newsletters alone: a confirmation or an invite is never kept back by them.
"""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from project.practice.models import Practice
from project.practice.zones import nearest, to_wall

from . import audience


def due_at(campaign, zone, practice):
    """When readers in that zone should get it: the campaign's time of day there if it asks for that, quiet hours left out. Aware, UTC."""
    moment = campaign.send_at
    if campaign.own_zone:
        moment = nearest(to_wall(campaign.send_at, practice.zone), clock(zone, practice))
    return not_before(zone, moment, practice) or moment


def launch_at(campaign, practice):
    """When the first readers should get it, and so who gets it is written down: at its time, or where the clocks are ahead of ours."""
    if not campaign.own_zone:
        return campaign.send_at
    zones = audience.readers(campaign.topic).order_by().values_list("zone", flat=True).distinct()
    return min((nearest(to_wall(campaign.send_at, practice.zone), clock(zone, practice)) for zone in zones), default=campaign.send_at)


def not_before(zone, now, practice=None):
    """The end of the quiet hours that `now` lies in by the clocks of that zone; None when a letter may leave at `now`."""
    practice = practice or Practice.current()
    begin, end = practice.quiet_from, practice.quiet_until
    if begin is None or end is None:
        return None
    zone = clock(zone, practice)
    wall = to_wall(now, zone)
    time = wall.time()
    quiet = begin <= time < end if begin < end else time >= begin or time < end
    if not quiet:
        return None
    last = datetime.combine(wall.date() + timedelta(days=time >= end), end)
    # In the hour that comes twice the end may be the second of the two.
    moments = (last.replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC) for fold in (0, 1))
    return next((moment for moment in moments if moment > now), None)


def clock(zone, practice):
    """The IANA zone whose clocks count for readers of that zone."""
    try:
        return ZoneInfo(zone).key if zone else practice.zone
    except (KeyError, ValueError, OSError):  # IsADirectoryError: “America”
        return practice.zone
