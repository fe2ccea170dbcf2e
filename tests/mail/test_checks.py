"""A route that can't work stops the start, with a hint."""

import pytest

from project.mail.checks import mail_routes

SECRET = "hook:Zx4-long-enough-for-nobody-to-guess"
POSTMARK = {"MAIL_BULK": "anymail+postmark://k@"}


def secret(*secrets, **keys):
    """The settings of a site with that WEBHOOK_SECRET, and those keys of providers."""
    return {"WEBHOOK_SECRET": ",".join(secrets), "ANYMAIL": {"WEBHOOK_SECRET": list(secrets)} | keys}


def found(settings, **changes):
    given = {
        "LOCAL": False,
        "MAIL_TRANSACTIONAL": "smtp://relay.example.org",
        "MAIL_BULK": "smtp://relay.example.org",
        "SNS_TOPIC_ARNS": [],
        "WEBHOOK_PROVIDERS": [],
        "WEBHOOK_SECRET": "",
        "ANYMAIL": {"WEBHOOK_SECRET": []},
    }
    for name, value in (given | changes).items():
        setattr(settings, name, value)
    return [check.id for check in mail_routes(None)]


@pytest.mark.parametrize(
    ("changes", "ids"),
    [
        ({}, []),
        ({"MAIL_BULK": "carrier-pigeon://x"}, ["mail.E001"]),
        ({"MAIL_BULK": "smtp://host:port"}, ["mail.E001"]),
        ({"MAIL_BULK": "file:///tmp/x"}, ["mail.E002"]),
        ({"MAIL_TRANSACTIONAL": "memory://"}, ["mail.E002"]),
        ({"MAIL_TRANSACTIONAL": "memory://", "MAIL_BULK": "file:///tmp/x", "LOCAL": True}, []),
        ({"MAIL_BULK": "ses://?region=us-east-1"}, ["mail.E003"]),
        ({"MAIL_BULK": "ses://?region=us-east-1", "SNS_TOPIC_ARNS": ["arn:aws:sns:us-east-1:1:x"]}, []),
        ({"MAIL_BULK": "anymail+postmark://k@"}, ["mail.E004"]),
        (POSTMARK | secret(SECRET), []),
        (POSTMARK | secret(SECRET, "other:" + 24 * "x"), []),
        (secret("nocolon-though-it-is-long-enough"), ["mail.E005"]),
        (secret("a:b"), ["mail.E005"]),
        (secret("a-long-name-with-a-password:of-twenty-three-letters"), ["mail.E005"]),
        (secret(SECRET, "hook:old"), ["mail.E005"]),
        (secret("a:b") | {"LOCAL": True}, ["mail.E005"]),
        ({"WEBHOOK_PROVIDERS": ["postmark"]}, ["mail.E004"]),
        ({"WEBHOOK_PROVIDERS": ["postmark"]} | secret(SECRET), []),
        ({"WEBHOOK_PROVIDERS": ["ses"]}, ["mail.E003"]),
        ({"WEBHOOK_PROVIDERS": ["pigeon"]} | secret(SECRET), ["mail.E012"]),
        ({"MAIL_TRANSACTIONAL": "anymail+postmark://k@"} | secret(SECRET), ["mail.W001"]),
        ({"MAIL_BULK": "anymail+postal://k@p.example.org"} | secret(SECRET, POSTAL_WEBHOOK_KEY="k"), ["mail.W002"]),
        ({"MAIL_BULK": "anymail+scaleway://k:p@"}, ["mail.W003"]),
    ],
)
def test_what_the_start_says(settings, changes, ids):
    assert found(settings, **changes) == ids


@pytest.mark.parametrize(
    ("provider", "key"),
    [
        ("mailersend", "MAILERSEND_SIGNING_SECRET"),
        ("mailgun", "MAILGUN_WEBHOOK_SIGNING_KEY"),
        ("mandrill", "MANDRILL_WEBHOOK_KEY"),
        ("postal", "POSTAL_WEBHOOK_KEY"),
        ("unisender-go", "UNISENDER_GO_API_KEY"),
    ],
)
def test_a_provider_that_signs_needs_its_key(settings, provider, key):
    named = {"WEBHOOK_PROVIDERS": [provider]}

    assert found(settings, **named, **secret(SECRET)) == ["mail.E011"]
    assert found(settings, **named, **secret(SECRET, **{key: ""})) == ["mail.E011"]
    assert found(settings, **named, **secret(SECRET, **{key: "k"})) == []
    assert found(settings, **secret(SECRET)) == []


def test_what_is_missing_is_named_and_stops_the_start_but_of_a_demo(settings):
    found(settings, WEBHOOK_PROVIDERS=["mailersend"], **secret(SECRET))
    [refused] = mail_routes(None)
    settings.LOCAL = True
    [said] = mail_routes(None)

    assert refused.msg.startswith("ANYMAIL_MAILERSEND_SIGNING_SECRET is empty")
    assert (refused.is_serious(), said.is_serious()) == (True, False)
