"""Registering, and a registration's own page: from the visitor's press of a button to the letter, and what strangers can't learn."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from newsletter.models import PacketRequest
from project.mail import tokens
from project.mail.models import Message
from seminars import changes, links, registration
from seminars.models import Registration, SeatPool, Seminar

Status = Registration.Status


@pytest.fixture
def send(client):
    """`send(seminar, email="", …)`: Ana presses the button of a form she has just opened; returns the answer."""

    def send(seminar, prefix="", by=client, **fields):
        path = f"{prefix}/seminars/{seminar.slug}/register/"
        filled = {
            "first_name": "Ana",
            "last_name": "Sample",
            "email": "ana@example.org",
            "phone": "",
            "party_size": "1",
            "language": "en",
            "nonce": "n" * 32,
        }
        return by.post(path, filled | fields)

    return send


def own_page(registration):
    """Its token holds the second it was made in: ask once per test."""
    return f"/registrations/{links.registration_token(registration)}/"


def words(page):
    return page.content.decode()


def bare(page):
    """A page without what differs at every rendering: the CSRF token, the form's stamp and its nonce."""
    return re.sub(r'(name="(?:csrfmiddlewaretoken|opened|nonce)"[^>]*value=)"[^"]*"', r"\1", words(page))


# -- The form --------------------------------------------------------------------------------------------------------------------------


def test_the_form_is_one_screen_a_phone_can_fill_in(client, seminar):
    text = words(client.get(f"/seminars/{seminar.slug}/register/"))

    for name, attributes in {
        "first_name": 'autocomplete="given-name"',
        "last_name": 'autocomplete="family-name"',
        "email": 'autocomplete="email"',
        "phone": 'inputmode="tel"',
    }.items():
        [tag] = re.findall(rf'<input[^>]*name="{name}"[^>]*>', text)
        assert attributes in tag
    assert "One of them is enough" in text
    [box] = re.findall(r'<input[^>]*name="newsletter"[^>]*>', text)
    assert "checked" not in box
    assert 'name="mode"' not in text
    assert "http-equiv" not in text


def test_letters_come_in_the_pages_language_unless_another_is_chosen(client, seminar):
    radios = re.findall(r'<input[^>]*name="language"[^>]*>', words(client.get(f"/es/seminars/{seminar.slug}/register/")))

    assert [(re.search(r'value="(\w+)"', radio)[1], "checked" in radio) for radio in radios] == [("en", False), ("es", True)]


@pytest.mark.parametrize("prefix", ["", "/es"])
def test_registering_saves_a_seat_and_the_letter_leads_to_ones_own_page(client, seminar, send, deliver, pool, prefix):
    answer = send(seminar, prefix, party_size="2", language="es")
    page = client.get(answer.url)
    [letter] = deliver()

    ana = Registration.objects.get()
    assert (answer.status_code, answer.url) == (302, f"{prefix}/seminars/{seminar.slug}/register/thanks/")
    assert "Ana" in words(page)
    assert "ana@example.org" in words(page)
    assert "no-store" in page["Cache-Control"]
    assert (ana.status, ana.party_size, ana.language) == (Status.CONFIRMED, 2, "es")
    assert pool(seminar).taken == 2
    assert letter.to == ["ana@example.org"]
    [link] = re.findall(r"http://testserver(/es/registrations/\S+/)", letter.body)
    assert client.get(link).status_code == 200


def test_pressing_twice_and_going_back_make_one_registration_and_one_letter(seminar, send, deliver):
    send(seminar)
    send(seminar)
    send(seminar, email="Ana@Example.org")

    assert Registration.objects.count() == 1
    assert len(deliver()) == 1


def test_pressing_twice_after_going_back_for_a_second_person_is_one_letter_to_each(seminar, send, deliver):
    for name in ("Ana", "Ben", "Ben"):
        send(seminar, first_name=name)

    assert Registration.objects.count() == 2
    assert len(deliver()) == 2


