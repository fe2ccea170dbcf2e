"""What every test may ask for."""

import shutil
import socket

import pytest
from django.conf import settings
from django.core import mail
from django.db import connection
from django.utils import translation

from project import translations
from project.mail import bells, ledger, pace, sweep
from project.practice.models import Practice
from tests.processes import SERVERS

from . import services


def pytest_sessionstart():
    """Compiled translations are not kept in the repository; a run against yesterday's would test yesterday's words."""
    translations.compile_all()


def pytest_collection_modifyitems(items):
    is_postgresql = "postgresql" in settings.DATABASES["default"]["ENGINE"]
    reasons = {
        "browser": None if shutil.which("chromium") else "no chromium on PATH",
        "caddy": None if shutil.which("caddy") else "no caddy on PATH",
        "nginx": None if shutil.which("nginx", path=SERVERS) else "no nginx on PATH",
        "once": "runs in the first pass" if is_postgresql else None,
        "postfix": None if shutil.which("smtp-sink") else "no smtp-sink on PATH",
        "postgresql": None if is_postgresql else "needs PostgreSQL",
        "rabbitmq": None if services.RABBITMQ_SERVER else "no rabbitmq-server on PATH",
        "redis": None if settings.CELERY_BROKER_URL.startswith("redis") else "needs Redis",
    }
    for item in items:
        for name, reason in reasons.items():
            if reason and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=reason))


@pytest.fixture(autouse=True)
def _broker_not_silenced():
    """A test that broke the broker must not silence the next one's bells."""
    bells._silent_until = 0.0


@pytest.fixture(autouse=True)
def _limits_of_its_own():
    """A route's limits are believed for a second; the next test has its own."""
    pace.forget()


@pytest.fixture(autouse=True)
def _language_of_its_own():
    """A request for a Spanish page leaves its thread speaking Spanish; the next test must not."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _witness_of_its_own(settings, tmp_path):
    """A test that jumps in time must not make the next one's database look restored."""
    settings.MAIL_WITNESS = tmp_path / "alive"


@pytest.fixture
def practice(db):
    """A practice whose own facts are filled in."""
    practice = Practice.current()
    practice.name = "Gulf Coast Spine"
    practice.phone = "+18135550100"
    practice.street, practice.city, practice.state, practice.postal_code = "100 Sample Street", "Tampa", "FL", "33607"
    practice.organizer_mailbox = "seminars@practice.example.org"
    practice.save()
    return practice


@pytest.fixture
def deliver(db):
    """`deliver()` does what the workers would: everything due is handed over; returns the letters that left, oldest first."""

    def deliver(seconds=20):
        ledger.release()  # tests jump in time, which looks like a restored backup
        before = len(mail.outbox)
        sweep.tick_inline(seconds)
        return mail.outbox[before:]

    return deliver


@pytest.fixture
def on_postgresql():
    return connection.vendor == "postgresql"


@pytest.fixture
def black_hole():
    """A port that takes connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(16)
        yield listener.getsockname()[1]
