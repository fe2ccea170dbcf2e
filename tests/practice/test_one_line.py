"""A text of one line stays one, from the form to the letter's head and the calendar."""

import pytest
from django.contrib.auth.models import User
from django.urls import reverse

from project.practice.models import Practice
from tests.desk_pages import as_shown
from tests.newsletter.conftest import make_campaign, topic
from tests.seminars.conftest import make_seminar, register, seminar, venue

__all__ = ["make_campaign", "make_seminar", "register", "seminar", "topic", "venue"]

pytestmark = pytest.mark.django_db

NOT_ONE_LINE = ["Gulf\r\nBcc: x@example.org", "Gulf\nCoast", "Gulf\x07Coast", "Gulf\x85Coast", "Gulf\u2028Coast", "Gulf\x00Coast"]


@pytest.fixture
def desk(client, practice):
    client.force_login(User.objects.create_superuser("owner", "owner@example.org"))
    return client


@pytest.mark.parametrize("name", NOT_ONE_LINE)
def test_the_practices_name_is_one_line(desk, practice, name):
    path = reverse("admin:practice_practice_change", args=[practice.pk])

    response = desk.post(path, as_shown(desk, path, name=name))

    assert response.status_code == 200
    assert "name" in response.context["adminform"].form.errors
    assert Practice.objects.values_list("name", flat=True).get() == "Gulf Coast Spine"


def test_so_are_a_seminars_title_and_a_venues_name(desk, seminar):
    on_seminar = reverse("admin:seminars_seminar_change", args=[seminar.pk])
    on_venue = reverse("admin:seminars_venue_change", args=[seminar.venue_id])

    desk.post(on_seminar, as_shown(desk, on_seminar, **{"texts-0-title": "Back\r\nBcc: x@example.org"}))
    desk.post(on_venue, as_shown(desk, on_venue, name="Hall\r\nBcc: x@example.org"))

    assert not seminar.texts.filter(title__contains="Bcc").exists()
    seminar.venue.refresh_from_db()
    assert seminar.venue.name == "Bayside Hall"


def test_words_of_more_than_one_line_may_have_them(desk, seminar):
    path = reverse("admin:seminars_seminar_change", args=[seminar.pk])

    desk.post(path, as_shown(desk, path, **{"texts-0-description": "One.\r\n\r\nTwo."}))

    assert seminar.texts.filter(description="One.\r\n\r\nTwo.").exists()


def test_a_name_stored_before_breaks_no_feed_and_no_letter(client, seminar, register, deliver):
    Practice.objects.update(name="Gulf\r\nX-EVIL:1\x07 Spine")

    feed = client.get(reverse("seminars-calendar"))
    register(seminar)
    [letter] = deliver()

    assert feed.status_code == 200
    assert b"\r\nX-EVIL" not in feed.content
    head = letter.message().as_string().partition("\n\n")[0]
    assert "\nX-EVIL" not in head
    assert "Gulf  X-EVIL:1  Spine" in head


def test_a_calendars_name_is_escaped_text(client, seminar):
    name = 'Spine, Hip; "Knee" \\ Hand'
    Practice.objects.update(name=name)

    content = client.get(reverse("seminars-calendar")).content

    assert b'X-WR-CALNAME:Seminars: Spine\\, Hip\\; "Knee" \\\\ Hand\r\n' in content.replace(b"\r\n ", b"")


@pytest.mark.parametrize("path", ["mail/message/?kind=%00", "newsletter/subscriber/?reads=%00", "seminars/venue/?state=%00"])
def test_a_list_asked_for_nul_says_so(desk, path):
    response = desk.get(f"/admin/{path}")

    assert response.status_code == 400
    assert "We couldn’t read that" in response.text


@pytest.mark.parametrize("path", ["seminars/registration/?seminar={}", "auth/user/?groups__in={}", "axes/accessattempt/?attempt_time__year={}"])
def test_a_list_asked_for_a_number_too_large_is_no_mistake_of_ours(admin_client, path):
    """Which numbers are too large each database says for itself."""
    assert admin_client.get("/admin/" + path.format("9" * 40)).status_code in {200, 302, 400}


@pytest.mark.parametrize("path", ["mail/message/?kind=%00", "newsletter/subscriber/?reads=%00", "newsletter/subscriber/?reads=gone"])
def test_a_filter_knows_its_values(desk, settings, path):
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "Unanswerable" not in name]

    assert desk.get(f"/admin/{path}").status_code == 200


def test_a_test_letter_in_no_language_is_not_found(desk, make_campaign):
    path = reverse("admin:newsletter_campaign_test", args=[make_campaign().pk])

    assert desk.post(path, {"language": "\0"}).status_code == 404
