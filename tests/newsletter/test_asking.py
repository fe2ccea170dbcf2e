"""Asking for a packet or the newsletter: the two public forms, and the one letter that follows."""

import email
import email.policy
from datetime import timedelta

import pytest
import time_machine
from django.core import mail
from django.test import Client
from django.utils import timezone

from newsletter import subscribing
from newsletter.models import Consent, ConsentWording, PacketRequest, Subscriber
from project.mail import suppressions
from project.mail.addresses import address_hash
from project.mail.models import Message

pytestmark = pytest.mark.django_db

ANA = {"first_name": "Ana", "last_name": "Gil", "email": "ana@example.org", "language": "en"}


@pytest.fixture
def post(client):
    def post(path="/info-packet/", **changes):
        return client.post(path, {**ANA, **changes})

    return post


def text_of(response):
    return response.content.decode()


# -- The page --------------------------------------------------------------------------------------------------------------------------


def test_the_page_offers_the_packets_of_its_language(client, make_packet):
    make_packet("both")
    make_packet("only-english", languages=["en"])
    make_packet("withdrawn", offered=False)

    english, spanish = text_of(client.get("/info-packet/")), text_of(client.get("/es/info-packet/"))

    assert ["Both (en)" in english, "Only english (en)" in english, "Withdrawn (en)" in english] == [True, True, False]
    assert ["Both (es)" in spanish, "Only english" in spanish, "(en)" in spanish] == [True, False, False]


def test_without_a_packet_the_page_says_so_and_takes_no_form(client, make_packet, post):
    make_packet("only-english", languages=["en"])

    assert "no hay ningún paquete" in text_of(client.get("/es/info-packet/"))
    assert post("/es/info-packet/", language="es").status_code == 200
    assert not PacketRequest.objects.exists()


@pytest.mark.parametrize(("path", "language"), [("/info-packet/", "en"), ("/es/info-packet/", "es")])
def test_the_newsletter_box_is_unticked_beside_the_words_it_agrees_to(client, packet, path, language):
    page = text_of(client.get(path))
    box = page[page.index('name="newsletter"') - 80 : page.index('name="newsletter"') + 80]

    assert "checked" not in box
    assert subscribing.current_wording("newsletter", language).text in page


def test_new_words_are_shown_from_the_moment_they_are_added(client, packet):
    ConsentWording.objects.create(purpose="newsletter", language="en", version=2, text="Newer words.")

    assert "Newer words." in text_of(client.get("/info-packet/"))


def test_one_packet_needs_no_question_which(client, make_packet):
    make_packet("one")
    assert 'name="packet"' not in text_of(client.get("/info-packet/"))

    make_packet("two")
    assert text_of(client.get("/info-packet/")).count('name="packet"') == 2


@pytest.mark.parametrize("packets", [1, 3])
def test_the_page_costs_the_same_queries_for_any_number_of_packets(client, make_packet, django_assert_max_num_queries, packets):
    for n in range(packets):
        make_packet(f"packet-{n}")

    with django_assert_max_num_queries(8):
        client.get("/info-packet/")


# -- The answer ------------------------------------------------------------------------------------------------------------------------


def test_asking_stores_what_was_said_and_sends_one_letter(post, packet, deliver):
    response = post(newsletter="on")

    assert (response.status_code, response["Location"]) == (302, "/info-packet/asked/")
    request = PacketRequest.objects.get()
    assert (request.packet, request.address, request.first_name, request.newsletter, request.form) == (
        packet,
        "ana@example.org",
        "Ana",
        True,
        "info-packet",
    )
    assert (request.wording.version, request.wording.language) == (1, "en")
    assert [letter.to for letter in deliver()] == [["ana@example.org"]]
    assert not Subscriber.objects.exists()
    assert not Consent.objects.exists()


def test_the_unticked_box_asks_for_no_newsletter(post, packet):
    post()

    assert PacketRequest.objects.get().newsletter is False


