"""Lists that are too long to count say so, and nothing is done to more rows than the page tells of."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from newsletter.models import Subscriber, Topic
from project.practice import long_lists
from project.practice.long_lists import Count, count_up_to
from tests.newsletter.campaigns_fixtures import subscribe_readers

pytestmark = pytest.mark.django_db


@pytest.fixture
def readers(monkeypatch):
    """Sixty, in lists that count to fifty-five and show fifty on a page."""
    monkeypatch.setattr(long_lists, "MOST", 55)
    return subscribe_readers(Topic.objects.get(standard=True), 60)


def changelist(client, **query):
    return client.get(reverse("admin:newsletter_subscriber_changelist"), query)


@pytest.mark.parametrize(("most", "count"), [(2, Count(2, more=True)), (3, Count(3)), (4, Count(3))])
def test_rows_are_counted_up_to_a_number(most, count):
    for name in ("ana", "ben", "cai"):
        User.objects.create_user(name)

    assert count_up_to(User.objects.all(), most) == count


def test_a_count_says_that_there_are_more():
    assert (str(Count(10_000, more=True)), str(Count(1234)), str(Count(0))) == ("more than 10,000", "1,234", "0")


def test_a_list_too_long_to_count_says_where_it_ends(admin_client, readers):
    first, last = changelist(admin_client).content.decode(), changelist(admin_client, p=2)

    assert "more than 55 subscribers" in " ".join(first.split())
    assert "The list ends there." in first
    assert len(last.context["cl"].result_list) == 5


def test_a_list_that_was_counted_says_how_many(admin_client, readers):
    page = " ".join(changelist(admin_client, q="reader5@").content.decode().split())

    assert "1 subscriber" in page
    assert "The list ends there." not in page


def test_all_of_a_list_nobody_counted_can_not_be_chosen(admin_client, readers):
    data = {"action": "stop_all", "_selected_action": readers[0].pk, "select_across": "1"}

    page = admin_client.post(reverse("admin:newsletter_subscriber_changelist"), data, follow=True).content.decode()

    assert "at most 55 at once" in page
    assert "across all pages" not in page
    assert Subscriber.objects.reading().count() == 60


def test_all_of_a_list_that_was_counted_can(admin_client, readers):
    data = {"action": "stop_all", "_selected_action": readers[0].pk, "select_across": "1"}

    admin_client.post(reverse("admin:newsletter_subscriber_changelist") + "?q=reader1", data, follow=True)

    assert Subscriber.objects.reading().count() == 60 - len([n for n in range(60) if str(n).startswith("1")])
