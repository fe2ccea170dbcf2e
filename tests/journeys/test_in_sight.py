"""What a pressed button answers is in sight: on a phone, without JavaScript, the page that comes back opens at its news."""

import pytest

from .conftest import follow

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]


def stands_in_sight(page, selector):
    """Whether the element begins within what the phone shows, and is what a keyboard or a screen reader goes on from."""
    page.locator(selector).wait_for()
    page.wait_for_timeout(300)  # the browser scrolls after it has laid the page out
    top = page.locator(selector).bounding_box()["y"]
    return 0 <= top < page.viewport_size["height"] / 3 and page.locator(f"{selector}:focus").count() == 1


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("path", ["/seminars/atlanta-and-online/register/", "/info-packet/", "/newsletter/subscribe/"])
def test_a_form_with_mistakes_opens_at_them(phone, prefix, path):
    phone.goto(prefix + path)
    follow(phone.locator("main form button[type=submit]"))

    assert stands_in_sight(phone, "#errors")
    assert phone.locator("main > :first-child").get_attribute("id") == "errors"


@pytest.mark.parametrize("prefix", ["", "/es"])
@pytest.mark.parametrize("zip_code", ["33602", "00000"])
def test_a_narrowed_list_opens_at_its_results(phone, prefix, zip_code):
    phone.goto(f"{prefix}/seminars/")
    phone.fill("[name=zip]", zip_code)
    follow(phone.locator("main form button[type=submit]"))

    assert stands_in_sight(phone, "#results")
    assert phone.locator("#results h2").first.is_visible()
    assert phone.locator("#errors").count() == (zip_code == "00000")


def test_a_party_too_large_for_the_last_seats_reads_what_is_left_to_do(phone):
    phone.goto("/seminars/orlando-sabado/register/")
    phone.fill("[name=first_name]", "Rosa")
    phone.fill("[name=last_name]", "Peña-Journey")
    phone.fill("[name=phone]", "813 555 0123")
    phone.select_option("[name=party_size]", "4")
    follow(phone.locator("main form button[type=submit]"))

    assert stands_in_sight(phone, "#errors")
    assert phone.locator("#errors button").count() == 2
    assert phone.locator("#errors button").last.is_visible()

    with phone.expect_navigation():
        phone.press("[name=phone]", "Enter")

    assert stands_in_sight(phone, "#errors")
    assert phone.locator("#errors button").count() == 2


def test_the_page_after_a_form_opens_at_its_top(phone, address):
    """The address of a page that a form leads to keeps the form's fragment, and nothing there answers to it."""
    phone.goto("/info-packet/")
    follow(phone.locator("main form button[type=submit]"))
    if phone.locator("[name=packet]").count():
        phone.locator("[name=packet]").first.check()
    phone.fill("[name=first_name]", "Inés")
    phone.fill("[name=email]", address)
    follow(phone.locator("main form button[type=submit]"))
    phone.wait_for_timeout(300)

    assert phone.url.split("#")[0].endswith("/info-packet/asked/")
    assert phone.locator("h1").bounding_box()["y"] > 0
    assert phone.locator(".site-head").bounding_box()["y"] == 0
    assert address in phone.locator("main").inner_text()
