"""What the ledger promises of every letter: one holder at a time, nothing lost, no try in vain, and whatever is in doubt told."""

import threading
import uuid
from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.utils import timezone

from project.mail import backoff, kinds, routes, sending, suppressions
from project.mail.addresses import address_hash
from project.mail.models import Message, Suppression
from project.mail.outcomes import SENT, Outcome, Verdict

pytestmark = pytest.mark.django_db

State = Message.State
NOT_NOW = Outcome(Verdict.RETRY, "not-now", "451 later")
IN_DOUBT = Outcome(Verdict.UNCERTAIN, "connection-broken")
DOWN = Outcome(Verdict.LATER, "connection-broken")


def claim(letter):
    return sending.claim(letter.pk, timezone.now())


def lease_runs_out(letter):
    Message.objects.filter(pk=letter.pk).update(lease_until=timezone.now() - timedelta(seconds=1))


def race(letter, claim, workers=12):
    """How many of so many threads hold the letter after all tried to claim it at once."""
    holders, start = [], threading.Barrier(workers)

    def worker():
        try:
            start.wait(10)
            if claim(letter):
                holders.append(threading.get_ident())
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return len(holders)


# -- One holder at a time ----------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_gets_the_letter(greetings):
    for n in range(5):
        greetings.post(n)

        assert race(greetings.letter(n), claim) == 1


@pytest.mark.django_db(transaction=True)
def test_the_race_is_real_a_claim_that_looks_first_is_won_by_several(greetings):
    meet = threading.Barrier(2)

    def look_then_take(letter):
        seen = Message.objects.get(pk=letter.pk)
        meet.wait(10)
        if seen.state == State.PENDING:
            Message.objects.filter(pk=letter.pk).update(state=State.HANDING, token=uuid.uuid4(), lease_until=timezone.now())
            return True

    greetings.post()

    assert race(greetings.letter(), look_then_take, workers=2) == 2


def test_a_letter_in_hand_is_not_to_be_had(greetings):
    greetings.post()

    assert claim(greetings.letter()) is not None
    assert claim(greetings.letter()) is None


def test_a_letter_not_yet_due_is_not_to_be_had(greetings):
    greetings.post(due_at=timezone.now() + timedelta(minutes=1))

    assert claim(greetings.letter()) is None


# -- Fencing -----------------------------------------------------------------------------------------------------------------------------


def test_a_worker_that_was_overtaken_records_nothing(greetings):
    greetings.post()
    slow = claim(greetings.letter())
    lease_runs_out(slow)
    sending.take_back(timezone.now())
    second = claim(greetings.letter())

    sending.record(slow, Outcome(Verdict.FAILED, "refused"))

    letter = greetings.letter()
    assert (letter.state, letter.token) == (State.HANDING, second.token)
    assert greetings.settled == []


def test_a_worker_that_was_taken_back_from_records_nothing(greetings):
    greetings.post()
    slow = claim(greetings.letter())
    lease_runs_out(slow)
    sending.take_back(timezone.now())

    sending.record(slow, SENT)

    assert greetings.letter().state == State.PENDING
    assert greetings.settled == []


def test_a_lease_still_running_is_left_alone(greetings):
    greetings.post()
    claim(greetings.letter())

    sending.take_back(timezone.now())

    assert greetings.letter().state == State.HANDING


# -- A worker that died ------------------------------------------------------------------------------------------------------------------


def test_a_letter_whose_worker_died_goes_out_once_more(greetings, deliver):
    greetings.post()
    lease_runs_out(claim(greetings.letter()))

    assert len(deliver()) == 1
    assert greetings.letter().state == State.SENT


def test_after_a_second_death_it_is_in_doubt_and_its_owner_knows(greetings, deliver):
    greetings.post()
    for _death in range(2):
        lease_runs_out(claim(greetings.letter()))
        sending.take_back(timezone.now())

    assert deliver() == []
    letter = greetings.letter()
    assert (letter.state, letter.reason) == (State.UNCERTAIN, "crashed")
    assert letter.settled_at is not None
    assert greetings.settled == [(1, "uncertain", "crashed")]


