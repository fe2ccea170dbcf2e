"""`./run demo`: the whole product with sample content on this machine."""

import os
import sys
from urllib.parse import urlsplit

from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection

from project.practice.demo import COORDINATOR, PASSWORD, USER
from project.practice.management.commands import up
from project.practice.supervisor import run

HOST = "127.0.0.1"


class Command(BaseCommand):
    help = "Fill a database under var/ with sample content and run the whole product on it. Letters land in var/mail/ and on /demo/letters/."

    def add_arguments(self, parser):
        parser.add_argument("--port", type=int, default=8000, help="on 127.0.0.1 (default: 8000)")

    def handle(self, *, port, **options):
        if not settings.LOCAL:
            raise CommandError("The demo runs with DEBUG=1. Start it with ./run demo.")
        bind = f"{HOST}:{port}"
        up.require_free(bind, "--port")
        # Before anything is written: letters' links and the ledger both carry it, here and in every part.
        os.environ["SITE_URL"] = settings.SITE_URL = f"http://{bind}"
        call_command("migrate", interactive=False, verbosity=0)
        refuse_a_real_practice()
        call_command("seed_demo", verbosity=0)  # by name: it belongs to the topmost app, which knows what to fill
        # A demo started again after a weekend, or on another port, looks to the ledger like a restored backup, which holds all mail until a
        # person has looked. Here nobody can be written to, so there is nothing to look at.
        call_command("release_mail", verbosity=0)
        connection.close()
        sys.exit(run(up.parts(bind), self.stdout, then=lambda: self.welcome(bind)))

    def welcome(self, bind):
        if up.answers(bind):
            login = {"user": USER, "coordinator": COORDINATOR, "password": PASSWORD}
            self.stdout.write(_WELCOME.format(site=settings.SITE_URL, folder=settings.VAR / "mail", **login))
            self.stdout.flush()


def refuse_a_real_practice():
    """Raises CommandError when the database serves an address of the outside world: sample people must not be mixed with real ones."""
    ledger = apps.get_model("mail", "Ledger").objects.first()
    if ledger and urlsplit(ledger.site_url).hostname not in {HOST, "localhost"}:
        raise CommandError(
            f"{settings.VAR} holds the database of {ledger.site_url}, and the demo would put made-up people into it. "
            "Give the demo a folder of its own: LECTERN_VAR=/tmp/lectern-demo ./run demo"
        )


_WELCOME = """
  Lectern is running, with sample content.

    For patients    {site}/
    En español      {site}/es/
    Front desk      {site}/admin/   sign in as {user} (all rights) or {coordinator}, password {password}
    Letters         {site}/demo/letters/   (files in {folder})

  Ctrl-C stops everything.

"""
