"""`./run demo` as a person meets it."""

import signal
import socket
import sys
import urllib.request

import pytest
from django.core.management import CommandError

from project.mail import ledger
from project.practice.management.commands import demo
from tests.documentation import production
from tests.processes import environment, eventually, free_port, manage, started

pytestmark = pytest.mark.once


def test_the_demo_says_where_everything_is_and_stops_on_ctrl_c(tmp_path):
    port = free_port()
    with started([sys.executable, "manage.py", "demo", "--port", str(port)], environment(tmp_path, DEBUG="1")) as process:
        said = ""
        while "Ctrl-C stops everything" not in said:
            line = process.stdout.readline()
            assert line, said
            said += line
        eventually(lambda: len(process.remember()) >= 7, 60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30) as answer:
            assert answer.status == 200
        process.send_signal(signal.SIGINT)

        assert process.wait(30) == 0

    for address in ("/", "/es/", "/admin/", "/demo/letters/"):
        assert f"http://127.0.0.1:{port}{address}\n" in said or f"http://127.0.0.1:{port}{address} " in said


def test_a_taken_port_is_said_in_a_sentence(tmp_path):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]

        ended = manage("demo", "--port", str(port), env=environment(tmp_path, DEBUG="1"))

    assert ended.returncode == 1
    assert ended.stdout == f"CommandError: Can’t listen on 127.0.0.1:{port}: Address already in use. Another port can be chosen by --port.\n"
    assert not (tmp_path / "lectern.sqlite3").exists()


def test_the_demo_needs_debug(tmp_path):
    ended = manage("demo", env=environment(tmp_path, **production() | {"LECTERN_VAR": str(tmp_path)}))

    assert ended.returncode == 1
    assert "Start it with ./run demo." in ended.stdout


@pytest.mark.django_db
def test_the_demo_keeps_out_of_a_real_practice(settings):
    settings.SITE_URL = "https://seminars.practice.example.org"
    ledger.release()

    with pytest.raises(CommandError, match="made-up people"):
        demo.refuse_a_real_practice()
