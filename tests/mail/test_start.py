"""With a route that reaches nobody, or a default secret, neither the web server nor a worker starts."""

import os
import subprocess
import sys

import pytest

WEB = [sys.executable, "-c", "import project.wsgi"]
WORKER = [sys.executable, "-m", "celery", "-A", "project", "worker", "-c", "1"]
BEAT = [sys.executable, "-m", "celery", "-A", "project", "beat"]


def start(command, tmp_path, **changes):
    given = {
        "DJANGO_SETTINGS_MODULE": "project.settings",
        "DEBUG": "0",
        "SECRET_KEY": "s" * 50,
        "ADDRESS_KEY": "a" * 50,
        "SITE_URL": "https://seminars.example.org",
        "ALLOWED_HOSTS": "seminars.example.org",
        "MAIL_TRANSACTIONAL": "smtp://relay.example.org",
        "MAIL_BULK": "smtp://relay.example.org",
        "LECTERN_VAR": str(tmp_path),
    }
    return subprocess.run(command, env=os.environ | given | changes, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("command", [WEB, WORKER, BEAT], ids=["web", "worker", "beat"])
def test_a_route_that_reaches_nobody_is_refused_with_a_hint(tmp_path, command):
    told = start(command, tmp_path, MAIL_TRANSACTIONAL="file:///tmp/letters")

    assert told.returncode == 1
    assert "mail.E002" in told.stderr
    assert "HINT: Name a real route" in told.stderr


def test_what_can_work_starts(tmp_path):
    told = start(WEB, tmp_path)

    assert (told.returncode, told.stderr) == (0, "")
