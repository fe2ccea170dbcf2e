"""A campaign through a provider that takes many letters in one call: what it took against what the ledger says."""

import time

import pytest

from newsletter import reports, sending
from newsletter.models import Chunk, Delivery
from project.mail import ledger, routes
from project.mail.models import Route
from tests.mail import esps
from tests.mail.esps import LOST, Answer

pytestmark = pytest.mark.django_db
State = Delivery.State


@pytest.fixture
def drain(settings):
    """`drain(esp)`: send what is due by a route that ends at that provider."""

    def run(esp):
        settings.MAIL_BULK = esp.route
        ledger.release()
        return sending.drain(time.monotonic() + 20)

    return run


def states(campaign):
    return {state: count for state, count in reports.of(campaign).states.items() if count}


@pytest.mark.parametrize("kind", ["mailgun", "brevo", "mailjet", "sparkpost", "ses"])
def test_everybody_gets_it_once_and_is_known_by_it(kind, drain, make_launched, make_readers):
    readers = [*make_readers(70, "en"), *make_readers(5, "es")]
    campaign = make_launched("en", "es")

    with esps.provider(kind) as esp:
        assert drain(esp) is False

    assert states(campaign) == {"sent": 75}
    assert sorted(one.address for one in esp.taken) == sorted(reader.address for reader in readers)
    taken = {one.letter: one for one in esp.taken}
    ids = {"sparkpost": "t-1", "mailgun": "<call@mg.example.org>"}  # one for a whole call
    for delivery in Delivery.objects.select_related("subscriber"):
        one = taken[delivery.public_id]
        assert one.address == delivery.subscriber.address
        assert delivery.provider_id == ids.get(kind, f"id-{one.letter}")
        assert ("/es/" in one.text) is (delivery.language == "es")
        assert "Dear Ana," in one.text
    assert len(esp.calls) == (3 if kind in {"mailjet", "ses"} else 2)


def test_a_busy_provider_lets_everybody_wait(drain, make_launched, make_readers):
    make_readers(60)
    campaign = make_launched()

    with esps.provider("ses", Answer(429, {"Retry-After": "40"}, '{"__type": "TooManyRequestsException"}')) as esp:
        drain(esp)

    assert states(campaign) == {"pending": 60}
    assert len(esp.calls) == 1
    assert Route.objects.get(stream="bulk").probe_at == Chunk.objects.get().due_at


def test_bad_credentials_consume_nothing(drain, make_launched, make_readers):
    make_readers(60)
    campaign = make_launched()

    with esps.provider("mailgun", Answer(401, body="Forbidden")) as esp:
        drain(esp)
        route = routes.row("bulk")

    assert states(campaign) == {"pending": 60}
    assert route.paused_at
    assert "401" in route.paused_because


def test_of_an_answer_that_was_lost_only_that_call_is_in_doubt(drain, make_launched, make_readers):
    make_readers(120)
    campaign = make_launched()

    with esps.provider("mailjet", "take", LOST) as esp:
        drain(esp)

    doubtful = set(Delivery.objects.filter(state=State.UNCERTAIN).values_list("subscriber__address", flat=True))
    assert doubtful == set(esp.calls[1])
    names = [one.letter for one in esp.taken]
    assert len(names) == len(set(names))
    assert states(campaign)["uncertain"] == 50
    assert states(campaign)["sent"] + states(campaign).get("pending", 0) == 70
