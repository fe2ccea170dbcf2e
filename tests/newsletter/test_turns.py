"""Turns with letters under way: a carrier that asks for more before it has told of all."""

import time
from datetime import timedelta

import pytest
import time_machine
from django.db import OperationalError
from django.utils import timezone

from newsletter import campaigns, chunks, reports, sending, windows
from newsletter.models import Campaign, Chunk, Delivery
from project.mail import carriers, ledger, routes
from project.mail.outcomes import SENT, UNTRIED, Outcome, Verdict

pytestmark = pytest.mark.django_db
State = Delivery.State


class Rolling:
    """Takes four at a time and tells of all but the last one, as a chain of letters does."""

    window = 4

    def __init__(self, answer):
        self.answer, self.begun, self.held, self.marks = answer, [], [], []

    @property
    def under_way(self):
        return len(self.held)

    def ready(self):
        return None

    def hand_over(self, writer, letters, until):
        self.marks.append(Chunk.objects.values_list("window_lo", "window_hi").get())
        self.begun += [letter.address for letter in letters]
        self.held += letters
        keep = 1 if letters else 0
        done, self.held = self.held[: len(self.held) - keep], self.held[len(self.held) - keep :]
        settled = [(letter, self.answer(letter)) for letter in done]
        if any(outcome.verdict in carriers.STOPPED for _letter, outcome in settled):
            settled += [(letter, UNTRIED) for letter in self.held]
            self.held = []
        return settled


@pytest.fixture
def rolling(monkeypatch):
    """`rolling(answer)`: letters leave by a Rolling carrier, each with the outcome `answer(letter)`."""

    def put(answer):
        carrier = Rolling(answer)
        monkeypatch.setattr(carriers, "of", lambda stream: carrier)
        return carrier

    return put


def drain():
    ledger.release()
    return sending.drain(time.monotonic() + 20)


def states(campaign):
    return {state: count for state, count in reports.of(campaign).states.items() if count}


def test_everybody_once_and_never_more_marked_than_the_window(make_launched, make_readers, rolling):
    make_readers(11)
    campaign = make_launched()
    carrier = rolling(lambda letter: SENT)

    drain()

    assert states(campaign) == {"sent": 11}
    assert len(carrier.begun) == len(set(carrier.begun)) == 11
    assert [hi - lo + 1 for lo, hi in carrier.marks] == [4, 4, 4, 2, 2]


def test_a_worker_that_dies_leaves_in_doubt_what_was_under_way_and_nothing_else(make_launched, make_readers, rolling):
    make_readers(11)
    campaign = make_launched()
    carrier = rolling(lambda letter: SENT)
    claim = chunks.claim(timezone.now())
    first = chunks.turn(claim, [], 4)
    chunks.turn(claim, carrier.hand_over(None, first, None), 3)

    with time_machine.travel(timezone.now() + timedelta(seconds=91), tick=True):
        chunks.take_back(timezone.now())

    assert states(campaign) == {"sent": 3, "uncertain": 4, "pending": 4}
    doubtful = Delivery.objects.filter(state=State.UNCERTAIN).values_list("pk", flat=True)
    assert min(doubtful) == first[3].pk


def test_when_the_route_rests_what_was_under_way_stays_due(make_launched, make_readers, rolling):
    readers = make_readers(11)
    campaign = make_launched()
    rolling(lambda letter: Outcome(Verdict.PAUSE, "auth-refused", "535 no") if letter.address == readers[4].address else SENT)

    drain()

    assert states(campaign) == {"sent": 5, "pending": 6}
    assert set(Delivery.objects.filter(state=State.PENDING).values_list("attempts", "retry_at")) == {(0, None)}
    assert routes.row("bulk").paused_because == "535 no"
    assert Chunk.objects.get().state == Chunk.State.READY


def test_paused_the_letters_under_way_are_told_of_and_no_more_begun(make_launched, make_readers, rolling):
    make_readers(11)
    campaign = make_launched()

    def answer(letter):
        if Campaign.objects.get().status == Campaign.Status.SENDING:
            campaigns.pause(campaign)
        return SENT

    rolling(answer)
    drain()

    assert states(campaign) == {"sent": 4, "pending": 7}


def test_taken_over_with_letters_under_way_it_still_tells_which_left(make_launched, make_readers, rolling):
    make_readers(6)
    campaign = make_launched()

    def taken_over(letter):
        Chunk.objects.filter(state=Chunk.State.HELD).update(lease_until=timezone.now() - timedelta(seconds=1))
        chunks.take_back(timezone.now())
        return SENT

    rolling(taken_over)
    claim = chunks.claim(timezone.now())
    sending.send(claim, time.monotonic() + 20)

    assert states(campaign) == {"sent": 4, "pending": 2}


def test_a_database_that_goes_away_for_a_moment_costs_no_knowledge(make_launched, make_readers, rolling, monkeypatch):
    make_readers(6)
    campaign = make_launched()
    rolling(lambda letter: SENT)
    monkeypatch.setattr(sending, "close_old_connections", lambda: None)
    locking, broken = windows.locking, iter([False, True, True, False, True])

    def sometimes(chunk, token):
        if next(broken, False):
            raise OperationalError("the connection was closed")
        return locking(chunk, token)

    monkeypatch.setattr(windows, "locking", sometimes)

    drain()

    assert states(campaign) == {"sent": 6}


def test_a_database_that_stays_away_leaves_the_doubt_to_whoever_comes_next(make_launched, make_readers, rolling, monkeypatch):
    make_readers(6)
    campaign = make_launched()
    carrier = rolling(lambda letter: SENT)
    monkeypatch.setattr(sending, "close_old_connections", lambda: None)
    monkeypatch.setattr(sending, "_PATIENCE", timedelta(0))
    turn, calls = chunks.turn, []

    def gone(*args, **kwargs):
        raise OperationalError("the server is gone")

    def once(*args):
        calls.append(args)
        return turn(*args) if len(calls) == 1 else gone()

    monkeypatch.setattr(chunks, "turn", once)
    monkeypatch.setattr(chunks, "release", gone)

    with pytest.raises(OperationalError):
        drain()
    with time_machine.travel(timezone.now() + timedelta(seconds=91), tick=True):
        chunks.take_back(timezone.now())

    assert carrier.under_way == 0
    assert states(campaign) == {"uncertain": 4, "pending": 2}
