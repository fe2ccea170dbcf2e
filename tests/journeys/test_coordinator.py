"""A coordinator's morning, on a phone without JavaScript: Today, a seminar moved, a newsletter from the first word to the report, and a reader
who stops it."""

import re
import urllib.request
import uuid

import pytest

from .conftest import calendar_of, follow, link_in, text_of
from .test_patient import event_of, fill_in, open_last_seminar
from .test_visitor import ask

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

ADMIN = {"en": "/admin/", "es": "/es/admin/"}
WORDS = {
    "en": ("News in English", "Hello [[first_name|friend]],\n\nwalk a little every day."),
    "es": ("Noticias en español", "Hola, [[first_name|amigo]]:\n\ncamine un poco cada día."),
}


@pytest.fixture
def desk(phone):
    """`desk(language)`: Today, signed in as the demo's coordinator."""

    def desk(language):
        phone.goto(f"{ADMIN[language]}login/?next={ADMIN[language]}")
        phone.fill("[name=username]", "front-desk")
        phone.fill("[name=password]", "demo")
        follow(phone.locator("[type=submit]"))
        assert phone.locator("html").get_attribute("lang") == language
        return phone

    return desk


def subscribe(phone, site, address, language):
    """A reader who asked, confirmed and so subscribed."""
    ask(phone, address, language, newsletter=True)
    phone.goto(link_in(site.mailbox.wait_for(address), "/info-packet/"))
    follow(phone.locator("main form button[type=submit]"))


def write_campaign(page, language):
    """Through the form, a text in each language; returns the campaign's address."""
    page.goto(f"{ADMIN[language]}newsletter/campaign/add/")
    name = f"Journey {uuid.uuid4().hex[:8]}"
    page.fill("[name=name]", name)
    page.fill("[name=slug]", name.lower().replace(" ", "-"))
    page.locator("[name=topic]").select_option(index=1)
    for number, (subject, body) in enumerate(WORDS.values()):
        page.fill(f"[name=texts-{number}-subject]", subject)
        page.fill(f"[name=texts-{number}-body]", body)
    follow(page.locator("[name=_continue]").first)
    return re.sub(r"change/$", "", page.url)


@pytest.mark.parametrize("language", ["en", "es"])
def test_a_newsletter_from_the_first_word_to_the_report_and_to_the_reader_who_stops_it(phone, desk, site, address, language):
    subscribe(phone, site, address, language)
    page = desk(language)
    campaign = write_campaign(page, language)

    page.goto(f"{campaign}preview/?language={language}")
    assert page.locator("iframe").count() >= 1
    page.goto(f"{campaign}schedule/")
    page.check("[name=now]")
    page.fill("[name=confirm]", re.search(r"<strong>(\d+)</strong>", page.locator("form .help").last.inner_html())[1])
    follow(page.locator(".submit-row [type=submit]").first)

    letter = site.mailbox.wait_for(address, count=2, seconds=60)
    subject, body = WORDS[language]
    assert letter["Subject"] == subject
    assert "Inés" in text_of(letter)
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    one_click = re.search(r"<(https?://[^>]+)>", letter["List-Unsubscribe"])[1]
    by_hand = link_in(letter, "/newsletter/unsubscribe/")

    for _tries in range(60):
        page.goto(f"{campaign}report/")
        if not page.locator("meta[http-equiv=refresh]").count():
            break
        page.wait_for_timeout(1000)
    assert page.locator("meta[http-equiv=refresh]").count() == 0
    page.goto(f"{campaign}report/?state=sent")
    assert page.locator("tbody tr").count() > 100

    page.goto(by_hand)
    assert page.locator("[name=stop]").count() == 1
    if language == "en":
        follow(page.locator("[name=stop]"))
    else:  # the mail program's own button: no cookie, no token, no redirect (RFC 8058)
        posted = urllib.request.Request(one_click, data=b"List-Unsubscribe=One-Click", method="POST")
        with urllib.request.urlopen(posted, timeout=10) as answer:
            assert (answer.status, answer.url) == (200, one_click)
    page.goto(by_hand)
    assert page.locator("[name=stop]").count() == 0


