from django.core.management.base import BaseCommand

from project.mail import ledger


class Command(BaseCommand):
    help = "Let mail flow after a hold: you have looked, and this database belongs here. The same as the button on Today."

    def handle(self, **options):
        held = ledger.hold()
        ledger.release()
        still = ledger.hold()
        if options["verbosity"]:
            self.stdout.write(f"Released. Was held: {held}." if held else "Mail was not held.")
        if still:
            self.stderr.write("MAIL_HOLD=1 still holds it; take it out of the environment.")
