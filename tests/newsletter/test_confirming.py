"""The page a confirmation letter opens, the packet behind it, and the subscription that starts only where its box was ticked."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from newsletter import consent, links, subscribing
from newsletter.models import Consent, ConsentWording, PacketRequest, Subscriber, Subscription
from tests.newsletter.conftest import PDF

pytestmark = pytest.mark.django_db


def ask(address="ana@example.org", *, packet=None, newsletter=False, language="en", form="info-packet", **names):
    return subscribing.ask(
        address,
        first_name=names.get("first_name", "Ana"),
        last_name=names.get("last_name", "Gil"),
        language=language,
        form=form,
        wording=subscribing.current_wording("newsletter", language),
        packet=packet,
        newsletter=newsletter,
    )


def path_of(request, language="en"):
    return links.confirm_url(request, language, packet=request.packet).removeprefix("http://testserver")


def press(client, path):
    """What the page's button does: posts what the page held."""
    page = client.get(path)
    shown = [waiting.public_id.hex for waiting in page.context["page"].waiting]
    return client.post(path, {"request": shown}, follow=True)


def text_of(response):
    return response.content.decode()


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_button_opens_the_packet_in_the_language_it_was_asked_for(client, packet, language):
    path = path_of(ask(packet=packet, language=language), language)

    assert text_of(client.get(path)).count('<button class="button"') == 1
    opened = press(client, path)

    assert f"Back pain ({language})" in text_of(opened)
    file = client.get(opened.context["page"].opened[0].token.join(["/info-packet/", "/packet.pdf"]))
    assert b"".join(file.streaming_content) == PDF + language.encode()
    assert file["Content-Type"] == "application/pdf"
    assert file["Content-Disposition"] == f'inline; filename="back-pain-{language}.pdf"'
    assert file["X-Robots-Tag"] == "noindex"
    assert "no-store" in file["Cache-Control"]
    assert file["X-Content-Type-Options"] == "nosniff"


def test_without_the_tick_nobody_is_subscribed(client, packet):
    press(client, path_of(ask(packet=packet)))

    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()


def test_with_the_tick_the_subscription_starts_with_its_evidence(client, packet, topic):
    with time_machine.travel("2026-12-01T15:00:00Z", tick=False):
        request = ask(packet=packet, newsletter=True, language="es")
    ConsentWording.objects.create(purpose="newsletter", language="es", version=2, text="Otras palabras.")
    with time_machine.travel("2026-12-02T15:00:00Z", tick=False):
        press(client, path_of(request))
        pressed = timezone.now()

    subscriber = Subscriber.objects.get()
    assert (subscriber.address, subscriber.first_name, subscriber.last_name, subscriber.language) == ("ana@example.org", "Ana", "Gil", "es")
    evidence = Consent.objects.get()
    assert (evidence.given, evidence.topic, evidence.form, evidence.method) == (True, topic, "info-packet", Consent.Method.DOUBLE_OPT_IN)
    assert (evidence.wording.language, evidence.wording.version) == ("es", 1)
    assert (evidence.at, evidence.confirmed_at) == (request.requested_at, pressed)
    subscription = Subscription.objects.active().get()
    assert (subscription.subscriber, subscription.consent, subscription.started_at) == (subscriber, evidence, pressed)


def test_the_page_says_what_the_button_agrees_to(client, packet):
    ticked, unticked = ask(packet=packet, newsletter=True), ask("ben@example.org", packet=packet)

    wording = subscribing.current_wording("newsletter", "en").text
    assert wording in text_of(client.get(path_of(ticked)))
    assert wording not in text_of(client.get(path_of(unticked)))


@pytest.mark.parametrize("method", ["get", "head"])
def test_a_scanner_confirms_nothing(client, packet, method):
    path = path_of(ask(packet=packet, newsletter=True))

    for _try in range(3):
        assert getattr(client, method)(path).status_code == 200
        assert getattr(client, method)(f"{path}packet.pdf").status_code == 302  # to the page with the button

    assert PacketRequest.objects.get().confirmed_at is None
    assert not Subscriber.objects.exists()


