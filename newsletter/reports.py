"""What became of a campaign, counted from its deliveries."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Case, Count, IntegerField, Min, OuterRef, Subquery, When
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy

from .models import Campaign, Delivery
from .models.campaigns import COMPLAINED

Status, State, Reason = Campaign.Status, Delivery.State, Delivery.Reason

#: Words for what mail's outcomes call by a short stable name; those of Delivery.Reason say themselves.
_REASONS = {
    "no-such-address": gettext_lazy("the address does not exist"),
    "refused": gettext_lazy("the other side refused the letter"),
    "too-large": gettext_lazy("the letter is too large for the other side"),
    "not-now": gettext_lazy("the other side asked us to come back later"),
    "gave-up": gettext_lazy("the other side put us off too often"),
    "busy": gettext_lazy("the mail route was too busy"),
    "connection-broken": gettext_lazy("the connection broke while the letter was on its way"),
    "defect": gettext_lazy("the letter could not be built"),
    "bounced": gettext_lazy("it came back after it was sent"),
    "complained": gettext_lazy("the reader reported it as unwanted"),
}


#: Whose readers did not get it, or perhaps not: of these the report tells why.
_NOT_GOT = {State.FAILED, State.UNCERTAIN, State.SKIPPED}


def reason_words(reason):
    """A reason as people say it; a word we don't know as it is."""
    if reason in Reason.values:
        return str(Reason(reason).label)
    return str(_REASONS.get(reason, reason))


@dataclass(frozen=True)
class Report:
    """What became of a campaign. `states` has every state of Delivery; `reasons` why some did not get it: `(state, reason, how many)`;
    `complaints` how many got it and reported it as unwanted."""

    audience: int
    states: dict[str, int]
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    complaints: int = 0
    per_minute: int = 0

    @property
    def settled(self):
        return self.audience - self.states[State.PENDING]

    @property
    def percent(self):
        return 100 * self.settled // self.audience if self.audience else 100


def of(campaign, *, now=None):
    """The Report, from the deliveries: its sums always meet the audience, because every row is in one state."""
    now = now or timezone.now()
    deliveries = Delivery.objects.filter(campaign=campaign).order_by()
    # One walk over the campaign's rows for all the figures: it is what the page's time goes to.
    counted = list(deliveries.values_list("state", "reason").annotate(count=Count("pk")).order_by("state", "-count", "reason"))
    states = {state.value: sum(count for of_state, _reason, count in counted if of_state == state) for state in State}
    return Report(
        audience=sum(states.values()),
        states=states,
        reasons=[row for row in counted if row[0] in _NOT_GOT and row[1]],
        complaints=sum(count for state, reason, count in counted if (state, reason) == (State.SENT, COMPLAINED)),
        per_minute=_pace(deliveries, now) if campaign.status == Status.SENDING else 0,
    )


def states_of(campaign):
    """`{state: how many}` of a launched campaign. Most are sent: those are what is left when the others are counted."""
    others = Delivery.objects.filter(campaign=campaign).exclude(state=State.SENT).order_by().values_list("state")
    counted = dict.fromkeys(State.values, 0) | dict(others.annotate(count=Count("pk")))
    return counted | {State.SENT.value: campaign.audience_size - sum(counted.values())}


def pending():
    """An annotation on campaigns: how many of a campaign's deliveries wait. Only those that may have some are asked; none is walked in full."""
    waiting = Delivery.objects.filter(campaign=OuterRef("pk"), state=State.PENDING).order_by().values("campaign")
    count = Subquery(waiting.annotate(count=Count("pk")).values("count"), output_field=IntegerField())
    under_way = [Status.SENDING, Status.PAUSED, Status.CANCELLED]
    return Case(When(status__in=under_way, then=Coalesce(count, 0)), default=0, output_field=IntegerField())


def _pace(deliveries, now):
    """Letters a minute over the last minute, or over what there was of it."""
    lately = deliveries.filter(state=State.SENT, settled_at__gt=now - timedelta(minutes=1)).aggregate(
        first=Min("settled_at"), count=Count("pk")
    )
    if not lately["count"]:
        return 0
    return round(lately["count"] * 60 / max((now - lately["first"]).total_seconds(), 1))
