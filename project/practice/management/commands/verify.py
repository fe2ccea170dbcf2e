from django.core.management.base import BaseCommand

from project.practice import verification


class Command(BaseCommand):
    help = "Checks what must always be true: seats, letters, consents, sums. Prints what is off, and exits 1 if anything is. Changes nothing."

    def handle(self, *args, **options):
        off = 0
        for name, sentence in verification.findings():
            off += 1
            self.stdout.write(f"{name}: {sentence}")
        if off:
            self.stderr.write(f"{off} found.")
            raise SystemExit(1)
        self.stdout.write(f"All is well: {', '.join(verification.names())}.")
