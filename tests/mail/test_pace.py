"""Never faster than a route may: any number of workers, any order, any clock."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
from django.db import connection
from hypothesis import given, settings
from hypothesis import strategies as st

from project.mail import pace, routes
from project.mail.models import Route
from project.mail.outcomes import Outcome, Verdict
from project.practice.models import Practice

NOON = datetime(2026, 12, 3, 17, tzinfo=UTC)  # at the practice, on Eastern Time
MIDNIGHT = datetime(2026, 12, 4, 5, tzinfo=UTC)

SLEEPY = dict.fromkeys(pace._COLUMNS) | {"day_count": 0}


@pytest.fixture
def limit(db):
    """`limit(per_second=10)` sets the newsletters' route."""

    def limit(**limits):
        Practice.current()
        routes.row("bulk")
        Route.objects.filter(stream="bulk").update(**limits)
        pace.forget()

    return limit


def seconds(number):
    return timedelta(seconds=number)


def test_without_limits_all_is_granted_and_nothing_is_asked_of_the_database(limit, django_assert_num_queries):
    limit()
    assert pace.take("bulk", 48, NOON) == pace.Grant(48)

    with django_assert_num_queries(0):
        assert pace.take("bulk", 1000, NOON) == pace.Grant(1000)


def test_a_grant_costs_one_look_and_one_update(limit, django_assert_num_queries):
    limit(per_second=10)
    pace.take("bulk", 1, NOON)

    with django_assert_num_queries(2):
        pace.take("bulk", 1, NOON)


def test_the_rate_is_given_out_by_the_second_and_again_when_half_of_it_is_back(limit):
    limit(per_second=10)

    first = pace.take("bulk", 48, NOON)
    second = pace.take("bulk", 48, NOON)

    assert first == pace.Grant(10, NOON + seconds(0.5))
    assert second == pace.Grant(0, NOON + seconds(0.5))
    assert pace.take("bulk", 3, first.again_at) == pace.Grant(3)


@pytest.mark.parametrize("rate", [0.5, 2, 60])
def test_who_comes_a_little_late_each_time_loses_nothing(limit, rate):
    limit(per_second=rate)
    now, granted = NOON, 0
    while now < NOON + seconds(60):
        grant = pace.take("bulk", 48, now)
        granted += grant.count
        now = (grant.again_at or now) + seconds(0.35 if grant.again_at else 0.01)

    assert granted == pytest.approx(60 * rate, rel=0.03, abs=3)


def test_a_slow_rate_is_one_letter_after_the_other(limit):
    limit(per_second=0.5)

    granted = [pace.take("bulk", 48, NOON + seconds(n)).count for n in range(9)]

    assert granted == [2, 0, 1, 0, 1, 0, 1, 0, 1]


def test_asking_again_when_told_reaches_the_rate_and_no_more(limit):
    limit(per_second=7)
    now, granted = NOON, 0
    while now < NOON + seconds(60):
        grant = pace.take("bulk", 48, now)
        granted += grant.count
        now = grant.again_at

    assert granted == pytest.approx(420, abs=7)


def test_a_day_ends_at_midnight_at_the_practice(limit):
    limit(per_day=100)

    assert pace.take("bulk", 60, NOON) == pace.Grant(60)
    assert pace.take("bulk", 60, NOON) == pace.Grant(40, MIDNIGHT)
    assert pace.take("bulk", 60, MIDNIGHT - seconds(1)) == pace.Grant(0, MIDNIGHT)
    assert pace.take("bulk", 60, MIDNIGHT) == pace.Grant(60)


def test_a_clock_set_back_over_midnight_gives_no_day_twice(limit):
    limit(per_day=100)
    pace.take("bulk", 100, NOON)
    pace.take("bulk", 100, MIDNIGHT)

    assert pace.take("bulk", 1, MIDNIGHT - seconds(60)).count == 0


def test_a_clock_set_back_an_hour_stops_nothing_for_an_hour(limit):
    limit(per_second=10)
    pace.take("bulk", 48, NOON)

    earlier = NOON - timedelta(hours=1)

    assert pace.take("bulk", 48, earlier) == pace.Grant(10, earlier + seconds(0.5))
    assert pace.take("bulk", 48, earlier).count == 0


def test_a_machine_whose_clock_is_a_little_behind_gets_nothing_more(limit):
    limit(per_second=10)
    pace.take("bulk", 48, NOON)

    assert pace.take("bulk", 48, NOON - seconds(20)) == pace.Grant(0, NOON + seconds(0.5))


def test_a_clock_set_forward_gives_no_more_than_one_bucket(limit):
    limit(per_second=10)
    pace.take("bulk", 48, NOON)

    assert pace.take("bulk", 48, NOON + timedelta(hours=1)).count == 10


