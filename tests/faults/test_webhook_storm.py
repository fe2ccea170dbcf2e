"""Hundreds of events, shuffled and doubled, before, between and after what workers record: the same in the end, whatever the order."""

import random
import threading

import pytest
from django.db import connection, transaction

from newsletter import deliveries as reconciling
from newsletter.models import Delivery
from project.mail.models import Event

from . import webhooks

READERS = 30


@pytest.fixture
def told(make_readers, make_launched):
    make_readers(READERS)
    make_launched()
    deliveries = list(Delivery.objects.select_related("subscriber").order_by("pk"))
    return webhooks.tellings(deliveries, random.Random(5))


def ends(told, seed):
    """What it comes to in that order, and nothing kept of it."""
    told = random.Random(seed).sample(told, len(told))
    with transaction.atomic():
        for delivery, what in told:
            webhooks.tell(delivery, what)
        found = webhooks.outcome({delivery for delivery, _what in told})
        transaction.set_rollback(True)
    return found


@pytest.mark.django_db
def test_any_order_with_repeats_ends_in_the_same_state(told):
    first = ends(told, 0)

    assert {pk: state for pk, state, _reason in first["deliveries"]} == webhooks.expected(told)
    assert [ends(told, seed) for seed in (1, 2)] == [first] * 2


@pytest.mark.django_db
def test_control_would_only_the_newest_event_count_the_order_would_matter(told, monkeypatch):
    plain = reconciling._events_of
    newest = lambda delivery: Event.objects.filter(pk__in=plain(delivery).order_by("-pk").values("pk")[:1])  # noqa: E731
    monkeypatch.setattr(reconciling, "_events_of", newest)

    assert len({str(ends(told, seed)) for seed in (1, 2, 3)}) > 1


@pytest.mark.django_db(transaction=True)
def test_told_by_four_at_once_each_in_its_own_order(told):
    expected = ends(told, 0)

    def tell_all(seed):
        try:
            for delivery, what in random.Random(seed).sample(told, len(told)):
                webhooks.tell(delivery, what)
        finally:
            connection.close()

    threads = [threading.Thread(target=tell_all, args=[seed]) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)

    assert webhooks.outcome({delivery for delivery, _what in told}) == expected
