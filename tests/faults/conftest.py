"""Processes of our own on the test's database, and the folder their letters land in."""

import contextlib
import email
import os
import signal
import subprocess
import sys
import time
from email import policy

import pytest
from django.db import connection


def database_url():
    given = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{given['NAME']}"
    host = given["OPTIONS"].get("host") or given["HOST"]
    return f"postgresql://{given['USER']}:{given['PASSWORD']}@/{given['NAME']}?host={host}&port={given['PORT'] or 5432}"


class Workers:
    """Runs `tests.faults.worker` in processes that share this test's database."""

    def __init__(self, folder):
        self.folder = folder
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

    def run(self, *arguments, crash=""):
        """Run to its end; its exit code."""
        command = [sys.executable, "-m", "tests.faults.worker", *arguments]
        return subprocess.run(command, env=self.environment | {"LECTERN_CRASH": crash}, timeout=60).returncode

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
        time.sleep(1.1)


def kill(process):
    """`kill -9`, the worker and its children."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


@pytest.fixture
def workers(transactional_db, tmp_path):
    return Workers(tmp_path)