def test_pressing_again_is_friendly_and_changes_nothing(client, packet):
    request = ask(packet=packet, newsletter=True)
    press(client, path_of(request))
    first = PacketRequest.objects.get().confirmed_at
    subscribing.unsubscribe(Subscriber.objects.get(), Consent.Method.UNSUBSCRIBE)

    again = client.post(path_of(request), {"request": request.public_id.hex}, follow=True)

    assert again.status_code == 200
    assert "Open the packet" in text_of(again)
    assert "subscription has started" not in text_of(again)
    assert PacketRequest.objects.get().confirmed_at == first
    assert not Subscription.objects.active().exists()


def test_two_presses_at_once_confirm_once(packet):
    request = ask(packet=packet, newsletter=True)
    other_tab = PacketRequest.objects.get()

    assert [subscribing.confirm(request), subscribing.confirm(other_tab)] == [True, False]
    assert Consent.objects.count() == 1


def test_an_active_subscription_stays_and_the_newer_language_counts(client, packet, subscriber):
    standing = Subscription.objects.active().get()

    press(client, path_of(ask(packet=packet, newsletter=True, language="es", first_name="", last_name="")))

    assert Subscription.objects.get() == standing
    assert Consent.objects.filter(given=True).count() == 2
    subscriber.refresh_from_db()
    assert (subscriber.language, subscriber.first_name) == ("es", "Ana")


def test_a_newer_confirmed_opt_in_beats_an_older_unsubscribe(client, subscriber):
    subscribing.unsubscribe(subscriber, Consent.Method.ONE_CLICK)

    press(client, path_of(ask(newsletter=True)))

    assert subscriber.subscriptions.active().count() == 1
    assert list(consent.check()) == []


# -- One letter a day, everything behind it ----------------------------------------------------------------------------------------------


def test_the_days_one_letter_opens_all_that_was_asked_for(client, make_packet, deliver, link_in):
    one, two = make_packet("one"), make_packet("two")
    ask(packet=one)
    ask(packet=two)
    ask(newsletter=True, form="subscribe")

    [letter] = deliver()
    opened = press(client, link_in(letter))

    assert [packet.text.title for packet in opened.context["page"].opened] == ["Two (en)", "One (en)"]
    assert Subscription.objects.active().exists()
    assert not PacketRequest.objects.filter(confirmed_at=None).exists()


def test_what_is_asked_for_after_the_letter_was_opened_appears_on_its_page(client, make_packet, deliver, link_in):
    one, two = make_packet("one"), make_packet("two")
    with time_machine.travel("2026-12-01T15:00:00Z", tick=False) as clock:
        ask(packet=one)
        path = link_in(deliver()[0])
        press(client, path)
        clock.shift(timedelta(hours=2))
        ask(packet=two)
        assert deliver() == []

        page = client.get(path)
        assert [text.title for text in page.context["page"].packets] == ["Two (en)"]
        assert [packet.text.title for packet in page.context["page"].opened] == ["One (en)"]
        assert len(press(client, path).context["page"].opened) == 2


def test_a_page_confirms_only_what_it_showed(client, make_packet):
    """Somebody else may ask in this address's name while the page lies open."""
    mine = ask(packet=make_packet("one"))
    path = path_of(mine)
    shown = [waiting.public_id.hex for waiting in client.get(path).context["page"].waiting]
    ask(newsletter=True, form="subscribe")

    client.post(path, {"request": shown})

    assert not Subscriber.objects.exists()
    assert len(client.get(path).context["page"].waiting) == 1


def test_a_page_never_confirms_another_addresss_request(client, packet):
    mine, hers = ask("ana@example.org", packet=packet), ask("ben@example.org", packet=packet)

    client.post(path_of(mine), {"request": [hers.public_id.hex]})

    assert not PacketRequest.objects.exclude(confirmed_at=None).exists()


