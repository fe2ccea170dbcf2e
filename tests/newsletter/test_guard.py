"""A campaign that harms the practice's name stops by itself, says so, and goes on when a person has seen why."""

import itertools
import threading

import pytest
from anymail.signals import AnymailTrackingEvent, EventType
from django.db import connection
from django.db.models import Count
from django.utils import timezone

from newsletter import campaigns, guard
from newsletter.models import Campaign, Delivery
from project.mail import events, routes
from project.mail.outcomes import SENT, Outcome, Verdict

pytestmark = pytest.mark.django_db
State, Status = Delivery.State, Campaign.Status


@pytest.fixture(autouse=True)
def _look_at_once(monkeypatch):
    monkeypatch.setattr(guard, "_EVERY", -1.0)
    monkeypatch.setattr(guard, "_SHARE", 0)
    guard.look_again()


@pytest.fixture
def sent(make_readers, make_launched):
    """`sent(300, bounced=16, complained=1)`: a campaign with so many results, and one letter that still waits."""

    def sent(results, **returned):
        make_readers(results + 1)
        campaign = make_launched()
        come_in(campaign, results, **returned)
        return campaign

    return sent


def come_in(campaign, results, bounced=0, complained=0):
    pks = list(campaign.deliveries.filter(state=State.PENDING).order_by("pk").values_list("pk", flat=True)[:results])
    Delivery.objects.filter(pk__in=pks).update(state=State.SENT, settled_at=timezone.now())
    Delivery.objects.filter(pk__in=pks[:bounced]).update(state=State.FAILED, reason="no-such-address")
    Delivery.objects.filter(pk__in=pks[bounced : bounced + complained]).update(reason="complained")


@pytest.mark.parametrize(
    ("results", "returned", "stops"),
    [
        (220, {"bounced": 11}, False),  # 5 %, and not over it
        (220, {"bounced": 12}, True),
        (199, {"bounced": 199}, False),  # too few to tell
        (200, {"bounced": 11}, True),
        (200, {"complained": 1}, True),
        (1000, {"complained": 1}, False),  # 0.1 %, and not over it
        (999, {"complained": 1}, True),
        (300, {}, False),
    ],
)
def test_it_stops_at_the_figures_mailbox_providers_judge_by(sent, results, returned, stops):
    campaign = sent(results, **returned)

    assert guard.look(campaign.pk) is stops

    campaign.refresh_from_db()
    assert campaign.status == (Status.PAUSED if stops else Status.SENDING)


def test_soft_bounces_and_refusals_are_no_reason(sent):
    campaign = sent(300)
    campaign.deliveries.filter(state=State.SENT).update(state=State.FAILED, reason="bounced")

    assert not guard.look(campaign.pk)


def test_it_says_why_with_the_figures(sent):
    campaign = sent(240, bounced=13)
    guard.look(campaign.pk)

    campaign.refresh_from_db()

    assert campaign.stopped_because == "Stopped by itself: of 240 letters 13 came back because the address does not exist."
    assert campaign.guarded_at


def test_nothing_more_leaves_until_somebody_resumes(sent, deliver):
    campaign = sent(200, bounced=11)
    guard.look(campaign.pk)

    assert deliver() == []

    campaign.refresh_from_db()
    campaigns.resume(campaign)
    assert len(deliver()) == 1


def test_what_a_person_has_let_pass_stops_it_no_more(make_readers, make_launched):
    make_readers(700)
    campaign = make_launched()
    come_in(campaign, 200, bounced=20)
    assert guard.look(campaign.pk)
    campaigns.resume(campaign)  # as it was before the guard stopped it: the page may have been open for long

    come_in(campaign, 199, bounced=20)
    assert not guard.look(campaign.pk)
    come_in(campaign, 100, bounced=0)
    assert guard.look(campaign.pk)  # 20 more of 299 more

    campaign.refresh_from_db()
    assert campaign.stopped_because.startswith("Stopped by itself: of 299 letters 20 came back")


def test_a_person_who_paused_it_has_let_nothing_pass(sent):
    campaign = sent(200, bounced=20)
    campaigns.pause(campaign)
    campaigns.resume(campaign)

    assert guard.look(campaign.pk)


