"""Not twice by accident: a database that was moved or restored sends nothing until a person has looked."""

from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.utils import timezone

from project.mail import ledger, sweep, tasks
from project.mail.models import Ledger

pytestmark = pytest.mark.django_db


@pytest.fixture
def posted(greetings):
    """A letter is due, and the ledger has been alive a moment ago."""
    ledger.hold()
    greetings.post()
    return greetings


def left():
    sweep.tick_inline(5)
    tasks.drain("letters")
    return len(mail.outbox)


def test_a_database_at_home_sends(posted):
    assert ledger.hold() == ""
    assert left() == 1


def test_a_database_that_belongs_to_another_address_holds(posted, settings):
    settings.SITE_URL = "https://copy.example.org"

    assert left() == 0
    assert ledger.hold() == "moved"


def test_a_database_that_stood_still_holds(posted):
    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert left() == 0
        assert ledger.hold() == "stood-still"


def test_a_machine_that_was_switched_off_for_the_night_goes_on_in_the_morning(posted):
    now = timezone.now()
    with time_machine.travel(now + timedelta(seconds=30)):
        ledger.hold()  # the last pulse of the evening
    with time_machine.travel(now + timedelta(hours=14)):
        assert ledger.hold() == ""
        assert left() == 1


def test_a_database_set_back_by_minutes_holds_although_no_hour_has_passed(posted):
    now = timezone.now()
    with time_machine.travel(now + timedelta(minutes=10)):
        ledger.hold()
        Ledger.objects.update(alive_at=now)  # restored from a copy of ten minutes ago

        assert ledger.hold() == "stood-still"
        assert left() == 0
        ledger.release()
        assert left() == 1


def test_a_witness_that_can_not_be_written_or_read_is_none(posted, settings, tmp_path):
    settings.MAIL_WITNESS = tmp_path / "no-such-folder" / "alive"
    with time_machine.travel(timezone.now() + timedelta(seconds=30)):
        assert ledger.hold() == ""
    settings.MAIL_WITNESS = tmp_path / "garbage"
    settings.MAIL_WITNESS.write_text("yesterday")

    assert ledger.hold() == ""


def test_a_quiet_but_ticking_hour_is_no_standstill(posted):
    now = timezone.now()
    for minutes in (30, 60, 90):
        with time_machine.travel(now + timedelta(minutes=minutes)):
            sweep.tick()

    assert Ledger.objects.get().hold == ""


def test_a_changed_address_key_holds_since_nobodys_suppression_would_be_found(posted, settings):
    settings.ADDRESS_KEY = "another-key-another-key-another-key-another-key"

    assert left() == 0
    assert ledger.hold() == "key-changed"


def test_by_hand(posted, settings):
    settings.MAIL_HOLD = True

    assert left() == 0
    assert ledger.hold() == "by-hand"
    settings.MAIL_HOLD = False
    assert left() == 1


def test_a_hold_stays_until_a_person_releases_it(posted, settings):
    home = settings.SITE_URL
    settings.SITE_URL = "https://copy.example.org"
    ledger.hold()
    settings.SITE_URL = home

    assert left() == 0
    ledger.release()
    assert left() == 1


def test_released_it_belongs_to_its_new_address(posted, settings):
    settings.SITE_URL = "https://new.example.org"
    ledger.hold()

    ledger.release()

    assert ledger.hold() == ""
    assert left() == 1
