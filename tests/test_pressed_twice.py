"""A button pressed twice, from two tabs or after going back, does what one press does, and never answers with an error."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from newsletter import campaign_verification, campaigns
from newsletter.models import Campaign, Consent, Delivery
from project.mail import ledger, tokens
from project.mail.models import Message
from project.practice import verification
from seminars.models import Registration, Seminar

from .desk_pages import as_shown
from .newsletter.conftest import make_campaign, make_readers, make_subscriber, subscriber, topic
from .seminars.conftest import make_seminar, register, seminar, venue

__all__ = ["make_campaign", "make_readers", "make_seminar", "make_subscriber", "register", "seminar", "subscriber", "topic", "venue"]

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client, practice):
    client.force_login(User.objects.create_superuser("owner", "owner@example.org"))
    return client


def twice(client, path, data=None):
    """Both presses are answered by a page or a way on."""
    for _press in range(2):
        assert client.post(path, data or {}).status_code in {200, 302}


def test_publishing(desk, make_seminar):  # noqa: F811
    draft = make_seminar(status=Seminar.Status.DRAFT)
    path = reverse("admin:seminars_seminar_change", args=[draft.pk])

    twice(desk, path, as_shown(desk, path, _publish=""))

    assert Seminar.objects.get(pk=draft.pk).status == Seminar.Status.PUBLISHED


def test_moving(desk, seminar, register):  # noqa: F811
    register(seminar)
    date = (seminar.starts_at + timedelta(days=7)).date()
    form = {"date": date, "starts": "18:00", "ends": "19:30", "venue": seminar.venue_id, "zone": seminar.zone, "confirm": "1"}

    twice(desk, reverse("admin:seminars_seminar_move", args=[seminar.pk]), form)

    assert Registration.objects.get().sequence == 1
    assert Message.objects.count() == 2  # the confirmation, and one change


def test_calling_off(desk, seminar, register):  # noqa: F811
    register(seminar)

    twice(desk, reverse("admin:seminars_seminar_call_off", args=[seminar.pk]))

    assert Message.objects.count() == 2


def test_scheduling_pausing_and_cancelling_a_campaign(desk, make_campaign, make_readers):  # noqa: F811
    ledger.release()
    make_readers(3)
    campaign = make_campaign()

    twice(desk, reverse("admin:newsletter_campaign_schedule", args=[campaign.pk]), {"now": "on", "confirm": "3"})
    campaigns.launch(campaign, timezone.now())
    for verb in ("pause", "cancel"):
        twice(desk, reverse(f"admin:newsletter_campaign_{verb}", args=[campaign.pk]))

    assert Campaign.objects.get().status == Campaign.Status.CANCELLED
    assert Delivery.objects.count() == 3
    assert campaign_verification.problems() == []


def test_cancelling_ones_own_registration(client, seminar, register):  # noqa: F811
    path = f"/registrations/{tokens.make('registration', register(seminar).public_id.hex)}/cancel/"

    twice(client, path)

    assert Registration.objects.get().sequence == 1
    assert Message.objects.count() == 2


def test_stopping_and_taking_back(client, subscriber):  # noqa: F811
    path = f"/newsletter/unsubscribe/{tokens.make('unsubscribe', subscriber.public_id.hex)}/"

    twice(client, path, {"stop": "1"})
    twice(client, path, {"undo": "1"})

    assert subscriber.subscriptions.active().count() == 1
    assert Consent.objects.count() == 3  # given, withdrawn, given again
    assert list(verification.findings()) == []
