"""With a route that reaches nobody, or a default secret, neither the web server nor a worker starts."""

import subprocess
import sys

import pytest

from tests.documentation import production
from tests.processes import ROOT, environment

pytestmark = pytest.mark.once

WEB = [sys.executable, "-c", "import project.wsgi"]
WORKER = [sys.executable, "-m", "celery", "-A", "project", "worker", "-c", "1"]
BEAT = [sys.executable, "-m", "celery", "-A", "project", "beat"]
UP = [sys.executable, "manage.py", "up", "--bind", "127.0.0.1:1"]  # a port that is refused, should it come that far


def start(command, tmp_path, **changes):
    here = {"DJANGO_SETTINGS_MODULE": "project.settings", "LECTERN_VAR": str(tmp_path)}
    env = environment(tmp_path, **(production() | here | changes))
    return subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=120)


@pytest.mark.parametrize("command", [WEB, WORKER, BEAT], ids=["web", "worker", "beat"])
def test_a_route_that_reaches_nobody_is_refused_with_a_hint(tmp_path, command):
    told = start(command, tmp_path, MAIL_TRANSACTIONAL="file:///tmp/letters")

    assert told.returncode == 1
    assert "mail.E002" in told.stderr
    assert "HINT: Name a real route" in told.stderr


@pytest.mark.parametrize("command", [WEB, UP], ids=["web", "up"])
@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SITE_URL": ""}, "practice.E008"),
        ({"DEFAULT_FROM_EMAIL": ""}, "practice.E010"),
        ({"TRUSTED_PROXIES": ""}, "practice.W007"),
        ({"SECRET_KEY": "x" * 60}, "security.W009"),
        ({"SECRET_KEY_FALLBACKS": "short"}, "security.W025"),
    ],
)
def test_what_would_be_regretted_later_is_refused_too(tmp_path, command, changes, named):
    told = start(command, tmp_path, **changes)

    assert told.returncode == 1
    assert named in told.stderr
    assert "Traceback" not in told.stderr
    assert not (tmp_path / "lectern.sqlite3").exists(), "nothing was migrated"


def test_what_only_disappoints_does_not_stop_it(tmp_path):
    told = start(WEB, tmp_path, MAIL_TRANSACTIONAL="anymail+scaleway://key:project@", MAIL_BULK="smtp://relay.example.org")

    assert "mail.W003" not in told.stderr
    assert told.returncode == 0, told.stderr


def test_what_can_work_starts(tmp_path):
    told = start(WEB, tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
