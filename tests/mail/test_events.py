"""What providers tell: stored once, applied in any order to the same end."""

import threading
from concurrent.futures import ThreadPoolExecutor, wait
from datetime import UTC, datetime, timedelta

import pytest
from anymail.signals import AnymailTrackingEvent
from django.db import connection
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from project.mail import events, sending
from project.mail.addresses import address_hash
from project.mail.models import Event, Message, Suppression
from project.mail.outcomes import Outcome, Verdict

pytestmark = pytest.mark.django_db

State = Message.State
ANA = "ana@example.org"


def told(kind="delivered", *, letter="", message_id="", event_id=None, recipient=ANA, raw=None, reject_reason=None):
    return AnymailTrackingEvent(
        event_type=kind,
        timestamp=datetime(2026, 11, 1, 12, tzinfo=UTC),
        event_id=event_id,
        esp_event=raw or {},
        recipient=recipient,
        message_id=message_id,
        metadata={"letter": letter} if letter else {},
        reject_reason=reject_reason,
    )


HARD = {"bounce": {"bounceType": "Permanent"}}
SOFT = {"bounce": {"bounceType": "Transient"}}


@pytest.fixture
def letter_that(greetings):
    """`letter_that(verdict)`: a letter handed over with that verdict."""

    def letter_that(*verdicts, n=1):
        greetings.post(n)
        for verdict in verdicts:
            Message.objects.update(due_at=timezone.now())
            letter = sending.claim(greetings.letter(n).pk, timezone.now())
            sending.record(letter, Outcome(verdict, provider_id=f"p-{n}" if verdict is Verdict.SENT else ""))
        return greetings.letter(n)

    return letter_that


def state_of(letter):
    letter.refresh_from_db()
    return letter.state


# -- Stored once -------------------------------------------------------------------------------------------------------------------------


def test_an_event_told_twice_is_stored_once():
    assert [events.take("ses", told(event_id="1")), events.take("ses", told(event_id="1"))] == [True, False]
    assert Event.objects.count() == 1


def test_one_id_for_several_recipients_is_several_events():
    for recipient in (ANA, "bo@example.org"):
        assert events.take("ses", told(event_id="1", recipient=recipient)) is True


def test_without_an_id_the_payload_tells_events_apart():
    taken = [events.take("postmark", told(raw={"at": at})) for at in (1, 2, 1)]

    assert taken == [True, True, False]


def test_no_address_is_stored_but_its_hash():
    events.take("ses", told())

    assert Event.objects.get().address_hash == address_hash(ANA)


# -- What follows ------------------------------------------------------------------------------------------------------------------------


def test_a_doubtful_letter_that_arrived_is_sent_and_its_owner_told(letter_that, greetings):
    letter = letter_that(Verdict.UNCERTAIN, Verdict.UNCERTAIN)

    events.take("ses", told("delivered", letter=letter.public_id))

    assert state_of(letter) == State.SENT
    assert greetings.settled[-1] == (1, "sent", "")


def test_a_doubtful_letter_waiting_for_its_second_try_needs_none_once_it_arrived(letter_that, deliver):
    letter = letter_that(Verdict.UNCERTAIN)
    events.take("ses", told("delivered", letter=letter.public_id))
    Message.objects.update(due_at=timezone.now())

    assert deliver() == []
    assert state_of(letter) == State.SENT


def test_news_that_came_before_the_answer_counts(greetings):
    greetings.post()
    letter = sending.claim(greetings.letter().pk, timezone.now())
    events.take("ses", told("delivered", letter=letter.public_id))

    sending.record(letter, Outcome(Verdict.UNCERTAIN, "no-answer"))

    assert state_of(letter) == State.SENT


def test_news_that_came_before_the_worker_died_spares_the_second_try(greetings, deliver):
    greetings.post()
    letter = sending.claim(greetings.letter().pk, timezone.now())
    events.take("ses", told("delivered", letter=letter.public_id))
    Message.objects.update(lease_until=timezone.now() - timedelta(seconds=1))

    assert deliver() == []
    assert state_of(letter) == State.SENT
    assert greetings.settled == [(1, "sent", "")]


@pytest.mark.django_db(transaction=True)
def test_news_told_while_the_answer_is_written_down_counts(greetings, monkeypatch):
    """Two transactions: whichever comes second must see what the first has written."""
    greetings.post()
    letter = sending.claim(greetings.letter().pk, timezone.now())
    applied, go_on = threading.Event(), threading.Event()
    monkeypatch.setattr(events, "_listeners", [lambda event: (applied.set(), go_on.wait(10))])

    def apart(act, *arguments):
        try:
            act(*arguments)
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        news = pool.submit(apart, events.take, "ses", told("bounced", letter=letter.public_id))
        assert applied.wait(10)
        record = pool.submit(apart, sending.record, letter, Outcome(Verdict.SENT))
        wait([record], timeout=0.3)
        go_on.set()
        news.result(10), record.result(10)

    assert state_of(letter) == State.FAILED


