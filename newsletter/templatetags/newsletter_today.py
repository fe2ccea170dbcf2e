"""The newsletter's parts of Today: campaigns under way, and who reads it."""

from django import template
from django.db.models import Count, Q

from project.practice.models import Practice

from ..models import Campaign, Delivery, PacketRequest, Subscription

register = template.Library()

_STATUS = Campaign.Status
_SHOWN = 5
_OPEN = (_STATUS.SENDING, _STATUS.PAUSED, _STATUS.SCHEDULED, _STATUS.DRAFT)


@register.inclusion_tag("admin/newsletter/today_campaigns.html", takes_context=True)
def campaigns_today(context):
    """Campaigns being sent, waiting for their time or being written, with how far each is."""
    settled = ~Q(deliveries__state=Delivery.State.PENDING)
    campaigns = Campaign.objects.filter(status__in=_OPEN).annotate(
        audience=Count("deliveries"), settled=Count("deliveries", filter=settled & Q(deliveries__isnull=False))
    )
    return {
        "campaigns": campaigns[:_SHOWN],
        "zone": Practice.current().zone,
        "may_add": context["request"].user.has_perm("newsletter.add_campaign"),
    }


@register.inclusion_tag("admin/newsletter/today_subscribers.html")
def subscribers_today():
    """How many read the newsletter, by language, and who asked for a packet and has not confirmed yet."""
    active = Subscription.objects.active()
    return {
        "english": active.filter(subscriber__language="en").values("subscriber").distinct().count(),
        "spanish": active.filter(subscriber__language="es").values("subscriber").distinct().count(),
        "unconfirmed": PacketRequest.objects.filter(confirmed_at=None).count(),
    }
