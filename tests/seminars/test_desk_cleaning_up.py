"""What the front desk sees of repeats and of places that take many seats, and how it cleans up after them."""

import re
import time
from datetime import timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from seminars import forgetting
from seminars.models import Registration, Seminar
from seminars.models.registrations import place_hash

pytestmark = pytest.mark.django_db

Status = Registration.Status


def page(name, *args):
    return reverse(f"admin:seminars_{name}", args=args)


def names(status):
    return sorted(Registration.objects.filter(status=status).values_list("first_name", flat=True))


# -- Registered already -----------------------------------------------------------------------------------------------------------------


def test_somebody_registered_already_is_said_with_what_is_stored_and_a_way_there(desk, seminar, deliver):
    person = {"first_name": "Mercedes", "last_name": "Quintero", "phone": "(813) 555-0111", "email": "", "language": "es", "mode": "in-person"}
    desk.post(page("seminar_add_person", seminar.pk), person | {"party_size": "1"}, follow=True)
    stored = Registration.objects.get()

    answer = desk.post(page("seminar_add_person", seminar.pk), person | {"party_size": "3"}, follow=True)

    assert "Mercedes Quintero is registered already: 1 person, in person, seat confirmed. Nothing was changed." in answer.text
    assert page("registration_change", stored.pk) in answer.text
    assert "They have their seats" not in answer.text
    assert 'value="Mercedes"' in answer.text
    assert (Registration.objects.count(), Registration.objects.get().party_size) == (1, 1)
    assert deliver() == []


# -- Cancelling together ----------------------------------------------------------------------------------------------------------------


@pytest.fixture
def cancel_these(desk):
    """`cancel_these(people, confirm="1")`: the action on the list, with those chosen."""

    def cancel_these(people, by=desk, **fields):
        chosen = {"action": "cancel_these", "_selected_action": [person.pk for person in people]}
        return by.post(page("registration_changelist"), chosen | fields, follow=True)

    return cancel_these


def test_cancelling_together_names_them_all_and_asks_first(cancel_these, seminar, register, deliver):
    people = [register(seminar), register(seminar, "Ben", email="", phone="8135550101", party_size=3)]
    deliver()

    asked = cancel_these(people)

    for expected in ("Cancel 2 registrations", "Sample, Ana", "ana@example.org", "Sample, Ben", "(813) 555-0101", "Yes, cancel these"):
        assert expected in asked.text
    assert names(Status.CANCELLED) == []
    assert deliver() == []


def test_each_is_cancelled_and_told_as_if_alone(cancel_these, seminar, register, deliver, pool):
    ana, ben, cleo = register(seminar), register(seminar, "Ben", email="", phone="8135550101", party_size=3), register(seminar, "Cleo")
    deliver()

    done = cancel_these([ana, ben], confirm="1")

    assert "2 registrations are cancelled, and their seats are free." in done.text
    assert names(Status.CANCELLED) == ["Ana", "Ben"]
    ana.refresh_from_db()
    assert (ana.cancelled_by, ana.sequence, pool(seminar).taken) == ("front-desk", 1, cleo.party_size)
    [letter] = deliver()
    assert letter.to == ["ana@example.org"]
    assert b"METHOD:CANCEL" in letter.attachments[0].content


def test_seats_go_to_those_who_wait_and_are_not_cancelled_themselves(cancel_these, make_seminar, register, deliver):
    seminar = make_seminar(capacity=1)
    ana, ben, cleo = (register(seminar, name) for name in ("Ana", "Ben", "Cleo"))
    deliver()

    cancel_these([ana, ben], confirm="1")

    assert names(Status.CONFIRMED) == ["Cleo"]
    assert [letter.to for letter in deliver() if "A seat is yours" in letter.subject] == [[cleo.email]]


def test_a_party_whose_seminar_is_over_stays_as_it_is_and_is_said(cancel_these, make_seminar, register):
    over, to_come = make_seminar(), make_seminar()
    ana, ben = register(over), register(to_come, "Ben")
    Seminar.objects.filter(pk=over.pk).update(starts_at=timezone.now() - timedelta(hours=3), ends_at=timezone.now() - timedelta(hours=2))

    asked, done = cancel_these([ana, ben]), cancel_these([ana, ben], confirm="1")

    assert "the seminar is over, so this one stays as it is" in asked.text
    assert "1 registration stays as it is: the seminar is over." in done.text
    assert (names(Status.CANCELLED), names(Status.CONFIRMED)) == (["Ben"], ["Ana"])


