"""Register and cancel: who gets a seat, who waits, and what they are told."""

from datetime import timedelta

import pytest
from django.core.exceptions import ValidationError
from django.utils import timezone

from project.mail import kinds, suppressions
from project.mail.addresses import address_hash
from project.mail.models import Message
from seminars.models import Callback, Registration
from seminars.refusals import NoRoom, RegistrationClosed
from seminars.registration import add_by_phone, cancel

pytestmark = pytest.mark.django_db

Status = Registration.Status


def counts(pool):
    return pool.taken, pool.waiting, pool.extra


def test_a_party_gets_its_seats_and_one_letter(seminar, register, pool, deliver):
    ana = register(seminar, party_size=2)

    [letter] = deliver()
    assert ana.status == Status.CONFIRMED
    assert counts(pool(seminar)) == (2, 0, 0)
    assert letter.to == ["ana@example.org"]
    assert Message.objects.get().key == f"registration/{ana.pk}/confirmed/0"


def test_a_full_seminar_has_a_waiting_list(make_seminar, register, pool, deliver):
    seminar = make_seminar(capacity=2)
    register(seminar, party_size=2)

    ben = register(seminar, "Ben", party_size=3 - 1)

    assert ben.status == Status.WAITLISTED
    assert counts(pool(seminar)) == (2, 2, 0)
    letter = deliver()[-1]
    assert letter.attachments == []
    assert "first in line" in letter.body


def test_the_same_person_registers_once(seminar, register, pool, deliver):
    ana = register(seminar, nonce="n1")

    again = [register(seminar, nonce="n1"), register(seminar, nonce="n2"), register(seminar, "ANA", email="Ana@Example.org")]

    assert again == [ana] * 3
    assert counts(pool(seminar)) == (1, 0, 0)
    assert [letter.subject.partition(":")[0] for letter in deliver()] == ["Your seat is reserved", "You are already registered"]


def test_the_same_form_and_name_is_the_same_registration(seminar, register):
    ana = register(seminar, nonce="n1")

    assert register(seminar, email="", phone="813 555 0101", nonce="n1") == ana


def test_who_goes_back_and_changes_the_name_registers_another_person(seminar, register):
    ana, ben = register(seminar, nonce="n1"), register(seminar, "Ben", email="ana@example.org", nonce="n1")

    assert ana != ben
    assert ben.status == Status.CONFIRMED


def test_two_people_may_share_a_mailbox(seminar, register, deliver):
    register(seminar, "Ana", email="home@example.org")
    register(seminar, "Ben", email="home@example.org")

    assert [letter.to for letter in deliver()] == [["home@example.org"]] * 2


def test_after_cancelling_the_same_form_registers_anew(seminar, register):
    first = cancel(register(seminar, nonce="n1"))

    second = register(seminar, nonce="n1")

    assert second != first
    assert second.uid != first.uid


@pytest.mark.parametrize("status", ["draft", "cancelled"])
def test_closed_seminars_take_nobody(make_seminar, register, status):
    seminar = make_seminar(status=status)

    with pytest.raises(RegistrationClosed):
        register(seminar)

    assert not Registration.objects.exists()
    assert not Message.objects.exists()


def test_a_seminar_that_has_begun_takes_only_walk_ins(make_seminar, register):
    seminar = make_seminar(starts_at=timezone.now() - timedelta(minutes=5))

    with pytest.raises(RegistrationClosed):
        register(seminar)
    walk_in = add_by_phone(seminar, mode="in-person", first_name="Cy", last_name="Sample", phone="(813) 555-0102", language="en")

    assert walk_in.status == Status.CONFIRMED
    assert walk_in.phone == "+18135550102"


def test_a_seminar_called_off_a_moment_ago_takes_nobody(seminar, register, pool):
    type(seminar).objects.filter(pk=seminar.pk).update(status="cancelled", cancelled_at=timezone.now())

    with pytest.raises(RegistrationClosed):
        register(seminar)  # this page was loaded while it was still open

    assert counts(pool(seminar)) == (0, 0, 0)


def test_a_mode_that_is_not_offered(seminar, register):
    with pytest.raises(RegistrationClosed):
        register(seminar, mode="online")


@pytest.mark.parametrize("size", [0, 5, 900])
def test_a_party_of_nobody_or_a_crowd(seminar, register, pool, size):
    with pytest.raises(NoRoom):
        register(seminar, party_size=size)

    assert counts(pool(seminar)) == (0, 0, 0)


def test_a_party_larger_than_the_room_is_not_left_to_wait_for_ever(make_seminar, register, pool):
    seminar = make_seminar(capacity=3)

    with pytest.raises(NoRoom):
        register(seminar, party_size=4)

    assert counts(pool(seminar)) == (0, 0, 0)


def test_an_address_that_is_none(seminar, register):
    with pytest.raises(ValidationError):
        register(seminar, email="ana@example.org\r\nBcc: ben@example.org")


