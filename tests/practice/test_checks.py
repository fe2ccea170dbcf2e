"""A misconfiguration stops the start with a hint: `manage.py check` as the operator runs it."""

import pytest

from tests.documentation import production
from tests.processes import environment, manage

pytestmark = pytest.mark.once


@pytest.fixture
def check(tmp_path):
    def check(*arguments, **changes):
        return manage("check", *arguments, env=environment(tmp_path, **(production() | {"LECTERN_VAR": str(tmp_path)} | changes)))

    return check


def test_the_documented_settings_are_clean_also_by_djangos_own_list(check):
    ended = check("--deploy", "--fail-level", "WARNING")

    assert ended.returncode == 0, ended.stdout
    assert "no issues" in ended.stdout


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"SECRET_KEY": ""}, "practice.E001"),
        ({"SECRET_KEY": "short"}, "practice.E001"),
        ({"ADDRESS_KEY": ""}, "practice.E002"),
        ({"ALLOWED_HOSTS": "*"}, "practice.E003"),
        ({"SITE_URL": "seminars.example.org"}, "practice.E004"),
        ({"SITE_URL": "https://seminars.example.org/path"}, "practice.E004"),
        ({"ALLOWED_HOSTS": "www.example.org"}, "practice.E006"),
        ({"ALLOWED_HOSTS": ""}, "practice.E006"),
        ({"SITE_URL": ""}, "practice.E008"),
        ({"SITE_URL": "http://seminars.example.org"}, "practice.E009"),
        ({"SITE_URL": "http://10.0.0.5", "ALLOWED_HOSTS": "10.0.0.5"}, "practice.E009"),
        ({"DEFAULT_FROM_EMAIL": ""}, "practice.E010"),
        ({"DEFAULT_FROM_EMAIL": "seminars"}, "practice.E010"),
    ],
)
def test_what_cannot_be_right_is_refused_with_a_hint(check, changes, named):
    ended = check(**changes)

    assert ended.returncode == 1
    assert named in ended.stdout
    assert "HINT" in ended.stdout


def test_https_without_a_known_proxy_is_warned_of(check):
    ended = check(TRUSTED_PROXIES="0")

    assert "practice.W007" in ended.stdout


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]"])
def test_plain_http_will_do_for_a_trial_on_this_machine(check, host):
    ended = check("--deploy", "--fail-level", "WARNING", SITE_URL=f"http://{host}:8000", ALLOWED_HOSTS=host)

    assert ended.returncode == 0, ended.stdout


def test_a_sender_may_have_a_name(check):
    ended = check(DEFAULT_FROM_EMAIL="Gulf Coast Spine <seminars@example.org>")

    assert ended.returncode == 0, ended.stdout


def test_with_debug_the_defaults_do(tmp_path):
    ended = manage("check", "--fail-level", "WARNING", env=environment(tmp_path, DEBUG="1"))

    assert ended.returncode == 0, ended.stdout


def test_whether_a_migration_is_missing_can_be_asked_without_secrets(tmp_path):
    answer = manage("makemigrations", "--check", "--dry-run", env=environment(tmp_path))

    assert (answer.returncode, answer.stdout.strip()) == (0, "No changes detected")


def test_everything_that_serves_or_sends_is_still_refused_without_them(tmp_path):
    answer = manage("tick", env=environment(tmp_path))

    assert answer.returncode == 1
    assert "SECRET_KEY is the default" in answer.stdout