def test_a_look_that_began_before_somebody_resumed_stops_nothing(sent):
    campaign = sent(200, bounced=20)
    as_seen_then = Campaign.objects.get()
    guard.look(campaign.pk)
    campaigns.resume(campaign)

    assert not guard._stop(as_seen_then, 200, 20, 0)
    assert Campaign.objects.get().status == Status.SENDING


def tell(delivery, event_type, number, **esp_event):
    told = AnymailTrackingEvent(
        event_type=event_type,
        timestamp=timezone.now(),
        event_id=f"guard-{number}",
        esp_event=esp_event,
        recipient=delivery.subscriber.address,
        metadata={"letter": delivery.public_id},
    )
    events.take("postmark", told)


def test_complaints_told_by_the_provider_count(sent, django_capture_on_commit_callbacks):
    campaign = sent(200)
    delivery = campaign.deliveries.filter(state=State.SENT).first()

    with django_capture_on_commit_callbacks(execute=True):
        tell(delivery, EventType.COMPLAINED, 1)
        tell(delivery, EventType.COMPLAINED, 2)  # told twice is one reader

    delivery.refresh_from_db()
    assert (delivery.state, delivery.reason) == (State.SENT, "complained")
    assert guard.figures(campaign.pk) == (200, 0, 1)
    assert Campaign.objects.get().status == Status.PAUSED


def test_hard_bounces_told_by_the_provider_count_and_soft_ones_do_not(sent, django_capture_on_commit_callbacks):
    campaign = sent(200)
    first, *others = campaign.deliveries.filter(state=State.SENT).select_related("subscriber")[:11]

    with django_capture_on_commit_callbacks(execute=True):
        tell(first, EventType.BOUNCED, "soft", Type="SoftBounce")
        for number, delivery in enumerate(others):
            tell(delivery, EventType.BOUNCED, number, Type="HardBounce")
    assert Campaign.objects.get().status == Status.SENDING

    with django_capture_on_commit_callbacks(execute=True):
        tell(first, EventType.BOUNCED, "hard", Type="HardBounce")
    assert Campaign.objects.get().status == Status.PAUSED


def test_looking_is_cheap_where_all_is_well(sent, django_assert_num_queries, monkeypatch):
    campaign = sent(20)

    with django_assert_num_queries(1):
        guard.look(campaign.pk)
    monkeypatch.setattr(guard, "_EVERY", 60.0)
    guard.look(campaign.pk)
    with django_assert_num_queries(0):
        [guard.look(campaign.pk) for _turn in range(guard._TURNS - 1)]
    with django_assert_num_queries(1):  # however fast letters leave
        guard.look(campaign.pk)


def test_a_look_that_takes_long_is_not_repeated_soon(sent, django_assert_num_queries, monkeypatch):
    campaign = sent(20)
    monkeypatch.setattr(guard, "_SHARE", 1_000_000)
    guard.look(campaign.pk)

    with django_assert_num_queries(0):
        [guard.look(campaign.pk) for _turn in range(50)]


@pytest.mark.django_db(transaction=True)
def test_of_many_workers_one_stops_it(sent):
    campaign = sent(200, bounced=20)
    stopped, start = [], threading.Barrier(6)

    def worker():
        try:
            start.wait(10)
            guard.look_again()
            if guard.look(campaign.pk):
                stopped.append(1)
        finally:
            connection.close()

    threads = [threading.Thread(target=worker) for _n in range(6)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]

    assert stopped == [1]


def test_a_storm_of_dead_addresses_stops_it_while_it_is_sent(make_readers, make_launched, deliver, monkeypatch, settings):
    settings.BULK_WINDOW = 20
    monkeypatch.setattr(guard, "_EVERY", 60.0)  # it is noticed by turns, too
    make_readers(600)
    campaign = make_launched()
    answers = itertools.cycle([Outcome(Verdict.BOUNCED, "no-such-address", "550 5.1.1 no such user"), *[SENT] * 9])
    monkeypatch.setattr(routes, "attempt", lambda stream, message: next(answers))

    deliver()

    campaign.refresh_from_db()
    states = dict(campaign.deliveries.order_by().values_list("state").annotate(Count("pk")))
    assert campaign.status == Status.PAUSED
    assert "came back because the address does not exist" in campaign.stopped_because
    assert states["pending"] >= 150  # two looks after 200 at the latest, not at the end
    assert sum(states.values()) == 600
