"""Faults drawn at random for --minutes N (--seed S) while campaigns are sent: then who got what, against what is recorded.

PostgreSQL, Redis, two nodes of workers, two beats and a mail server with a record of its own, each of which is killed, restarted, black-holed
or made to fail; people who pause, cancel and unsubscribe; a provider that tells of letters in any order. Exits 1 if anything is off.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.processes import ROOT


def run(*options):
    parser = argparse.ArgumentParser(prog="./run bench soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    given = parser.parse_args(options)
    with tempfile.TemporaryDirectory(prefix="lectern-soak-") as folder:
        code = _in_a_process_of_its_own(given, Path(folder))
    if code:
        raise SystemExit(code)


def _in_a_process_of_its_own(given, folder):
    """Its Django has another database than ours; the servers are its own, because it breaks them."""
    environment = os.environ | {
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
    words = [sys.executable, "-m", "tests.faults.storm_start", str(given.minutes), str(given.seed)]
    return subprocess.run(words, cwd=ROOT, env=environment).returncode


if __name__ == "__main__":
    run(*sys.argv[1:])
