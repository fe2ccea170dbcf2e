"""A short piece of the soak (`./run bench soak`) with one fault alone: PostgreSQL is restarted under real workers who are amid their chunks."""

import re
import subprocess
import sys

import pytest

from tests.benchmarks import soak
from tests.processes import ROOT


@pytest.mark.postgresql
def test_postgresql_restarted_amid_chunks_workers_go_on_by_themselves_and_everybody_is_accounted_for(tmp_path):
    words = ["--minutes", "0.1", "--seed", "1", "--readers", "800", "--only", "restart_the_database"]

    told = subprocess.run(
        [sys.executable, "-m", "tests.faults.storm_start", *words],
        cwd=ROOT,
        env=soak.environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=150,
    )

    assert told.returncode == 0, told.stdout + told.stderr
    assert int(re.search(r"(\d+) × restart the database", told.stdout)[1]) >= 1
    assert re.search(r"accepted − recorded: 0   recorded − accepted: 0   twice: 0", told.stdout)
