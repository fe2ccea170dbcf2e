"""The newsletter's parts of Today: campaigns under way, and who reads it."""

from datetime import timedelta

from django import template
from django.db.models import Case, Count, F, IntegerField, Value, When
from django.utils import timezone

from project.practice import long_lists
from project.practice.long_lists import count_up_to
from project.practice.models import Practice

from .. import reports
from ..models import Campaign, PacketRequest, Subscriber, Subscription, Topic

register = template.Library()

_STATUS = Campaign.Status
_SHOWN = 5

#: How far readers are counted.
MOST = 10_000

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
        "last_states": reports.states_of(last) if last else None,
        "zone": Practice.current().zone,
        "may_add": user.has_perm("newsletter.add_campaign"),
        "may_view": user.has_perm("newsletter.view_campaign"),
    }


@register.inclusion_tag("admin/newsletter/today_subscribers.html")
def subscribers_today():
    """How many people read the newsletter, by language, how many are new this week, and how many addresses still wait to be confirmed.

    Counted up to a number, and no further: a million readers would take seconds, at every look at Today.
    """
    now = timezone.now()
    readers = Subscriber.objects.reading()
    waiting = PacketRequest.objects.open(now).values("address_hash").distinct()
    return {
        "english": count_up_to(readers.filter(language="en"), MOST),
        "spanish": count_up_to(readers.filter(language="es"), MOST),
        "new": _new_since(now - timedelta(days=7)),
        "unconfirmed": count_up_to(waiting, MOST),
    }


def _new_since(then):
    """The Count of people with a subscription that began since."""
    began = Subscription.objects.active().filter(started_at__gt=then).order_by()
    # Nobody has two to one topic: so many rows are of more than MOST people.
    enough = MOST * Topic.objects.count() + 1
    people = began[:enough].aggregate(people=Count("subscriber", distinct=True))["people"]
    return long_lists.Count.capped(people, MOST)
