"""Real workers on a Redis that goes away, says nothing, comes back empty, or tells everything three times: only when letters leave changes."""

import contextlib
import os
import subprocess
import sys
import time

import pytest

from newsletter.models import Delivery
from tests import services
from tests.processes import eventually

from .conftest import database_url, kill, over

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS = 300
SLOWLY = {"at": "DOT", "say": "slow:0.02 250 2.0.0 taken"}


@pytest.fixture
def redis():
    with services.redis_server() as server:
        yield server


@pytest.fixture
def celery(crew, smtp, redis, tmp_path):
    """`celery("worker", …)`: a Celery process of the application `app`, on this test's database and a Redis of its own."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": redis.url,
        "LECTERN_VAR": str(tmp_path),
        "MAIL_TRANSACTIONAL": f"file://{tmp_path}/others",
        "MAIL_BULK": crew.settings["MAIL_BULK"],
        "MAIL_SOCKET_TIMEOUT": "1",
        "MAIL_TASK_BUDGET": "1",
        "MAIL_TASK_LIMIT": "4",
        "MAIL_LEASE": "5",
        "MAIL_TICK": "1",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }
    with contextlib.ExitStack() as stack:

        def start(*words, app="hurried_campaigns"):
            command = [sys.executable, "-m", "celery", "--quiet", "-A", f"tests.faults.{app}", *words, "-l", "ERROR"]
            process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            stack.callback(kill, process)
            return process

        yield start


WORKER = ["worker", "-Q", "transactional,bulk", "-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]


def a_beat(celery, tmp_path, name, **words):
    return celery("beat", "-s", str(tmp_path / name), "--pidfile=", **words)


def still(smtp, seconds=2):
    """Wait until no letter has come for so long; how many had."""
    seen, since = 0, time.monotonic()
    while time.monotonic() < since + seconds:
        count = len(smtp.accepted())
        if count != seen:
            seen, since = count, time.monotonic()
        time.sleep(0.05)
    return seen


def test_black_holed_then_empty_and_the_beat_killed_the_campaign_stops_only_until_there_is_a_beat_again(
    celery, redis, smtp, scheduled, reckon, tmp_path
):
    campaign = scheduled(READERS)
    smtp.script(SLOWLY)
    celery(*WORKER)
    beat = a_beat(celery, tmp_path, "first")
    eventually(lambda: len(smtp.accepted()) >= 10)

    redis.stand_still()
    kill(beat)
    still(smtp)  # the workers' time is up, and nobody hears their bells
    redis.restart()
    # The control: without a sweep nobody would ever ring again.
    assert still(smtp) < READERS
    smtp.script()
    a_beat(celery, tmp_path, "second")
    eventually(lambda: over(campaign))

    assert reckon(smtp).states == {State.SENT: READERS}


def test_every_bell_three_times_and_two_beats_write_to_each_reader_once(celery, smtp, scheduled, reckon, tmp_path):
    campaign = scheduled(READERS)
    smtp.script(SLOWLY)
    celery(*WORKER, app="thrice_campaigns")
    for name in ("first", "second"):
        a_beat(celery, tmp_path, name, app="thrice_campaigns")

    eventually(lambda: over(campaign))

    assert reckon(smtp).states == {State.SENT: READERS}
