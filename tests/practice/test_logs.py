import logging

import pytest

from project.mail import tokens
from project.practice.logs import Scrub, scrub


def test_a_signed_link_is_not_written_down():
    token = tokens.make("registration", 42)

    assert scrub(f"Gone: /registrations/{token}/cancel/") == "Gone: /registrations/…/cancel/"
    assert scrub("Not Found: /seminars/tampa-2026/ at 10:20:30") == "Not Found: /seminars/tampa-2026/ at 10:20:30"


@pytest.mark.django_db
def test_the_filter_stands_before_the_log(client, settings, practice):
    handler = settings.LOGGING["handlers"]["stderr"]
    record = logging.makeLogRecord({"msg": "%s: %s", "args": ("Not Found", f"/newsletter/confirm/{tokens.make('confirm', 'x' * 32)}/")})

    assert handler["filters"] == ["scrub"]
    assert Scrub().filter(record)
    assert record.getMessage() == "Not Found: /newsletter/confirm/…/"
