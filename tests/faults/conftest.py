"""Processes of our own on the test's database, and the folder their letters land in."""

import contextlib
import email
import os
import signal
import subprocess
import sys
from datetime import timedelta
from email import policy

import pytest
from django.db import connection
from django.utils import timezone

from newsletter import campaigns
from newsletter.models import Campaign, Chunk
from project.mail import ledger
from project.mail.models import Message

from ..newsletter.campaigns_fixtures import make_campaign, make_launched, make_readers
from ..newsletter.conftest import topic
from . import reckoning
from .spoken import Oracle, Spoken

__all__ = ["make_campaign", "make_launched", "make_readers", "topic"]

KILLED = 137

#: A worker for both queues, as `celery` starts it.
WORKER = ["worker", "-Q", "transactional,bulk", "-c", "2", "--without-gossip", "--without-mingle", "--without-heartbeat"]


def database_url():
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    host = given["OPTIONS"].get("host") or given["HOST"]
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@/{given['NAME']}?host={host}&port={given['PORT'] or 5432}"


class Workers:
    """Runs `tests.faults.worker` in processes that share this test's database."""

    def __init__(self, crew):
        self.crew, self.folder = crew, crew.folder
        folder = self.folder
        self.environment = os.environ | {
            "DATABASE_URL": database_url(),
            "LECTERN_VAR": str(folder),
            "MAIL_TRANSACTIONAL": f"file://{folder}/mail",
            "MAIL_BULK": f"file://{folder}/mail",
            "MAIL_LEASE": "1",
            "MAIL_TICK": "1",
            "DJANGO_SETTINGS_MODULE": "project.settings",
        }
        self.environment.pop("CELERY_BROKER_URL", None)  # the filesystem broker under LECTERN_VAR

    def run(self, what, crash="", **arguments):
        """Run to its end; its exit code."""
        return self.crew.run(what, crash=crash, arguments=arguments, MAIL_TRANSACTIONAL=f"file://{self.folder}/mail")

    @contextlib.contextmanager
    def celery(self):
        """A real worker with its beat, in a process group of its own."""
        command = [sys.executable, "-m", "celery", "-A", "tests.faults.worker", "worker", "-B", "-Q", "transactional", "-c", "1"]
        with subprocess.Popen(command, env=self.environment, start_new_session=True, stderr=subprocess.DEVNULL) as process:
            try:
                yield process
            finally:
                kill(process)

    def letters(self):
        """Whom the letters that arrived were to, sorted."""
        files = (self.folder / "mail").glob("*.eml")
        parsed = [email.message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
        return sorted(letter["To"] for letter in parsed)

    def leases_run_out(self):
        Message.objects.filter(state=Message.State.HANDING).update(lease_until=timezone.now() - timedelta(seconds=1))


def kill(process):
    """`kill -9`, the worker and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture
def workers(crew):
    return Workers(crew)


class Hand:
    """One forked worker."""

    def __init__(self, nursery, pid):
        self.nursery, self.pid = nursery, pid

    def kill(self):
        """`kill -9`, in the middle of whatever it is at."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return self.wait()

    def wait(self, seconds=30):
        """Its exit code."""
        code = self.nursery.say({"wait": self.pid, "seconds": seconds})
        assert code is not None, "A worker did not end in time."
        return code

    @property
    def running(self):
        return self.nursery.say({"wait": self.pid, "seconds": 0}) is None


class Crew:
    """Workers on this test's database that hand over to a mail server with a record."""

    def __init__(self, nursery, folder):
        self.nursery, self.folder, self.hands, self.audiences = nursery, folder, [], {}
        self.settings = {
            "MAIL_TRANSACTIONAL": f"file://{folder}/others",
            "MAIL_WITNESS": str(folder / "witness"),
            "MAIL_LEASE": 1,
            "MAIL_SOCKET_TIMEOUT": 0.4,
            "BULK_SLOTS": 4,
            "BULK_WINDOW": 8,
        }

    def start(self, do="work", *, seconds=20, crash="", careless="", arguments=None, **overridden):
        wish = {"do": do, "seconds": seconds, "crash": crash, "careless": careless, "arguments": arguments or {}}
        self.hands.append(Hand(self.nursery, self.nursery.say(wish | {"settings": self.settings | overridden})))
        return self.hands[-1]

    def run(self, do="work", **wish):
        """A worker to its end; its exit code."""
        return self.start(do, **wish).wait(wish.get("seconds", 20) + 10)

    def leases_run_out(self):
        """As if time had passed: only where nobody who lives holds a chunk."""
        Chunk.objects.filter(state=Chunk.State.HELD).update(lease_until=timezone.now() - timedelta(seconds=1))

    def end(self):
        for hand in self.hands:
            hand.kill()


@pytest.fixture(scope="session")
def nursery(tmp_path_factory, django_db_setup, django_db_blocker):
    with django_db_blocker.unblock():
        url = database_url()
    folder = tmp_path_factory.mktemp("nursery")
    environment = os.environ | {"DATABASE_URL": url, "LECTERN_VAR": str(folder), "DJANGO_SETTINGS_MODULE": "project.settings"}
    environment["CELERY_BROKER_URL"] = "memory://"  # bells reach nobody: these workers sweep
    spoken = Spoken("tests.faults.nursery", environment=environment)
    yield spoken
    spoken.end()


@pytest.fixture
def crew(nursery, transactional_db, tmp_path):
    crew = Crew(nursery, tmp_path)
    yield crew
    crew.end()


@pytest.fixture
def smtp(request, crew, tmp_path):
    """The mail server of the campaigns' route. Parametrized indirectly by what it offers; else it offers all it can."""
    oracle = Oracle("oracle_smtp", tmp_path / "smtp.jsonl", "--offers", *getattr(request, "param", "PIPELINING CHUNKING").split())
    crew.settings["MAIL_BULK"] = f"smtp://127.0.0.1:{oracle.port}"
    yield oracle
    oracle.end()


@pytest.fixture
def surroundings(crew, smtp, broker, tmp_path):
    """The environment of a process on this test's database and the test's own `broker`."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "CELERY_BROKER_URL": broker.url,
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


@pytest.fixture
def celery(surroundings):
    """`celery("worker", …)`: a Celery process of the application `app`; words by name go into its environment."""
    with contextlib.ExitStack() as stack:

        def start(*words, app="hurried_campaigns", **environment):
            command = [sys.executable, "-m", "celery", "--quiet", "-A", f"tests.faults.{app}", *words, "-l", "ERROR"]
            options = {"env": surroundings | environment, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
            process = subprocess.Popen(command, start_new_session=True, **options)
            stack.callback(kill, process)
            return process

        yield start


def a_beat(celery, tmp_path, name, **words):
    return celery("beat", "-s", str(tmp_path / name), "--pidfile=", **words)


@pytest.fixture
def scheduled(crew, make_readers, make_campaign):
    """`scheduled(n)`: a campaign to n readers whose time has come."""

    def schedule(count, **words):
        ledger.release()
        make_readers(count)
        campaign = make_campaign(**words)
        campaigns.schedule(campaign, timezone.now())
        crew.audiences[campaign.pk] = count
        return campaign

    return schedule


@pytest.fixture
def reckon(crew):
    """`reckon(oracle)`: the Reckoning of what it accepted; everybody must be accounted for, save for what is named in `but`."""

    def reckon(oracle, *, but=(), **options):
        found = reckoning.reckon(oracle.accepted(), crew.audiences, **options)
        assert {name: what for name, what in found.off.items() if name not in but} == {}, str(found)
        return found

    return reckon


def over(campaign):
    return Campaign.objects.filter(pk=campaign.pk, status__in=[Campaign.Status.SENT, Campaign.Status.CANCELLED]).exists()
