"""The consent ledger keeps what it is told."""

import pytest

from newsletter import consent, subscribing
from newsletter.models import Consent, ConsentWording, Subscription, Topic

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("model", [Consent, ConsentWording])
def test_evidence_is_neither_changed_nor_deleted(subscriber, model):
    row = model.objects.first()

    with pytest.raises(TypeError):
        row.save()
    with pytest.raises(TypeError):
        row.delete()


def test_evidence_outlives_the_subscriber(subscriber):
    number = subscriber.address_hash
    subscriber.subscriptions.all().delete()
    subscriber.delete()

    assert Consent.objects.get(subscriber=None).address_hash == number


def test_withdrawing_twice_is_one_withdrawal(subscriber):
    assert [subscribing.unsubscribe(subscriber, Consent.Method.UNSUBSCRIBE) for _try in range(2)] == [1, 0]
    assert Consent.objects.filter(given=False).count() == 1


def test_every_subscription_made_by_our_verbs_is_covered(make_subscriber):
    for n in range(3):
        make_subscriber(f"reader{n}@example.org")

    assert list(consent.check()) == []


@pytest.mark.parametrize("flaw", [{"given": False}, {"wording": None}, {"address_hash": "0" * 64}, {"purpose": "packet"}])
def test_a_subscription_its_consent_does_not_cover_is_named(subscriber, flaw):
    Consent.objects.update(**flaw)

    [sentence] = consent.check()

    assert sentence == f"subscription {Subscription.objects.get().pk} of subscriber {subscriber.pk} is active without a consent that covers it."


def test_a_consent_to_another_topic_does_not_cover(subscriber):
    Consent.objects.update(topic=Topic.objects.create(slug="other"))

    assert len(list(consent.check())) == 1


def test_an_ended_subscription_needs_no_cover(subscriber):
    subscribing.unsubscribe(subscriber, Consent.Method.UNSUBSCRIBE)
    Consent.objects.update(wording=None)

    assert list(consent.check()) == []
