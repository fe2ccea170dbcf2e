"""`verify` is quiet while the promises hold, and finds each way in which they could be broken."""

from datetime import timedelta

import pytest
from django.utils import timezone

from newsletter import campaign_verification, chunks
from newsletter.models import Campaign, Chunk, Delivery
from project.practice import verification

pytestmark = pytest.mark.django_db


def test_it_is_quiet_at_every_step(make_launched, make_readers, deliver):
    make_readers(3)
    make_launched()
    assert campaign_verification.problems() == []

    claim = chunks.claim(timezone.now())
    letters = chunks.turn(claim, [], 48)
    assert len(letters) == 3
    assert campaign_verification.problems() == []

    chunks.release(claim, [])
    deliver()
    assert campaign_verification.problems() == []


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda: Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state="pending", settled_at=None), "1 deliveries wait though"),
        (lambda: Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state="pending"), "1 deliveries wait though they have ended"),
        (lambda: Delivery.objects.update(settled_at=None), "3 deliveries ended at no moment"),
        (lambda: Delivery.objects.update(state="pending", settled_at=None), "3 deliveries wait in no open chunk"),
        (
            lambda: Chunk.objects.update(
                state="held", token="12345678-1234-5678-1234-567812345678", lease_until=timezone.now() - timedelta(hours=1)
            ),
            "is held by a worker not heard of",
        ),
        (
            lambda: Campaign.objects.update(status="scheduled", **dict.fromkeys(["send_at", "launch_at"], timezone.now() - timedelta(hours=2))),
            "should have begun",
        ),
    ],
)
def test_it_finds_what_is_off(make_launched, make_readers, deliver, harm, words):
    make_readers(3)
    make_launched()
    deliver()

    harm()

    assert any(words in sentence for sentence in campaign_verification.problems())


def test_verify_asks_it():
    assert "campaigns" in verification.names()
