"""Stops a campaign by itself when too many of its letters come back, or too many readers report it as unwanted.

Mailbox providers judge a sender by just these figures (Gmail: complaints below 0.1 %), and remember them for months; a bought or ancient
list shows in the first few hundred letters. So from 200 results on, over 5 % of hard bounces or over 0.1 % of complaints pause the campaign,
and Today says so.

Whoever resumes it has seen the figures: they are kept on the campaign (`passed_…`), and from then on only what comes on top of them counts,
again from 200 results on. Otherwise the next letter would stop it again for what was decided already.
"""

import logging
import time
from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from .models import Campaign, Delivery
from .models.campaigns import COMPLAINED, DEAD_ADDRESS

logger = logging.getLogger(__name__)

Status, State = Campaign.Status, Delivery.State

#: Fewer results than this say nothing.
ENOUGH = 200

#: So many results for each hard bounce, and for each complaint, are still well: 5 % and 0.1 %.
PER_BOUNCE, PER_COMPLAINT = 20, 1000

#: A process looks at a campaign once a second, after so many turns where letters leave faster, and for a fiftieth of its time at most.
_EVERY, _TURNS, _SHARE = 1.0, 10, 50


@dataclass
class _Watch:
    """How this process watches one campaign."""

    turns: int = 0
    next_at: float = 0.0
    rest_until: float = 0.0

    def is_due(self, now):
        self.turns += 1
        return now >= self.rest_until and (now >= self.next_at or self.turns >= _TURNS)

    def looked(self, begun, ended):
        self.turns, self.next_at, self.rest_until = 0, begun + _EVERY, ended + _SHARE * (ended - begun)


_watches: dict[int, _Watch] = {}


def look(campaign_pk):
    """Stop the campaign if its figures ask for it; True when this call did. Cheap: call it after every turn, and outside any transaction."""
    watch, begun = _watches.setdefault(campaign_pk, _Watch()), time.monotonic()
    if not watch.is_due(begun):
        return False
    stopped = _judge(campaign_pk)
    watch.looked(begun, time.monotonic())
    return stopped


def look_again():
    """Every campaign may be looked at at once, as in a process that has just begun."""
    _watches.clear()


def figures(campaign_pk, most=None):
    """`(results, hard bounces, complaints)` of a campaign. Results are counted up to `most`, the others are few."""
    bounces, complaints = _returned(campaign_pk)
    return _results(campaign_pk, most), bounces, complaints


def passed(campaign_pk):
    """The columns that say: somebody has seen the figures as they are now, and lets them pass."""
    results, bounces, complaints = figures(campaign_pk)
    return {"guarded_at": None, "passed_results": results, "passed_bounces": bounces, "passed_complaints": complaints}


def _judge(campaign_pk):
    bounces, complaints = _returned(campaign_pk)
    if not bounces and not complaints:
        return False
    campaign = Campaign.objects.filter(pk=campaign_pk, status=Status.SENDING).first()
    if campaign is None:
        return False
    bounces, complaints = max(bounces - campaign.passed_bounces, 0), max(complaints - campaign.passed_complaints, 0)
    well = max(ENOUGH, PER_BOUNCE * bounces, PER_COMPLAINT * complaints)  # with so many results all would be well: no need to count more
    results = _results(campaign_pk, campaign.passed_results + well) - campaign.passed_results
    if results < ENOUGH or results >= well:
        return False
    return _stop(campaign, results, bounces, complaints)


def _stop(campaign, results, bounces, complaints):
    as_seen = {name: getattr(campaign, name) for name in ("passed_results", "passed_bounces", "passed_complaints")}
    running = Campaign.objects.filter(pk=campaign.pk, status=Status.SENDING, **as_seen)  # not if somebody has let it pass meanwhile
    with translation.override(settings.LANGUAGE_CODE):
        because = _sentence(results, bounces, complaints)
    if not running.update(status=Status.PAUSED, stopped_because=because, guarded_at=timezone.now()):
        return False
    logger.warning("Campaign %s was stopped: %s bounces and %s complaints of %s.", campaign.pk, bounces, complaints, results)
    return True


def _sentence(results, bounces, complaints):
    numbers = {"results": results, "bounces": bounces, "complaints": complaints}
    if bounces * PER_BOUNCE > results:
        return _("Stopped by itself: of %(results)d letters %(bounces)d came back because the address does not exist.") % numbers
    return _("Stopped by itself: of %(results)d letters %(complaints)d were reported as unwanted.") % numbers


def _returned(campaign_pk):
    """`(hard bounces, complaints)`."""
    found = Delivery.objects.filter(campaign=campaign_pk, reason__in=[DEAD_ADDRESS, COMPLAINED]).order_by()
    counts = dict(found.values_list("reason").annotate(Count("pk")))
    return counts.get(DEAD_ADDRESS, 0), counts.get(COMPLAINED, 0)


def _results(campaign_pk, most=None):
    return Delivery.objects.filter(campaign=campaign_pk, state__in=[State.SENT, State.FAILED]).order_by()[:most].count()
