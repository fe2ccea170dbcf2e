from django.core.management import CommandError
from django.core.management.base import BaseCommand

from project.mail import backups


class Command(BaseCommand):
    help = "Write the database and the uploaded files to one file that only you can read. The site may go on running."

    def add_arguments(self, parser):
        parser.add_argument("file", help="a path that does not exist yet")

    def handle(self, *, file, **options):
        try:
            manifest = backups.backup(file)
        except (backups.BackupError, OSError) as error:
            raise CommandError(error) from error
        self.stdout.write(f"{file} holds the {manifest['database']} database of {manifest['site_url']} and its files.")
        self.stdout.write("SECRET_KEY and ADDRESS_KEY are not in it. Keep them too, in another place.")
