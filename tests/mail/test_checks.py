"""A route that can't work stops the start, with a hint."""

import pytest

from project.mail.checks import mail_routes


def found(settings, **changes):
    given = {
        "LOCAL": False,
        "MAIL_TRANSACTIONAL": "smtp://relay.example.org",
        "MAIL_BULK": "smtp://relay.example.org",
        "SNS_TOPIC_ARNS": [],
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
        ({"MAIL_BULK": "anymail+postmark://k@", "WEBHOOK_SECRET": "a:b", "ANYMAIL": {"WEBHOOK_SECRET": ["a:b"]}}, []),
        ({"ANYMAIL": {"WEBHOOK_SECRET": ["nocolon"]}}, ["mail.E005"]),
        ({"MAIL_TRANSACTIONAL": "anymail+postmark://k@", "WEBHOOK_SECRET": "a:b"}, ["mail.W001"]),
        ({"MAIL_BULK": "anymail+postal://k@p.example.org", "WEBHOOK_SECRET": "a:b"}, ["mail.W002"]),
        ({"MAIL_BULK": "anymail+scaleway://k:p@"}, ["mail.W003"]),
    ],
)
def test_what_the_start_says(settings, changes, ids):
    assert found(settings, **changes) == ids
