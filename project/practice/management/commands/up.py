"""`./run manage up`: the whole site on one machine, in one process tree, for a small practice.

Larger ones run the parts apart (docs/operations.md).
"""

import contextlib
import http.client
import os
import socket
import sys
import time

from django.conf import settings
from django.core.management import CommandError, call_command
from django.core.management.base import BaseCommand
from django.db import connection

from project.practice.supervisor import Part, run
from project.start import check_or_exit


def parts(bind):
    """The four processes of a site, in the order they start: beat stops first, so that nothing new is rung while the workers finish."""
    return [
        Part("web", [sys.executable, "-m", "gunicorn", *_gunicorn(bind), "project.wsgi"]),
        _worker("letters", "transactional", 1),
        _worker("bulk", "bulk", settings.BULK_SLOTS),
        Part("beat", [*_celery(), "beat", "--loglevel", "WARNING", "--pidfile="], _CALM, _BEHIND_PAGES),
    ]


def _gunicorn(bind):
    # More processes gain nothing on SQLite, where one writes at a time; threads wait for the database cheaply.
    workers = os.environ.get("WEB_WORKERS", "1" if connection.vendor == "sqlite" else "2")
    return [
        *("--bind", bind, "--worker-class", "gthread", "--workers", workers, "--threads", os.environ.get("WEB_THREADS", "8")),
        *("--graceful-timeout", "10", "--log-level", "warning", "--no-control-socket"),
    ]


def _celery():
    return [sys.executable, "-m", "celery", "--quiet", "--app", "project.celery"]


# Celery warns a root user at every start. Containers run like that, and the warning's own reason, pickle, is switched off.
# Stopping waits for the task in hand, so that its letters are not left in doubt; a short budget makes that fit in the supervisor's grace.
_CALM = {
    "PYTHONWARNINGS": "ignore:You're running the worker with superuser privileges",
    "MAIL_TASK_BUDGET": os.environ.get("MAIL_TASK_BUDGET", "10"),
}

# A person waits for a page; a letter can wait for the processor.
_BEHIND_PAGES = 5


def _worker(name, queue, slots):
    options = ["--pool", "prefork", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    return Part(name, [*_celery(), "worker", "-n", f"{name}@%h", "-Q", queue, "-c", str(slots), *options], _CALM, _BEHIND_PAGES)


def require_free(bind, option="--bind"):
    """Raises CommandError when somebody else listens on that address."""
    if bind.startswith("unix:"):
        return
    host, _colon, port = bind.rpartition(":")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, int(port)))
        except ValueError:
            raise CommandError(f"{bind} is no address. It should look like 127.0.0.1:8000.") from None
        except OSError as error:
            raise CommandError(f"Can’t listen on {bind}: {error.strerror}. Another port can be chosen by {option}.") from None


def answers(bind, within=60):
    """True once a page is served there (the port alone is open earlier), False when none has been within so many seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        browser = http.client.HTTPConnection(bind, timeout=10)
        with contextlib.suppress(OSError, http.client.HTTPException), contextlib.closing(browser):
            browser.request("GET", "/health/live")
            return browser.getresponse().status == 200
        time.sleep(0.1)
    return False


class Command(BaseCommand):
    help = "Migrate, then run web server, both mail workers and clock until Ctrl-C. If one dies the rest stop, and it exits with 1."
    # Asked in `handle`, where the warnings that matter count too.
    requires_system_checks = []

    def add_arguments(self, parser):
        bind = os.environ.get("WEB_BIND", "127.0.0.1:8000")
        parser.add_argument("--bind", default=bind, help="HOST:PORT or unix:PATH (default: WEB_BIND, else 127.0.0.1:8000)")

    def handle(self, *, bind, **options):
        check_or_exit()
        require_free(bind)
        call_command("migrate", interactive=False, verbosity=0)
        if not settings.LOCAL:
            call_command("collectstatic", interactive=False, verbosity=0)
        # Their connections are not for children to share.
        connection.close()
        self.stdout.write(f"Lectern listens on {bind} for {settings.SITE_URL}. Ctrl-C stops it.")
        self.stdout.flush()
        sys.exit(run(parts(bind), self.stdout))