def test_every_try_carries_the_same_message_id(greetings, route_says, deliver):
    letters = route_says(IN_DOUBT, SENT)
    greetings.post()

    deliver()
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        deliver()

    assert len({letter.extra_headers["Message-ID"] for letter in letters}) == 1
    assert len(letters) == 2


# -- What the route said -----------------------------------------------------------------------------------------------------------------


def test_refused_for_now_it_comes_back_with_growing_patience(greetings):
    greetings.post()
    waits = []
    for _ in range(6):
        Message.objects.update(due_at=timezone.now())
        letter = claim(greetings.letter())
        sending.record(letter, NOT_NOW)
        waits.append(greetings.letter().due_at - timezone.now())

    for wait, least in zip(waits, [1, 5, 15, 60, 240, 240], strict=True):
        assert timedelta(minutes=least, seconds=-5) <= wait <= timedelta(minutes=least) * 1.2
    assert greetings.letter().attempts == 6


def test_refused_for_a_day_it_fails(greetings):
    greetings.post()
    now = timezone.now()
    with time_machine.travel(now):
        sending.record(claim(greetings.letter()), NOT_NOW)
    with time_machine.travel(now + backoff.GIVE_UP_AFTER - timedelta(minutes=1)):
        sending.record(claim(greetings.letter()), NOT_NOW)
        assert greetings.letter().state == State.PENDING
        Message.objects.update(due_at=timezone.now())
    with time_machine.travel(now + backoff.GIVE_UP_AFTER + timedelta(minutes=1)):
        sending.record(claim(greetings.letter()), NOT_NOW)

    assert (greetings.letter().state, greetings.letter().reason) == (State.FAILED, "not-now")
    assert greetings.settled == [(1, "failed", "not-now")]


def test_an_outage_of_days_does_not_use_up_its_day(greetings):
    greetings.post(due_at=timezone.now() - timedelta(days=3))

    sending.record(claim(greetings.letter()), NOT_NOW)

    assert greetings.letter().state == State.PENDING


@pytest.mark.parametrize("verdict", [Verdict.LATER, Verdict.PAUSE])
def test_a_route_that_is_down_costs_the_letter_no_try(greetings, verdict):
    due_at = timezone.now() - timedelta(hours=1)
    greetings.post(due_at=due_at)

    for _ in range(30):
        sending.record(claim(greetings.letter()), Outcome(verdict, "down"))

    letter = greetings.letter()
    assert (letter.state, letter.attempts, letter.due_at) == (State.PENDING, 0, due_at)


def test_a_letter_that_breaks_the_route_stands_in_nobodys_way(greetings, route_says, deliver):
    letters = route_says(DOWN, SENT)
    greetings.post(1, due_at=timezone.now() - timedelta(hours=1))
    greetings.post(2)

    deliver()

    assert [letter.body.count("Hello 1") for letter in letters] == [1, 0, 1]


def test_in_doubt_it_waits_a_quarter_hour_for_news_then_goes_once_more_then_is_listed(greetings):
    greetings.post()

    sending.record(claim(greetings.letter()), IN_DOUBT)
    assert greetings.letter().due_at - timezone.now() > timedelta(minutes=14)
    Message.objects.update(due_at=timezone.now())
    sending.record(claim(greetings.letter()), IN_DOUBT)

    assert greetings.letter().state == State.UNCERTAIN
    assert greetings.settled == [(1, "uncertain", "connection-broken")]


def test_a_hard_bounce_fails_and_suppresses_the_address_for_every_letter(greetings, deliver):
    greetings.post(1)
    greetings.post(2)

    sending.record(claim(greetings.letter(1)), Outcome(Verdict.BOUNCED, "no-such-address"))

    assert deliver() == []
    assert greetings.letter(1).state == State.FAILED
    assert (greetings.letter(2).state, greetings.letter(2).reason) == (State.SKIPPED, "suppressed")
    assert Suppression.objects.get().scope == "all"


# -- What stops a letter and what does not -------------------------------------------------------------------------------------------------


