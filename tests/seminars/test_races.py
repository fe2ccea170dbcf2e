"""Many people press at once. Each test is run again without the protection, to show that it would notice."""

import contextlib
import threading
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import connection

from project.mail.models import Message
from seminars import registration
from seminars.changes import call_off, reschedule
from seminars.models import Registration, SeatPool
from seminars.refusals import RegistrationClosed
from seminars.registration import cancel

pytestmark = pytest.mark.django_db(transaction=True)

Status = Registration.Status


def at_once(threads, work):
    """`work(n)` in so many threads that start together; what each returned or raised."""
    barrier, results = threading.Barrier(threads), [None] * threads

    def run(n):
        barrier.wait()
        try:
            results[n] = work(n)
        except Exception as error:  # noqa: BLE001  the test looks at it
            results[n] = error
        finally:
            connection.close()

    workers = [threading.Thread(target=run, args=[n]) for n in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(60)
    return results


def sold(seminar):
    return sum(Registration.objects.confirmed().filter(seminar=seminar).values_list("party_size", flat=True))


def letters(n):
    return f"{chr(97 + n // 26)}{chr(97 + n % 26)}"


@pytest.fixture
def press(register):
    """One press of the button by person `n`."""
    return lambda seminar, n, **fields: register(seminar, f"Ana{letters(n)}", **fields)


def test_forty_people_and_ten_seats(make_seminar, press, pool):
    seminar = make_seminar(capacity=10)

    results = at_once(40, lambda n: press(seminar, n))

    assert [result for result in results if isinstance(result, Exception)] == []
    assert sold(seminar) == 10
    assert (pool(seminar).taken, pool(seminar).waiting) == (10, 30)
    assert [result.status for result in results].count(Status.CONFIRMED) == 10


def test_control_looking_before_taking_oversells(make_seminar, press, monkeypatch):
    """The same forty with the usual “look, then write” and no transaction. The barrier does what a busy evening does by itself."""
    seminar, looked = make_seminar(capacity=10), threading.Barrier(40)

    def look_then_write(pools, n, **_ways):
        pool = pools.get()
        looked.wait(60)
        return pool.taken + n <= pool.capacity and bool(pools.update(taken=pool.taken + n))

    monkeypatch.setattr(type(SeatPool.objects.all()), "take", look_then_write)
    monkeypatch.setattr(type(SeatPool.objects.all()), "lock", lambda pools: list(pools))
    monkeypatch.setattr(registration, "transaction", SimpleNamespace(atomic=contextlib.nullcontext))

    at_once(40, lambda n: press(seminar, n))

    assert sold(seminar) > 10


def test_eight_presses_of_one_button(seminar, register, pool):
    results = at_once(8, lambda n: register(seminar, nonce="n1", party_size=2))

    assert len({result.pk for result in results}) == 1
    assert (pool(seminar).taken, pool(seminar).waiting) == (2, 0)
    assert Message.objects.count() == 1


def test_eight_presses_for_the_last_seat(make_seminar, register, pool):
    """The press that comes second finds the room full, and must not put its own person on the waiting list."""
    seminar = make_seminar(capacity=1)

    results = at_once(8, lambda n: register(seminar, nonce="n1"))

    assert {result.status for result in results} == {Status.CONFIRMED}
    assert (pool(seminar).taken, pool(seminar).waiting) == (1, 0)


def test_control_without_the_unique_constraints_a_person_registers_twice(seminar, register, monkeypatch, unconstrained):
    looked, look = threading.Barrier(8), registration._existing

    def look_and_wait(*args):
        found = look(*args)
        looked.wait(60)
        return found

    monkeypatch.setattr(registration, "_existing", look_and_wait)

    at_once(8, lambda n: register(seminar, nonce="n1"))

    assert Registration.objects.count() > 1


def test_eight_parties_of_one_mailbox_press_at_once_and_two_are_entered(make_seminar, press):
    """By both ways to attend, whose seats are counted apart."""
    seminar = make_seminar(capacity=40, format="hybrid")

    results = at_once(8, lambda n: press(seminar, n, email="home@example.org", mode=seminar.modes[n % 2]))

    assert [result for result in results if isinstance(result, Exception)] == []
    assert (Registration.objects.count(), results.count(None)) == (2, 6)


def test_control_counting_a_contacts_parties_without_holding_the_seats_enters_too_many(make_seminar, press, monkeypatch):
    seminar = make_seminar(capacity=40, format="hybrid")
    counted, count = threading.Barrier(8), registration._has_enough

    def count_and_wait(*args):
        found = count(*args)
        counted.wait(60)
        return found

    monkeypatch.setattr(registration, "_has_enough", count_and_wait)
    monkeypatch.setattr(type(SeatPool.objects.all()), "lock", lambda pools: list(pools))
    monkeypatch.setattr(registration, "transaction", SimpleNamespace(atomic=contextlib.nullcontext))

    at_once(8, lambda n: press(seminar, n, email="home@example.org", mode=seminar.modes[n % 2]))

    assert Registration.objects.count() > 2


def test_a_newcomer_and_somebody_registered_press_for_the_last_seat(make_seminar, press, register, pool):
    """Whoever is first: nobody is left waiting for a seat that is only held."""
    seminar = make_seminar(capacity=2)
    register(seminar)

    results = at_once(8, lambda n: press(seminar, 1) if n == 4 else register(seminar))

    assert results[4].status == Status.CONFIRMED
    assert (pool(seminar).taken, pool(seminar).waiting) == (2, 0)


@pytest.fixture
def unconstrained():
    """Registrations without the constraints that keep a person from registering twice."""
    taken_out = [one for one in Registration._meta.constraints if one.name in {"registration_person_once", "registration_form_once"}]
    with connection.schema_editor() as editor:
        for constraint in taken_out:
            editor.remove_constraint(Registration, constraint)
    yield
    Message.objects.all().delete()
    Registration.objects.all().delete()
    with connection.schema_editor() as editor:
        for constraint in taken_out:
            editor.add_constraint(Registration, constraint)


def test_the_same_person_cancels_in_eight_tabs(seminar, register, pool):
    ana = register(seminar, party_size=2)

    at_once(8, lambda n: cancel(ana))

    assert pool(seminar).taken == 0
    assert Registration.objects.get().sequence == 1


def test_ten_cancel_while_twenty_wait_and_ten_more_come(make_seminar, press, pool):
    seminar = make_seminar(capacity=10)
    seated = [press(seminar, n) for n in range(10)]
    waiting = [press(seminar, n) for n in range(10, 30)]

    results = at_once(20, lambda n: cancel(seated[n]) if n < 10 else press(seminar, 100 + n))

    assert [result for result in results if isinstance(result, Exception)] == []
    assert set(Registration.objects.confirmed()) == set(waiting[:10])
    assert (pool(seminar).taken, pool(seminar).waiting) == (10, 20)


def test_nobody_keeps_a_seat_at_a_seminar_called_off_meanwhile(make_seminar, press, pool):
    seminar = make_seminar(capacity=10)

    results = at_once(12, lambda n: call_off(seminar) if n == 5 else press(seminar, n))

    assert {type(result) for result in results if isinstance(result, Exception)} <= {RegistrationClosed}
    assert not Registration.objects.active().exists()
    assert (pool(seminar).taken, pool(seminar).waiting) == (0, 0)


def test_moving_while_people_register_leaves_nobody_with_the_old_time(make_seminar, press):
    seminar = make_seminar(capacity=30)
    later = timedelta(hours=1)

    at_once(12, lambda n: reschedule(seminar, seminar.starts_at + later, seminar.ends_at + later) if n == 5 else press(seminar, n))

    assert Registration.objects.count() == 11
    for one in Registration.objects.all():
        assert Message.objects.filter(key=f"registration/{one.pk}/changed/1").exists() == (one.sequence == 1)