def test_who_may_only_look_cancels_nobody(cancel_these, seminar, register):
    looker = Client()
    user = User.objects.create_user("looker", is_staff=True)
    user.user_permissions.set(user.user_permissions.model.objects.filter(codename="view_registration"))
    looker.force_login(user)

    cancel_these([register(seminar)], by=looker, confirm="1")

    assert names(Status.CANCELLED) == []


# -- One place ---------------------------------------------------------------------------------------------------------------------------


def come(seminar, number, place="192.0.2.1", party_size="4", **fields):
    """Somebody who registers by phone number alone, from a place."""
    person = {"first_name": f"Ana{chr(97 + number)}", "last_name": "Sample", "email": "", "phone": f"81355501{number:02}", "language": "en"}
    Client(REMOTE_ADDR=place).post(f"/seminars/{seminar.slug}/register/", person | {"party_size": party_size} | fields)


def link_of(today):
    [link] = re.findall(r'href="([^"]+same_place=[^"]+)"', today.text)
    return link.replace("&amp;", "&")


def test_today_says_when_one_place_takes_many_seats_and_leads_to_them(desk, make_seminar, register):
    seminar, other = make_seminar(capacity=40), make_seminar(capacity=40)
    for number in range(3):
        come(seminar, number)
    come(seminar, 3, place="192.0.2.2")
    come(other, 4)
    register(seminar)

    today = desk.get(reverse("admin:index"))
    listed = desk.get(link_of(today))

    assert "12 people were registered from one place in the last three days" in today.text
    assert "192.0.2.1" not in today.text
    assert [person.first_name for person in listed.context["cl"].queryset] == ["Anaa", "Anab", "Anac"]


def test_those_of_one_place_are_cancelled_from_there(desk, make_seminar):
    seminar = make_seminar(capacity=40)
    for number in range(3):
        come(seminar, number)
    come(seminar, 3, place="192.0.2.2")
    link = link_of(desk.get(reverse("admin:index")))

    everybody = list(Registration.objects.values_list("pk", flat=True))
    desk.post(link, {"action": "cancel_these", "_selected_action": everybody, "confirm": "1"})

    assert names(Status.CONFIRMED) == ["Anad"]
    assert "Many seats taken from one place" not in desk.get(reverse("admin:index")).text


@pytest.mark.parametrize(("parties", "size", "said"), [(3, "2", False), (4, "1", True), (2, "4", True), (1, "4", False)])
def test_a_few_from_one_place_are_nothing_to_look_at(desk, make_seminar, parties, size, said):
    seminar = make_seminar(capacity=40)
    for number in range(parties):
        come(seminar, number, party_size=size)

    assert ("Many seats taken from one place" in desk.get(reverse("admin:index")).text) is said


def test_a_place_is_another_hash_at_each_seminar_and_never_stored_itself(make_seminar):
    one, other = make_seminar(), make_seminar()
    come(one, 0)
    come(one, 1)
    come(other, 2)

    first, second, elsewhere = Registration.objects.order_by("pk").values_list("place_hash", flat=True)

    assert first == second == place_hash(one, "192.0.2.1")
    assert elsewhere != first
    assert "192.0.2" not in str(list(Registration.objects.values()))


def test_where_somebody_came_from_is_forgotten_by_itself(seminar):
    with time_machine.travel(timezone.now(), tick=False) as clock:
        come(seminar, 0)
        clock.shift(timedelta(days=2))
        come(seminar, 1)
        kept = forgetting.places_due(timezone.now())
        clock.shift(timedelta(days=1, minutes=1))
        due = forgetting.places_due(timezone.now())
        left = forgetting.drain(time.monotonic() + 10)

    assert (kept, due, left) == (0, 1, False)
    assert [bool(found) for found in Registration.objects.order_by("pk").values_list("place_hash", flat=True)] == [False, True]


def test_who_may_not_see_people_is_not_told_of_places(client, make_seminar):
    seminar = make_seminar(capacity=40)
    for number in range(3):
        come(seminar, number)
    client.force_login(User.objects.create_user("writer", is_staff=True))

    assert "Many seats taken from one place" not in client.get(reverse("admin:index")).text


@pytest.mark.parametrize("chosen", ["0", "9" * 40, "²", "x", "\x01"])
def test_a_place_nobody_came_from_lists_nobody_and_breaks_nothing(desk, seminar, register, chosen):
    register(seminar)

    assert desk.get(page("registration_changelist"), {"same_place": chosen}, follow=True).status_code == 200