@pytest.mark.parametrize(
    ("day", "cap"),
    [(date(2026, 12, 4), None), (date(2026, 12, 3), 50), (date(2026, 12, 1), 200), (date(2026, 11, 20), 409_600), (date(2026, 11, 19), None)],
)
def test_a_new_sender_starts_low_and_doubles_for_two_weeks(limit, day, cap):
    limit(warm_up_from=day)

    assert pace.of("bulk", NOON).per_day == cap


def test_the_lower_of_two_daily_limits_holds(limit):
    limit(warm_up_from=date(2026, 12, 1), per_day=120)

    assert pace.take("bulk", 500, NOON) == pace.Grant(120, MIDNIGHT)


def test_what_was_not_begun_can_be_given_back(limit):
    limit(per_second=10, per_day=100)
    pace.take("bulk", 10, NOON)

    pace.give_back("bulk", 4, NOON)

    assert pace.of("bulk", NOON).today == 6
    assert pace.take("bulk", 48, NOON).count == 4


def test_yesterdays_are_not_given_back_to_today(limit):
    limit(per_day=100)
    pace.take("bulk", 5, NOON)
    pace.take("bulk", 100, MIDNIGHT)

    pace.give_back("bulk", 200, MIDNIGHT)
    pace.give_back("bulk", 5, NOON)

    assert pace.of("bulk", MIDNIGHT).today == 0


@pytest.mark.parametrize(
    ("outcome", "rate"),
    [
        (Outcome(Verdict.LATER, "busy", "429", wait=seconds(30)), 5),
        (Outcome(Verdict.LATER, "connect-refused", "421 too many connections"), 5),
        (Outcome(Verdict.LATER, "connection-broken"), 10),
        (Outcome(Verdict.SENT), 10),
    ],
)
def test_who_is_asked_for_time_goes_on_at_half_the_rate_for_a_while(limit, outcome, rate):
    limit(per_second=10)
    now = routes.timezone.now()

    routes.note("bulk", outcome)

    assert pace.of("bulk", now + seconds(60)).per_second == rate
    assert pace.of("bulk", now + timedelta(minutes=30)).per_second == 10


@pytest.mark.parametrize(
    ("limits", "count", "end"),
    [
        ({}, 1_000_000, NOON),
        ({"per_second": 10}, 72_000, NOON + timedelta(hours=2)),
        ({"per_day": 100}, 250, MIDNIGHT + timedelta(days=1)),
        ({"per_day": 100, "day": date(2026, 12, 3), "day_count": 100}, 100, MIDNIGHT),
        ({"warm_up_from": date(2026, 12, 3)}, 51, MIDNIGHT),
        ({"per_second": 1, "per_day": 100}, 150, MIDNIGHT + seconds(50)),
    ],
)
def test_how_long_it_takes(limit, limits, count, end):
    limit(**limits)

    assert pace.done_by("bulk", count, NOON) == end


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("limits", [{"per_second": 20}, {"per_day": 20}])
def test_many_workers_at_once_take_no_more_than_there_is(limits):
    Practice.current()
    routes.row("bulk")
    Route.objects.filter(stream="bulk").update(**limits)
    pace.forget()
    start = Barrier(8)

    def worker(_n):
        try:
            start.wait(10)
            return sum(pace.take("bulk", 3, NOON).count for _time in range(10))
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        granted = sum(pool.map(worker, range(8)))

    assert granted == 20


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(
    rate=st.floats(0.05, 500),
    asks=st.lists(st.tuples(st.floats(0, 3), st.integers(1, 200)), min_size=1, max_size=60),
)
def test_in_any_stretch_of_time_no_more_leave_than_the_rate_and_one_bucket(rate, asks):
    seen, now, taken = SLEEPY | {"per_second": rate}, NOON, []
    for wait, wanted in asks:
        now += seconds(wait)
        grant, after = pace._reckon(seen, wanted, now)
        assert 0 <= grant.count <= wanted
        if grant.count < wanted:
            assert grant.again_at > now
            assert pace._reckon(seen | after, wanted, grant.again_at)[0].count >= 1
        seen |= after
        taken.append((now, grant.count))

    for first in range(len(taken)):
        total = 0
        for at, count in taken[first:]:
            total += count
            assert total <= rate * (at - taken[first][0]).total_seconds() + max(rate, 2) + 0.01


@pytest.mark.django_db
@settings(max_examples=60, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(-26 * 3600, 26 * 3600), st.integers(1, 90)), min_size=1, max_size=40))
def test_whatever_the_clock_does_a_day_counted_never_passes_its_limit(steps):
    seen, now, by_day = SLEEPY | {"per_day": 100}, NOON, {}
    for jump, wanted in steps:
        now += seconds(jump)
        grant, after = pace._reckon(seen, wanted, now)
        assert after.get("day_count", 0) <= 100
        if grant.count:
            by_day[after["day"]] = by_day.get(after["day"], 0) + grant.count
        seen |= after

    if all(jump >= 0 for jump, _wanted in steps):
        assert max(by_day.values(), default=0) <= 100
