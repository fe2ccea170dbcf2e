"""The newsletter's parts of Today: campaigns under way, and who reads it."""

from datetime import timedelta

from django import template
from django.db.models import Count, Q
from django.utils import timezone

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
