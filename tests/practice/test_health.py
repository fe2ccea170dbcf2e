import logging
from datetime import timedelta

import pytest
from celery import Celery
from django.db import OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from project.mail import bells, ledger
from project.practice import health

pytestmark = pytest.mark.django_db


def test_live_needs_no_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = client.get("/health/live")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_tells_of_database_migrations_broker_and_clock(client):
    ledger.hold()

    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["database"] == answer.json()["migrations"] == "ok"
    assert (answer.json()["clock"], answer.json()["tick_age_seconds"]) == ("late", None)
    assert answer.json()["broker"] == "ok"


@pytest.mark.parametrize(("minutes", "word"), [(1, "ok"), (3, "late")])
def test_a_clock_that_stays_out_is_called_late_though_the_broker_answers(client, minutes, word):
    ledger.hold()
    ledger.ticked(timezone.now() - timedelta(minutes=minutes))

    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert (answer.json()["broker"], answer.json()["clock"]) == ("ok", word)


def test_a_dead_broker_is_told_and_is_no_reason_to_take_the_site_down(client, monkeypatch):
    monkeypatch.setenv("CELERY_BROKER_URL", "redis://127.0.0.1:1/0")  # nobody listens there
    nobody = Celery(set_as_current=False)
    nobody.conf.broker_transport_options = {"max_retries": 0}
    monkeypatch.setattr(bells, "current_app", nobody)

    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["broker"] == "down"


def test_a_part_that_cannot_tell_hides_no_other(client, monkeypatch):
    monkeypatch.setitem(health._parts, "broker", lambda: 1 / 0)

    answer = client.get("/health/ready")

    assert answer.status_code == 200
    assert answer.json()["broker"] == "unknown (ZeroDivisionError)"
    assert "tick_age_seconds" in answer.json()


def test_a_dead_database_takes_it_out_of_service(client, monkeypatch):
    def down(*_):
        raise OperationalError("no secret of the connection is told")

    monkeypatch.setattr(connection, "cursor", down)

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json() == {"database": "down"}


def test_pending_migrations_take_it_out_of_service(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda self, targets: ["something"])

    answer = client.get("/health/ready")

    assert answer.status_code == 503
    assert answer.json()["migrations"] == "pending"


@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_health_is_only_read(client, address):
    assert client.post(address).status_code == 405
    assert "no-store" in client.get(address).headers["Cache-Control"]


@pytest.mark.parametrize("host", ["10.0.0.7", "10.0.0.7:8000", "[fd00::7]", "lb-probe", "evil.example", "no host at all, \\@"])
@pytest.mark.parametrize("address", ["/health/live", "/health/ready"])
def test_a_probe_may_call_us_as_it_likes(client, address, host):
    assert client.get(address, headers={"host": host}).status_code == 200


@pytest.mark.parametrize("address", ["/", "/es/", "/health/", "/health/live/", "/health/liver", "//health/live", "/admin/login/"])
def test_nobody_else_may(client, practice, address):
    answer = client.get(address, headers={"host": "10.0.0.7"})

    assert answer.status_code == 400
    assert "10.0.0.7" not in answer.content.decode()


def test_a_wrong_host_is_one_plain_line_in_the_log(client, practice, caplog):
    client.get("/", headers={"host": "evil.example" + "x" * 1000})

    [record] = caplog.records
    line = logging.Formatter("{levelname} {message}", style="{").format(record)
    assert line.startswith("WARNING Invalid HTTP_HOST header: 'evil.example")
    assert "\n" not in line
    assert len(line) < 250