def test_the_words_recorded_are_those_that_were_read(post, packet):
    ConsentWording.objects.create(purpose="newsletter", language="en", version=2, text="Newer words.")

    post(newsletter="on", wording="1")  # the page was open before version 2 came
    post(newsletter="on", wording="2", email="ben@example.org")
    post(newsletter="on", wording="99", email="cai@example.org")
    post("/es/info-packet/", newsletter="on", wording="1", language="en", email="dia@example.org")

    seen = [(request.wording.version, request.wording.language) for request in PacketRequest.objects.order_by("pk").select_related("wording")]
    assert seen == [(1, "en"), (2, "en"), (2, "en"), (1, "es")]


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_known_unknown_suppressed_and_reading_addresses_get_the_same_answer(packet, make_subscriber, path):
    make_subscriber("reader@example.org")
    suppressions.hard_bounce(address_hash("bounced@example.org"))
    suppressions.complaint(address_hash("complained@example.org"))
    subscribing.ask(
        "asked@example.org", first_name="", last_name="", language="en", form="subscribe", wording=None, packet=packet, newsletter=False
    )
    answers = set()
    for address in ("new@example.org", "reader@example.org", "bounced@example.org", "complained@example.org", "asked@example.org"):
        client = Client()
        response = client.post(path, {**ANA, "email": address, "newsletter": "on"})
        page = client.get(response["Location"])
        headers = tuple(sorted((name, value) for name, value in response.items()))
        repeated = page.content.replace(address.encode(), b"")  # what the visitor typed, and nothing we knew
        answers.add((response.status_code, response.content, headers, tuple(response.cookies), page.status_code, repeated))

    assert len(answers) == 1
    assert "example.org" not in response["Location"]


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_the_next_page_repeats_the_address_as_it_was_typed_there_alone(client, packet, path):
    response = client.post(path, {**ANA, "newsletter": "on"})

    page = client.get(response["Location"])

    assert "is on its way to <b>ana@example.org</b>" in text_of(page)
    assert f'href="{path}"' in text_of(page).partition("<main")[2]
    assert "no-store" in page["Cache-Control"]
    assert response.cookies["asked"]["path"] == response["Location"]
    assert "ana@" not in text_of(Client().get(response["Location"]))
    assert "ana@" not in response.cookies["asked"].OutputString()
    assert "session" not in "".join(client.cookies)


def test_an_address_that_looks_misspelled_is_asked_about_once(post, packet):
    asked = post(email="ana@gmial.com")
    none_yet = PacketRequest.objects.count()
    post(email="ana@gmial.com", sure="ana@gmial.com")

    assert (asked.status_code, none_yet) == (422, 0)
    assert "Did you mean ana@gmail.com?" in text_of(asked)
    assert PacketRequest.objects.get().address == "ana@gmial.com"


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_mistakes_stand_first_on_the_page_where_the_form_leads(post, packet, path):
    page = text_of(post(path, email="")).partition("<main")[2]

    assert page.index('tabindex="-1" id="errors"') < page.index("<h1>")
    assert 'method="post" action="#errors"' in page


def test_a_suppressed_address_gets_no_letter(post, packet, deliver):
    suppressions.hard_bounce(address_hash("ana@example.org"))

    post()

    assert deliver() == []


def test_who_reported_our_newsletter_is_not_asked_again_but_may_have_a_packet(post, packet, deliver):
    suppressions.complaint(address_hash("ana@example.org"))
    suppressions.complaint(address_hash("ben@example.org"))

    post("/newsletter/subscribe/", newsletter="on")
    post("/info-packet/", email="ben@example.org")

    assert [letter.to for letter in deliver()] == [["ben@example.org"]]


def test_one_letter_a_day_however_often_and_wherever_somebody_asks(client, make_packet, deliver):
    make_packet("one")
    make_packet("two")
    with time_machine.travel("2026-12-01T15:00:00Z", tick=False) as clock:
        for _try in range(3):
            client.post("/info-packet/", {**ANA, "packet": "one"})
            client.post("/info-packet/", {**ANA, "email": "ANA@example.org", "packet": "two", "newsletter": "on"})
            client.post("/es/newsletter/subscribe/", {**ANA, "newsletter": "on", "language": "es"})
            clock.shift(timedelta(minutes=5))
            deliver()
        assert len(mail.outbox) == 1
        clock.shift(timedelta(days=1))
        client.post("/info-packet/", {**ANA, "packet": "one"})
        assert len(deliver()) == 1


