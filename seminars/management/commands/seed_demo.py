from django.conf import settings
from django.core.management import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from newsletter import demo as newsletter
from newsletter.models import Campaign, Subscriber
from project.practice import demo as practice
from seminars import demo as seminars
from seminars.models import Registration, Seminar


class Command(BaseCommand):
    help = (
        "Fill an empty database with a made-up practice: seminars, registrations, readers, packets and issues in both languages. "
        "What is there already stays as it is; dates count from the first time. To start afresh, remove the folder var/."
    )

    def add_arguments(self, parser):
        parser.add_argument("--force", action="store_true", help="also with DEBUG=0, where it makes logins whose passwords everybody knows")

    def handle(self, *, force, verbosity, **options):
        if not settings.LOCAL and not force:
            raise CommandError("seed_demo makes up people and logins with well-known passwords, so it wants DEBUG=1 (or --force).")
        now = timezone.now()
        with transaction.atomic():
            facts = practice.seed()
            newsletter.seed(now, facts)
            seminars.seed(now)
        if verbosity:
            self.stdout.write(self.summary(facts))

    def summary(self, facts):
        return (
            f"{facts.name}: {Seminar.objects.count()} seminars with {Registration.objects.active().count()} registrations, "
            f"{Subscriber.objects.count()} subscribers, {Campaign.objects.count()} campaigns.\n"
            f"Sign in at {settings.SITE_URL}/admin/ as {practice.USER} or {practice.COORDINATOR}, password {practice.PASSWORD}."
        )
