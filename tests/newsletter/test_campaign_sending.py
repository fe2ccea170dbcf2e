"""Windows, leases and fences: who may hand over what, and what is left when a worker dies."""

import threading
import time
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.db import connection
from django.utils import timezone

from newsletter import campaigns, chunks, reports, sending, windows
from newsletter.models import Campaign, Chunk, Delivery
from project.mail import ledger, outcomes, pace, routes, suppressions
from project.mail.models import Route, Suppression
from project.mail.outcomes import Outcome, Verdict

pytestmark = pytest.mark.django_db
State, Reason = Delivery.State, Delivery.Reason


class Killed(BaseException):
    """What `kill -9` does to the code it hits, as far as a test can show it: nothing after it runs."""


@pytest.fixture(autouse=True)
def small_windows(settings):
    settings.BULK_WINDOW = 4


@pytest.fixture
def route(monkeypatch):
    """`route(answer)`: hand-overs go to `answer(number, message)`, numbered from 1; the list of addresses handed over."""
    handed = []

    def put(answer):
        def attempt(stream, message):
            handed.append(message.to[0])
            return answer(len(handed), message)

        monkeypatch.setattr(routes, "attempt", attempt)
        return handed

    return put


def drain(seconds=20):
    ledger.release()
    return sending.drain(time.monotonic() + seconds)


def states(campaign):
    return {state: count for state, count in reports.of(campaign).states.items() if count}


def later(seconds):
    return time_machine.travel(timezone.now() + timedelta(seconds=seconds), tick=True)


def test_everybody_gets_it_once_and_the_campaign_ends(make_launched, make_readers):
    readers = make_readers(10)
    campaign = make_launched()

    assert drain() is False

    assert sorted(letter.to[0] for letter in mail.outbox) == sorted(f"Ana <{reader.address}>" for reader in readers)
    campaign.refresh_from_db()
    assert (campaign.status, states(campaign)) == (Campaign.Status.SENT, {"sent": 10})
    assert set(Chunk.objects.values_list("state", "token", "window_lo")) == {("done", None, None)}


def test_a_letter_carries_what_mailboxes_ask_of_newsletters(make_launched, make_readers):
    make_readers(1)
    make_launched()

    drain()

    [letter] = mail.outbox
    delivery = Delivery.objects.get()
    headers = letter.extra_headers
    assert headers["Message-ID"] == f"<{delivery.public_id}@practice.example.org>"
    assert headers["List-Id"] == "<newsletter.newsletter.practice.example.org>"
    assert headers["List-Unsubscribe"].startswith("<http://testserver/newsletter/unsubscribe/")
    assert headers["List-Unsubscribe"] in f"<{letter.body}>".replace("\n", "><")
    assert headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert headers["Content-Language"] == "en"
    assert not {"Precedence", "Auto-Submitted"} & set(headers)
    assert letter.metadata == {"letter": delivery.public_id}
    assert letter.from_email == "Gulf Coast Spine <seminars@practice.example.org>"


def test_each_reader_is_written_to_in_their_language(make_launched, make_readers):
    make_readers(1)
    make_readers(1, language="es")
    make_launched("en", "es")

    drain()

    assert sorted(letter.extra_headers["Content-Language"] for letter in mail.outbox) == ["en", "es"]
    assert sum("/es/newsletter/unsubscribe/" in letter.body for letter in mail.outbox) == 1


def test_a_window_costs_the_same_few_queries_however_many_it_holds(make_launched, make_readers, settings, django_assert_num_queries):
    settings.BULK_WINDOW = 48
    make_readers(40)
    make_launched()
    claim = chunks.claim(timezone.now())
    letters = chunks.turn(claim, [], 48)

    # Savepoint (2), let go; fence, record and news, which PostgreSQL takes together.
    with django_assert_num_queries(4 if connection.vendor == "postgresql" else 6):
        chunks.release(claim, [(letter, outcomes.SENT) for letter in letters])


