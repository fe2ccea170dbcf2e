"""What keeps programs from using the public forms."""

from datetime import timedelta

import pytest
import time_machine
from django import forms
from django.db import DatabaseError
from django.test import RequestFactory
from django.utils import timezone

from project.practice import guard
from project.practice.models import Knock

pytestmark = pytest.mark.django_db


class Form(guard.GuardedForm):
    guard = "sample"
    email = forms.CharField()
    phone = forms.CharField(required=False)


def form(factory=None, **data):
    data.setdefault("email", "ana@example.org")
    return Form(data, request=(factory or RequestFactory()).post("/"))


def fresh_stamp():
    return Form(request=RequestFactory().get("/"))["opened"].value()


def test_the_hidden_field_catches_whoever_fills_it_in():
    assert form(website="https://example.org").is_caught()
    assert not form().is_caught()


def test_a_form_filled_in_faster_than_a_person_can_is_caught(settings):
    settings.FORM_MIN_SECONDS = 2
    stamp = fresh_stamp()

    assert form(opened=stamp).is_caught()
    with time_machine.travel(timezone.now() + timedelta(seconds=4)):
        assert not form(opened=stamp).is_caught()
        assert form(opened=stamp[:-1]).is_caught()
        assert form().is_caught()


def test_a_form_left_open_for_days_asks_for_one_more_press_and_loses_nothing(settings):
    settings.FORM_MIN_SECONDS = 2
    stamp = fresh_stamp()

    with time_machine.travel(timezone.now() + timedelta(days=5)):
        late = form(opened=stamp)

        assert not late.is_caught()
        assert late.non_field_errors() == ["This page was open for a long time. Please check it and press the button again."]
        assert late["email"].value() == "ana@example.org"
        renewed = late["opened"].value()
        assert not form(opened=renewed).is_caught()  # read already: however quick the second press is
        assert form(opened=renewed).is_valid()


def test_a_form_with_mistakes_and_too_old_asks_but_once(settings):
    stamp = fresh_stamp()

    with time_machine.travel(timezone.now() + timedelta(days=5)):
        late = form(opened=stamp, email="")

        assert set(late.errors) == {"email", "__all__"}
        assert form(opened=late["opened"].value()).is_valid()


def test_a_stamp_made_up_is_caught_even_if_it_claims_to_be_a_second_one(settings):
    settings.FORM_MIN_SECONDS = 2

    assert form(opened="again-abc:1xyz:made-up").is_caught()


def test_a_form_that_comes_back_keeps_its_first_stamp():
    stamp = fresh_stamp()

    assert f'value="{stamp}"' in form(opened=stamp).guard_fields


def test_one_place_may_send_so_many_an_hour(settings):
    settings.FORM_PER_HOUR = 2
    home, elsewhere = RequestFactory(REMOTE_ADDR="192.0.2.1"), RequestFactory(REMOTE_ADDR="192.0.2.2")

    with time_machine.travel("2026-12-01T10:05:00Z", tick=False) as clock:
        assert [form(home, email=f"a{n}@example.org").is_valid() for n in range(3)] == [True, True, False]
        assert form(elsewhere).is_valid()
        clock.shift(timedelta(hours=1))
        assert form(home).is_valid()


def test_the_refusal_is_a_sentence(settings):
    settings.FORM_PER_HOUR = 0
    refused = form()

    assert not refused.is_valid()
    assert refused.non_field_errors() == ["We have had many requests from here in a short time. Please try again later, or call us."]


def test_one_address_may_be_sent_so_often_a_day_from_anywhere(settings):
    settings.FORM_PER_ADDRESS = 2

    with time_machine.travel("2026-12-01T10:05:00Z", tick=False):
        tries = [form(RequestFactory(REMOTE_ADDR=f"192.0.2.{n}"), email="Ana@example.org").is_valid() for n in range(3)]

    assert tries == [True, True, False]


def test_one_phone_number_may_be_given_so_often_a_day_from_anywhere(settings):
    settings.FORM_PER_ADDRESS = 2

    with time_machine.travel("2026-12-01T10:05:00Z", tick=False):
        tries = [form(RequestFactory(REMOTE_ADDR=f"192.0.2.{n}"), email=f"a{n}@example.org", phone="+18135550101").is_valid() for n in range(3)]

    assert tries == [True, True, False]


