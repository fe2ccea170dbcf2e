"""The letters' part of Today."""

from django import template
from django.conf import settings
from django.utils import timezone

from ..models import Ledger, Message

register = template.Library()


@register.inclusion_tag("admin/mail/today.html")
def mail_today():
    """Whether letters leave, how many wait, and how many need a person."""
    now = timezone.now()
    ledger = Ledger.objects.first()
    return {
        "held": settings.MAIL_HOLD or bool(ledger and ledger.hold),
        "why_held": ledger.get_hold_display() if ledger and ledger.hold else "",
        "waiting": Message.objects.due(now).count(),
        "later": Message.objects.filter(state=Message.State.PENDING, due_at__gt=now).count(),
        "in_trouble": Message.objects.needs_a_person().count(),
    }