@pytest.mark.parametrize(
    ("leave", "reason"),
    [
        (lambda reader: reader.subscriptions.update(ended_at=timezone.now()), Reason.UNSUBSCRIBED),
        (lambda reader: suppressions.complaint(reader.address_hash), Reason.SUPPRESSED),
        (lambda reader: reader.subscriptions.all().delete() and reader.delete(), Reason.ERASED),
    ],
)
def test_who_leaves_between_claim_and_hand_over_gets_nothing(make_launched, make_readers, route, leave, reason):
    readers = make_readers(6)
    campaign = make_launched()

    def answer(number, message):
        if number == 1:  # while the first window of four is on its way
            reader = readers[5]
            reader.consents.update(subscriber=None) if reason == Reason.ERASED else None
            leave(reader)
        return outcomes.SENT

    handed = route(answer)
    drain()

    assert len(handed) == 5
    assert reports.of(campaign).reasons == [("skipped", reason, 1)]
    assert states(campaign) == {"sent": 5, "skipped": 1}


def test_a_worker_that_dies_leaves_just_its_window_in_doubt(make_launched, make_readers, route):
    make_readers(10)
    campaign = make_launched()

    def die(number, message):
        if number == 6:
            raise Killed
        return outcomes.SENT

    handed = route(die)
    with pytest.raises(Killed):
        drain()
    drain()  # its lease still holds: nobody touches its chunk
    assert len(handed) == 6
    assert states(campaign) == {"sent": 4, "pending": 6}

    with later(91):
        drain()

    assert len(handed) == len(set(handed)) == 8
    assert states(campaign) == {"sent": 6, "uncertain": 4}
    assert reports.of(campaign).reasons == [("uncertain", "crashed", 4)]
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.SENT


def test_without_the_mark_the_dead_workers_letters_would_go_out_twice(make_launched, make_readers, route, monkeypatch):
    """The negative control of the test above."""
    monkeypatch.setattr(windows, "marking", lambda *args: ("SELECT 1", []))
    make_readers(10)
    make_launched()

    def die(number, message):
        if number == 6:
            raise Killed
        return outcomes.SENT

    handed = route(die)
    with pytest.raises(Killed):
        drain()

    with later(91):
        drain()

    assert len(handed) - len(set(handed)) == 2


def test_a_letter_put_off_is_not_in_the_window_of_the_one_beside_it(make_launched, make_readers, route):
    make_readers(4)
    campaign = make_launched()
    route(lambda number, message: Outcome(Verdict.RETRY, "not-now", "450 later"))
    drain()
    first, second, *others = Delivery.objects.order_by("pk")
    now = timezone.now()
    Delivery.objects.exclude(pk=second.pk).update(retry_at=now)
    Delivery.objects.filter(pk=second.pk).update(retry_at=now + timedelta(hours=1))
    Chunk.objects.update(due_at=now)

    def die(number, message):
        raise Killed

    route(die)
    with pytest.raises(Killed):
        drain()
    with later(91):
        chunks.take_back(timezone.now())

    second.refresh_from_db()
    assert second.state == State.PENDING
    assert states(campaign) == {"uncertain": 3, "pending": 1}


def test_a_worker_whose_chunk_was_taken_over_records_nothing_but_what_it_knows_was_sent(make_launched, make_readers):
    make_readers(6)
    campaign = make_launched()
    mine = chunks.claim(timezone.now())
    letters = chunks.turn(mine, [], 4)
    with later(91):
        chunks.take_back(timezone.now())
        theirs = chunks.claim(timezone.now())
    assert states(campaign) == {"uncertain": 4, "pending": 2}
    handed = [
        (letters[0], outcomes.SENT),
        (letters[1], Outcome(Verdict.FAILED, "refused")),
        (letters[2], Outcome(Verdict.BOUNCED, "no-such-address")),
        (letters[3], Outcome(Verdict.RETRY, "not-now")),
    ]

    with pytest.raises(chunks.FenceLost):
        chunks.turn(mine, handed, 4)
    with pytest.raises(chunks.FenceLost):
        chunks.release(mine, handed)
    chunks.late_evidence(handed)

    assert states(campaign) == {"sent": 1, "uncertain": 3, "pending": 2}
    assert not Suppression.objects.exists()
    theirs.chunk.refresh_from_db()
    assert (theirs.chunk.state, theirs.chunk.window_lo) == (Chunk.State.HELD, None)


def test_a_worker_stops_when_its_lease_has_run_out(make_launched, make_readers, route, settings):
    make_readers(4)
    make_launched()
    traveller = time_machine.travel(timezone.now() + timedelta(seconds=100), tick=True)

    def sleep(number, message):
        traveller.start()  # the process was suspended for longer than its lease
        return outcomes.SENT

    handed = route(sleep)
    try:
        sending.send(chunks.claim(timezone.now()), time.monotonic() + 20)
    finally:
        traveller.stop()

    assert len(handed) == 1


