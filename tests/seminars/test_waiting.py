"""The waiting list: who is next, and that nobody waits for ever."""

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from seminars import waiting
from seminars.changes import set_capacity
from seminars.models import Callback, Registration, SeatPool
from seminars.registration import add_by_phone, cancel

Status = Registration.Status


def party(size, passed=0):
    return Registration(party_size=size, passed_over=passed, status=Status.WAITLISTED)


def chosen(sizes, free, capacity=10, passed=()):
    """The indices of those seated, and how often each was passed over then."""
    line = [party(size, count) for size, count in zip(sizes, [*passed, *[0] * len(sizes)], strict=False)]
    seated = waiting.choose(line, free, capacity)
    return [line.index(one) for one in seated], [one.passed_over for one in line]


class TestChoose:
    """Registrations that were never saved are equal only to themselves, so an index says who."""

    def test_the_first_in_line(self):
        assert chosen([1, 1, 1], free=2) == ([0, 1], [0, 0, 0])

    def test_the_oldest_that_fits_and_the_passed_over_keeps_its_place(self):
        assert chosen([4, 1, 2], free=2) == ([1], [1, 0, 0])

    def test_after_three_passes_seats_are_kept(self):
        assert chosen([4, 1, 1], free=3, passed=[3]) == ([], [3, 0, 0])
        assert chosen([4, 1, 1], free=4, passed=[3]) == ([0], [3, 0, 0])

    def test_the_third_pass_of_one_evening_is_the_last(self):
        assert chosen([4, 1, 1, 1, 1], free=3 + 0, passed=[1]) == ([1, 2], [3, 0, 0, 0, 0])

    def test_nothing_is_kept_for_a_party_larger_than_the_room(self):
        assert chosen([4, 1], free=1, capacity=3, passed=[3]) == ([1], [3, 0])

    @given(st.lists(st.integers(1, 4), max_size=12), st.integers(0, 6))
    def test_never_more_than_is_free(self, sizes, free):
        seated, _passed = chosen(sizes, free)

        assert sum(sizes[index] for index in seated) <= free
        assert seated == sorted(seated)


pytestmark = pytest.mark.django_db


def test_a_freed_seat_goes_to_the_first_in_line_with_the_invite(make_seminar, register, pool, deliver):
    seminar = make_seminar(capacity=1)
    ana, ben, cy = register(seminar), register(seminar, "Ben"), register(seminar, "Cy")
    deliver()

    cancel(ana)

    statuses = [Registration.objects.get(pk=one.pk).status for one in (ana, ben, cy)]
    assert statuses == [Status.CANCELLED, Status.CONFIRMED, Status.WAITLISTED]
    letter = deliver()[-1]
    assert letter.to == ["ben@example.org"]
    assert b"METHOD:REQUEST" in letter.attachments[0].content
    assert waiting.place(Registration.objects.get(pk=cy.pk)) == 1


def test_who_has_only_a_phone_is_called(make_seminar, register):
    seminar = make_seminar(capacity=1)
    ana = register(seminar)
    ben = add_by_phone(seminar, mode="in-person", first_name="Ben", last_name="Sample", phone="8135550102", language="es")

    cancel(ana)

    call = Callback.objects.get()
    assert (call.registration, call.reason, call.done_at) == (ben, "seat-free", None)


def test_a_call_is_not_needed_any_more_once_they_cancel(make_seminar, register):
    seminar = make_seminar(capacity=1)
    ana = register(seminar)
    ben = add_by_phone(seminar, mode="in-person", first_name="Ben", last_name="Sample", phone="8135550102", language="es")
    cancel(ana)

    cancel(ben)

    assert Callback.objects.get().outcome == "not-needed"


