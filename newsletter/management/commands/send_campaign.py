from datetime import datetime

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from newsletter import campaigns
from project.practice.models import Practice
from project.practice.zones import from_wall, moment_words

from ._campaign import find


class Command(BaseCommand):
    help = "Schedule a campaign, by its number or slug: now, or at a time on the practice's clocks. Workers or `tick` send it."

    def add_arguments(self, parser):
        parser.add_argument("campaign", metavar="ID|SLUG")
        parser.add_argument("--at", metavar="ISO", help="like 2026-12-03T09:00, on the practice's clocks, or with an offset: 2026-12-03T14:00Z")

        parser.add_argument("--own-zone", action="store_true", help="at that time of day where each reader lives")

    def handle(self, *args, **options):
        campaign = find(options["campaign"])
        try:
            campaigns.schedule(campaign, _moment(options["at"]) if options["at"] else timezone.now(), own_zone=options["own_zone"])
        except campaigns.CampaignRefused as refusal:
            raise CommandError(str(refusal)) from None
        self.stdout.write(f"{campaign.name}: {moment_words(campaign.send_at, Practice.current().zone)}")


def _moment(text):
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"{text!r} is no time like 2026-12-03T09:00.") from None
    if moment.tzinfo:
        return moment
    try:
        return from_wall(moment.date(), moment.time(), Practice.current().zone)
    except ValidationError as refusal:
        raise CommandError(refusal.message) from None