@pytest.mark.parametrize("verdict", [Verdict.LATER, Verdict.PAUSE])
def test_when_the_route_rests_nothing_is_consumed(make_launched, make_readers, route, verdict):
    make_readers(6)
    campaign = make_launched()
    handed = route(lambda number, message: Outcome(verdict, "busy", "421") if number >= 2 else outcomes.SENT)

    drain()

    assert states(campaign) == {"sent": 1, "pending": 5}
    assert len(handed) <= 3  # one refusal, and one more try, for a route rests only after the second
    assert set(Delivery.objects.filter(state=State.PENDING).values_list("attempts", "retry_at")) == {(0, None)}
    assert Chunk.objects.get().state == Chunk.State.READY
    assert sending.slots_due(timezone.now()) == 0

    routes.resume("bulk")
    route(lambda number, message: outcomes.SENT)
    with later(400):
        drain()
    assert states(campaign) == {"sent": 6}
    assert len(set(handed)) == 6


def test_a_letter_put_off_waits_by_itself_and_fails_in_the_end(make_launched, make_readers, route):
    readers = make_readers(6)
    campaign = make_launched()

    def answer(number, message):
        return Outcome(Verdict.RETRY, "not-now", "450 greylisted") if readers[1].address in message.to[0] else outcomes.SENT

    handed = route(answer)
    drain()
    chunk = Chunk.objects.get()
    assert states(campaign) == {"sent": 5, "pending": 1}
    assert chunk.due_at == Delivery.objects.get(state=State.PENDING).retry_at

    moment = timezone.now()
    for _try in range(5):
        moment += timedelta(hours=5)
        with time_machine.travel(moment, tick=True):
            drain()

    assert len(handed) == 11
    assert reports.of(campaign).reasons == [("failed", "gave-up", 1)]
    assert states(campaign) == {"sent": 5, "failed": 1}


def test_each_outcome_has_its_state(make_launched, make_readers, route):
    readers = make_readers(4)
    campaign = make_launched()
    verdicts = [Verdict.SENT, Verdict.FAILED, Verdict.BOUNCED, Verdict.UNCERTAIN]

    route(lambda number, message: Outcome(verdicts[number - 1], "" if number == 1 else "refused", "554 no", "esp-1" if number == 1 else ""))
    drain()

    rows = Delivery.objects.order_by("pk").values_list("state", "reason", "detail", "provider_id")
    assert list(rows) == [
        ("sent", "", "", "esp-1"),
        ("failed", "refused", "554 no", ""),
        ("failed", "refused", "554 no", ""),
        ("uncertain", "refused", "554 no", ""),
    ]
    assert list(Suppression.objects.values_list("address_hash", "scope")) == [(readers[2].address_hash, "all")]
    assert reports.of(campaign).audience == 4


def test_a_letter_refused_in_smtp_is_read_from_its_exception(make_launched, make_readers, monkeypatch):
    make_readers(1)
    campaign = make_launched()

    def refuse(messages):
        raise outcomes.NotSent(outcomes.of_reply(550, "5.1.1 no such user", phase="recipient"))

    monkeypatch.setattr(routes.connection("bulk"), "send_messages", refuse)
    drain()

    assert reports.of(campaign).reasons == [("failed", "no-such-address", 1)]


def test_pausing_stops_beyond_the_window_on_its_way(make_launched, make_readers, route):
    make_readers(10)
    campaign = make_launched()

    def answer(number, message):
        if number == 2:
            campaigns.pause(Campaign.objects.get())
        return outcomes.SENT

    handed = route(answer)
    drain()
    assert len(handed) == 4
    assert states(campaign) == {"sent": 4, "pending": 6}

    campaigns.resume(campaign)
    drain()

    assert len(handed) == len(set(handed)) == 10


def test_cancelling_leaves_the_window_on_its_way_to_its_worker(make_launched, make_readers, route):
    make_readers(10)
    campaign = make_launched()

    def answer(number, message):
        if number == 2:
            campaigns.cancel(Campaign.objects.get())
        return Outcome(Verdict.RETRY, "not-now") if number == 4 else outcomes.SENT

    handed = route(answer)
    drain()

    assert len(handed) == 4
    assert states(campaign) == {"sent": 3, "skipped": 7}
    assert Chunk.objects.get().state == Chunk.State.DONE
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.CANCELLED


