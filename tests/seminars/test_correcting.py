import pytest
from django.core.exceptions import ValidationError
from django.urls import reverse

from seminars import correcting, registration
from seminars.models import Registration
from seminars.refusals import Refused, RegistrationClosed

pytestmark = pytest.mark.django_db

Status = Registration.Status


def method_of(letter):
    return letter.message().as_string().partition("text/calendar")[2].partition("method=")[2].strip('"')[:6]


def test_the_invite_leaves_the_wrong_mailbox_and_comes_to_the_right_one(seminar, register, deliver, pool):
    wrong = register(seminar, "Ana", email="anna@example.org", party_size=2)
    deliver()

    right = correcting.correct_email(wrong, "ana@example.org")

    letters = {letter.to[0]: letter for letter in deliver()}
    assert {address: method_of(letter) for address, letter in letters.items()} == {"anna@example.org": "CANCEL", "ana@example.org": "REQUES"}
    wrong.refresh_from_db()
    assert (wrong.status, right.status) == (Status.CANCELLED, Status.CONFIRMED)
    assert wrong.uid != right.uid
    assert wrong.public_id != right.public_id
    assert pool(seminar).taken == 2


def test_nobody_who_waits_gets_the_seat_in_between(make_seminar, register, deliver):
    seminar = make_seminar(capacity=1)
    wrong, waiting = register(seminar, "Ana", email="anna@example.org"), register(seminar, "Bo")

    right = correcting.correct_email(wrong, "ana@example.org")

    waiting.refresh_from_db()
    assert (right.status, waiting.status) == (Status.CONFIRMED, Status.WAITLISTED)


def test_the_place_in_line_stays(make_seminar, register, pool):
    seminar = make_seminar(capacity=1)
    register(seminar, "Ana")
    first, second = register(seminar, "Bo", email="boo@example.org"), register(seminar, "Cy")

    right = correcting.correct_email(first, "bo@example.org")
    registration.cancel(Registration.objects.get(first_name="Ana"))

    right.refresh_from_db()
    second.refresh_from_db()
    assert (right.status, second.status) == (Status.CONFIRMED, Status.WAITLISTED)
    assert (pool(seminar).taken, pool(seminar).waiting) == (1, 1)


def test_who_had_only_a_phone_gets_the_letter(seminar, register, deliver):
    person = register(seminar, "Bo", email="", phone="+18135550101")

    after = correcting.correct_email(person, "bo@example.org")

    assert after.pk == person.pk
    assert [method_of(letter) for letter in deliver()] == ["REQUES"]


def test_the_same_address_changes_nothing(seminar, register, deliver):
    person = register(seminar, "Ana")
    deliver()

    assert correcting.correct_email(person, "ana@example.org").pk == person.pk
    assert deliver() == []


@pytest.mark.parametrize("garbage", ["", "ana", "a@b@example.org", "ana@[127.0.0.1]"])
def test_what_is_no_address_is_refused(seminar, register, garbage):
    person = register(seminar, "Ana")

    with pytest.raises(ValidationError):
        correcting.correct_email(person, garbage)


def test_an_address_the_same_person_has_already_is_refused(seminar, register):
    first = register(seminar, "Ana", email="anna@example.org")
    register(seminar, "Ana", email="ana@example.org")

    with pytest.raises(Refused):
        correcting.correct_email(first, "ana@example.org")

    first.refresh_from_db()
    assert first.status == Status.CONFIRMED


def test_a_cancelled_one_is_over(seminar, register):
    person = register(seminar, "Ana")
    registration.cancel(person)

    with pytest.raises(RegistrationClosed):
        correcting.correct_email(person, "bo@example.org")


def test_the_desk_corrects_it_on_a_page(admin_client, seminar, register):
    person = register(seminar, "Ana", email="anna@example.org")
    page = reverse("admin:seminars_registration_correct", args=[person.pk])

    assert "anna@example.org" in admin_client.get(page).content.decode()
    assert admin_client.post(page, {"email": "nonsense"}).status_code == 200
    response = admin_client.post(page, {"email": "ana@example.org"})

    stands = Registration.objects.active().get()
    assert stands.email == "ana@example.org"
    assert response.url == reverse("admin:seminars_registration_change", args=[stands.pk])
