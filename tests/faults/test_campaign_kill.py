"""`kill -9` in the middle of a campaign: nobody is lost, nobody gets it twice, and whoever is in doubt is listed by name.

A real Celery worker with its beat, on the filesystem broker or the second pass's Redis, writing each letter into a folder: what lies there
arrived. The negative control, the same death by a worker that does not mark its windows, is in test_campaign_steps.
"""

import collections
import contextlib
import email
import os
import subprocess
import sys

import pytest
from django.conf import settings
from django.utils import timezone

from newsletter import campaign_verification, campaigns, reports
from newsletter.models import Campaign, Delivery
from project.mail import ledger
from tests.processes import eventually

from ..newsletter.campaigns_fixtures import make_campaign, make_readers  # noqa: F401  fixtures
from ..newsletter.conftest import topic  # noqa: F401
from .conftest import database_url, kill

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS, WINDOW = 700, 48


class Worker:
    """Celery worker and beat in one process group, which can be killed whole."""

    def __init__(self, folder):
        self.letters = folder / "letters"
        self.command = [sys.executable, "-m", "celery", "-A", "project", "worker", "-B", "-Q", "transactional,bulk", "-c", "1", "-l", "error"]
        redis = settings.CELERY_BROKER_URL.startswith("redis")
        self.environment = os.environ | {
            "DATABASE_URL": database_url(),
            "CELERY_BROKER_URL": settings.CELERY_BROKER_URL.removesuffix("/0") + "/9" if redis else "filesystem://localhost",
            "LECTERN_VAR": str(folder),
            "MAIL_TRANSACTIONAL": f"file://{folder}/others",
            "MAIL_BULK": f"file://{self.letters}",
            "MAIL_SOCKET_TIMEOUT": "1",
            "MAIL_TASK_BUDGET": "1",
            "MAIL_TASK_LIMIT": "2",
            "MAIL_LEASE": "3",
            "MAIL_TICK": "1",
            "BULK_WINDOW": str(WINDOW),
            "DJANGO_SETTINGS_MODULE": "project.settings",
        }

    @contextlib.contextmanager
    def running(self):
        with subprocess.Popen(self.command, env=self.environment, start_new_session=True, stdout=subprocess.DEVNULL) as process:
            try:
                yield
            finally:
                kill(process)

    def arrived(self):
        return len(list(self.letters.glob("*.eml")))

    def killed_at(self, count):
        """Run until so many letters have arrived, and kill it there."""
        with self.running():
            eventually(lambda: self.arrived() >= count, pause=0.01)

    def recipients(self):
        """How many letters arrived at each address."""
        headers = [email.message_from_bytes(file.read_bytes().split(b"\r\n\r\n")[0]) for file in self.letters.glob("*.eml")]
        return collections.Counter(message["To"].partition("<")[2].rstrip(">") for message in headers)


@pytest.fixture
def scheduled(make_readers, make_campaign):  # noqa: F811
    """`scheduled(n)`: a campaign to n readers whose time has come."""

    def schedule(count):
        ledger.release()
        make_readers(count)
        campaign = make_campaign()
        campaigns.schedule(campaign, timezone.now())
        return campaign

    return schedule


def addresses(*states):
    return set(Delivery.objects.filter(state__in=states).values_list("subscriber__address", flat=True))


def sent(campaign):
    return Campaign.objects.filter(pk=campaign.pk, status=Campaign.Status.SENT).exists()


def test_killed_twice_nobody_is_lost_and_nobody_gets_it_twice(scheduled, tmp_path):
    campaign = scheduled(READERS)
    worker = Worker(tmp_path)

    for count in (150, 400):
        worker.killed_at(count)
    with worker.running():
        eventually(lambda: sent(campaign))

    arrived, report = worker.recipients(), reports.of(campaign)
    assert set(arrived.values()) == {1}  # 0 doubled
    assert report.audience == READERS
    assert report.states[State.SENT] + report.states[State.UNCERTAIN] == READERS  # 0 lost
    assert addresses(State.SENT) <= set(arrived)  # what was recorded as sent did arrive …
    assert set(arrived) <= addresses(State.SENT, State.UNCERTAIN)  # … and what arrived is recorded as sent, or listed as in doubt
    assert 1 <= report.states[State.UNCERTAIN] <= 2 * WINDOW
    assert set(Delivery.objects.filter(state=State.UNCERTAIN).values_list("reason", flat=True)) == {"crashed"}
    assert campaign_verification.problems() == []
