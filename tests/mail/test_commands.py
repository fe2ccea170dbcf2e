"""`tick` and mail's part of `verify`."""

import io
from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from project.mail import ledger, suppressions, verification
from project.mail.addresses import address_hash
from project.mail.models import Ledger, Message, Suppression

pytestmark = pytest.mark.django_db


def tick():
    said = io.StringIO()
    call_command("tick", "--seconds", "5", stdout=said)
    return said.getvalue().strip()


def test_tick_sends_what_is_due_and_says_so(greetings):
    for n in range(3):
        greetings.post(n)
    greetings.post(9, due_at=timezone.now() + timedelta(days=1))

    assert tick() == "Letters: 3 sent; 0 still due."
    assert len(mail.outbox) == 3


def test_tick_with_nothing_to_do_says_so():
    assert tick() == "Letters: nothing was due; 0 still due."


def test_tick_on_hold_sends_nothing_and_says_why(greetings):
    ledger.hold()
    Ledger.objects.update(hold="moved")
    greetings.post()

    assert tick().startswith("All mail is on hold: moved.")
    assert mail.outbox == []


# -- verify ------------------------------------------------------------------------------------------------------------------------------


def found():
    return list(verification.findings())


def test_nothing_is_off_after_a_days_work(greetings, deliver):
    for n in range(3):
        greetings.post(n)
    deliver()
    suppressions.suppress(address_hash("ana@example.org"), Suppression.Scope.ALL, "by-hand")
    greetings.post(4)
    deliver()

    assert found() == []


LONG_AGO = timezone.now() - timedelta(days=2)


@pytest.mark.parametrize(
    ("broken", "sentence"),
    [
        (
            {"state": "handing", "lease_until": LONG_AGO, "token": "00000000-0000-0000-0000-000000000000"},
            "in a worker's hands for over an hour",
        ),
        ({"due_at": LONG_AGO}, "due for over a day"),
        ({"state": "sent"}, "nobody knows since when"),
        ({"settled_at": LONG_AGO}, "not settled"),
        ({"token": "00000000-0000-0000-0000-000000000000"}, "in no worker's hands"),
        ({"state": "lost"}, "a state that is none"),
        ({"state": "skipped", "settled_at": LONG_AGO}, "without a reason"),
        ({"kind": "gone.app"}, "a kind no app knows"),
        ({"address_hash": "0" * 64}, "would not be stopped"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_is_off_is_said_by_id(greetings, broken, sentence):
    greetings.post()
    Message.objects.update(**broken)

    (said,) = found()

    assert sentence in said
    assert str(greetings.letter().pk) in said
    assert "ana" not in said


def test_a_letter_sent_although_suppressed_is_said(greetings):
    suppressions.suppress(address_hash("ana@example.org"), Suppression.Scope.ALL, "by-hand")
    greetings.post()
    Message.objects.update(state="sent", settled_at=timezone.now(), tried_at=timezone.now() + timedelta(seconds=1))

    assert [said.partition(" was ")[2] for said in found()] == ["sent to an address that was suppressed before."]


def test_a_changed_address_key_is_said(settings):
    ledger.hold()
    settings.ADDRESS_KEY = "another-key-another-key-another-key-another-key"

    assert found() == ["ADDRESS_KEY has changed: no suppression would be found."]
