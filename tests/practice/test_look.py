"""What every page carries, whatever app it belongs to."""

import pytest
from django.test import RequestFactory
from django.utils import translation

from project.practice import views
from project.practice.models import PracticeText
from project.practice.templatetags import practice_tags

pytestmark = pytest.mark.django_db


@pytest.fixture
def oops(rf, practice):
    """The 404 page of an address, as text."""

    def oops(path="/nowhere/"):
        request = rf.get(path)
        return views.page_not_found(request).content.decode()

    return oops


def test_a_page_says_who_we_are_and_how_to_call(oops, practice):
    PracticeText.objects.create(practice=practice, language="en", tagline="Plain answers", hours="Monday to Friday, 8 to 5")

    page = oops()

    assert "Gulf Coast Spine" in page
    assert 'href="tel:+18135550100"' in page
    assert "(813) 555-0100" in page
    assert "Monday to Friday, 8 to 5" in page
    assert 'href="#content"' in page


def test_a_page_without_a_phone_offers_no_call(oops, practice):
    practice.phone = ""
    practice.save()

    assert "tel:" not in oops()


def test_the_switch_leads_to_the_same_page_in_the_other_language():
    request = RequestFactory().get("/info-packet/?from=leaflet")

    with translation.override("en"):
        assert practice_tags.other_languages({"request": request}) == [
            {"code": "es", "url": "/es/info-packet/?from=leaflet", "invitation": "También disponible en español"}
        ]
    with translation.override("es"):
        request = RequestFactory().get("/es/info-packet/")
        assert practice_tags.other_languages({"request": request}) == [{"code": "en", "url": "/info-packet/", "invitation": "Also in English"}]


def test_the_page_for_a_defect_asks_nothing_of_the_database(rf, django_assert_num_queries):
    with django_assert_num_queries(0):
        answer = views.server_error(rf.get("/"))

    assert answer.status_code == 500
    assert "Something went wrong on our side" in answer.content.decode()


@pytest.mark.parametrize(("language", "home"), [("en", "/"), ("es", "/es/")])
def test_the_page_for_a_defect_leads_to_the_home_page_of_its_language(rf, language, home):
    with translation.override(language):
        page = views.server_error(rf.get(f"{home}seminars/")).content.decode()

    assert f'<html lang="{language}">' in page
    assert f'href="{home}"' in page


def test_the_practice_costs_a_page_two_queries(oops, django_assert_num_queries):
    with django_assert_num_queries(2):
        oops()


def test_too_many_wrong_passwords_meet_a_page_that_says_so(client, practice, settings):
    settings.AXES_FAILURE_LIMIT = 2

    for _press in range(2):
        answer = client.post("/admin/login/", {"username": "desk", "password": "wrong"})

    assert answer.status_code == 429
    assert "Too many tries" in answer.content.decode()


def test_the_front_desk_opens_on_today(admin_client, practice):
    page = admin_client.get("/admin/").content.decode()

    for part in ("today-seminars", "today-campaigns", "today-mail", "today-subscribers"):
        assert f'id="{part}"' in page
    assert "Before your first real day" in page
