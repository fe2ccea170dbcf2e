import json

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter import progress, reports
from newsletter.models.campaigns import COMPLAINED
from project.mail import pace
from project.practice.models import Practice

from ._campaign import find


class Command(BaseCommand):
    help = "What became of a campaign, by its number or slug. No names: those are on its report in the admin."

    def add_arguments(self, parser):
        parser.add_argument("campaign", metavar="ID|SLUG")
        parser.add_argument("--json", action="store_true", help="for scripts")

    def handle(self, *args, **options):
        campaign = find(options["campaign"])
        report = reports.of(campaign)
        if options["json"]:
            self.stdout.write(json.dumps(_facts(campaign, report), indent=2))
            return
        self.stdout.write(f"{campaign.name}: {campaign.get_status_display()}, {report.settled} of {report.audience}")
        for state, count in report.states.items():
            self.stdout.write(f"{count:8} {state}")
            for of_state, reason, reason_count in report.reasons:
                if of_state == state:
                    self.stdout.write(f"{reason_count:16} {reports.reason_words(reason)}")
        if report.complaints:
            self.stdout.write(f"{report.complaints:16} {reports.reason_words(COMPLAINED)}")
        now = timezone.now()
        comes = progress.of(campaign, report, now)
        for sentence in [campaign.stopped_because, *comes.because]:
            if sentence:
                self.stdout.write(sentence)
        if comes.done_at:
            self.stdout.write(progress.left_words(comes.done_at, now, Practice.current().zone))


def _facts(campaign, report):
    now = timezone.now()
    comes, limits = progress.of(campaign, report, now), pace.of(progress.STREAM, now)
    return {
        "id": campaign.pk,
        "slug": campaign.slug,
        "status": campaign.status,
        "stopped_because": campaign.stopped_because,
        "own_zone": campaign.own_zone,
        "send_at": _iso(campaign.send_at),
        "launched_at": _iso(campaign.launched_at),
        "finished_at": _iso(campaign.finished_at),
        "audience": report.audience,
        "states": report.states,
        "reasons": [{"state": state, "reason": reason, "count": count} for state, reason, count in report.reasons],
        "complaints": report.complaints,
        "per_minute": report.per_minute,
        "eta": _iso(comes.done_at),
        "held_back": list(comes.because),
        "zones": [{"zone": zone.zone, "due_at": _iso(zone.first_at), "chunks": zone.chunks, "done": zone.done} for zone in comes.zones],
        "pace": {
            "per_second": limits.per_second,
            "per_day": limits.per_day,
            "today": limits.today,
            "warm_up_day": limits.warm_up_day,
            "slowed_until": _iso(limits.slowed_until),
        },
    }


def _iso(moment):
    return moment and moment.isoformat()