def test_pressing_twice_sends_once(post, packet, deliver):
    post()
    post()

    assert len(deliver()) == 1


# -- The letter ------------------------------------------------------------------------------------------------------------------------


def test_the_letter_read_back_by_a_strict_parser(post, packet, deliver, link_in):
    post(first_name="José", language="es", newsletter="on")

    [letter] = deliver()

    message = email.message_from_bytes(letter.message().as_bytes(), policy=email.policy.strict)
    assert [part.get_content_type() for part in message.walk()] == ["multipart/alternative", "text/plain", "text/html"]
    assert message["To"].addresses[0].addr_spec == "ana@example.org"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Unsubscribe"] is None
    for kind in ("plain", "html"):
        content = message.get_body((kind,)).get_content()
        assert "José" in content
        assert link_in(letter) in content
        assert content.count("/es/info-packet/") == 1
        assert "ana@example.org" not in content
    assert "José" not in message["Subject"]


def test_the_letter_names_nothing_of_a_condition_in_its_subject_or_link(post, make_packet, deliver, link_in):
    make_packet("herniated-disc")
    post()

    [letter] = deliver()

    assert "disc" not in letter.subject.lower()
    assert "disc" not in link_in(letter).lower()


def test_the_letter_repeats_nothing_but_a_name(packet, deliver):
    """Another form may hand on what it did not filter."""
    subscribing.ask(
        "ana@example.org", first_name="Win at evil.example", last_name="x", language="en", form="register", wording=None, newsletter=False
    )
    subscribing.ask("ben@example.org", first_name="Ben", last_name="Secret", language="en", form="register", wording=None, newsletter=False)

    ana, ben = sorted(deliver(), key=lambda letter: letter.to)

    assert "evil" not in ana.body
    assert "Hello," in ana.body
    assert "Hello Ben," in ben.body
    assert "Secret" not in ben.body


def test_a_letter_about_the_newsletter_alone_says_so(post, deliver, link_in, practice):
    post("/newsletter/subscribe/", newsletter="on")

    [letter] = deliver()

    assert "newsletter of Gulf Coast Spine" in " ".join(letter.body.split())
    assert link_in(letter).startswith("/newsletter/confirm/")


def test_a_letter_that_waited_too_long_or_was_overtaken_is_not_sent(post, packet, deliver):
    post()
    post(email="ben@example.org")
    subscribing.confirm(PacketRequest.objects.get(address="ben@example.org"))

    with time_machine.travel(timezone.now() + timedelta(days=8)):
        assert deliver() == []

    reasons = dict(Message.objects.values_list("address", "reason"))
    assert reasons == {"ana@example.org": Message.Reason.EXPIRED, "ben@example.org": Message.Reason.SUPERSEDED}


def test_the_ledger_remembers_ids_only(post, packet):
    post()

    letter = Message.objects.get()
    assert letter.ref == {"request": PacketRequest.objects.get().pk}
    assert letter.key.startswith(f"optin/{address_hash('ana@example.org')}/20")


# -- Bad input -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "",
        "ana",
        "ana@localhost",
        "ana@[127.0.0.1]",
        '"ana gil"@example.org',
        '"x\x01y"@example.org',
        "a@example.org,b@example.org",
        "a@example.org b@example.org",
        "ana@example.org\r\nBcc: b@example.org",
        "ana@example.org\nBcc:b@example.org",
        "Ana <ana@example.org>",
        "ana@exa\u200bmple.org",
        "ana\x00@example.org",
        "a" * 250 + "@example.org",
        "añа@example.org",
        "ana@example..org",
    ],
)
@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_a_bad_address_gets_a_sentence_and_loses_nothing_typed(post, packet, path, address):
    response = post(path, email=address, first_name="Zoraida", newsletter="on")

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {"email"}
    assert 'value="Zoraida"' in text_of(response)
    assert (
        "checked" in text_of(response).split('name="newsletter"')[1][:120]
        or "checked" in text_of(response).split('name="newsletter"')[0][-120:]
    )
    assert not PacketRequest.objects.exists()
    assert not Message.objects.exists()