def test_who_goes_back_and_corrects_the_address_gets_the_letter_there(seminar, send, deliver):
    send(seminar, email="anna@example.org")
    send(seminar, email="ana@example.org")

    assert [letter.to for letter in deliver()] == [["anna@example.org"], ["ana@example.org"]]


def test_two_people_may_share_a_mailbox(seminar, send):
    send(seminar)
    send(seminar, first_name="Ben", nonce="m" * 32)

    assert Registration.objects.count() == 2


def test_a_phone_number_alone_is_enough(client, seminar, send, deliver):
    answer = send(seminar, email="", phone="813 555 0123")
    page = words(client.get(answer.url))

    assert Registration.objects.get().phone == "+18135550123"
    assert deliver() == []
    assert "please write down the date" in page
    assert f"{seminar.venue.name}, {seminar.venue.address}" in page
    assert "is on its way" not in page


def test_a_hybrid_seminar_asks_how(client, make_seminar, send):
    seminar = make_seminar(format="hybrid")

    unasked = send(seminar)
    send(seminar, mode="online")

    assert unasked.status_code == 422
    assert "Please choose one." in words(unasked)
    assert Registration.objects.get().mode == "online"


def test_the_thanks_say_where_for_the_way_chosen(client, make_seminar, send):
    seminar = make_seminar(format="hybrid")

    online = words(client.get(send(seminar, mode="online").url))
    in_person = words(client.get(send(seminar, mode="in-person", first_name="Ben").url))

    assert "<dd>Online</dd>" in online
    assert seminar.venue.street in in_person


@pytest.mark.parametrize("form", ["online", "hybrid"])
def test_who_attends_online_needs_an_address_for_the_link(client, make_seminar, send, form):
    seminar = make_seminar(format=form)

    answer = send(seminar, mode="online", email="", phone="813 555 0123")

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"email": ["The link to join comes by e-mail. Please give us your address, or call us."]}
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ana@gmial.com", "ana@gmail.com"),
        ("ana@gmail.con", "ana@gmail.com"),
        ("Ana@HOTMIAL.com", "Ana@hotmail.com"),
        ("ana@cox.nte", "ana@cox.net"),
    ],
)
def test_an_address_that_looks_misspelled_is_asked_about_once_and_taken_the_second_time(seminar, send, typed, meant):
    asked = send(seminar, email=typed)
    [sure] = re.findall(r'name="sure" value="([^"]*)"', words(asked))
    none_yet = Registration.objects.count()
    send(seminar, email=typed, sure=sure)

    assert (asked.status_code, none_yet) == (422, 0)
    assert asked.context["form"].errors == {"email": [f"Did you mean {meant}? If what you typed is right, press the button once more."]}
    assert f'value="{typed}"' in words(asked)
    assert Registration.objects.get().email.casefold() == typed.casefold()


def test_to_be_sure_of_one_address_is_not_to_be_sure_of_another(seminar, send):
    answer = send(seminar, email="ana@gmial.com", sure="ana@yaho.com")

    assert answer.status_code == 422
    assert not Registration.objects.exists()


@pytest.mark.parametrize("address", ["ana@gmail.com", "ana@gmx.com", "ana@mail.com", "ana@ymail.com", "ana@example.co", "ana@yahoo.com.mx"])
def test_an_address_that_is_only_rare_is_not_asked_about(seminar, send, address):
    assert send(seminar, email=address).status_code == 302


# -- The newsletter box ----------------------------------------------------------------------------------------------------------------


def test_an_unticked_box_subscribes_nobody(seminar, send, deliver):
    send(seminar)

    assert PacketRequest.objects.count() == 0
    assert len(deliver()) == 1


