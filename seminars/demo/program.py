"""Which seminar is held when and where, as days from now, and how well it is booked."""

from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

_MONDAY, TUESDAY, WEDNESDAY, THURSDAY, _FRIDAY, SATURDAY, _SUNDAY = range(7)

EASTERN = "America/New_York"
CENTRAL = "America/Chicago"


@dataclass(frozen=True)
class Plan:
    """One seminar. `days` and `weekday`: the first such weekday at least so many days ahead; no weekday: today or tomorrow.

    `seats` and `booked` by mode: how many there are, how many people have one; `waiting`: parties on the waiting list.
    """

    slug: str
    talk: str
    language: str
    speakers: tuple
    seats: dict
    booked: dict
    days: int = 0
    weekday: int | None = None
    at: time = time(18)
    minutes: int = 75
    venue: str | None = None
    zone: str = EASTERN
    format: str = "in-person"
    waiting: list = field(default_factory=list)


PROGRAM = [
    Plan("tampa-evening", "back-pain-answers", "en", ("ibanez",), {"in-person": 40}, {"in-person": 29}, venue="tampa"),
    Plan(
        "online-evening",
        "recovering-well",
        "en",
        ("whitcomb",),
        {"online": 120},
        {"online": 34},
        days=4,
        weekday=WEDNESDAY,
        at=time(19),
        minutes=60,
        format="online",
    ),
    Plan(
        "orlando-sabado",
        "back-pain-answers",
        "es",
        ("ibanez", "whitcomb"),
        {"in-person": 24},
        {"in-person": 22},
        days=8,
        weekday=SATURDAY,
        at=time(10),
        venue="orlando",
    ),
    Plan(
        "atlanta-library",
        "sciatica",
        "en",
        ("okafor",),
        {"in-person": 20},
        {"in-person": 20},
        days=15,
        weekday=THURSDAY,
        venue="atlanta",
        waiting=[1, 2, 1, 3, 2],
    ),
    Plan(
        "houston-evening",
        "spinal-stenosis",
        "en",
        ("ferrer",),
        {"in-person": 36},
        {"in-person": 15},
        days=22,
        weekday=TUESDAY,
        at=time(18, 30),
        venue="houston",
        zone=CENTRAL,
    ),
    Plan(
        "atlanta-and-online",
        "less-invasive-procedures",
        "en",
        ("okafor", "whitcomb"),
        {"in-person": 30, "online": 80},
        {"in-person": 12, "online": 17},
        days=29,
        weekday=TUESDAY,
        venue="atlanta",
        format="hybrid",
    ),
    Plan(
        "el-paso-sabado",
        "back-pain-answers",
        "es",
        ("ferrer",),
        {"in-person": 32},
        {"in-person": 10},
        days=35,
        weekday=SATURDAY,
        at=time(10, 30),
        venue="el-paso",
        zone="America/Denver",
    ),
    Plan(
        "en-linea",
        "recovering-well",
        "es",
        ("whitcomb", "ferrer"),
        {"online": 120},
        {"online": 13},
        days=40,
        weekday=THURSDAY,
        at=time(19),
        minutes=60,
        zone=CENTRAL,
        format="online",
    ),
    Plan(
        "tampa-sabado",
        "less-invasive-procedures",
        "es",
        ("ibanez",),
        {"in-person": 40},
        {"in-person": 6},
        days=44,
        weekday=SATURDAY,
        at=time(10),
        venue="tampa",
    ),
    Plan(
        "orlando-evening",
        "neck-and-hands",
        "en",
        ("ibanez", "okafor"),
        {"in-person": 24},
        {"in-person": 5},
        days=51,
        weekday=WEDNESDAY,
        venue="orlando",
    ),
    Plan(
        "houston-sabado",
        "sciatica",
        "es",
        ("ferrer",),
        {"in-person": 36},
        {"in-person": 3},
        days=57,
        weekday=SATURDAY,
        at=time(10, 30),
        venue="houston",
        zone=CENTRAL,
    ),
]


def starts_at(plan, now):
    """When a plan's seminar begins, seen from `now`: an aware moment, in the plan's zone."""
    zone = ZoneInfo(plan.zone)
    here = now.astimezone(zone)
    if plan.weekday is None:
        return _tonight(here, zone)
    day = here.date() + timedelta(days=plan.days)
    day += timedelta(days=(plan.weekday - day.weekday()) % 7)
    while _holiday(day):
        day += timedelta(days=7)
    return datetime.combine(day, plan.at, zone)


def _tonight(here, zone):
    """This evening, or, once it is too late for that, tomorrow: at six on weekdays, at ten on Saturdays and Sundays."""
    for day in (here.date(), here.date() + timedelta(days=1)):
        moment = datetime.combine(day, time(10) if day.weekday() >= SATURDAY else time(18), zone)
        if moment - here > timedelta(hours=1):
            return moment


def _holiday(day):
    """Nobody holds a seminar then."""
    fourth_thursday = date(day.year, 11, 22) + timedelta(days=(THURSDAY - date(day.year, 11, 22).weekday()) % 7)
    return (day.month, day.day) in {(1, 1), (7, 4), (12, 24), (12, 25), (12, 31)} or day in {
        fourth_thursday,
        fourth_thursday + timedelta(days=1),
    }
