"""Guessing passwords shuts a door for the guesser, never for the colleague who sits somewhere else."""

from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough sentence"
HERE, ELSEWHERE = "192.0.2.5", "198.51.100.7"


@pytest.fixture
def front_desk(settings, practice):
    """Two people who may sign in, at a site behind one web server of ours."""
    settings.TRUSTED_PROXIES = 1
    settings.AXES_FAILURE_LIMIT = 3
    settings.SIGN_IN_PER_PLACE = 6
    for name in ("desk", "owner"):
        User.objects.create_superuser(name, password=PASSWORD)


def sign_in(name, password, forwarded, path="/admin/login/", **headers):
    """What the site answers to a try that our web server says came from there."""
    return Client(headers={"X-Forwarded-For": forwarded, **headers}).post(path, {"username": name, "password": password, "next": "/admin/"})


def test_wrong_passwords_shut_the_door_for_that_name_at_that_place_only(front_desk):
    answers = [sign_in("desk", "wrong", HERE).status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert sign_in("desk", PASSWORD, HERE).status_code == 429
    assert sign_in("owner", PASSWORD, HERE).status_code == 302
    assert sign_in("desk", PASSWORD, ELSEWHERE).status_code == 302


def test_who_forges_where_a_try_comes_from_gains_nothing_and_harms_nobody(front_desk):
    answers = [sign_in("desk", "wrong", f"{ELSEWHERE}, 203.0.113.{number}, {HERE}").status_code for number in range(4)]

    assert answers == [200, 200, 429, 429]
    assert sign_in("desk", PASSWORD, ELSEWHERE).status_code == 302


def test_without_a_web_server_of_ours_nobodys_word_is_taken_for_where_a_try_comes_from(front_desk, settings):
    settings.TRUSTED_PROXIES = 0

    answers = [sign_in("desk", "wrong", f"203.0.113.{number}").status_code for number in range(3)]

    assert answers == [200, 200, 429]


def test_one_place_that_tries_many_names_is_shut_out_and_no_other(front_desk):
    answers = [sign_in(f"name{number}", "wrong", HERE).status_code for number in range(6)]

    assert answers == [200] * 5 + [429]
    assert sign_in("desk", PASSWORD, HERE).status_code == 429
    assert sign_in("desk", PASSWORD, ELSEWHERE).status_code == 302


def test_another_browser_at_that_place_counts_as_the_same_place(front_desk):
    answers = [sign_in(f"name{number}", "wrong", HERE, **{"User-Agent": f"browser {number}"}).status_code for number in range(6)]

    assert answers == [200] * 5 + [429]


def test_a_household_is_one_place_however_many_addresses_it_has(front_desk):
    answers = [sign_in("desk", "wrong", f"2001:db8:1:2::{number}").status_code for number in range(3)]

    assert answers == [200, 200, 429]
    assert sign_in("desk", PASSWORD, "2001:db8:1:3::1").status_code == 302


def test_a_try_from_a_place_that_cannot_be_told_is_counted_too(front_desk):
    answers = [sign_in("desk", "wrong", "no address at all").status_code for _ in range(3)]

    assert answers == [200, 200, 429]
    assert set(AccessAttempt.objects.values_list("ip_address", flat=True)) == {None}
    assert sign_in("desk", PASSWORD, ELSEWHERE).status_code == 302


def test_the_door_opens_when_its_page_says_whoever_rattled_at_it_meanwhile(front_desk, time_machine):
    began = timezone.now()
    time_machine.move_to(began, tick=False)
    for _ in range(3):
        sign_in("desk", "wrong", HERE)

    time_machine.move_to(began + timedelta(minutes=14), tick=False)
    assert sign_in("desk", PASSWORD, HERE).status_code == 429
    time_machine.move_to(began + timedelta(minutes=15, seconds=1), tick=False)
    assert sign_in("desk", PASSWORD, HERE).status_code == 302


@pytest.mark.parametrize(
    ("path", "sentence"),
    [
        ("/admin/login/", "Please wait 15 minutes, then try again. Nothing is lost."),
        ("/es/admin/login/", "Espere 15 minutos y vuelva a intentarlo. No se ha perdido nada."),
    ],
)
def test_the_shut_door_says_when_to_come_again(front_desk, path, sentence):
    for _ in range(3):
        answer = sign_in("desk", "wrong", HERE, path)

    assert sentence in answer.content.decode()
    assert answer.headers["Retry-After"] == "900"
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_script_is_told_no_more_than_a_person(front_desk):
    for _ in range(3):
        answer = sign_in("desk", "wrong", HERE, **{"X-Requested-With": "XMLHttpRequest"})

    assert answer.status_code == 429
    assert answer.headers["Content-Type"].startswith("text/html")
    assert "Access-Control-Allow-Origin" not in answer.headers


@pytest.mark.parametrize(
    "odd",
    [
        {"username": "x" * 256},
        {"username": "é" * 100_000},
        {"username": "desk\0"},
        {"username": "desk", "password": "wrong\0"},
        {"username": "desk", "password": "x" * 100_000},
        {"username": "desk", "next": "/admin/?\0" + "x" * 3000},
        {"username": "\ud800".encode("utf-8", "surrogatepass")},
    ],
    ids=["long", "very long", "name with NUL", "password with NUL", "long password", "long way on", "half a letter"],
)
def test_what_nobody_types_is_a_wrong_password_like_any_other(front_desk, odd):
    answer = Client(headers={"User-Agent": "u" * 3000, "Accept": "a" * 3000}).post("/admin/login/", {"password": "wrong", **odd})

    assert answer.status_code == 200
    assert 'name="password"' in answer.content.decode()


def test_a_name_longer_than_any_is_shut_out_like_any_other(front_desk):
    answers = [sign_in("x" * 300, "wrong", HERE).status_code for _ in range(4)]

    assert answers == [200, 200, 429, 429]
