"""What every provider tells of a newsletter, posted to its hook: what becomes of the delivery, the subscription and the campaign."""

from datetime import timedelta

import pytest
import time_machine
from django.db.models import CharField, Value
from django.db.models.functions import Cast, Concat

from newsletter import guard
from newsletter.models import Campaign, Delivery, Subscription
from project.mail.models import Suppression
from tests.mail import hooks

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")]


@pytest.fixture(autouse=True)
def _hooks(settings, monkeypatch):
    hooks.configure(settings, monkeypatch)
    with time_machine.travel(hooks.NOW - timedelta(minutes=5), tick=True):
        yield


@pytest.fixture
def delivery(make_launched, make_readers, deliver):
    """One that left, and that its provider calls p-1."""
    make_readers(1)
    make_launched()
    deliver()
    Delivery.objects.update(provider_id="p-1")
    return Delivery.objects.get()


def tell(provider, what, delivery):
    name = delivery.public_id
    said = {"letter": name, "message_id": f"{name}@practice.example.org", "provider_id": delivery.provider_id}
    with time_machine.travel(hooks.NOW, tick=True):
        assert hooks.post(provider, hooks.payload(provider, what, address=delivery.subscriber.address, **said)) == 200


@pytest.mark.parametrize(("provider", "what"), hooks.TOLD)
def test_what_becomes_of_a_delivery(delivery, provider, what):
    tell(provider, what, delivery)

    delivery.refresh_from_db()
    came_back = ("sent", "") if provider in hooks.TRY_ON else ("failed", "bounced")
    ends = {"hard": ("failed", "no-such-address"), "soft": came_back, "complaint": ("sent", "complained")}
    assert (delivery.state, delivery.reason) == ends.get(what, ("sent", ""))
    assert Subscription.objects.active().count() == (0 if what in {"complaint", "unsubscribe"} else 1)
    assert list(Suppression.objects.values_list("scope", flat=True)) == {"hard": ["all"], "complaint": ["marketing"]}.get(what, [])


@pytest.mark.parametrize("provider", hooks.PROVIDERS)
def test_a_delivery_in_doubt_that_arrived_was_sent(delivery, provider):
    Delivery.objects.update(state=Delivery.State.UNCERTAIN, reason="crashed")

    tell(provider, "delivered", delivery)

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == ("sent", "")


@pytest.mark.parametrize("provider", hooks.PROVIDERS)
def test_too_many_dead_addresses_stop_the_campaign(make_launched, make_readers, monkeypatch, django_capture_on_commit_callbacks, provider):
    monkeypatch.setattr(guard, "ENOUGH", 20)
    guard.look_again()
    make_readers(20)
    campaign = make_launched()
    Delivery.objects.update(state=Delivery.State.SENT, provider_id=Concat(Value("p-"), Cast("pk", CharField())))

    for delivery in Delivery.objects.order_by("pk")[:2]:
        guard.look_again()
        with django_capture_on_commit_callbacks(execute=True):
            tell(provider, "hard", delivery)

    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.PAUSED
    assert campaign.guarded_at
