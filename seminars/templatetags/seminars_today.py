"""The seminars' part of Today."""

from django import template
from django.utils import timezone

from project.practice.zones import to_wall

from ..models import Callback, Seminar

register = template.Library()

_NEXT = 6
_CALLS = 10


@register.inclusion_tag("admin/seminars/today.html", takes_context=True)
def seminars_today(context):
    """Today's and the next seminars with their seats, and the calls to make."""
    now = timezone.now()
    calls = Callback.objects.open().select_related("registration__seminar")
    return {
        "may_add": context["request"].user.has_perm("seminars.add_seminar"),
        "may_see_people": context["request"].user.has_perm("seminars.view_registration"),
        "seminars": [_row(seminar, now) for seminar in Seminar.objects.published().upcoming(now).with_words()[:_NEXT]],
        "drafts": Seminar.objects.filter(status=Seminar.Status.DRAFT).upcoming(now).count(),
        "calls": calls[:_CALLS],
        "calls_open": calls.count(),
    }


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
