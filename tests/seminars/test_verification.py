"""The check finds what it is there to find, and nothing where all is well."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from project.mail.models import Message
from seminars.changes import call_off, reschedule
from seminars.models import Registration, SeatPool
from seminars.registration import add_by_phone, cancel
from seminars.verification import findings

pytestmark = pytest.mark.django_db


@pytest.fixture
def busy(make_seminar, register):
    """A seminar at which everything that can happen has happened, and one that was called off."""
    seminar = make_seminar(capacity=3)
    ana = register(seminar, party_size=2)
    register(seminar, "Ben", party_size=2)
    register(seminar, "Cy")
    add_by_phone(seminar, mode="in-person", first_name="Di", last_name="Sample", phone="8135550102", language="en", anyway=True, party_size=2)
    reschedule(seminar, seminar.starts_at + timedelta(days=1), seminar.ends_at + timedelta(days=1))
    register(seminar, "Eve")
    cancel(ana)
    other = make_seminar()
    register(other)
    call_off(other)
    return seminar


def test_nothing_is_off(busy):
    assert list(findings()) == []


def test_seats_that_disagree(busy):
    pool = SeatPool.objects.get(seminar=busy)
    SeatPool.objects.filter(pk=pool.pk).update(waiting=F("waiting") + 1)

    [finding] = findings()

    assert finding.startswith(f"seats {pool.pk}: counts")


def test_registrations_without_seats_to_count_them(busy):
    SeatPool.objects.filter(seminar=busy).delete()

    assert all("which has no seats" in finding for finding in findings())
    assert list(findings()) != []


def test_a_letter_that_was_never_written(busy, register):
    eve = Registration.objects.get(first_name="Eve")
    Registration.objects.filter(pk=eve.pk).update(status="confirmed", waiting_since=None)
    Message.objects.filter(key__startswith=f"registration/{eve.pk}/").delete()

    assert f"registration {eve.pk}: no letter about sequence 0" in list(findings())


def test_a_sequence_that_went_back(busy):
    ben = Registration.objects.get(first_name="Ben")
    Registration.objects.filter(pk=ben.pk).update(sequence=0)

    assert [finding for finding in findings() if f"registration {ben.pk} is at 0" in finding] != []


def test_a_seat_at_a_seminar_that_was_called_off(busy):
    ben = Registration.objects.get(first_name="Ben")
    type(busy).objects.filter(pk=busy.pk).update(status="cancelled", cancelled_at=timezone.now())

    assert f"registration {ben.pk}: active at a seminar that was called off" in list(findings())
