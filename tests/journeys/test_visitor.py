"""A visitor asks for the info packet, confirms by letter, opens it, and stops the newsletter; pages and letters in their language."""

import pytest

from .conftest import follow, link_in

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("journeys")]

PACKET = {"en": "/info-packet/", "es": "/es/info-packet/"}


def ask(phone, address, language, *, newsletter):
    phone.goto(PACKET[language])
    if phone.locator("[name=packet]").count():
        phone.locator("[name=packet]").first.check()
    phone.fill("[name=first_name]", "Inés")
    phone.fill("[name=last_name]", "Sample")
    phone.fill("[name=email]", address)
    phone.check(f"[name=language][value={language}]")
    assert not phone.locator("[name=newsletter]").is_checked()
    if newsletter:
        phone.check("[name=newsletter]")
    follow(phone.locator("main form button[type=submit]"))


@pytest.mark.parametrize("language", ["en", "es"])
def test_ask_confirm_open_and_stop(phone, site, address, language):
    ask(phone, address, language, newsletter=True)
    assert address not in phone.url
    letter = site.mailbox.wait_for(address)

    phone.goto(link_in(letter, "/info-packet/"))
    assert phone.locator("html").get_attribute("lang") == language
    assert phone.locator("a[href$='packet.pdf']").count() == 0
    follow(phone.locator("main form button[type=submit]"))

    packet = phone.request.get(phone.locator("a[href$='packet.pdf']").first.get_attribute("href"))
    assert packet.headers["content-type"] == "application/pdf"
    assert packet.body().startswith(b"%PDF")

    follow(phone.locator("a[href*='/newsletter/preferences/']"))
    assert phone.locator("[name=first_name]").input_value() == "Inés"
    assert phone.locator("input[type=checkbox]:checked").count() >= 1
    assert len(site.mailbox.letters(address)) == 1


def test_without_the_box_there_is_a_packet_and_no_newsletter(phone, site, address):
    ask(phone, address, "en", newsletter=False)
    phone.goto(link_in(site.mailbox.wait_for(address), "/info-packet/"))
    follow(phone.locator("main form button[type=submit]"))

    assert phone.locator("a[href$='packet.pdf']").count() >= 1
    assert phone.locator("a[href*='/newsletter/preferences/']").count() == 0


def test_known_and_unknown_addresses_get_the_same_answer(phone, site, address):
    ask(phone, address, "en", newsletter=False)
    first = phone.locator("main").inner_text(), phone.url
    ask(phone, address, "en", newsletter=False)

    assert (phone.locator("main").inner_text(), phone.url) == first