def test_a_ticked_box_asks_by_a_letter_of_its_own_and_remembers_the_words(client, seminar, send, deliver):
    [version] = re.findall(r'name="wording" value="(\d+)"', words(client.get(f"/seminars/{seminar.slug}/register/")))

    send(seminar, newsletter="on", wording=version)

    asked = PacketRequest.objects.get()
    assert (asked.form, asked.newsletter, asked.packet, asked.wording.version) == ("register", True, None, int(version))
    assert asked.confirmed_at is None
    assert len(deliver()) == 2


def test_the_newsletter_needs_an_address(seminar, send):
    answer = send(seminar, email="", phone="8135550123", newsletter="on")

    assert answer.status_code == 422
    assert "untick the newsletter" in words(answer)
    assert Registration.objects.count() == 0


# -- Full ------------------------------------------------------------------------------------------------------------------------------


def test_a_full_seminar_says_so_and_offers_the_waiting_list(client, make_seminar, register, send):
    seminar = make_seminar(capacity=1)
    register(seminar, "Ben")

    form = words(client.get(f"/seminars/{seminar.slug}/register/"))
    answer = send(seminar, waiting="yes")

    assert "This seminar is full" in form
    assert 'name="waiting"' in form
    assert "Join the waiting list</button>" in form
    assert Registration.objects.get(first_name="Ana").status == Status.WAITLISTED
    assert "your place on the waiting list" in words(client.get(answer.url))


def test_a_party_larger_than_what_is_left_is_offered_the_list_and_loses_nothing(make_seminar, register, send):
    seminar = make_seminar(capacity=4)
    register(seminar, "Ben", party_size=3)

    answer = send(seminar, party_size="3")

    assert answer.status_code == 422
    assert "There are not enough seats for the 3 of you" in words(answer)
    assert buttons(answer) == ["", "Register 1 person", "Join the waiting list for 3 people", "Try again with these changes"]
    assert 'value="ana@example.org"' in words(answer)
    assert Registration.objects.count() == 1


def buttons(page):
    """The words on the buttons of a page's form, in the order in which Enter and Tab meet them."""
    return re.findall(r"<button[^>]*>([^<]*)</button>", words(page))


@pytest.mark.parametrize(
    ("pressed", "status", "party_size"), [({"fewer": "2"}, Status.CONFIRMED, 2), ({"waiting": "yes"}, Status.WAITLISTED, 4)]
)
def test_where_seats_are_short_one_press_takes_those_that_fit_or_waits_with_all(make_seminar, register, send, pressed, status, party_size):
    seminar = make_seminar(capacity=6)
    register(seminar, "Ben", party_size=4)

    offered = send(seminar, party_size="4")
    send(seminar, party_size="4", **pressed)

    assert "Register 2 people" in buttons(offered)
    ana = Registration.objects.get(first_name="Ana")
    assert (ana.status, ana.party_size) == (status, party_size)


def test_where_seats_are_short_a_number_that_fits_gets_seats_whichever_button_is_pressed(make_seminar, register, send):
    seminar = make_seminar(capacity=6)
    register(seminar, "Ben", party_size=4)

    send(seminar, party_size="1", waiting="yes")

    assert Registration.objects.get(first_name="Ana").status == Status.CONFIRMED


def test_enter_in_a_field_decides_nothing_where_seats_are_short(make_seminar, register, send):
    """A form's first button is the one that Enter presses."""
    seminar = make_seminar(capacity=4)
    register(seminar, "Ben", party_size=3)

    first = re.search(r"<button[^>]*>", words(send(seminar, party_size="3")))[0]

    assert first == '<button type="submit" hidden>'


@pytest.mark.parametrize("fewer", ["0", "-1", "900", "two", ""])
def test_an_altered_button_takes_no_seats(seminar, send, pool, fewer):
    answer = send(seminar, fewer=fewer)

    assert answer.status_code == 422
    assert (Registration.objects.count(), pool(seminar).taken) == (0, 0)


# -- Full one way, open the other ------------------------------------------------------------------------------------------------------