def test_a_newcomer_takes_a_seat_the_first_in_line_is_too_many_for(make_seminar, register, deliver):
    seminar = make_seminar(capacity=3)
    register(seminar, party_size=2)
    many = register(seminar, "Ben", party_size=2)

    one = register(seminar, "Cy")

    assert (many.status, one.status) == (Status.WAITLISTED, Status.CONFIRMED)
    assert Registration.objects.get(pk=many.pk).passed_over == 1
    assert [letter.to[0] for letter in deliver()] == ["ana@example.org", "ben@example.org", "cy@example.org"]


def test_more_seats_go_to_those_who_wait(make_seminar, register, pool):
    seminar = make_seminar(capacity=1)
    register(seminar)
    waiters = [register(seminar, name) for name in ("Ben", "Cy", "Di")]

    set_capacity(seminar, "in-person", 3)

    assert list(Registration.objects.waiting()) == [waiters[2]]
    assert (pool(seminar).taken, pool(seminar).waiting) == (3, 1)


def test_fewer_seats_take_nobodys_away(make_seminar, register, pool):
    seminar = make_seminar(capacity=4)
    ana = register(seminar, party_size=2)
    register(seminar, "Ben", party_size=2)

    set_capacity(seminar, "in-person", 3)

    assert (pool(seminar).taken, pool(seminar).extra, pool(seminar).expected) == (3, 1, 4)
    cancel(ana)
    assert (pool(seminar).taken, pool(seminar).extra) == (2, 0)


@pytest.mark.parametrize(("place", "words"), [(1, "first"), (2, "second"), (3, "third"), (12, "number 12")])
def test_the_place_in_words(place, words):
    assert waiting.place_words(place) == f"You are {words} in line."


STEPS = st.lists(st.tuples(st.sampled_from(["come", "come", "cancel", "resize"]), st.integers(0, 30), st.integers(1, 4)), max_size=25)


@hypothesis_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS)
def test_whatever_happens_the_sums_agree_and_seats_are_not_left_empty(make_seminar, register, steps):
    seminar = make_seminar(capacity=5)
    came = []

    for kind, which, size in steps:
        if kind == "come" and size <= pool_of(seminar).capacity:
            came.append(register(seminar, f"Ana{'x' * len(came)}", party_size=size))
        elif kind == "cancel" and came:
            cancel(came[which % len(came)])
        elif kind == "resize":
            set_capacity(seminar, "in-person", which % 8 + 1)
        check(pool_of(seminar))


def pool_of(seminar):
    return SeatPool.objects.get(seminar=seminar)


def check(pool):
    active = list(Registration.objects.filter(seminar=pool.seminar_id).active())
    seated = sum(one.party_size for one in active if one.status == Status.CONFIRMED)
    line = [one for one in Registration.objects.filter(seminar=pool.seminar_id).waiting() if one.party_size <= pool.capacity]
    assert pool.taken + pool.extra == seated
    assert pool.extra == max(0, seated - pool.capacity)
    assert pool.waiting == sum(one.party_size for one in active if one.status == Status.WAITLISTED)
    # Whoever comes first in line is too many for what is free; whoever else fits stands behind somebody seats are kept for.
    free = pool.capacity - pool.taken
    kept = False
    for one in line:
        assert one.party_size > free or kept
        kept = kept or one.passed_over >= waiting.PATIENCE
    assert all(one.passed_over <= waiting.PATIENCE for one in line)


def test_a_large_party_is_seated_in_the_end(make_seminar, register):
    """Single people come and go all the time; four who want to sit together get their seats after three were let through."""
    seminar = make_seminar(capacity=4)
    singles = [register(seminar, f"Ana{'x' * n}") for n in range(4)]
    four = register(seminar, "Four", party_size=4)

    for n in range(4, 40):
        singles.append(register(seminar, f"Ana{'x' * n}"))
        cancel(next(one for one in singles if Registration.objects.get(pk=one.pk).status == Status.CONFIRMED))
        if Registration.objects.get(pk=four.pk).status == Status.CONFIRMED:
            break

    assert Registration.objects.get(pk=four.pk).status == Status.CONFIRMED
    assert n == 4 + waiting.PATIENCE + 3
