"""Two tabs, two devices, a scanner and a person: the same thing pressed at the same moment."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import time_machine
from django.db import connection

from newsletter import consent, subscribing
from newsletter.models import Consent, ConsentWording, PacketRequest, Subscriber, Subscription, Topic
from project.mail.models import Message
from project.practice.guard import knock
from project.practice.models import Knock, Practice

pytestmark = pytest.mark.django_db(transaction=True)

THREADS = 8


@pytest.fixture(autouse=True)
def words():
    """What the migrations made is gone where another test has emptied the tables."""
    Practice.current()
    ConsentWording.objects.get_or_create(purpose="newsletter", language="en", version=1, defaults={"text": "Yes."})
    Topic.objects.get_or_create(slug="newsletter", defaults={"standard": True})


def at_once(act):
    """What `act(n)` answers in each of the threads, all let go together."""
    start = Barrier(THREADS)

    def run(n):
        try:
            start.wait(10)
            return act(n)
        finally:
            connection.close()

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


def ask(_n=0):
    wording = subscribing.current_wording("newsletter", "en")
    return subscribing.ask(
        "ana@example.org", first_name="Ana", last_name="", language="en", form="subscribe", wording=wording, packet=None, newsletter=True
    )


def test_one_letter_for_all_who_ask_at_once():
    at_once(ask)

    assert PacketRequest.objects.count() == THREADS
    assert Message.objects.count() == 1


def test_one_confirmation_however_often_the_button_is_pressed():
    request = ask()

    answers = at_once(lambda n: subscribing.confirm(PacketRequest.objects.get(pk=request.pk)))

    assert sorted(answers) == [False] * (THREADS - 1) + [True]
    assert (Subscriber.objects.count(), Subscription.objects.count(), Consent.objects.count()) == (1, 1, 1)


def test_one_subscription_however_many_requests_are_confirmed():
    requests = [ask() for _n in range(THREADS)]

    assert all(at_once(lambda n: subscribing.confirm(requests[n])))

    assert (Subscriber.objects.count(), Subscription.objects.active().count(), Consent.objects.count()) == (1, 1, THREADS)


def test_one_withdrawal_however_many_machines_stop_it():
    subscribing.confirm(ask())
    subscriber = Subscriber.objects.get()

    ended = at_once(lambda n: subscribing.unsubscribe(subscriber, Consent.Method.ONE_CLICK))

    assert sorted(ended) == [0] * (THREADS - 1) + [1]
    assert Consent.objects.filter(given=False).count() == 1


def test_stopping_while_confirming_leaves_evidence_that_agrees():
    subscribing.confirm(ask())
    subscriber = Subscriber.objects.get()
    requests = [ask() for _n in range(THREADS)]

    at_once(lambda n: subscribing.confirm(requests[n]) if n % 2 else subscribing.unsubscribe(subscriber, Consent.Method.ONE_CLICK))

    assert list(consent.check()) == []
    assert Subscription.objects.exclude(ended_at=None).count() == Consent.objects.filter(given=False).count()


def test_a_limit_lets_exactly_so_many_through():
    with time_machine.travel("2026-12-01T10:05:00Z", tick=False):
        answers = at_once(lambda n: knock("sample", 5, timedelta(hours=1)))

    assert answers.count(True) == 5
    assert Knock.objects.get().count == 5