def test_a_letter_that_cannot_be_built_stops_no_other(greetings, deliver):
    hello = lambda ref, language: kinds.Skip("gone") if ref["n"] == 2 else 1 / 0  # noqa: E731
    greetings.build = hello
    greetings.post(1)
    greetings.post(2)

    deliver()

    assert (greetings.letter(1).state, greetings.letter(1).reason) == (State.PENDING, "defect")
    assert (greetings.letter(2).state, greetings.letter(2).reason) == (State.SKIPPED, "gone")


def test_a_letter_that_cannot_be_built_fails_at_the_third_try(greetings, deliver):
    greetings.build = lambda ref, language: 1 / 0
    greetings.post()
    for _ in range(3):
        Message.objects.update(due_at=timezone.now())
        deliver()

    assert (greetings.letter().state, greetings.letter().detail) == (State.FAILED, "ZeroDivisionError")


def test_a_kind_no_app_knows_any_more_stops_no_other(greetings, deliver):
    greetings.post(1)
    Message.objects.create(kind="gone.app", key="gone", language="en", address="ana@example.org", due_at=timezone.now() - timedelta(days=1))

    assert len(deliver()) == 1
    assert Message.objects.get(key="gone").state == State.PENDING


def test_an_owner_that_fails_to_take_the_news_does_not_make_the_letter_leave_twice(greetings, deliver):
    kind = kinds.get("test.greeting")
    kinds._kinds["test.greeting"] = kinds.Kind(kind.name, kind.build, settle=lambda ref, settled: 1 / 0)
    greetings.post()

    assert len(deliver()) == 1
    assert greetings.letter().state == State.SENT
    assert deliver() == []


def test_a_superseded_letter_is_skipped(greetings, deliver):
    greetings.build = lambda ref, language: kinds.Skip(Message.Reason.SUPERSEDED)
    greetings.post()

    assert deliver() == []
    assert greetings.settled == [(1, "skipped", "superseded")]


@pytest.mark.parametrize(
    ("scope", "stream", "blocked"), [("all", "transactional", True), ("marketing", "transactional", False), ("marketing", "bulk", True)]
)
def test_a_suppression_stops_what_it_covers(scope, stream, blocked):
    suppressions.suppress(address_hash("ana@example.org"), scope, "complaint")

    assert suppressions.blocks(address_hash(" Ana@Example.org "), stream) is blocked


def test_an_empty_address_is_skipped(greetings, deliver):
    greetings.post(address="")

    assert deliver() == []
    assert greetings.letter().reason == "no-address"


# -- The route's own state -----------------------------------------------------------------------------------------------------------------


def test_a_paused_route_keeps_every_letter(greetings, deliver):
    routes.row("transactional")
    routes.note("transactional", Outcome(Verdict.PAUSE, "auth-refused", "535 no"))
    greetings.post()

    assert deliver() == []
    routes.resume("transactional")
    assert len(deliver()) == 1


def test_a_route_that_is_down_rests_longer_each_time(greetings):
    rests = []
    for _ in range(8):
        routes.row("transactional")
        routes.note("transactional", DOWN)
        rests.append(round((routes.row("transactional").probe_at - timezone.now()).total_seconds()))

    assert rests == [0, 15, 30, 60, 120, 300, 300, 300]


def test_a_changed_route_begins_afresh_and_untested(settings):
    route = routes.row("transactional")
    routes.note("transactional", Outcome(Verdict.PAUSE, "auth-refused", "535 no"))
    settings.MAIL_TRANSACTIONAL = "smtp://other.example.org"

    assert routes.row("transactional").paused_at is None
    assert routes.row("transactional").pk == route.pk


# -- Send again ----------------------------------------------------------------------------------------------------------------------------


def test_a_failed_letter_is_sent_again_with_all_its_tries(greetings, deliver):
    greetings.post()
    sending.record(claim(greetings.letter()), Outcome(Verdict.FAILED, "refused"))

    assert sending.send_again(greetings.letter().pk) is True
    assert len(deliver()) == 1
    assert sending.send_again(greetings.letter().pk) is False  # it is sent now
