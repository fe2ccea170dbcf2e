"""Real workers on a Redis that goes away, says nothing, comes back empty, or tells everything three times: only when letters leave changes."""

import time

import pytest

from newsletter.models import Delivery
from tests import services
from tests.processes import eventually

from .conftest import WORKER, a_beat, kill, over

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS = 300
SLOWLY = {"at": "DOT", "say": "slow:0.1 250 2.0.0 taken"}
#: So slowly that bells which were heard already do not carry the campaign to its end.
VERY_SLOWLY = {"at": "DOT", "say": "slow:0.2 250 2.0.0 taken"}


@pytest.fixture
def broker():
    with services.redis_server() as server:
        yield server


def still(smtp, seconds=4):
    """Wait until no letter has come for so long, longer than a worker waits for a silent broker; how many had."""
    seen, since = 0, time.monotonic()
    while time.monotonic() < since + seconds:
        count = len(smtp.accepted())
        if count != seen:
            seen, since = count, time.monotonic()
        time.sleep(0.05)
    return seen


def test_black_holed_then_empty_and_the_beat_killed_the_campaign_stops_only_until_there_is_a_beat_again(
    celery, broker, smtp, scheduled, reckon, tmp_path
):
    campaign = scheduled(READERS)
    smtp.script(VERY_SLOWLY)
    # One process: while it works the next bell waits, and that it was heard is what the silent broker will not be told. It may take its time
    # over that: killed at its limit it would leave letters in doubt.
    celery(*WORKER, "-c", "1", MAIL_TASK_LIMIT="12")
    beat = a_beat(celery, tmp_path, "first")
    eventually(lambda: len(smtp.accepted()) >= 10)

    broker.stand_still()
    kill(beat)
    still(smtp)  # the workers' time is up, and nobody hears their bells
    broker.restart()
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
