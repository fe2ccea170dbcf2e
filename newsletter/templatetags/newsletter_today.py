"""The newsletter's parts of Today: campaigns under way, and who reads it."""

from datetime import timedelta

from django import template
from django.db.models import Case, Count, F, IntegerField, Value, When
from django.utils import timezone

from project.practice.models import Practice

from .. import reports
from ..models import Campaign, PacketRequest, Subscription

register = template.Library()

_STATUS = Campaign.Status
_SHOWN = 5

# What needs an eye first: being sent, then about to be, then not ready.
_TURN = [_STATUS.SENDING, _STATUS.PAUSED, _STATUS.SCHEDULED, _STATUS.DRAFT]


@register.inclusion_tag("admin/newsletter/today_stopped.html", takes_context=True)
def campaigns_stopped(context):
    """Campaigns that no person paused: what stopped them waits for one."""
    if not context["request"].user.has_perm("newsletter.view_campaign"):
        return {"stopped": []}
    return {"stopped": list(Campaign.objects.filter(status=_STATUS.PAUSED).exclude(stopped_because="")[:_SHOWN])}


@register.inclusion_tag("admin/newsletter/today_campaigns.html", takes_context=True)
def campaigns_today(context):
    """Campaigns being sent, waiting for their time or being written, with how far each is; the last one sent; and how many are in doubt."""
    turn = Case(*(When(status=status, then=Value(place)) for place, status in enumerate(_TURN)), output_field=IntegerField())
    open_ones = Campaign.objects.filter(status__in=_TURN).annotate(turn=turn, settled=F("audience_size") - reports.pending())
    last = Campaign.objects.filter(status=_STATUS.SENT).order_by("-finished_at").first()
    user = context["request"].user
    return {
        "campaigns": open_ones.order_by("turn", "send_at", "-pk")[:_SHOWN],
        "last": last,
        "last_report": reports.of(last) if last else None,
        "zone": Practice.current().zone,
        "may_add": user.has_perm("newsletter.add_campaign"),
        "may_view": user.has_perm("newsletter.view_campaign"),
    }


@register.inclusion_tag("admin/newsletter/today_subscribers.html")
def subscribers_today():
    """How many people read the newsletter, by language, how many are new this week, and how many addresses still wait to be confirmed."""
    now = timezone.now()
    readers = dict(
        Subscription.objects.active().order_by().values_list("subscriber__language").annotate(readers=Count("subscriber", distinct=True))
    )
    new = Subscription.objects.active().filter(started_at__gt=now - timedelta(days=7)).aggregate(people=Count("subscriber", distinct=True))
    waiting = PacketRequest.objects.open(now).aggregate(addresses=Count("address_hash", distinct=True))
    return {
        "english": readers.get("en", 0),
        "spanish": readers.get("es", 0),
        "new": new["people"],
        "unconfirmed": waiting["addresses"],
    }