@pytest.fixture
def full_room(make_seminar):
    """A hybrid seminar whose room is full."""
    seminar = make_seminar(format="hybrid")
    SeatPool.objects.filter(seminar=seminar, mode="in-person").update(taken=10)
    return seminar


def test_each_way_to_attend_says_its_seats(client, full_room):
    choices = re.findall(r'name="mode"[^>]*> <span>([^<]*)</span>', words(client.get(f"/seminars/{full_room.slug}/register/")))

    assert choices == ["In person: full – waiting list open", "Online: plenty of seats"]


def test_choosing_the_full_way_offers_the_other_and_the_waiting_list(full_room, send):
    answer = send(full_room, mode="in-person")

    assert answer.status_code == 422
    assert "All seats in the room are taken" in words(answer)
    assert "You can attend online" in words(answer)
    assert "All seats are taken" not in words(answer)
    assert buttons(answer) == ["", "Attend online instead", "Join the waiting list", "Try again with these changes"]
    assert not Registration.objects.exists()


@pytest.mark.parametrize(
    ("pressed", "mode", "status"),
    [({"instead": "online"}, "online", Status.CONFIRMED), ({"waiting": "yes"}, "in-person", Status.WAITLISTED)],
)
def test_one_press_attends_online_instead_or_waits_for_the_room(full_room, send, pressed, mode, status):
    send(full_room, mode="in-person", **pressed)

    ana = Registration.objects.get()
    assert (ana.mode, ana.status) == (mode, status)


def test_online_instead_still_needs_an_address(full_room, send):
    answer = send(full_room, mode="in-person", email="", phone="813 555 0123", instead="online")

    assert answer.status_code == 422
    assert answer.context["form"].errors == {"email": ["The link to join comes by e-mail. Please give us your address, or call us."]}
    assert re.search(r'value="online"[^>]* checked', words(answer))
    assert not Registration.objects.exists()


def test_a_full_net_offers_the_room(make_seminar, send):
    seminar = make_seminar(format="hybrid")
    SeatPool.objects.filter(seminar=seminar, mode="online").update(taken=10)

    answer = send(seminar, mode="online")

    assert "Come in person instead" in buttons(answer)


def test_a_large_party_that_waits_is_not_told_that_every_seat_is_taken(make_seminar, register, send, deliver):
    seminar = make_seminar(capacity=4)
    register(seminar, "Ben", party_size=3)
    deliver()

    send(seminar, party_size="3", waiting="yes")

    assert Registration.objects.get(first_name="Ana").status == Status.WAITLISTED
    (letter,) = deliver()
    assert "There are not enough seats for the 3 of you at the moment" in letter.body


def test_who_would_wait_gets_the_seat_that_became_free_meanwhile(client, seminar, send):
    answer = send(seminar, waiting="yes")

    assert Registration.objects.get().status == Status.CONFIRMED
    assert "full" not in words(client.get(answer.url))


def test_a_party_larger_than_the_room_is_asked_to_call(make_seminar, send):
    answer = send(make_seminar(capacity=2), party_size="4", waiting="yes")

    assert answer.status_code == 422
    assert "Please call us." in words(answer)


@pytest.mark.parametrize("fields", [{"first_name": ""}, {"party_size": "3"}])
def test_whatever_is_wrong_stands_where_the_form_leads(make_seminar, send, fields):
    page = words(send(make_seminar(capacity=2), **fields))

    assert 'method="post" action="#errors"' in page
    assert page.count('id="errors"') == 1
    assert 'tabindex="-1" id="errors"' in page


# -- Bad input -------------------------------------------------------------------------------------------------------------------------

