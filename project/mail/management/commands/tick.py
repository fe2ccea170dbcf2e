from django.core.management.base import BaseCommand
from django.db.models import Count
from django.utils import timezone

from project.mail import ledger, sweep
from project.mail.models import Message


class Command(BaseCommand):
    help = "Sends what is due, here and now, without broker or worker: for cron, or while those are away. Any number may run at once."

    def add_arguments(self, parser):
        parser.add_argument("--seconds", type=float, default=20, help="stop taking up new letters after so long (default: 20)")

    def handle(self, *args, **options):
        began = timezone.now()
        left = sweep.tick_inline(options["seconds"])
        if held := ledger.hold():
            self.stdout.write(f"All mail is on hold: {held}. Look at Today, or run release_mail.")
            return
        settled = Message.objects.filter(settled_at__gte=began).values_list("state").annotate(Count("pk")).order_by("state")
        told = ", ".join(f"{count} {state}" for state, count in settled) or "nothing was due"
        waiting = Message.objects.due(timezone.now()).count()
        self.stdout.write(f"Letters: {told}; {waiting} still due.{' More is due: tick again.' if left else ''}")