def test_one_loaded_page_may_be_sent_so_often(settings):
    """A family goes back and sends it again for the next one; a program does so hundreds of times."""
    settings.FORM_PER_PAGE = 3
    stamp = fresh_stamp()

    tries = [form(opened=stamp, email=f"a{n}@example.org").is_valid() for n in range(4)]

    assert tries == [True, True, True, False]
    assert form(opened=fresh_stamp()).is_valid()


def test_a_page_is_counted_beyond_midnight(settings):
    settings.FORM_PER_PAGE = 1

    with time_machine.travel("2026-12-01T23:50:00Z", tick=False) as clock:
        stamp = fresh_stamp()
        first = form(opened=stamp).is_valid()
        clock.shift(timedelta(minutes=20))
        second = form(opened=stamp).is_valid()

    assert (first, second) == (True, False)


def test_what_can_run_out_goes_more_slowly_to_one_place(settings):
    settings.FORM_BURST = 2

    class Scarce(Form):
        is_scarce = True

    def tries(form):
        return [form({"email": f"a{n}@example.org"}, request=RequestFactory().post("/")).is_valid() for n in range(3)]

    with time_machine.travel("2026-12-01T10:05:00Z", tick=False) as clock:
        assert tries(Form) == [True, True, True]
        clock.shift(timedelta(days=1))
        assert tries(Scarce) == [True, True, False]
        clock.shift(timedelta(minutes=10))
        assert Scarce({"email": "b@example.org"}, request=RequestFactory().post("/")).is_valid()


def test_who_is_refused_uses_up_nothing_of_others(settings):
    settings.FORM_PER_HOUR, settings.FORM_PER_ADDRESS = 2, 1

    with time_machine.travel("2026-12-01T10:05:00Z", tick=False):
        tries = [form(email=f"{name}@example.org").is_valid() for name in ("ana", "ana", "ana", "ben")]

    assert tries == [True, False, False, True]


def test_mistakes_cost_nothing(settings):
    settings.FORM_PER_HOUR = 1

    assert not form(email="").is_valid()
    assert form().is_valid()


def test_a_count_that_cannot_be_kept_lets_nobody_through(monkeypatch):
    def broken(*args, **kwargs):
        raise DatabaseError

    monkeypatch.setattr(Knock.objects, "bulk_create", broken)

    with pytest.raises(DatabaseError):
        guard.knock("sample", 10, timedelta(hours=1))


def test_old_counts_go_away_and_say_nothing_of_who_it_was():
    with time_machine.travel(timezone.now() - timedelta(days=3)):
        guard.knock("sample/place/192.0.2.1", 10, timedelta(hours=1))

    guard.knock("sample/place/192.0.2.1", 10, timedelta(hours=1))

    assert len(Knock.objects.get().key) == 64


@pytest.mark.parametrize(
    ("meta", "proxies", "place"),
    [
        ({"REMOTE_ADDR": "192.0.2.1"}, 0, "192.0.2.1"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}, 0, "192.0.2.1"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "198.51.100.7"}, 1, "198.51.100.7"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7"}, 1, "198.51.100.7"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "203.0.113.9, 198.51.100.7"}, 2, "203.0.113.9"),
        ({"REMOTE_ADDR": "192.0.2.1"}, 2, "192.0.2.1"),
        ({"REMOTE_ADDR": "2001:db8:1:2:aaaa::1"}, 0, "2001:db8:1:2::"),
        ({"REMOTE_ADDR": "2001:db8:1:2:bbbb::9"}, 0, "2001:db8:1:2::"),
        ({"REMOTE_ADDR": "::ffff:192.0.2.1"}, 0, "192.0.2.1"),
        ({"REMOTE_ADDR": ""}, 0, "unknown"),
        ({"REMOTE_ADDR": "192.0.2.1", "HTTP_X_FORWARDED_FOR": "'; drop table"}, 1, "unknown"),
    ],
)
def test_where_a_request_comes_from(settings, meta, proxies, place):
    settings.TRUSTED_PROXIES = proxies

    assert guard.place_of(RequestFactory(**meta).get("/")) == place
