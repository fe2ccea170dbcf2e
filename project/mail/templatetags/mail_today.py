"""The letters' part of Today."""

from datetime import timedelta

from django import template
from django.conf import settings
from django.utils import timezone

from .. import desk, kinds, routes
from ..models import Ledger, Message, Stream

register = template.Library()

#: A letter that is due for longer than this is late, and the front desk should know.
LATE = timedelta(minutes=5)
NEWEST = 10


@register.inclusion_tag("admin/mail/today.html", takes_context=True)
def mail_today(context, place):
    """Whether letters leave, which route does not, how late the oldest is, and which letters need a person.

    `place`: “first” on Today shows it only while letters are kept from leaving, “below” only while they are not.
    """
    now = timezone.now()
    held = Ledger.objects.exclude(hold="").first()
    stopped = [(route, desk.state_of(route, now)) for route in map(routes.row, Stream) if route.paused_at or (route.probe_at or now) > now]
    if bool(held or settings.MAIL_HOLD or stopped) is not (place == "first"):
        return {"shown": False}
    oldest = Message.objects.due(now).order_by("due_at").values_list("due_at", flat=True).first()
    trouble = Message.objects.needs_a_person()
    return {
        "shown": True,
        "held": bool(held) or settings.MAIL_HOLD,
        "why_held": held.get_hold_display() if held else "",
        "by_hand": settings.MAIL_HOLD,
        "may_release": bool(held) and context["request"].user.has_perm("mail.change_ledger"),
        "routes": stopped,
        "waiting": Message.objects.due(now).count(),
        "later": Message.objects.filter(state=Message.State.PENDING, due_at__gt=now).count(),
        "in_trouble": trouble.count(),
        "newest": [(letter, kinds.words(letter.kind)) for letter in trouble.order_by("-settled_at")[:NEWEST]],
        "late_minutes": int((now - oldest).total_seconds() // 60) if oldest and now - oldest > LATE else 0,
        "csrf_token": context.get("csrf_token"),
    }
