"""Stopping: by the page's button, by the mail program's one click, and never by merely looking."""

from datetime import timedelta
from urllib.parse import urlsplit

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter import consent, links, subscribing
from newsletter.models import Consent, Subscription

pytestmark = pytest.mark.django_db

ONE_CLICK = "List-Unsubscribe=One-Click"


def path_of(subscriber, language="en"):
    return urlsplit(links.unsubscribe_url(subscriber, language)).path


def reads(subscriber):
    return subscriber.subscriptions.active().exists()


@pytest.fixture
def machine():
    """A mail program's server: no cookie, no token, CSRF enforced."""
    return Client(enforce_csrf_checks=True)


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_click_works_urlencoded_without_cookie_token_or_redirect(subscriber, machine, language):
    response = machine.post(path_of(subscriber, language), ONE_CLICK, content_type="application/x-www-form-urlencoded")

    assert response.status_code == 200
    assert not response.cookies
    assert not reads(subscriber)
    assert subscriber.subscriptions.get().ending == Subscription.Ending.ONE_CLICK


def test_one_click_works_as_multipart(subscriber, machine):
    assert machine.post(path_of(subscriber), {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert not reads(subscriber)


def test_one_click_works_where_the_content_type_is_missing(subscriber, machine):
    assert machine.post(path_of(subscriber), ONE_CLICK, content_type="").status_code == 200
    assert not reads(subscriber)


@pytest.mark.parametrize("language", ["en", "es"])
def test_one_click_is_not_redirected_on_an_https_site(subscriber, machine, settings, language):
    settings.SECURE_SSL_REDIRECT = True

    response = Client(enforce_csrf_checks=True).post(path_of(subscriber, language), {"List-Unsubscribe": "One-Click"})

    assert response.status_code == 200
    assert not reads(subscriber)


def test_one_click_twice_is_the_same_and_one_piece_of_evidence(subscriber, machine):
    answers = [machine.post(path_of(subscriber), {"List-Unsubscribe": "One-Click"}) for _ in range(2)]

    assert [answer.status_code for answer in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    assert Consent.objects.filter(given=False).count() == 1


def test_one_click_for_an_erased_person_is_fine(subscriber, machine):
    path = path_of(subscriber)
    subscriber.subscriptions.all().delete()
    subscriber.delete()

    assert machine.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert Consent.objects.filter(given=True, subscriber=None).count() == 1


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "no"}, {"stop": "1"}, {"undo": "1"}])
def test_any_other_post_without_a_csrf_token_shows_the_page_and_does_nothing(subscriber, machine, body):
    response = machine.post(path_of(subscriber), body)

    assert response.status_code == 200
    assert b'name="stop"' in response.content
    assert reads(subscriber)


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_changes_nothing(subscriber, client, method):
    for _ in range(3):
        assert getattr(client, method)(path_of(subscriber)).status_code == 200

    assert reads(subscriber)
    assert Consent.objects.count() == 1


def test_the_button_stops_everything_and_can_be_taken_back(subscriber, topic):
    client = Client(enforce_csrf_checks=True)
    path = path_of(subscriber)
    client.get(path)

    def press(name):
        return client.post(path, {name: "1", "csrfmiddlewaretoken": client.cookies["csrftoken"].value}, follow=True)

    stopped = press("stop")
    assert "You won’t get any more newsletters" in stopped.content.decode()
    assert not reads(subscriber)

    back = press("undo")
    assert "Welcome back" in back.content.decode()
    assert subscriber.subscriptions.active().get().consent.method == Consent.Method.TAKEN_BACK
    assert list(consent.check()) == []


def test_taking_back_works_for_an_hour_only(subscriber):
    subscribing.unsubscribe(subscriber, Consent.Method.UNSUBSCRIBE)

    with time_machine.travel(timezone.now() + timedelta(minutes=61)):
        assert subscribing.take_back(subscriber) == 0

    assert not reads(subscriber)


def test_what_a_coordinator_stopped_is_not_taken_back_by_link(subscriber):
    subscribing.unsubscribe(subscriber, Consent.Method.COORDINATOR)

    assert subscribing.take_back(subscriber) == 0


def test_the_link_never_expires(subscriber, machine):
    path = path_of(subscriber)

    with time_machine.travel(timezone.now() + timedelta(days=3650)):
        assert machine.post(path, {"List-Unsubscribe": "One-Click"}).status_code == 200

    assert not reads(subscriber)


def test_a_link_for_another_purpose_or_an_altered_one_is_refused(subscriber, machine):
    other = links.preferences_url(subscriber, "en").rsplit("/", 2)[1]
    path = path_of(subscriber)

    for token in (other, path.split("/")[3][:-1], "x"):
        response = machine.post(f"/newsletter/unsubscribe/{token}/", {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 404
        assert "This link is not complete" in response.content.decode()

    assert reads(subscriber)


def test_the_page_is_not_kept_or_listed(subscriber, client):
    response = client.get(path_of(subscriber))

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert "example.org" not in response.content.decode().split("<main")[1].split("</main")[0]


def test_the_link_carries_nothing_personal(subscriber):
    url = links.unsubscribe_url(subscriber, "es")

    assert url.startswith("http://testserver/es/newsletter/unsubscribe/")
    assert "ana" not in url.lower().rsplit("/", 2)[0]


@pytest.mark.parametrize("method", ["put", "delete", "patch"])
def test_a_wrong_method_is_refused(subscriber, client, method):
    assert getattr(client, method)(path_of(subscriber)).status_code == 405
