"""The seminars' part of Today."""

from django import template
from django.utils import timezone

from project.practice.zones import to_wall

from ..models import Callback, Registration, Seminar

register = template.Library()

_NEXT = 6
_CALLS = 10


@register.inclusion_tag("admin/seminars/today.html", takes_context=True)
def seminars_today(context):
    """Today's and the next seminars with their seats, the calls to make, and where many came from one place."""
    now = timezone.now()
    calls = Callback.objects.open().select_related("registration__seminar")
    may_see_people = context["request"].user.has_perm("seminars.view_registration")
    return {
        "may_add": context["request"].user.has_perm("seminars.add_seminar"),
        "may_see_people": may_see_people,
        "crowds": _crowds(now) if may_see_people else [],
        "seminars": [_row(seminar, now) for seminar in Seminar.objects.published().upcoming(now).with_words()[:_NEXT]],
        "drafts": Seminar.objects.filter(status=Seminar.Status.DRAFT).upcoming(now).count(),
        "calls": calls[:_CALLS],
        "calls_open": calls.count(),
    }


def _crowds(now):
    """What `Registration.objects.crowds` says, with the seminars themselves and where they are."""
    crowds = list(Registration.objects.crowds(now))
    seminars = Seminar.objects.select_related("venue").in_bulk([crowd["seminar"] for crowd in crowds]) if crowds else {}
    return [crowd | {"seminar": seminar, "where": _where(seminar)} for crowd in crowds for seminar in [seminars[crowd["seminar"]]]]


def _where(seminar):
    return seminar.venue.city if seminar.venue else seminar.get_format_display().capitalize()


def _row(seminar, now):
    pools = seminar.pools.all()
    return {
        "seminar": seminar,
        "text": seminar.text(),
        "is_today": _day(seminar.starts_at, seminar.zone) == _day(now, seminar.zone),
        "expected": sum(pool.expected for pool in pools),
        "capacity": sum(pool.capacity for pool in pools),
        "waiting": sum(pool.waiting for pool in pools),
    }


def _day(moment, zone):
    return to_wall(moment, zone).date()
