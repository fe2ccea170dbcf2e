"""Workers, web and beat on a real RabbitMQ that is killed and comes back, with what it held or empty: all find it again by themselves."""

import email
import subprocess
import sys
from email import policy

import pytest

from newsletter.models import Delivery
from project.mail import ledger
from project.practice import verification
from tests import services
from tests.processes import eventually

from ..seminars.conftest import make_seminar, seminar, venue
from .conftest import WORKER, a_beat, over
from .relay import Relay
from .spoken import Spoken

__all__ = ["make_seminar", "seminar", "venue"]

pytestmark = [pytest.mark.rabbitmq, pytest.mark.django_db(transaction=True)]
State = Delivery.State

READERS = 100
SLOWLY = {"at": "DOT", "say": "slow:0.2 250 2.0.0 taken"}

_RING_BOTH = """
import time, django
django.setup()
from project.mail import bells
print(bells.ring("letters"))
time.sleep(1)
began = time.monotonic()
print(bells.ring("campaigns"), time.monotonic() - began)
"""

both_ways_back = pytest.mark.parametrize("empty", [False, True], ids=["with its data", "empty"])


@pytest.fixture(scope="module")
def broker():
    with services.rabbitmq_server() as server:
        yield server


@pytest.fixture
def visitor(seminar, surroundings):  # noqa: F811
    """`visitor("ana")` registers her in a web process that lives as long as the test: seconds until her page came.

    Its clock goes as slowly as in earnest, and the bells it rings are as patient.
    """
    ledger.release()
    web = Spoken("tests.faults.visitors", environment=surroundings | {"MAIL_TICK": "15"})

    def register(name):
        answer = web.say({"path": f"/seminars/{seminar.slug}/register/", "email": f"{name}@example.org"})
        assert answer["status"] == 302
        return answer["seconds"]

    yield register
    web.end()


@pytest.fixture
def told(tmp_path):
    """`told()`: whom letters to one person have reached, each as often as one did."""

    def told():
        files = (tmp_path / "others").glob("*.eml")
        return sorted(email.message_from_bytes(file.read_bytes(), policy=policy.default)["To"].partition("@")[0] for file in files)

    return told


def ticked_lately():
    age = ledger.tick_age()
    return age is not None and age < 2


def come_back(broker, empty):
    if empty:
        broker.forget()
    broker.start()


@both_ways_back
def test_killed_in_the_middle_of_a_campaign_the_clock_rings_again_and_each_reader_is_written_to_once(
    celery, broker, smtp, scheduled, reckon, tmp_path, empty
):
    campaign = scheduled(READERS)
    smtp.script(SLOWLY)
    celery(*WORKER)
    a_beat(celery, tmp_path, "beat")
    eventually(lambda: len(smtp.accepted()) >= 10)

    broker.kill()
    eventually(lambda: ledger.tick_age() > 3)
    # The control: without bells the workers go on only until their time is up.
    assert not over(campaign)
    come_back(broker, empty)
    eventually(ticked_lately)
    eventually(lambda: over(campaign))

    assert reckon(smtp).states == {State.SENT: READERS}


@both_ways_back
def test_the_first_bell_after_a_restart_is_heard_without_a_clock(celery, broker, visitor, told, empty):
    celery(*WORKER)
    visitor("ana")
    eventually(lambda: told() == ["ana"])

    broker.kill()
    come_back(broker, empty)
    waited = visitor("ben")
    eventually(lambda: told() == ["ana", "ben"])

    assert waited < 2.5


def test_who_registers_while_it_is_away_waits_for_nothing_and_gets_one_letter(celery, broker, visitor, told, tmp_path):
    celery(*WORKER)
    a_beat(celery, tmp_path, "beat")
    visitor("ana")
    eventually(lambda: told() == ["ana"])

    broker.kill()
    waited = [visitor("ben"), visitor("carla")]
    come_back(broker, empty=False)
    visitor("dora")
    eventually(lambda: len(told()) >= 4)
    eventually(ticked_lately)

    assert max(waited) < 2.5
    assert told() == ["ana", "ben", "carla", "dora"]
    assert list(verification.findings()) == []


def test_short_of_memory_it_keeps_a_page_waiting_no_longer_than_a_dead_one(broker, surroundings):
    """It stops reading from whoever has rung once; the second bell is for another queue, and asks it something first."""
    broker.run_short_of_memory()
    try:
        told = subprocess.run(
            [sys.executable, "-c", _RING_BOTH], env=surroundings, capture_output=True, text=True, timeout=60, check=True
        ).stdout.split()
    finally:
        broker.have_memory()

    assert told[0] == "True"  # kept by the operating system until the broker listens again
    assert told[1] == "False"
    assert float(told[2]) < 4


def test_a_worker_whose_connection_only_looks_alive_opens_another(celery, broker, visitor, told):
    relay = Relay(to=broker.port)
    celery(*WORKER, CELERY_BROKER_URL=broker.url.replace(str(broker.port), str(relay.port)))
    visitor("ana")
    eventually(lambda: told() == ["ana"])

    relay.swallow()
    visitor("ben")
    eventually(lambda: told() == ["ana", "ben"])

    relay.end()
