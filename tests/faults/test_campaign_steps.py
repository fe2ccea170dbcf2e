"""A worker dies, or stands still, at each step of a window: nobody is lost, nobody gets the campaign twice, who is in doubt is listed."""

import os
import signal
import time

import pytest

from newsletter import campaigns
from newsletter.models import Chunk, Delivery
from project.mail import ledger
from tests.processes import eventually

from . import reckoning
from .conftest import KILLED, over

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS, WINDOW = 40, 8  # two chunks, each of three windows


def test_nothing_happens_and_everybody_gets_it(crew, smtp, scheduled, reckon):
    campaign = scheduled(READERS)

    assert crew.run() == 0

    assert over(campaign)
    assert reckon(smtp).states == {State.SENT: READERS}


@pytest.mark.parametrize(
    ("step", "most"),
    [("claimed", 0), ("before-mark:2", WINDOW), ("marked:2", WINDOW), ("handing:3", WINDOW), ("accepted:2", WINDOW), ("recorded", 0)],
)
def test_dead_at_that_step_twice_nobody_is_lost_or_doubled_and_at_most_the_window_in_hand_is_in_doubt(
    crew, smtp, scheduled, reckon, step, most
):
    campaign = scheduled(READERS)

    for _death in range(2):
        assert crew.run(crash=step) == KILLED
        crew.leases_run_out()
    crew.run()

    assert over(campaign)
    found = reckon(smtp)
    assert found.states.total() == READERS
    assert found.states[State.SENT] + found.states[State.UNCERTAIN] == READERS
    assert len(found.doubt) <= 2 * most
    assert bool(found.doubt) == bool(most)
    assert set(Delivery.objects.filter(state=State.UNCERTAIN).values_list("reason", flat=True)) <= {"crashed"}


@pytest.mark.parametrize(
    ("careless", "step", "wrong"),
    [("mark", "accepted:2", "doubled"), ("doubt", "accepted:2", "doubled"), ("late record", "marked", "phantom")],
)
def test_control_without_that_protection_the_same_death_doubles_or_loses_somebody(crew, smtp, scheduled, reckon, careless, step, wrong):
    campaign = scheduled(READERS)

    assert crew.run(crash=step, careless=careless) == KILLED
    crew.leases_run_out()
    crew.run(careless=careless)

    assert over(campaign)
    assert wrong in reckon(smtp, but={"doubled", "phantom", "verify"}).off


def test_a_page_that_dies_between_commit_and_bell_has_its_campaign_sent_by_the_next_sweep(crew, smtp, make_readers, make_campaign, reckon):
    ledger.release()
    make_readers(READERS)
    campaign = make_campaign()
    crew.audiences[campaign.pk] = READERS

    assert crew.run("press_send", crash="bell") == KILLED
    assert smtp.accepted() == []
    crew.run()

    assert over(campaign)
    assert reckon(smtp).states == {State.SENT: READERS}


def test_sent_again_to_those_in_doubt_they_get_it_once_more_and_nobody_else_does(crew, smtp, scheduled, reckon):
    campaign = scheduled(READERS)
    assert crew.run(crash="accepted:2") == KILLED
    crew.leases_run_out()
    crew.run()
    doubt = set(reckon(smtp).doubt)

    campaigns.send_again(campaign, [State.UNCERTAIN])
    crew.run()

    found = reckon(smtp, at_most=2)
    assert found.states == {State.SENT: READERS}
    assert {pk for pk, times in found.accepted.items() if times > 1} <= doubt


def stands_still(crew, smtp, careless=""):
    """One worker stops in the middle of a window until another has taken its chunk, and goes on then."""
    smtp.script({"at": "DOT", "say": "slow:0.1 250 2.0.0 taken"})
    crew.settings["MAIL_SOCKET_TIMEOUT"] = 5  # or its connections would be over, and it would stop by itself
    first = crew.start(careless=careless)
    eventually(lambda: len(smtp.accepted()) >= 3, pause=0.01)
    os.kill(first.pid, signal.SIGSTOP)
    token, before = Chunk.objects.get(state=Chunk.State.HELD).token, len(smtp.accepted())
    time.sleep(crew.settings["MAIL_LEASE"])
    second = crew.start(careless=careless)
    # The other is now in the middle of what was its own.
    eventually(lambda: Chunk.objects.filter(state=Chunk.State.HELD).exclude(token=token).exists() and len(smtp.accepted()) > before)
    os.kill(first.pid, signal.SIGCONT)
    time.sleep(0.5)
    smtp.script()
    assert (first.wait(), second.wait()) == (0, 0)


def test_a_worker_that_stood_still_past_its_lease_finds_its_chunk_taken_and_doubles_nobody(crew, smtp, scheduled, reckon):
    campaign = scheduled(READERS // 2)

    stands_still(crew, smtp)

    assert over(campaign)
    assert len(reckon(smtp).doubt) <= WINDOW


def test_control_without_the_fence_it_doubles_somebody(crew, smtp, scheduled):
    """Seldom not at the first try: the two must be at it at the same moment."""
    for attempt in range(4):
        scheduled(READERS // 2, slug=f"try-{attempt}")
        stands_still(crew, smtp, careless="fence")
        if reckoning.reckon(smtp.accepted()).doubled:
            break

    assert reckoning.reckon(smtp.accepted()).doubled


def together(crew, **wish):
    """Two beats and five sweeps at once."""
    return [crew.start("tick", seconds=1) for _beat in range(2)] + [crew.start(**wish) for _sweep in range(5)]


def test_two_beats_and_five_sweeps_at_once_begin_each_campaign_once_and_write_to_each_reader_once(crew, smtp, scheduled, reckon):
    campaign = scheduled(4 * READERS)

    assert [hand.wait() for hand in together(crew)] == [0] * 7

    assert over(campaign)
    assert reckon(smtp).states == {State.SENT: 4 * READERS}


def test_control_were_a_chunk_not_claimed_sweeps_would_double_somebody(crew, smtp, scheduled):
    scheduled(4 * READERS)
    smtp.script({"at": "DOT", "say": "slow:0.02 250 2.0.0 taken"})

    together(crew, careless="claim")

    eventually(lambda: reckoning.reckon(smtp.accepted()).doubled)
