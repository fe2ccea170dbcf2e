"""What a provider tells of a campaign's letters after they left."""

import itertools
from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, EventType
from django.utils import timezone

from newsletter import campaigns, subscribing
from newsletter.models import Campaign, Consent, Delivery
from project.mail import events
from project.mail.models import Suppression

pytestmark = pytest.mark.django_db
State = Delivery.State

_number = itertools.count()


@pytest.fixture
def delivery(make_launched, make_readers, deliver):
    """One that left."""
    make_readers(1)
    make_launched()
    deliver()
    return Delivery.objects.get()


def tell(delivery, event_type, *, recipient=None, metadata=None, esp_event=None, message_id="", at=None):
    told = AnymailTrackingEvent(
        event_type=event_type,
        timestamp=at or timezone.now(),
        event_id=str(next(_number)),
        esp_event=esp_event or {},
        recipient=recipient or delivery.subscriber.address,
        metadata={"letter": delivery.public_id} if metadata is None else metadata,
        message_id=message_id,
    )
    assert events.take("postmark", told)
    delivery.refresh_from_db()
    return delivery.state, delivery.reason


def test_what_was_in_doubt_and_arrived_was_sent(delivery):
    Delivery.objects.update(state=State.UNCERTAIN, reason="crashed")

    assert tell(delivery, EventType.DELIVERED) == ("sent", "")


def test_what_came_back_failed_and_a_dead_address_is_never_written_to_again(delivery):
    assert tell(delivery, EventType.BOUNCED, esp_event={"Type": "HardBounce"}) == ("failed", "bounced")

    assert Suppression.objects.get().address_hash == delivery.subscriber.address_hash


@pytest.mark.parametrize("order", list(itertools.permutations([EventType.SENT, EventType.BOUNCED, EventType.DELIVERED])))
def test_any_order_ends_in_the_same_state(delivery, order):
    Delivery.objects.update(state=State.UNCERTAIN, reason="crashed")

    assert [tell(delivery, event_type) for event_type in order][-1] == ("failed", "bounced")


def test_without_our_id_the_providers_finds_it(delivery):
    Delivery.objects.update(state=State.UNCERTAIN, reason="connection-broken", provider_id="pm-1")

    assert tell(delivery, EventType.DELIVERED, metadata={}, message_id="pm-1") == ("sent", "")


@pytest.mark.parametrize("metadata", [{"letter": "d1-0"}, {"letter": "d-"}, {"letter": "dx-1"}, {"letter": "d²-1"}, {}])
def test_an_id_we_did_not_make_settles_nothing(delivery, metadata):
    Delivery.objects.update(state=State.UNCERTAIN, reason="crashed")

    assert tell(delivery, EventType.DELIVERED, metadata=metadata) == ("uncertain", "crashed")


def test_news_of_another_address_settles_nothing(delivery):
    assert tell(delivery, EventType.BOUNCED, recipient="somebody@example.org") == ("sent", "")


def test_old_news_does_not_touch_a_letter_sent_again(delivery, deliver):
    tell(delivery, EventType.BOUNCED)
    campaigns.send_again(Campaign.objects.get(), {"failed"})
    deliver()

    assert tell(delivery, EventType.DELIVERED) == ("sent", "")


def test_who_complains_reads_no_more(delivery):
    tell(delivery, EventType.COMPLAINED)

    assert not delivery.subscriber.subscriptions.active().exists()
    evidence = Consent.objects.filter(given=False).get()
    assert (evidence.method, evidence.form) == ("complaint", "provider")
    assert Suppression.objects.get().scope == "marketing"


def test_an_older_no_does_not_end_a_newer_yes(delivery):
    tell(delivery, EventType.UNSUBSCRIBED, at=timezone.now() - timedelta(days=1))

    assert delivery.subscriber.subscriptions.active().exists()
    assert subscribing.unsubscribe(delivery.subscriber, Consent.Method.UNSUBSCRIBE) == 1