BAD = [
    ({"email": ""}, "One of them is enough"),
    ({"email": "ana"}, "name@example.org"),
    ({"email": '"ana b"@example.org'}, "name@example.org"),
    ({"email": "ana@[127.0.0.1]"}, "name@example.org"),
    ({"email": "ana@localhost"}, "name@example.org"),
    ({"email": "ana\x01@example.org"}, "name@example.org"),
    ({"email": "ana@example.org, ben@example.org"}, "name@example.org"),
    ({"email": "ana@example.org\r\nBcc: ben@example.org"}, "name@example.org"),
    ({"email": "a" * 300 + "@example.org"}, "name@example.org"),
    ({"email": "ana\x00@example.org"}, "field-error"),
    ({"phone": "12"}, "area code"),
    ({"phone": "call me"}, "area code"),
    ({"first_name": ""}, "your first name"),
    ({"last_name": "   "}, "your last name"),
    ({"first_name": "https://win.example"}, "without a web address"),
    ({"first_name": "Ana\r\nSubject: hello"}, "letters only"),
    ({"last_name": "x" * 300}, "60 letters"),
    ({"first_name": "<b>Ana</b>"}, "letters only"),
    ({"party_size": "0"}, "between one and four"),
    ({"party_size": "900"}, "between one and four"),
    ({"party_size": "-1"}, "between one and four"),
    ({"party_size": "two"}, "between one and four"),
    ({"party_size": ""}, "how many of you"),
    ({"language": "xx"}, "one of these languages"),
    ({"language": ""}, "choose a language"),
]


def test_a_form_with_mistakes_says_so_in_its_title_and_leads_to_each_field(make_seminar, send):
    """Screen readers read the title first; without JavaScript nothing else tells that the same page has come back."""
    seminar = make_seminar(format="hybrid")

    page = words(send(seminar, mode="", first_name=""))

    assert "<title>Please look again · Register" in page
    for link in ("#id_mode_0", "#id_first_name"):
        assert f'<a href="{link}">' in page
        assert f'id="{link[1:]}"' in page


@pytest.mark.parametrize(("fields", "sentence"), BAD)
def test_bad_input_gets_a_sentence_at_the_field_and_loses_and_sends_nothing(seminar, send, pool, fields, sentence):
    answer = send(seminar, **({"last_name": "Typed"} | fields))

    assert answer.status_code == 422
    assert sentence in words(answer)
    assert 'role="alert"' in words(answer)
    [name] = fields
    assert f'id="id_{name}_error"' in words(answer)
    if name != "last_name":
        assert 'value="Typed"' in words(answer)
    assert "<b>Ana" not in words(answer)
    assert (Registration.objects.count(), Message.objects.count(), pool(seminar).taken) == (0, 0, 0)


@pytest.mark.parametrize("fields", [{"nonce": "\x00"}, {"nonce": "x" * 900}, {"wording": "9" * 900}, {"wording": "²", "newsletter": "on"}])
def test_garbage_in_hidden_fields_stands_in_nobodys_way(seminar, send, fields):
    assert send(seminar, **fields).status_code == 302
    assert Registration.objects.count() == 1


def test_fields_the_form_does_not_have_are_ignored(make_seminar, register, send):
    seminar = make_seminar(capacity=1)
    register(seminar, "Ben")

    send(seminar, waiting="yes", status="confirmed", source="front-desk", anyway="1", sequence="9")

    ana = Registration.objects.get(first_name="Ana")
    assert (ana.status, ana.source, ana.sequence) == (Status.WAITLISTED, "public", 0)


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"status": Seminar.Status.CANCELLED}, "This seminar is cancelled"),
        ({"starts_at": timezone.now() - timedelta(days=1)}, "Registration for this seminar is closed"),
    ],
)
def test_a_past_or_cancelled_seminar_takes_nobody(client, make_seminar, send, fields, sentence):
    seminar = make_seminar(**fields)

    for answer in (client.get(f"/seminars/{seminar.slug}/register/"), send(seminar)):
        assert answer.status_code == 410
        assert sentence in words(answer)
        assert "See the next dates" in words(answer)
    assert Registration.objects.count() == 0


