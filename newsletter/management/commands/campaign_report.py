import json

from django.core.management.base import BaseCommand

from newsletter import reports

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


def _facts(campaign, report):
    return {
        "id": campaign.pk,
        "slug": campaign.slug,
        "status": campaign.status,
        "send_at": campaign.send_at and campaign.send_at.isoformat(),
        "launched_at": campaign.launched_at and campaign.launched_at.isoformat(),
        "finished_at": campaign.finished_at and campaign.finished_at.isoformat(),
        "audience": report.audience,
        "states": report.states,
        "reasons": [{"state": state, "reason": reason, "count": count} for state, reason, count in report.reasons],
        "per_minute": report.per_minute,
    }
