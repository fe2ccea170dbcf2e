"""Posting: a row in the caller's transaction, a bell after it."""

from datetime import timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from project.mail import bells
from project.mail.models import Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def rung(monkeypatch):
    rung = []
    monkeypatch.setattr(bells, "ring", rung.append)
    return rung


def test_a_posted_letter_leaves_and_is_recorded(greetings, deliver):
    greetings.post()

    letters = deliver()

    assert [letter.to for letter in letters] == [["ana@example.org"]]
    assert "Hello 1" in letters[0].body
    assert greetings.letter().state == Message.State.SENT
    assert greetings.settled == [(1, "sent", "")]


def test_the_same_key_is_posted_once(greetings, deliver):
    assert [greetings.post(), greetings.post()] == [True, False]

    deliver()

    assert len(mail.outbox) == 1


def test_a_letter_of_a_rolled_back_transaction_was_never_posted(greetings, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), pytest.raises(ZeroDivisionError), transaction.atomic():
        raise ZeroDivisionError if greetings.post() else AssertionError

    assert not Message.objects.exists()
    assert rung == []


def test_one_bell_for_a_commit_however_many_letters(greetings, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True), transaction.atomic():
        for n in range(5):
            greetings.post(n)

    assert rung == ["letters"]


def test_no_bell_before_the_commit(greetings, rung, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=False), transaction.atomic():
        greetings.post()

    assert rung == []


@pytest.mark.django_db(transaction=True)
def test_a_second_commit_rings_again(greetings, rung):
    with transaction.atomic():
        greetings.post(1)
    with transaction.atomic():
        greetings.post(2)

    assert rung == ["letters", "letters"]


def test_a_letter_due_tomorrow_waits(greetings, deliver):
    greetings.post(due_at=timezone.now() + timedelta(days=1))

    assert deliver() == []
