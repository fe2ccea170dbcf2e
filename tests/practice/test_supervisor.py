"""The parts of the product live and stop together. Real processes, ended by their ids."""

import os
import signal
import sys
import urllib.request

import pytest

from tests.processes import below, command_line, environment, eventually, free_port, none_left, parents, started

pytestmark = pytest.mark.once

# Two parts, each with a child of its own, that say when they are told to stop.
PARTS = """
import sys
from project.practice import supervisor
from project.practice.supervisor import Part

supervisor.GRACE = 2
part = '''
import signal, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
def stop(*_):
    child.terminate()
    print("stopping")
    sys.exit(0)
signal.signal(signal.SIGTERM, signal.SIG_IGN if sys.argv[1] == "deaf" else stop)
print("here I am")
time.sleep(60)
'''
sys.exit(supervisor.run([Part(name, [sys.executable, "-c", part, name]) for name in sys.argv[1:]]))
"""


@pytest.fixture
def run(tmp_path):
    """`run("one", "two")`: those parts, supervised; the block is entered once all have spoken."""
    stack = []

    def run(*names):
        context = started([sys.executable, "-c", PARTS, *names], environment(tmp_path))
        process = context.__enter__()
        stack.append(context)
        for _name in names:
            assert "here I am" in process.stdout.readline()
        eventually(lambda: len(process.remember()) == 2 * len(names))
        return process

    yield run
    for context in stack:
        context.__exit__(None, None, None)


def pid_of(process, name):
    return next(pid for pid in below(process.pid) if command_line(pid).endswith(f" {name} "))


@pytest.mark.parametrize("word", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_all_and_is_no_failure(run, word):
    process = run("one", "two")

    process.send_signal(word)

    assert process.wait(20) == 0
    assert none_left(process.remember())


def test_the_last_started_is_stopped_first_and_lines_are_marked(run):
    process = run("one", "two")

    process.send_signal(signal.SIGINT)

    assert sorted(process.stdout.read().splitlines()) == ["one | stopping", "two | stopping"]


def test_one_part_killed_stops_the_rest_and_is_named(run):
    process = run("one", "two")
    family = process.remember()

    os.kill(pid_of(process, "one"), signal.SIGKILL)

    assert process.wait(20) == 1
    assert "up  | one ended by itself (signal SIGKILL), so everything was stopped." in process.stdout.read()
    assert none_left(family), "the killed part's own child went with it"


def test_a_part_that_does_not_listen_is_killed(run):
    process = run("one", "deaf")
    family = process.remember()

    process.send_signal(signal.SIGINT)

    assert process.wait(20) == 0
    assert "deaf did not stop in time and was killed." in process.stdout.read()
    assert none_left(family)


def test_no_part_outlives_a_killed_supervisor(run):
    process = run("one", "two")
    family = process.remember()

    process.kill()

    eventually(lambda: none_left(family))


# -- and with the real parts ---------------------------------------------------------------------------------------------------------------


@pytest.fixture
def up(tmp_path):
    """`manage.py up` on a free port, answering, with every part in place."""
    port = free_port()
    env = environment(tmp_path, DEBUG="1", SITE_URL=f"http://127.0.0.1:{port}")
    with started([sys.executable, "manage.py", "up", "--bind", f"127.0.0.1:{port}"], env) as process:
        assert f"listens on 127.0.0.1:{port}" in process.stdout.readline()
        # The supervisor's four, gunicorn's one worker, and one pool process for each Celery worker.
        eventually(lambda: len(process.remember()) >= 7, 60)
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/health/ready", timeout=30) as answer:
            assert answer.status == 200
        yield process


def test_up_stops_cleanly(up):
    up.send_signal(signal.SIGINT)

    assert up.wait(30) == 0
    assert none_left(up.remember())
    said = up.stdout.read()
    assert "Traceback" not in said
    assert "superuser" not in said
    assert "killed" not in said


def test_up_fails_when_a_worker_dies(up):
    family = up.remember()

    # The worker itself: its pool process looks the same, and would only be replaced.
    worker = next(pid for pid, parent in parents().items() if parent == up.pid and " -n letters@" in command_line(pid))
    os.kill(worker, signal.SIGKILL)

    assert up.wait(30) == 1
    assert "letters ended by itself" in up.stdout.read()
    assert none_left(family)


def test_up_leaves_no_orphans_when_killed(up):
    family = up.remember()

    up.kill()

    eventually(lambda: none_left(family))
