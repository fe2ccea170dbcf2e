from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand

from project.mail import backups


class Command(BaseCommand):
    help = "Put a backup in place of the database and the uploaded files. All mail stays held until somebody releases it on Today."
    # The database may be empty or broken; that is why one restores.
    requires_system_checks = []

    def add_arguments(self, parser):
        parser.add_argument("file")
        parser.add_argument("--replace", action="store_true", help="also when the database holds something, which is then lost")
        parser.add_argument("--key-lost", action="store_true", help="also when ADDRESS_KEY is another one than the backup’s")

    def handle(self, *, file, replace, key_lost, **options):
        try:
            manifest = backups.restore(file, replace=replace, key_lost=key_lost)
        except (backups.BackupError, OSError) as error:
            raise CommandError(error) from error
        call_command("migrate", interactive=False, verbosity=0)
        self.stdout.write(f"Restored what {manifest['site_url']} held on {manifest['made_at']}.")
        self.stdout.write("All mail is held: letters written before may have left since. Look at Today, then release it there.")
