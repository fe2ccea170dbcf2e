"""What a provider tells of a campaign's letters after they left."""

import itertools
from datetime import timedelta

import pytest
from anymail.signals import AnymailTrackingEvent, EventType
from django.utils import timezone

from newsletter import campaigns, chunks, consent, subscribing
from newsletter.models import Campaign, Consent, Delivery, Topic
from project.mail import events, outcomes
from project.mail.models import Suppression
from project.mail.outcomes import Outcome, Verdict

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
    assert tell(delivery, EventType.BOUNCED, esp_event={"Type": "HardBounce"}) == ("failed", "no-such-address")

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


@pytest.mark.parametrize("written_down", [lambda claim, letter: chunks.release(claim, [(letter, outcomes.SENT)]), None])
def test_news_told_while_the_letter_is_in_hand_counts(make_launched, make_readers, written_down):
    """Before its worker writes down that it left, and before its worker dies."""
    make_readers(1)
    make_launched()
    claim = chunks.claim(timezone.now())
    [letter] = chunks.turn(claim, [], 48)
    delivery = Delivery.objects.get(pk=letter.pk)

    assert tell(delivery, EventType.DELIVERED) == ("pending", "")
    assert tell(delivery, EventType.BOUNCED) == ("pending", "")
    if written_down:
        written_down(claim, letter)
    else:
        chunks.take_back(timezone.now() + timedelta(minutes=10))

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("failed", "bounced")


def test_news_under_the_providers_id_counts_as_soon_as_we_know_that_id(make_launched, make_readers):
    make_readers(2)
    make_launched()
    claim = chunks.claim(timezone.now())
    letters = chunks.turn(claim, [], 48)
    tell(Delivery.objects.get(pk=letters[1].pk), EventType.BOUNCED, metadata={}, message_id="pm-2")

    chunks.release(claim, [(letter, Outcome(Verdict.SENT, provider_id=f"pm-{number}")) for number, letter in enumerate(letters, start=1)])

    assert list(Delivery.objects.order_by("pk").values_list("state", flat=True)) == ["sent", "failed"]


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


def test_a_no_ends_what_was_begun_before_it_and_leaves_what_was_begun_after(delivery):
    reader = delivery.subscriber
    reader.subscriptions.update(started_at=timezone.now() - timedelta(days=2))
    newer = Topic.objects.create(slug="recipes")
    wording = subscribing.current_wording("newsletter", "en")
    consent.give(reader, [newer], wording=wording, form="preferences", method=Consent.Method.PREFERENCES, at=timezone.now())

    tell(delivery, EventType.UNSUBSCRIBED, at=timezone.now() - timedelta(days=1))

    assert [subscription.topic for subscription in reader.subscriptions.active()] == [newer]
