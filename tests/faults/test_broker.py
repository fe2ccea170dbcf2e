"""Bad luck while somebody registers: the broker is away or dumb, the database is busy or cannot be written."""

import os
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing

import pytest
from django.db import connection
from django.test import Client

from project.mail.models import Message
from project.practice import verification
from seminars.models import Registration

from ..processes import free_port
from ..seminars.conftest import make_seminar, register, seminar, venue
from .conftest import database_url

__all__ = ["make_seminar", "register", "seminar", "venue"]

pytestmark = pytest.mark.django_db(transaction=True)

PERSON = {"first_name": "Ana", "last_name": "Gil", "email": "ana@example.org", "party_size": "2", "language": "en"}

_VISITOR = """
import sys, time, django
django.setup()
from django.test import Client
client = Client(raise_request_exception=False)
person = {"first_name": "Ana", "last_name": "Gil", "party_size": "2", "language": "en"}
for n in range(2):
    began = time.monotonic()
    answer = client.post(sys.argv[1], person | {"email": f"ana{n}@example.org"})
    print(answer.status_code, time.monotonic() - began)
"""


@pytest.fixture
def nobody():
    return free_port()


@pytest.mark.parametrize("broker", ["nobody", "black_hole"])
def test_registering_works_without_a_broker_and_the_next_sweep_sends_the_letter(request, seminar, deliver, broker):  # noqa: F811
    """In a process of its own, which has the settings a real web server would have for Redis."""
    environment = os.environ | {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": f"redis://127.0.0.1:{request.getfixturevalue(broker)}/0",
        "DJANGO_SETTINGS_MODULE": "project.settings",
    }

    told = subprocess.run(
        [sys.executable, "-c", _VISITOR, f"/seminars/{seminar.slug}/register/"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )

    (status, first), (status_again, second) = (line.split() for line in told.stdout.splitlines())
    assert (status, status_again) == ("302", "302")
    assert float(first) < 5
    assert float(second) < 1.5  # it leaves a broken broker alone for a while
    assert sorted(letter.to[0] for letter in deliver()) == ["ana0@example.org", "ana1@example.org"]
    assert list(verification.findings()) == []


def test_while_another_writes_for_seconds_registering_waits(seminar, client):  # noqa: F811
    begun = threading.Event()
    writer = threading.Thread(target=hold_the_database, args=(begun, 2))
    writer.start()
    begun.wait(5)

    began = time.monotonic()
    answer = client.post(f"/seminars/{seminar.slug}/register/", PERSON)
    waited = time.monotonic() - began
    writer.join()

    assert answer.status_code == 302
    assert waited > 1
    assert Registration.objects.count() == Message.objects.count() == 1


def hold_the_database(begun, seconds):
    """What a long write of somebody else does: on SQLite all wait for it, on PostgreSQL who wants the same seats."""
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"], isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            begun.set()
            time.sleep(seconds)
            other.execute("ROLLBACK")
        return
    try:
        with connection.cursor() as cursor:
            cursor.execute("BEGIN")
            cursor.execute("SELECT 1 FROM seminars_seatpool FOR UPDATE")
            begun.set()
            time.sleep(seconds)
            cursor.execute("ROLLBACK")
    finally:
        connection.close()


@pytest.mark.parametrize(("path", "words"), [("/", "Something went wrong on our side"), ("/es/", '<html lang="es"')])
def test_a_database_that_cannot_be_written_gets_a_503_that_says_try_again_and_nobody_is_half_registered(seminar, monkeypatch, path, words):  # noqa: F811
    client = Client(raise_request_exception=False)
    read_only(connection, True)
    try:
        answer = client.post(f"{path}seminars/{seminar.slug}/register/", PERSON)
    finally:
        read_only(connection, False)

    assert (answer.status_code, answer.headers.get("Retry-After")) == (503, "60")
    assert words in answer.content.decode()
    assert not Registration.objects.exists()
    assert not Message.objects.exists()
    assert client.post(f"{path}seminars/{seminar.slug}/register/", PERSON).status_code == 302


def read_only(connection, on):
    with connection.cursor() as cursor:
        if connection.vendor == "sqlite":
            cursor.execute(f"PRAGMA query_only = {int(on)}")
        else:
            cursor.execute(f"SET default_transaction_read_only = {'on' if on else 'off'}")