def test_a_sent_letter_that_came_back_failed_and_its_owner_is_told(letter_that, greetings):
    letter = letter_that(Verdict.SENT)

    events.take("ses", told("bounced", letter=letter.public_id, raw=SOFT))

    assert (state_of(letter), letter.reason) == (State.FAILED, "bounced")
    assert greetings.settled == [(1, "sent", ""), (1, "failed", "bounced")]


def test_a_letter_is_found_by_its_providers_id_too(letter_that):
    letter = letter_that(Verdict.SENT)

    events.take("postal", told("bounced", message_id="p-1"))

    assert state_of(letter) == State.FAILED


def test_somebody_elses_bounce_with_our_letters_id_changes_nothing(letter_that):
    letter = letter_that(Verdict.SENT)

    events.take("ses", told("bounced", letter=letter.public_id, recipient="mallory@example.org"))

    assert state_of(letter) == State.SENT


def test_sent_again_by_hand_the_old_bounce_is_no_news(letter_that, deliver):
    letter = letter_that(Verdict.SENT)
    events.take("ses", told("bounced", letter=letter.public_id, raw=SOFT))

    sending.send_again(letter.pk)
    deliver()

    assert state_of(letter) == State.SENT


@pytest.mark.parametrize(
    ("provider", "kind", "raw", "reason", "scopes"),
    [
        ("ses", "bounced", HARD, "bounced", ["all"]),
        ("ses", "bounced", SOFT, "bounced", []),
        ("brevo", "bounced", {"event": "hard_bounce"}, "bounced", ["all"]),
        ("brevo", "bounced", {"event": "soft_bounce"}, "bounced", []),
        ("postmark", "bounced", {"Type": "HardBounce"}, "bounced", ["all"]),
        ("postmark", "bounced", {"Type": "SoftBounce"}, "bounced", []),
        ("mandrill", "bounced", {"event": "soft_bounce"}, "bounced", []),
        ("sendgrid", "bounced", {"type": "blocked"}, "bounced", []),
        ("resend", "bounced", {"data": {"bounce": {"type": "Permanent"}}}, "bounced", ["all"]),
        ("ses", "complained", {}, "spam", ["marketing"]),
        ("mailgun", "rejected", {}, "bounced", ["all"]),
        ("mailgun", "rejected", {}, "spam", ["marketing"]),
        ("ses", "unsubscribed", {}, None, []),
        ("ses", "deferred", {}, None, []),
        ("ses", "opened", {}, None, []),
    ],
)
def test_whom_we_must_not_write_to_any_more(provider, kind, raw, reason, scopes):
    events.take(provider, told(kind, raw=raw, reject_reason=reason))

    assert list(Suppression.objects.values_list("scope", flat=True)) == scopes


def test_listeners_hear_each_event_once_with_the_id_their_letter_carried(monkeypatch):
    heard = []
    monkeypatch.setattr(events, "_listeners", [heard.append])
    for _ in range(2):
        events.take("ses", told("complained", letter="d-77", event_id="1"))

    assert [(event.letter, event.type) for event in heard] == [("d-77", "complained")]
    assert Event.objects.filter(letter="d-77").count() == 1


def test_a_listener_that_fails_keeps_the_event_from_being_known_so_that_it_is_told_again(monkeypatch):
    monkeypatch.setattr(events, "_listeners", [lambda event: 1 / 0])

    with pytest.raises(ZeroDivisionError):
        events.take("ses", told("complained"))

    assert not Event.objects.exists()
    assert not Suppression.objects.exists()


_KINDS = st.sampled_from(
    [("queued", {}), ("sent", {}), ("deferred", {}), ("delivered", {}), ("bounced", HARD), ("bounced", SOFT), ("complained", {})]
)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data(), story=st.lists(_KINDS, min_size=1, max_size=5), doubtful=st.booleans())
def test_any_order_with_repeats_ends_the_same(letter_that, data, story, doubtful):
    numbered = list(enumerate(story))
    ends = []
    for order in (numbered, data.draw(st.permutations(numbered + numbered[:2]))):
        Message.objects.all().delete()
        Event.objects.all().delete()
        Suppression.objects.all().delete()
        letter = letter_that(*([Verdict.UNCERTAIN] * 2 if doubtful else [Verdict.SENT]))
        for number, (kind, raw) in order:
            events.take("ses", told(kind, letter=letter.public_id, event_id=str(number), raw=raw))
        ends.append((state_of(letter), letter.reason, sorted(Suppression.objects.values_list("scope", "reason"))))

    assert ends[0] == ends[1]


def test_raw_payloads_are_forgotten_after_a_month_a_few_at_a_time():
    for number in range(3):
        events.take("ses", told(event_id=str(number), raw={"to": ANA}))
    later = timezone.now() + timedelta(days=31)

    assert events.purge(timezone.now()) == 0
    assert [events.purge_due(later), events.purge(later, limit=2), events.purge(later), events.purge_due(later)] == [1, 2, 1, 0]
    assert Event.objects.filter(raw__isnull=True).count() == 3
