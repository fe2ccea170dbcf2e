"""What became of a campaign, counted from its deliveries."""

from dataclasses import dataclass, field
from datetime import timedelta

from django.db.models import Count, Min
from django.utils import timezone
from django.utils.translation import gettext_lazy

from .models import Campaign, Delivery

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


def reason_words(reason):
    """A reason as people say it; a word we don't know as it is."""
    if reason in Reason.values:
        return str(Reason(reason).label)
    return str(_REASONS.get(reason, reason))


@dataclass(frozen=True)
class Report:
    """What became of a campaign. `states` has every state of Delivery, `reasons` only what happened: `(state, reason, how many)`."""

    audience: int
    states: dict[str, int]
    reasons: list[tuple[str, str, int]] = field(default_factory=list)
    per_minute: int = 0

    @property
    def settled(self):
        return self.audience - self.states[State.PENDING]

    @property
    def percent(self):
        return 100 * self.settled // self.audience if self.audience else 100

    @property
    def minutes_left(self):
        """At the present pace, rounded up; None while there is none."""
        return -(-self.states[State.PENDING] // self.per_minute) if self.per_minute else None


def of(campaign, *, now=None):
    """The Report, from the deliveries: its sums always meet the audience, because every row is in one state."""
    now = now or timezone.now()
    deliveries = Delivery.objects.filter(campaign=campaign)
    rows = list(deliveries.values_list("state", "reason").annotate(count=Count("pk")).order_by("state", "-count"))
    states = {state.value: sum(count for found, _reason, count in rows if found == state) for state in State}
    return Report(
        audience=sum(states.values()),
        states=states,
        reasons=[(state, reason, count) for state, reason, count in rows if reason and state != State.PENDING],
        per_minute=_pace(deliveries, now) if campaign.status == Status.SENDING else 0,
    )


def _pace(deliveries, now):
    """Letters a minute over the last minute, or over what there was of it."""
    lately = deliveries.filter(state=State.SENT, settled_at__gt=now - timedelta(minutes=1)).aggregate(
        first=Min("settled_at"), count=Count("pk")
    )
    if not lately["count"]:
        return 0
    return round(lately["count"] * 60 / max((now - lately["first"]).total_seconds(), 1))
