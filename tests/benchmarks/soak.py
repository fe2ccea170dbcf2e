"""Faults drawn at random for --minutes N (--seed S) while campaigns are sent: then who got what, against what is recorded.

PostgreSQL, Redis, two nodes of workers, two beats and a mail server with a record of its own, each of which is killed, restarted, black-holed
or made to fail; people who pause, cancel and unsubscribe; a provider that tells of letters in any order. Exits 1 if anything is off.
"""

import os
import subprocess
import sys
import tempfile

from tests.processes import ROOT


def environment(folder):
    """Leases and budgets of seconds, so that what takes minutes at night happens while one looks on."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DEBUG": "1",
        "LECTERN_VAR": str(folder),
        "MAIL_TRANSACTIONAL": f"file://{folder}/others",
        "MAIL_SOCKET_TIMEOUT": "1",
        "MAIL_TASK_BUDGET": "2",
        "MAIL_TASK_LIMIT": "4",
        "MAIL_LEASE": "6",
        "MAIL_TICK": "1",
        "BULK_SLOTS": "4",
        "BULK_WINDOW": "24",
        "PYTHONWARNINGS": "ignore",
    }


def run(*options):
    """In a process of its own, on a database of its own: it breaks its servers."""
    with tempfile.TemporaryDirectory(prefix="lectern-soak-") as folder:
        words = [sys.executable, "-m", "tests.faults.storm_start", *options]
        code = subprocess.run(words, cwd=ROOT, env=environment(folder)).returncode
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    run(*sys.argv[1:])