def test_a_draft_can_not_be_registered_for(make_seminar, send):
    assert send(make_seminar(status=Seminar.Status.DRAFT)).status_code == 404
    assert Registration.objects.count() == 0


def test_a_form_from_elsewhere_is_refused_with_a_sentence(seminar, send):
    answer = send(seminar, by=Client(enforce_csrf_checks=True))

    assert answer.status_code == 403
    assert "press the button once more" in words(answer)
    assert Registration.objects.count() == 0


def test_another_method_gets_405_and_a_sentence(client, seminar, register):
    for path in (f"/seminars/{seminar.slug}/register/", f"{own_page(register(seminar))}cancel/"):
        answer = client.put(path)

        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD, POST")
        assert "use its buttons" in words(answer)


def test_a_program_that_fills_in_the_hidden_field_gets_the_same_page_and_nothing_happens(client, seminar, send):
    answer = send(seminar, website="https://spam.example")

    assert answer.url == f"/seminars/{seminar.slug}/register/thanks/"
    assert "Thank you" in words(client.get(answer.url))
    assert (Registration.objects.count(), Message.objects.count()) == (0, 0)


# -- What strangers can't learn --------------------------------------------------------------------------------------------------------


def answers(seminar, send, **fields):
    """Both answers a fresh browser sees: status, where to, and the page there."""
    browser = Client()
    answer = send(seminar, by=browser, **fields)
    page = browser.get(answer.url) if answer.status_code == 302 else answer
    kept = re.sub(r"(registered|csrftoken)=[^;]*", r"\1=", answer.cookies.output())
    return answer.status_code, answer.headers.get("Location"), re.sub(r"expires=[^;]*", "", kept), page.status_code, bare(page)


@pytest.mark.parametrize("state", [Status.CONFIRMED, Status.WAITLISTED, Status.CANCELLED])
def test_who_is_registered_and_who_is_not_get_the_same_answer(make_seminar, register, send, state):
    """Seminars with the same seats taken and the same people waiting: at one the address is known, at the other it is not."""
    pages = []
    for known in (True, False):
        seminar = make_seminar(capacity=4, slug=f"seminar-{known}")
        pages.append([])
        if state == Status.WAITLISTED:
            register(seminar, "Full", party_size=4)
        person = register(seminar, "Ana" if known else "Stranger", party_size=1)
        if state == Status.CANCELLED:
            registration.cancel(person)
        for fields in ({}, {"waiting": "yes"}):
            result = answers(seminar, send, **fields)
            pages[-1].append([re.sub(r"seminar-(True|False)", "seminar", str(part)) for part in result])

    assert pages[0] == pages[1]


def test_a_full_seminar_does_not_tell_who_has_a_seat(make_seminar, register, send):
    pages = []
    for known in (True, False):
        seminar = make_seminar(capacity=1, slug=f"seminar-{known}")
        register(seminar, "Ana" if known else "Stranger")
        pages.append([re.sub(r"seminar-(True|False)", "seminar", str(part)) for part in answers(seminar, send, waiting="yes")])

    assert pages[0] == pages[1]


