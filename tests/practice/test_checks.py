"""A misconfiguration stops the start with a hint: `manage.py check` as the operator runs it."""

import pytest

from tests.processes import environment, manage

PRODUCTION = {
    "SECRET_KEY": "cXk0V7-only-for-this-test-4Yx9_pQmZ2rT8wL5nJ3hB6dF1gKvS",
    "ADDRESS_KEY": "another-one-only-for-this-test-7Hq2Wn8Ez5Rt1Yb4Vc9Xm6",
    "SITE_URL": "https://seminars.example.org",
    "ALLOWED_HOSTS": "seminars.example.org",
    "TRUSTED_PROXIES": "1",
    "MAIL_TRANSACTIONAL": "smtp://localhost",
    "DEFAULT_FROM_EMAIL": "seminars@practice.example.net",
    "WEBHOOK_SECRET": "desk:another-secret-only-for-this-test",
}


@pytest.fixture
def check(tmp_path):
    def check(*arguments, **changes):
        return manage("check", *arguments, env=environment(tmp_path, **(PRODUCTION | changes)))

    return check


def test_production_settings_are_clean_also_by_djangos_own_list(check):
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