def test_a_seminar_that_moves_moves_in_the_patients_calendar(phone, desk, site, address):
    open_last_seminar(phone, "es")
    slug = phone.url.rstrip("/").rsplit("/", 1)[-1]
    fill_in(phone, address, "es")
    follow(phone.locator("main form button[type=submit]"))
    first = event_of(site.mailbox.wait_for(address))

    page = desk("en")
    page.goto(f"/admin/seminars/seminar/?q={slug}")
    follow(page.locator("#result_list tbody th a").first)
    follow(page.locator("[name=_move]").first)
    page.fill("[name=starts]", "09:05")
    page.fill("[name=ends]", "10:35")
    follow(page.locator(".submit-row [type=submit]").first)
    assert len(site.mailbox.letters(address)) == 1
    follow(page.locator("[name=confirm]"))

    letter = site.mailbox.wait_for(address, count=2)
    moved = event_of(letter)
    assert "METHOD:REQUEST" in calendar_of(letter)
    assert moved["UID"] == first["UID"]
    assert moved["SEQUENCE"] == first["SEQUENCE"] + 1
    assert (moved["DTSTART"].dt.hour, moved["DTSTART"].dt.minute) == (9, 5)


#: Pages of one form each, and what to type for a mistake that only the server finds.
FORMS = {
    "seminars/seminar/1/add-person/": {"first_name": "Ana", "last_name": "Sample", "phone": "12"},
    "seminars/seminar/1/move/": {"starts": "half past"},
    "seminars/seminar/1/copy/": {"date": "some day"},
    "newsletter/campaign/3/schedule/": {"confirm": "1"},
    "mail/route/bulk/limits/": {"warm_up_from": "some day"},
}


@pytest.mark.parametrize("width", [390, 1280])
def test_what_is_wrong_and_what_helps_stand_beneath_their_field(desk, width):
    page = desk("en")
    page.set_viewport_size({"width": width, "height": 900})

    for path, typed in FORMS.items():
        page.goto(ADMIN["en"] + path)
        for name, text in typed.items():
            page.fill(f"[name={name}]", text)
        follow(page.locator(".submit-row [type=submit]").last)

        assert page.locator(".rows .errorlist").count() >= 1, path
        for row in page.locator(".rows .form-row").all():
            field = row.locator("input, select, textarea").first.bounding_box()
            for beneath in row.locator(".help, .errorlist").all():
                box = beneath.bounding_box()
                assert abs(box["x"] - field["x"]) <= 2, (path, beneath.inner_text())
                assert box["y"] >= field["y"] + field["height"], (path, beneath.inner_text())


def test_buttons_in_a_row_are_equally_high(desk):
    page = desk("en")

    for path in ("mail/route/2/change/", "seminars/seminar/1/change/"):
        page.goto(ADMIN["en"] + path)
        heights = {
            round(button.bounding_box()["height"]) for button in page.locator(".submit-row").locator("button, input[type=submit], a").all()
        }
        assert len(heights) == 1, (path, heights)


def test_text_typed_is_stored_whichever_button_is_pressed_and_enter_only_saves(desk):
    page = desk("en")
    change = f"{ADMIN['en']}seminars/seminar/1/change/"

    for act in ("_move", "_copy", "_add_person", "_look"):
        series = f"typed-{uuid.uuid4().hex[:8]}"
        page.goto(change)
        page.locator("summary").last.click()
        page.fill("[name=series]", series)
        follow(page.locator(f"[name={act}]").first)
        assert not page.url.endswith("/change/"), act
        page.goto(change)
        assert page.locator("[name=series]").input_value() == series

    page.goto(change)
    page.locator("[name=seats_in_person]").focus()
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url.endswith("/seminars/seminar/")