def test_nothing_personal_is_in_any_address_or_header(client, seminar, send):
    answer = send(seminar)

    assert "Ana" not in answer.url
    cookie = answer.cookies["registered"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Lax", answer.url)
    assert cookie["max-age"] == 900
    assert "session" not in "".join(answer.cookies)


def test_thanks_without_the_cookie_or_with_an_altered_one_is_the_same_page_without_the_name(client, seminar, send):
    answer = send(seminar)
    client.cookies["registered"] = client.cookies["registered"].value + "x"

    altered = words(client.get(answer.url))
    fresh = words(Client().get(answer.url))

    assert altered == fresh
    assert "Thank you" in fresh
    assert "ana@" not in fresh


# -- One's own page --------------------------------------------------------------------------------------------------------------------


def test_ones_own_page_says_when_and_where_and_offers_the_calendars(client, seminar, register):
    home = own_page(register(seminar, party_size=2))

    page = client.get(home)

    for expected in ("Your 2 seats are reserved", "200 Sample Avenue", "calendar.google.com", "outlook.live.com", "calendar.yahoo.com"):
        assert expected in words(page)
    assert f'href="{home}calendar.ics"' in words(page)
    assert f'href="{home}cancel/"' in words(page)
    assert "no-store" in page["Cache-Control"]
    assert page["X-Robots-Tag"] == "noindex"
    assert page["Referrer-Policy"] == "same-origin"
    assert "ana@example.org" not in words(page)


def test_ones_own_page_goes_on_once_the_seminar_has_begun(client, make_seminar, register):
    seminar = make_seminar(format="online", venue=None, join_url="https://meet.example.org/secret")
    home = own_page(register(seminar))
    Seminar.objects.update(starts_at=timezone.now() - timedelta(minutes=5), ends_at=timezone.now() + timedelta(hours=1))

    page = client.get(home)

    assert "Your seat is reserved" in words(page)
    assert "https://meet.example.org/secret" in words(page)
    assert "BEGIN:VEVENT" in words(client.get("/seminars/calendar.ics"))


def test_the_link_to_join_is_for_those_with_a_seat_alone(client, make_seminar, register):
    seminar = make_seminar(capacity=1, format="online", venue=None, join_url="https://meet.example.org/secret")
    ana, ben = register(seminar), register(seminar, "Ben")

    assert "https://meet.example.org/secret" in words(client.get(own_page(ana)))
    assert "meet.example.org" not in words(client.get(own_page(ben)))
    registration.cancel(ana)
    assert "meet.example.org" not in words(client.get(own_page(ana)))


def test_who_waits_reads_their_place_in_words(client, make_seminar, register):
    seminar = make_seminar(capacity=1)
    for name in ("Ana", "Ben"):
        register(seminar, name)

    text = words(client.get(own_page(register(seminar, "Cleo"))))

    assert "You are second in line." in text
    assert "calendar.google.com" not in text
    assert "Leave the waiting list" in text


def test_cancelling_is_a_button_on_a_page_and_says_so_by_letter(client, seminar, register, deliver, pool):
    ana = register(seminar)
    deliver()
    home = own_page(ana)

    shown = client.get(f"{home}cancel/")
    answer = client.post(f"{home}cancel/")
    page = client.get(answer.url)

    assert "Yes, cancel my registration" in words(shown)
    assert ana.name in words(shown)  # a shared mailbox has two such letters
    assert (answer.status_code, answer.url) == (302, home)
    assert "You are no longer signed up for this seminar" in words(page)
    assert seminar.venue.street not in words(page).split("<footer")[0]
    assert f'href="/seminars/{seminar.slug}/register/"' in words(page)
    ana.refresh_from_db()
    assert (ana.status, ana.cancelled_by, pool(seminar).taken) == (Status.CANCELLED, "person", 0)
    assert [letter.to for letter in deliver()] == [["ana@example.org"]]


def test_leaving_the_waiting_list_is_called_that_and_speaks_of_no_seat(client, make_seminar, register):
    seminar = make_seminar(capacity=1)
    register(seminar)
    home = own_page(register(seminar, "Ben"))

    shown = words(client.get(f"{home}cancel/"))
    left = words(client.get(client.post(f"{home}cancel/").url)).split("<footer")[0]

    assert "<h1>Leave the waiting list?</h1>" in shown
    assert "Yes, leave the waiting list</button>" in shown
    assert "You are no longer signed up for this seminar" in left
    assert "cancelled" not in left
    assert "seat" not in left


def test_the_talks_language_is_said_where_it_is_not_the_pages(client, make_seminar, register):
    seminar = make_seminar(talk_language="es")
    home = own_page(register(seminar))

    for path in (f"/seminars/{seminar.slug}/register/", home):
        assert "The talk is in Spanish." in words(client.get(path))
        assert "La charla es en" not in words(client.get(f"/es{path}"))


def test_a_second_press_says_the_same_and_does_nothing_more(client, seminar, register, deliver):
    path = f"{own_page(register(seminar))}cancel/"
    client.post(path)
    deliver()

    assert client.post(path).status_code == 302
    assert client.get(path).status_code == 302
    assert deliver() == []


def test_after_the_seminar_it_is_too_late_to_cancel(client, seminar, register):
    ana = register(seminar)
    Seminar.objects.update(starts_at=timezone.now() - timedelta(hours=5), ends_at=timezone.now() - timedelta(hours=3))

    answer = client.post(f"{own_page(ana)}cancel/")

    assert answer.status_code == 410
    assert "too late" in words(answer)
    assert "This seminar is over" in words(client.get(own_page(ana)))
    assert client.get(f"{own_page(ana)}cancel/").status_code == 302


def test_a_cancel_form_from_elsewhere_is_refused(seminar, register):
    ana = register(seminar)

    answer = Client(enforce_csrf_checks=True).post(f"{own_page(ana)}cancel/")

    assert answer.status_code == 403
    ana.refresh_from_db()
    assert ana.status == Status.CONFIRMED


def test_a_seminar_that_was_called_off_is_told_on_ones_own_page(client, seminar, register):
    ana = register(seminar)
    changes.call_off(seminar)

    text = words(client.get(own_page(ana)))

    assert "This seminar is cancelled" in text
    assert "Cancel my registration" not in text


@pytest.mark.parametrize(
    ("method", "end"), [("get", ""), ("head", ""), ("get", "cancel/"), ("head", "cancel/"), ("post", "cancel/"), ("get", "calendar.ics")]
)
def test_an_altered_link_is_a_friendly_404_with_a_way_on(client, seminar, register, method, end):
    token = links.registration_token(register(seminar))
    for altered in (token[:-2], token[:-1] + ("A" if token[-1] != "A" else "B"), "x", "é", token.replace(":", "."), "a" * 3000):
        page = getattr(client, method)(f"/registrations/{altered}/{end}")

        assert page.status_code == 404
        if method != "head":
            assert "This link doesn’t work" in words(page)
            assert "/seminars/" in words(page)
    assert Registration.objects.get().status == Status.CONFIRMED


def test_a_link_made_for_something_else_opens_nothing(client, seminar, register):
    token = tokens.make("unsubscribe", register(seminar).public_id.hex)

    assert client.get(f"/registrations/{token}/").status_code == 404


@pytest.mark.parametrize("method", ["get", "head"])
def test_reading_changes_nothing(client, make_seminar, register, method):
    seminar = make_seminar(capacity=1, format="hybrid")
    people = [register(seminar), register(seminar, "Ben")]
    before = _everything()

    for prefix in ("", "/es"):
        for path in (
            "/",
            "/seminars/?zip=33607&format=online",
            "/seminars/calendar.ics",
            f"/seminars/{seminar.slug}/",
            f"/seminars/{seminar.slug}/calendar.ics",
            f"/seminars/{seminar.slug}/register/",
            f"/seminars/{seminar.slug}/register/?first_name=Ana&email=ana%40example.org&party_size=1",
            f"/seminars/{seminar.slug}/register/thanks/",
            *(own_page(person) + end for person in people for end in ("", "cancel/", "cancel/?yes=1", "calendar.ics")),
        ):
            assert getattr(client, method)(prefix + path).status_code in {200, 404}
    for path in ("/sitemap.xml", "/robots.txt"):
        getattr(client, method)(path)

    assert _everything() == before


def _everything():
    return [list(model.objects.order_by("pk").values()) for model in (Seminar, SeatPool, Registration, Message, PacketRequest)]
