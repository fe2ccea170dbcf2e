"""A patient, on a phone, without JavaScript: finds a seminar, registers, gets the invite, cancels from the letter."""

import re

import icalendar
import pytest

from .conftest import calendar_of, follow, link_in, text_of

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

HOME = {"en": "/", "es": "/es/"}


def open_last_seminar(phone, language):
    """From the home page to the list to the page of the last seminar: the farthest date has seats."""
    phone.goto(HOME[language])
    assert phone.locator("html").get_attribute("lang") == language
    assert phone.locator('a[href^="tel:"]').first.is_visible()
    follow(phone.locator("main a[href$='/seminars/']").first)
    follow(phone.locator("main a[href*='/seminars/']:not([href*='.ics'])").last)
    assert phone.locator('script[type="application/ld+json"]').count() == 1


def fill_in(phone, address, language):
    follow(phone.locator("a[href$='/register/']").first)
    assert not phone.locator("[name=newsletter]").is_checked()
    phone.fill("[name=first_name]", "Rosa")
    phone.fill("[name=last_name]", "Peña-Journey")
    phone.fill("[name=email]", address)
    phone.select_option("[name=party_size]", "2")
    phone.check(f"[name=language][value={language}]")
    if phone.locator("[name=mode]").count():
        phone.locator("[name=mode]").first.check()


def event_of(letter):
    [event] = icalendar.Calendar.from_ical(calendar_of(letter)).walk("VEVENT")
    return event


@pytest.mark.parametrize("language", ["en", "es"])
def test_register_read_the_letter_and_cancel(phone, site, address, language):
    open_last_seminar(phone, language)
    fill_in(phone, address, language)
    follow(phone.locator("main form button[type=submit]"))
    assert phone.url.partition("#")[0].endswith("/register/thanks/")
    assert "Rosa" in phone.locator("main").inner_text()

    letter = site.mailbox.wait_for(address)
    invite = event_of(letter)
    assert "METHOD:REQUEST" in calendar_of(letter)
    assert (letter["Content-Language"] or language) == language
    assert letter.get_body(("html",)).get_content().count(f'lang="{language}"') >= 1
    assert [part.get_filename() for part in letter.iter_attachments()] == ["invite.ics"]
    own_page = link_in(letter, "/registrations/")
    assert ("/es/" in own_page) == (language == "es")

    phone.goto(own_page)
    assert phone.locator("a[href*='calendar.google.com']").count() == 1
    follow(phone.locator("a[href$='/cancel/']").first)
    assert len(site.mailbox.letters(address)) == 1
    follow(phone.locator("main form button[type=submit]"))

    letter = site.mailbox.wait_for(address, count=2)
    cancelled = event_of(letter)
    assert "METHOD:CANCEL" in calendar_of(letter)
    assert cancelled["UID"] == invite["UID"]
    assert cancelled["SEQUENCE"] > invite["SEQUENCE"]


def test_pressing_twice_and_going_back_is_one_registration(phone, site, address):
    open_last_seminar(phone, "en")
    fill_in(phone, address, "en")
    follow(phone.locator("main form button[type=submit]"))
    phone.go_back()
    fill = phone.locator("[name=email]")
    if not fill.input_value():
        phone.goto(phone.url)
        fill_in_again(phone, address)
    follow(phone.locator("main form button[type=submit]"))

    letter = site.mailbox.wait_for(address)
    phone.wait_for_timeout(2000)

    # A browser that loads the form anew after “back” asks a second time, and that is what the second letter says.
    subjects = [letter["Subject"] for letter in site.mailbox.letters(address)]
    assert [subject.partition(":")[0] for subject in subjects] in (
        ["Your seat is reserved"],
        ["Your seat is reserved", "You are already registered"],
    )
    assert re.search(r"Peña-Journey|Rosa", text_of(letter))


def fill_in_again(phone, address):
    phone.fill("[name=first_name]", "Rosa")
    phone.fill("[name=last_name]", "Peña-Journey")
    phone.fill("[name=email]", address)
    phone.select_option("[name=party_size]", "2")


@pytest.mark.parametrize(("language", "path"), [("en", "/seminars/"), ("es", "/es/seminars/")])
def test_the_list_can_be_narrowed_down_and_followed(phone, language, path):
    phone.goto(path)
    all_of_them = phone.locator("main .card").count()
    phone.fill("[name=zip]", "33607")
    follow(phone.locator("main form button[type=submit]").first)
    assert phone.locator("main .card").count() == all_of_them

    feed = phone.request.get("/seminars/calendar.ics" if language == "en" else "/es/seminars/calendar.ics")
    again = phone.request.get(feed.url, headers={"If-None-Match": feed.headers["etag"]})

    assert feed.text().startswith("BEGIN:VCALENDAR")
    assert "METHOD:PUBLISH" in feed.text()
    assert again.status == 304


def test_a_wide_screen_and_a_narrow_one_never_scroll_sideways(phone):
    for width in (320, 390, 1280):
        phone.set_viewport_size({"width": width, "height": 800})
        for path in ("/", "/seminars/", "/info-packet/", "/newsletter/subscribe/", "/es/", "/es/seminars/", "/es/info-packet/"):
            phone.goto(path)
            box = phone.locator("html").bounding_box()
            assert box["width"] <= width