def test_a_worker_that_dies_in_a_cancelled_campaign_still_leaves_its_doubts(make_launched, make_readers, route):
    make_readers(10)
    campaign = make_launched()

    def answer(number, message):
        campaigns.cancel(Campaign.objects.get())
        raise Killed

    route(answer)
    with pytest.raises(Killed):
        drain()
    with later(91):
        drain()

    assert states(campaign) == {"uncertain": 4, "skipped": 6}
    assert Chunk.objects.get().state == Chunk.State.DONE


def test_words_changed_after_the_launch_stop_the_campaign(make_launched, make_readers):
    make_readers(2)
    campaign = make_launched()
    campaign.texts.update(body="Something else")

    drain()

    campaign.refresh_from_db()
    assert mail.outbox == []
    assert (campaign.status, campaign.stopped_because) == (Campaign.Status.PAUSED, "Its words were changed after it was launched.")
    assert states(campaign) == {"pending": 2}


def test_nothing_is_begun_past_the_deadline(make_launched, make_readers, route):
    make_readers(6)
    campaign = make_launched()
    handed = route(lambda number, message: time.sleep(0.3) or outcomes.SENT)

    assert drain(0.5) is True

    assert 1 <= len(handed) <= 3
    assert states(campaign) == {"sent": len(handed), "pending": 6 - len(handed)}
    assert Chunk.objects.get().state == Chunk.State.READY


@pytest.mark.django_db(transaction=True)
def test_two_workers_race_for_chunks_and_nobody_gets_it_twice(make_launched, make_readers, route, monkeypatch):
    monkeypatch.setattr(campaigns, "CHUNK", 7)
    make_readers(100)
    campaign = make_launched()
    handed = route(lambda number, message: outcomes.SENT)
    start = threading.Barrier(3)

    def work():
        start.wait()
        sending.drain(time.monotonic() + 30)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(3)]
    [thread.start() for thread in threads]
    [thread.join(60) for thread in threads]
    drain()

    assert len(handed) == len(set(handed)) == 100
    assert states(campaign) == {"sent": 100}
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.SENT


def test_slots_ring_for_what_a_worker_could_do(make_launched, make_readers, settings, monkeypatch):
    settings.BULK_SLOTS = 2
    monkeypatch.setattr(campaigns, "CHUNK", 2)
    make_readers(10)
    now = timezone.now()
    assert sending.slots_due(now) == 0
    make_launched()
    now = timezone.now()

    assert sending.slots_due(now) == 2
    chunks.claim(now)
    assert sending.slots_due(now) == 1
    chunks.claim(now)
    assert sending.slots_due(now) == 0
    assert sending.slots_due(now + timedelta(seconds=91)) == 2


@pytest.mark.django_db(transaction=True)
def test_cancelled_in_the_middle_of_two_workers_the_books_say_exactly_who_got_it(make_launched, make_readers, route, monkeypatch):
    monkeypatch.setattr(campaigns, "CHUNK", 25)
    make_readers(200)
    campaign = make_launched()
    under_way = threading.Event()

    def answer(number, message):
        if number == 30:
            under_way.set()
        time.sleep(0.002)
        return outcomes.SENT

    handed = route(answer)

    def work():
        sending.drain(time.monotonic() + 30)
        connection.close()

    threads = [threading.Thread(target=work) for _ in range(2)]
    [thread.start() for thread in threads]
    assert under_way.wait(30)
    campaigns.cancel(campaign)
    [thread.join(60) for thread in threads]

    sent = Delivery.objects.filter(state=State.SENT).values_list("subscriber__address", flat=True)
    assert sorted(f"Ana <{address}>" for address in sent) == sorted(handed)
    assert 30 <= len(handed) < 200
    assert states(campaign) == {"sent": len(handed), "skipped": 200 - len(handed)}
    assert not Chunk.objects.exclude(state=Chunk.State.DONE).exists()


def test_a_worker_whose_time_is_up_rings_for_what_the_pace_has_put_off_by_a_moment(make_launched, make_readers):
    make_readers(10)
    make_launched()
    routes.row("bulk")
    Route.objects.filter(stream="bulk").update(per_second=2)
    pace.forget()

    assert sending.drain(time.monotonic() + 0.3) is True

    assert 0 < Delivery.objects.filter(state="sent").count() <= 4