@pytest.mark.parametrize("name", ["http://evil.example", "evil.example", "a" * 300, "Ana\r\nBcc: x", "<script>", "{{ 7|add:7 }}"])
@pytest.mark.parametrize("field", ["first_name", "last_name"])
def test_a_bad_name_gets_a_sentence(post, packet, field, name):
    response = post(**{field: name})

    assert response.status_code == 422
    assert response.context["form"].errors.keys() == {field}
    assert "<script>" not in text_of(response)
    assert not Message.objects.exists()


@pytest.mark.parametrize(("field", "value"), [("language", "fr"), ("language", ""), ("first_name", "")])
def test_other_bad_values_get_a_sentence(post, packet, field, value):
    assert post(**{field: value}).context["form"].errors.keys() == {field}


def test_a_packet_that_is_not_on_offer_cannot_be_asked_for(post, make_packet):
    make_packet("one")
    make_packet("two")
    make_packet("withdrawn", offered=False)

    assert [post(packet=packet).status_code for packet in ("withdrawn", "nonsense", "")] == [422, 422, 422]
    assert not PacketRequest.objects.exists()


def test_a_packet_in_a_language_it_does_not_have_is_refused_at_the_field(post, make_packet):
    make_packet("only-english", languages=["en"])

    response = post(language="es")

    assert response.context["form"].errors == {"language": ["This packet is not available in that language yet. Please choose the other one."]}
    assert not PacketRequest.objects.exists()


def test_the_newsletter_form_wants_its_box_ticked(post, practice):
    assert post("/newsletter/subscribe/").context["form"].errors.keys() == {"newsletter"}
    assert not PacketRequest.objects.exists()


def test_fields_nobody_asked_for_are_ignored(post, packet):
    post(confirmed_at="2026-01-01", public_id="x", address_hash="x")

    assert PacketRequest.objects.get().confirmed_at is None


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_without_a_csrf_token_nothing_happens(packet, path):
    response = Client(enforce_csrf_checks=True).post(path, {**ANA, "newsletter": "on"})

    assert response.status_code == 403
    assert not PacketRequest.objects.exists()


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/", "/info-packet/asked/", "/newsletter/subscribe/asked/"])
def test_wrong_methods_and_looking(client, packet, path):
    assert [client.get(path).status_code, client.head(path).status_code, client.put(path).status_code] == [200, 200, 405]
    assert not PacketRequest.objects.exists()


@pytest.mark.parametrize("path", ["/info-packet/", "/newsletter/subscribe/"])
def test_a_program_gets_the_same_answer_and_nothing_happens(packet, path):
    person, program = Client(), Client()

    answers = [
        person.post(path, {**ANA, "newsletter": "on"}),
        program.post(path, {**ANA, "email": "ben@example.org", "newsletter": "on", "website": "http://evil.example"}),
    ]

    assert answers[0].status_code == answers[1].status_code == 302
    assert answers[0].headers == answers[1].headers
    assert [request.address for request in PacketRequest.objects.all()] == ["ana@example.org"]


def test_a_form_sent_at_a_machines_pace_gets_the_same_answer_and_nothing_happens(client, post, packet, settings):
    settings.FORM_MIN_SECONDS = 2
    stamp = client.get("/info-packet/").context["form"]["opened"].value()

    quick = post(opened=stamp)
    with time_machine.travel(timezone.now() + timedelta(seconds=5)):
        unhurried = post(opened=stamp, email="ben@example.org")

    assert quick.headers == unhurried.headers
    assert [request.address for request in PacketRequest.objects.all()] == ["ben@example.org"]


def test_too_many_requests_get_a_sentence_and_lose_nothing(post, packet, settings):
    settings.FORM_PER_HOUR = 0

    response = post(first_name="Zoraida")

    assert "many requests from here" in text_of(response)
    assert 'value="Zoraida"' in text_of(response)
    assert not PacketRequest.objects.exists()


def test_the_words_of_consent_exist_in_both_languages():
    assert [subscribing.current_wording("newsletter", language).version for language in ("en", "es")] == [1, 1]
    assert subscribing.current_wording("newsletter", "fr") is None
