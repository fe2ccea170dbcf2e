"""A provider fails in every way it has while a campaign goes out by its batch calls: through the whole engine into the deliveries' rows."""

import contextlib
import time

import pytest

from newsletter.models import Delivery
from project.mail import routes
from project.mail.models import Route
from tests.mail import esps
from tests.mail.esps import DROP, GARBAGE, LOST, SLOW, Answer
from tests.processes import eventually

from .conftest import KILLED, over

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS, CALL = 60, 20  # three chunks, each one call

CAREFUL = ["mailgun", "ses"]  # neither knows a call again; the one refuses a call as a whole, the other reader by reader

NOTHING_CERTAIN = [DROP, LOST, GARBAGE, SLOW, Answer(500), Answer(503)]


class Taking(esps.Esp):
    """Keeps the moment of each call, and says what it took as a mail server's record does."""

    def call(self, body, headers):
        self.moments = [*getattr(self, "moments", []), time.monotonic()]
        return super().call(body, headers)

    def accepted(self):
        return [
            {"letter": one.letter, "to": one.address, "addressed": [one.address], "whole": esps.HIJACKED not in repr(one)} for one in self.taken
        ]


@pytest.fixture
def provider(crew, monkeypatch):
    """`provider(kind, *script, **options)`: the campaigns' route, until the test ends."""
    monkeypatch.setattr(esps, "Esp", Taking)
    with contextlib.ExitStack() as stack:

        def start(kind, *script, **options):
            esp = stack.enter_context(esps.provider(kind, *script, **options))
            crew.settings |= {"MAIL_BULK": esp.route, "MAIL_LEASE": 4}
            return esp

        yield start


@pytest.mark.parametrize("kind", [*CAREFUL, "brevo"])
def test_nothing_happens_and_everybody_gets_it_by_three_calls(crew, provider, scheduled, reckon, kind):
    esp = provider(kind)
    campaign = scheduled(READERS)

    crew.run()

    assert over(campaign)
    assert reckon(esp).states == {State.SENT: READERS}
    assert len(esp.calls) == READERS // CALL


@pytest.mark.parametrize("kind", CAREFUL)
def test_calls_of_which_nothing_certain_is_known_are_in_doubt_as_a_whole_and_not_made_again(crew, provider, scheduled, reckon, kind):
    esp = provider(kind, *NOTHING_CERTAIN)
    doubtful = len(NOTHING_CERTAIN) * CALL
    campaign = scheduled(READERS + doubtful)

    crew.run()

    assert over(campaign)
    assert reckon(esp).states == {State.SENT: READERS, State.UNCERTAIN: doubtful}
    assert len(esp.calls) == READERS // CALL + len(NOTHING_CERTAIN)


def test_control_were_such_a_call_taken_for_one_that_failed_it_would_be_doubled(crew, provider, scheduled, reckon):
    esp = provider("mailgun", LOST)
    scheduled(READERS)

    crew.run(careless="final dot")

    assert "doubled" in reckon(esp, but={"doubled"}).off


def test_where_the_provider_knows_a_call_again_nobody_is_left_in_doubt(crew, provider, scheduled, reckon):
    esp = provider("brevo", DROP, LOST, GARBAGE)
    campaign = scheduled(READERS)

    crew.run()

    assert over(campaign)
    assert reckon(esp).states == {State.SENT: READERS}


@pytest.mark.parametrize("kind", CAREFUL)
def test_a_provider_that_asks_for_a_second_of_peace_gets_it_and_nothing_is_consumed(crew, provider, scheduled, reckon, kind):
    esp = provider(kind, Answer(429, {"Retry-After": "1"}, "{}"))
    campaign = scheduled(READERS)

    crew.run()

    assert over(campaign)
    assert reckon(esp).states == {State.SENT: READERS}
    assert set(Delivery.objects.values_list("attempts", flat=True)) == {1}
    if kind != "ses":  # which says when only in words
        assert esp.moments[1] - esp.moments[0] >= 1


@pytest.mark.parametrize("kind", [*CAREFUL, "brevo"])
def test_addresses_the_provider_refuses_stop_nobody_else_s_letter(crew, provider, scheduled, reckon, kind):
    bad = [f"reader{number}@example.org" for number in (3, 4, 31)]
    esp = provider(kind, refused=dict.fromkeys(bad, "FAILED") if kind == "ses" else bad)
    campaign = scheduled(READERS)

    crew.run()

    assert over(campaign)
    reckon(esp)
    assert sorted(Delivery.objects.filter(state=State.FAILED).values_list("subscriber__address", flat=True)) == sorted(bad)
    assert Delivery.objects.filter(state=State.SENT).count() == READERS - len(bad)


@pytest.mark.parametrize("kind", CAREFUL)
def test_a_key_the_provider_does_not_know_pauses_the_route_with_nothing_consumed(crew, provider, scheduled, reckon, kind):
    esp = provider(kind, Answer(401, body="{}"))
    campaign = scheduled(READERS)

    crew.start()
    eventually(lambda: Route.objects.filter(stream="bulk", paused_at__isnull=False).exists())
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.PENDING, 0)}
    routes.resume("bulk")
    eventually(lambda: over(campaign))

    assert reckon(esp).states == {State.SENT: READERS}


@pytest.mark.parametrize("step", ["marked", "accepted"])
def test_dead_with_a_call_in_hand_that_one_call_is_in_doubt(crew, provider, scheduled, reckon, step):
    esp = provider("mailgun")
    campaign = scheduled(READERS)

    assert crew.run(crash=step) == KILLED
    crew.leases_run_out()
    crew.run()

    assert over(campaign)
    assert reckon(esp).states == {State.SENT: READERS - CALL, State.UNCERTAIN: CALL}


def test_control_were_the_call_not_marked_its_readers_would_get_it_twice(crew, provider, scheduled, reckon):
    esp = provider("mailgun")
    scheduled(READERS)

    assert crew.run(crash="accepted", careless="mark") == KILLED
    crew.leases_run_out()
    crew.run(careless="mark")

    assert len(reckon(esp, but={"doubled"}).doubled) == CALL