def test_a_seminar_forms_tick_goes_the_same_way(client, practice, deliver, link_in):
    ask(newsletter=True, form="register")

    [letter] = deliver()
    done = press(client, link_in(letter))

    assert link_in(letter).startswith("/newsletter/confirm/")
    assert "subscription has started" in text_of(done)
    assert Consent.objects.get().form == "register"


# -- Links that no longer work -----------------------------------------------------------------------------------------------------------


def test_after_seven_days_the_link_has_expired_and_offers_a_new_one(client, packet):
    request = ask(packet=packet, newsletter=True)

    with time_machine.travel(timezone.now() + timedelta(days=7, minutes=1)):
        answers = [client.get(path_of(request)), client.post(path_of(request)), client.get(f"{path_of(request)}packet.pdf")]

    assert [answer.status_code for answer in answers] == [410, 410, 410]
    assert all("This link has expired" in text_of(answer) and 'href="/info-packet/"' in text_of(answer) for answer in answers)
    assert PacketRequest.objects.get().confirmed_at is None


def test_an_old_link_does_not_confirm_a_newer_request(client, packet):
    old = ask(packet=packet)
    with time_machine.travel(timezone.now() + timedelta(days=8)):
        newer = ask(packet=packet)
        client.post(path_of(old), {"request": newer.public_id.hex})

    assert not PacketRequest.objects.exclude(confirmed_at=None).exists()


def test_an_opened_packet_stays_open_for_ninety_days(client, packet):
    request = ask(packet=packet)
    press(client, path_of(request))

    for days, status in ((60, 200), (91, 410)):
        with time_machine.travel(timezone.now() + timedelta(days=days)):
            assert client.get(path_of(request)).status_code == status
            file = client.get(f"{path_of(request)}packet.pdf")
            list(getattr(file, "streaming_content", ()))  # as a browser would: the file closes at its end
            assert file.status_code == status


@pytest.mark.parametrize("where", ["/info-packet/{}/", "/newsletter/confirm/{}/", "/newsletter/preferences/{}/", "/info-packet/{}/packet.pdf"])
def test_altered_links_get_one_clear_page(client, packet, subscriber, where):
    request = ask(packet=packet)
    good = links.confirm_token(request)
    tokens = [good[:-1], "x", good.replace(":", "."), links.unsubscribe_url(subscriber, "en").split("/")[-2]]

    answers = [client.get(where.format(token)) for token in tokens]

    assert {answer.status_code for answer in answers} == {404}
    assert len({text_of(answer).split("<main")[1].split("</main")[0] for answer in answers}) == 1
    assert "This link is not complete" in text_of(answers[0])


def test_a_missing_file_is_told_kindly(client, packet):
    request = ask(packet=packet)
    press(client, path_of(request))
    for text in packet.texts.all():
        text.pdf.storage.delete(text.pdf.name)

    answer = client.get(f"{path_of(request)}packet.pdf")

    assert answer.status_code == 404
    assert "Please call us" in text_of(answer)


def test_a_newsletter_request_has_no_packet_to_open(client, practice):
    request = ask(newsletter=True)
    press(client, path_of(request))

    assert client.get(f"/info-packet/{links.confirm_token(request)}/packet.pdf").status_code == 404


def test_confirming_needs_the_pages_csrf_token(packet):
    request = ask(packet=packet)

    assert Client(enforce_csrf_checks=True).post(path_of(request)).status_code == 403
    assert PacketRequest.objects.get().confirmed_at is None


def test_the_pages_are_not_kept_or_listed_and_wrong_methods_are_refused(client, packet):
    path = path_of(ask(packet=packet))

    response = client.get(path)

    assert "no-store" in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Referrer-Policy"] == "same-origin"
    assert [client.put(path).status_code, client.delete(path).status_code, client.post(f"{path}packet.pdf").status_code] == [405, 405, 405]
    assert "ana@example.org" not in text_of(response)
