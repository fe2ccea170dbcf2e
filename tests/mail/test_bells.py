"""The broker is a doorbell: one that is down, or answers nothing, costs a page one short wait and no letter."""

import os
import subprocess
import sys
import time

import pytest
from celery import Celery

from project.mail import bells, sweep, work
from project.mail.models import Ledger


@pytest.fixture
def broker_at(monkeypatch):
    """`broker_at(url)`: bells are rung there."""

    def broker_at(url):
        app = Celery("elsewhere", set_as_current=False)
        app.conf.broker_write_url = url
        app.conf.broker_transport_options = {"max_retries": 0}
        monkeypatch.setattr(bells, "current_app", app)

    return broker_at


_RING_TWICE = """
import time, django
django.setup()
from project.mail import bells
for _ in range(2):
    began = time.monotonic()
    print(bells.ring("letters"), time.monotonic() - began)
"""


@pytest.mark.parametrize("scheme", ["redis", "amqp"])
def test_a_broker_that_never_answers_costs_a_short_wait_once(black_hole, scheme):
    """In a process of its own, under the settings a real one would have."""
    environment = os.environ | {"CELERY_BROKER_URL": f"{scheme}://127.0.0.1:{black_hole}//", "DJANGO_SETTINGS_MODULE": "project.settings"}

    told = subprocess.run([sys.executable, "-c", _RING_TWICE], env=environment, capture_output=True, text=True, timeout=60, check=True)

    (first, waited), (second, waited_again) = (line.split() for line in told.stdout.splitlines())
    assert (first, second) == ("False", "False")
    assert float(waited) < 8  # two seconds by the broker's limit; more only where the machine is busy
    assert float(waited_again) < 0.2


def test_a_broker_that_is_down_raises_nothing_and_is_asked_again_after_a_while(broker_at, monkeypatch):
    broker_at("redis://127.0.0.1:1/0")

    assert bells.ring("letters") is False
    assert bells._silent_until - time.monotonic() == pytest.approx(30, abs=1)

    broker_at("memory://")
    assert bells.ring("letters") is False
    monkeypatch.setattr(bells, "_silent_until", time.monotonic() - 1)
    assert bells.ring("letters") is True


@pytest.fixture
def rung(monkeypatch):
    rung = []
    monkeypatch.setattr(bells, "ring", rung.append)
    return rung


def test_a_tick_rings_once_for_any_number_of_due_letters(greetings, rung):
    for n in range(30):
        greetings.post(n)

    sweep.tick()

    assert rung == ["letters"]


@pytest.mark.django_db
def test_a_tick_with_nothing_due_rings_no_bell(rung):
    sweep.tick()

    assert rung == []
    assert Ledger.objects.get().ticked_at is not None


def test_work_that_cannot_tell_what_is_due_keeps_no_other_bell_from_ringing(greetings, rung, monkeypatch):
    monkeypatch.setattr(work, "_work", {"broken": work.Work("broken", "bulk", lambda now: 1 / 0, lambda deadline: 1 / 0)} | work._work)
    greetings.post()

    sweep.tick()

    assert rung == ["letters"]


def test_work_that_breaks_keeps_no_other_from_being_done(greetings, deliver, monkeypatch):
    broken = work.Work("broken", "transactional", lambda now: 1, lambda deadline: 1 / 0)
    monkeypatch.setattr(work, "_work", {"broken": broken} | work._work)
    greetings.post()

    assert len(deliver()) == 1