def test_coordinators_may_go_beyond_capacity_only_on_purpose(make_seminar, register, pool):
    seminar = make_seminar(capacity=3)
    register(seminar, party_size=2)
    person = {"mode": "in-person", "last_name": "Sample", "language": "en", "party_size": 2}

    waiting = add_by_phone(seminar, first_name="Cy", phone="8135550102", **person)
    seated = add_by_phone(seminar, first_name="Di", phone="8135550103", anyway=True, **person)

    assert (waiting.status, seated.status) == (Status.WAITLISTED, Status.CONFIRMED)
    assert counts(pool(seminar)) == (3, 2, 1)
    cancel(seated)
    assert counts(pool(seminar)) == (2, 2, 0)


def test_cancelling_frees_the_seat_once(seminar, register, pool, deliver):
    ana = register(seminar)
    deliver()

    gone = cancel(ana)
    cancel(ana)

    assert (gone.status, gone.sequence) == (Status.CANCELLED, 1)
    assert counts(pool(seminar)) == (0, 0, 0)
    [letter] = deliver()
    assert b"METHOD:CANCEL" in letter.attachments[0].content


def test_cancelling_before_the_invite_left_skips_the_invite(seminar, register, deliver):
    ana = register(seminar)

    cancel(ana)

    assert len(deliver()) == 1
    assert list(Message.objects.order_by("pk").values_list("state", "reason")) == [("skipped", "superseded"), ("sent", "")]


def test_who_only_waited_gets_a_plain_letter(make_seminar, register, pool, deliver):
    seminar = make_seminar(capacity=1)
    register(seminar)
    ben = register(seminar, "Ben")
    deliver()

    cancel(ben)

    [letter] = deliver()
    assert letter.attachments == []
    assert counts(pool(seminar)) == (1, 0, 0)


def test_nothing_is_cancelled_once_it_is_over(seminar, register):
    ana = register(seminar)
    type(seminar).objects.filter(pk=seminar.pk).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )

    with pytest.raises(RegistrationClosed):
        cancel(ana)


def test_nothing_is_sent_for_a_past_seminar(seminar, register, deliver):
    register(seminar)
    type(seminar).objects.filter(pk=seminar.pk).update(
        starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2)
    )

    assert deliver() == []
    assert Message.objects.get().reason == "past"


def test_a_suppressed_address_becomes_a_call(seminar, register, deliver):
    suppressions.hard_bounce(address_hash("ana@example.org"))

    ana = register(seminar, phone="813 555 0101")

    assert deliver() == []
    call = Callback.objects.get()
    assert (call.registration, call.reason) == (ana, "bounced")


def bounce(registration):
    ref = {"registration": registration.pk, "sequence": registration.sequence}
    kinds.get("seminars.confirmed").settle(ref, kinds.Settled("failed", "bounced", registration.email))


def test_a_letter_that_came_back_is_one_call(seminar, register, deliver):
    ana = register(seminar)
    deliver()

    bounce(ana)
    bounce(ana)

    assert list(Callback.objects.values_list("registration", "reason")) == [(ana.pk, "bounced")]


def test_a_letter_that_came_back_to_somebody_who_cancelled_is_no_call(seminar, register, deliver):
    ana = register(seminar)
    deliver()
    cancel(ana)

    bounce(ana)

    assert not Callback.objects.exists()


def test_one_address_gets_ten_letters_a_day(make_seminar, register, deliver):
    seminars = [make_seminar() for _ in range(12)]

    for number in range(23):
        register(seminars[number // 2], f"Ana{chr(97 + number)}", email="victim@example.org")

    assert len(deliver()) == 10
    days = [round((letter.due_at - timezone.now()) / timedelta(days=1)) for letter in Message.objects.order_by("pk")]
    assert days == [0] * 10 + [1] * 10 + [2] * 3
    assert Callback.objects.filter(reason="many-letters").count() == 2


def test_names_are_found_without_accents(seminar, register):
    maria = register(seminar, "María José", last_name="González  Peña", email="maria@example.org")

    assert maria.last_name == "González Peña"
    assert [list(Registration.objects.named(text)) for text in ("Gonzalez", "PEÑA maria", "pena", "gomez")] == [[maria]] * 3 + [[]]


@pytest.mark.parametrize(("email", "phone", "calls"), [("", "+18135550101", ["filled-up"]), ("bo@example.org", "", [])])
def test_who_was_told_of_a_seat_that_has_gone_since_hears_of_it(make_seminar, register, deliver, email, phone, calls):
    seminar = make_seminar(capacity=1)
    register(seminar, "Ana")
    deliver()

    late = register(seminar, "Bo", email=email, phone=phone, promised=True)

    assert late.status == Registration.Status.WAITLISTED
    assert [call.reason for call in Callback.objects.open()] == calls
    assert len(deliver()) == 1 - len(calls)
