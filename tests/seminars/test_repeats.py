"""Who is registered already and asks again, or asks for more than one address gets: who is told, and what others can see of it."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from project.mail.models import Message
from seminars import registration
from seminars.models import Callback, Registration, SeatPool
from seminars.refusals import AlreadyRegistered, NoRoom
from seminars.registration import add_by_phone, cancel

pytestmark = pytest.mark.django_db

Status = Registration.Status


def letters_of(kind):
    return Message.objects.filter(kind=f"seminars.{kind}").count()


def reasons():
    return list(Callback.objects.open().values_list("reason", flat=True))


@pytest.fixture
def send():
    """`send(seminar, first_name, …)`: one form, filled in by a browser of its own."""

    def send(seminar, first_name="Ana", **fields):
        filled = {"first_name": first_name, "last_name": "Sample", "email": f"{first_name.lower()}@example.org", "phone": ""}
        browser = Client()
        answer = browser.post(f"/seminars/{seminar.slug}/register/", filled | {"party_size": "1", "language": "en"} | fields)
        answer.page = browser.get(answer.url) if answer.status_code == 302 else answer
        return answer

    return send


# -- The owner of the address is told ---------------------------------------------------------------------------------------------------


def test_who_sends_the_form_again_is_told_by_letter_what_is_stored(seminar, send, register, deliver, pool):
    ana = register(seminar, party_size=2)
    deliver()

    send(seminar, party_size="3")

    [letter] = deliver()
    assert letter.to == ["ana@example.org"]
    assert letter.subject.startswith("You are already registered: ")
    assert letter.attachments == []
    for part in (letter.body, letter.alternatives[0].content):
        for expected in ("2 seats are yours", "Ana Sample", "200 Sample Avenue", "/registrations/", "Please call us", "Was this not you?"):
            assert expected in part
    ana.refresh_from_db()
    assert (ana.party_size, ana.sequence, pool(seminar).taken) == (2, 0, 2)
    assert Registration.objects.count() == 1


def test_who_waits_is_told_their_place_in_line(make_seminar, register, deliver):
    seminar = make_seminar(capacity=1)
    for name in ("Ben", "Cleo", "Ana"):
        register(seminar, name)
    deliver()

    register(seminar, "Ana")

    [letter] = deliver()
    assert "You are already on the waiting list. You are second in line." in letter.body
    assert "See your place in line" in letter.body


def test_the_letter_is_in_the_language_of_the_registration(seminar, register, deliver):
    register(seminar, language="es")
    deliver()

    register(seminar, language="en")

    [letter] = deliver()
    assert "/es/registrations/" in letter.body
    assert "¿No fue usted?" in letter.body


def test_the_letter_leaves_once_a_day(seminar, register, deliver):
    with time_machine.travel("2026-12-01T15:00:00Z", tick=False) as clock:
        seminar.starts_at, seminar.ends_at = timezone.now() + timedelta(days=9), timezone.now() + timedelta(days=9, hours=1)
        seminar.save()
        register(seminar)
        deliver()
        register(seminar)
        register(seminar)
        today = deliver()
        clock.shift(timedelta(days=1))
        register(seminar)
        tomorrow = deliver()

    assert [len(today), len(tomorrow)] == [1, 1]


def test_letters_about_registering_again_count_against_the_ten_a_day(make_seminar, register, deliver):
    for _ in range(6):
        seminar = make_seminar()
        register(seminar)
        register(seminar)

    assert len(deliver()) == 10
    assert letters_of("confirmed") + letters_of("already") == 12


def test_nothing_is_told_to_who_cancelled_before_the_letter_left(seminar, register, deliver):
    ana = register(seminar)
    deliver()
    register(seminar)

    cancel(ana)

    assert [letter.subject.partition(":")[0] for letter in deliver()] == ["Your registration is cancelled"]


def test_who_has_only_a_phone_is_called_once(seminar, register, deliver):
    for _ in range(3):
        register(seminar, email="", phone="813 555 0101")

    assert deliver() == []
    assert reasons() == [Callback.Reason.AGAIN]


def test_who_cancelled_registers_anew_and_is_told_nothing_of_before(seminar, register, deliver):
    cancel(register(seminar))

    again = register(seminar)

    assert again.status == Status.CONFIRMED
    assert letters_of("already") == 0


# -- The page after the form ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("contact", "how"), [({}, "letter"), ({"email": "", "phone": "813 555 0101"}, "call")])
def test_new_known_and_refused_people_see_one_page_and_no_claim_that_is_untrue(make_seminar, send, contact, how):
    """A newcomer, a repeat, a second repeat that day, and a third party of one contact."""
    pages, starts_at = [], timezone.now() + timedelta(days=30)
    contact = contact or {"email": "home@example.org"}
    for before in ([], ["Ana"], ["Ana", "Ana"], ["Ben", "Cleo"]):
        seminar = make_seminar(capacity=12, slug=f"seminar-{len(pages)}x", starts_at=starts_at)
        for name in before:
            send(seminar, name, **contact)
        pages.append(re.sub(r"seminar-\dx", "seminar", send(seminar, "Ana", **contact).page.text))

    assert pages == [pages[0]] * 4
    for untrue in ("on its way", "We have your registration", "is reserved", "we don’t send"):
        assert untrue not in pages[0]
    assert ("Please look for our e-mail" in pages[0]) is (how == "letter")
    assert ("please write down the date" in pages[0]) is (how == "call")


def test_the_newsletters_own_letter_is_announced(seminar, send):
    with_newsletter, without = send(seminar, newsletter="on"), send(seminar, "Ben")

    assert "It starts once you press the button in it" in with_newsletter.page.text
    assert "It starts once you press" not in without.page.text


# -- A limit per contact ----------------------------------------------------------------------------------------------------------------


def test_the_third_party_of_one_address_is_not_entered_and_its_owner_is_told_once(make_seminar, send, deliver, pool):
    seminar = make_seminar(capacity=20)
    for name in ("Ana", "Ben"):
        send(seminar, name, email="home@example.org", party_size="4")
    deliver()

    answers = [send(seminar, name, email="Home@example.org", party_size="2") for name in ("Cleo", "Dora")]

    assert [answer.status_code for answer in answers] == [302, 302]
    assert set(Registration.objects.values_list("first_name", flat=True)) == {"Ana", "Ben"}
    assert pool(seminar).taken == 8
    [letter] = deliver()
    assert letter.to == ["home@example.org"]
    for expected in ("Ana Sample", "Ben Sample", "4 people", "Please call us", "Was this not you?"):
        assert expected in letter.body
    assert letter.body.count("/registrations/") == 2
    assert "Cleo" not in letter.body


def test_the_third_party_of_one_phone_number_is_a_call(seminar, register, pool):
    for name in ("Ana", "Ben", "Cleo", "Dora"):
        register(seminar, name, email="", phone="(813) 555-0101", party_size=4 if name == "Ana" else 1)

    assert (Registration.objects.count(), pool(seminar).taken) == (2, 5)
    assert reasons() == [Callback.Reason.MORE]


def test_the_front_desk_enters_more(seminar, register):
    for name in ("Ana", "Ben"):
        register(seminar, name, email="", phone="8135550101")

    third = add_by_phone(seminar, mode="in-person", first_name="Cy", last_name="Sample", phone="8135550101", language="en")

    assert third.status == Status.CONFIRMED
    assert reasons() == []


def test_another_seminar_and_a_cancelled_party_make_room(make_seminar, register):
    seminar = make_seminar()
    first = register(seminar, "Ana", email="home@example.org")
    register(seminar, "Ben", email="home@example.org")

    elsewhere = register(make_seminar(), "Cleo", email="home@example.org")
    cancel(first)
    instead = register(seminar, "Cleo", email="home@example.org")

    assert (elsewhere.status, instead.status) == (Status.CONFIRMED, Status.CONFIRMED)


# -- The front desk is told at once -----------------------------------------------------------------------------------------------------


def test_who_is_registered_already_is_a_refusal_that_carries_the_registration(seminar, register, pool, deliver):
    ana = register(seminar, email="", phone="8135550101", party_size=2)

    with pytest.raises(AlreadyRegistered) as refused:
        add_by_phone(seminar, mode="in-person", first_name="Ana", last_name="Sample", phone="8135550101", language="en", party_size=3)

    assert refused.value.registration == ana
    assert str(refused.value) == "Ana Sample is registered already: 2 people, in person, seat confirmed. Nothing was changed."
    assert (pool(seminar).taken, pool(seminar).held) == (2, 0)
    assert reasons() == []


# -- What strangers see -----------------------------------------------------------------------------------------------------------------


def bare(page):
    kept = re.sub(r'(name="(?:csrfmiddlewaretoken|opened|nonce)"[^>]*value=)"[^"]*"', r"\1", page.content.decode())
    return re.sub(r"seminar-(known|unknown)", "seminar", kept)


def seen_after_a_try(seminar, send, capacity, party):
    """What a third person sees before and after somebody tried Ana's name: lists, pages, feeds, and the answers to three forms."""
    pages = [send(seminar, "Ana", party_size=str(party)).page]
    for path in ("/seminars/", f"/seminars/{seminar.slug}/", f"/seminars/{seminar.slug}/register/", f"/es/seminars/{seminar.slug}/"):
        pages.append(Client().get(path))
    pages += [send(seminar, "Third", party_size=str(size)).page for size in (1, 2)]
    pages.append(send(seminar, "Third", waiting="yes").page)
    pages.append(Client().get(f"/seminars/{seminar.slug}/"))
    return [bare(page) for page in pages]


@pytest.mark.parametrize(("free", "party"), [(1, 1), (2, 1), (4, 4), (3, 2), (1, 2)])
def test_after_a_stranger_and_after_somebody_registered_a_third_person_sees_the_same(make_seminar, register, send, free, party):
    seen = []
    with time_machine.travel(timezone.now(), tick=False):  # pages tell when a seminar begins and was published
        for known in (True, False):
            seminar = make_seminar(capacity=4 + free, slug=f"seminar-{'known' if known else 'unknown'}")
            register(seminar, "Full", party_size=3)
            register(seminar, "Ana" if known else "Stranger")
            seen.append(seen_after_a_try(seminar, send, free, party))
            type(seminar).objects.filter(pk=seminar.pk).update(status="draft")  # the other one has the list to itself

    assert seen[0] == seen[1]


def test_a_party_larger_than_the_room_is_refused_whoever_asks(make_seminar, register):
    seminar = make_seminar(capacity=3)
    register(seminar)

    for name in ("Ana", "Stranger"):
        with pytest.raises(NoRoom):
            register(seminar, name, party_size=4)

    assert letters_of("already") == 0


def test_a_repeat_holds_its_seats_for_a_while(make_seminar, register, pool):
    seminar = make_seminar(capacity=3)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        register(seminar)
        register(seminar, party_size=2)

        assert (pool(seminar).taken, pool(seminar).free) == (1, 0)
        assert not SeatPool.objects.all().take(1)
        clock.shift(timedelta(minutes=9))
        assert pool(seminar).free == 0
        clock.shift(timedelta(minutes=21))
        assert pool(seminar).free == 2
        assert SeatPool.objects.all().take(2)


def test_holds_are_never_added_up(make_seminar, register, pool):
    seminar = make_seminar(capacity=10)
    for name in ("Ana", "Ben"):
        register(seminar, name)

    for name, size in (("Ana", 2), ("Ben", 4), ("Ana", 1)):
        register(seminar, name, party_size=size)

    assert (pool(seminar).held, pool(seminar).free) == (4, 4)


def test_a_hold_that_is_over_counts_no_more(make_seminar, register, pool):
    seminar = make_seminar(capacity=10)
    with time_machine.travel(timezone.now(), tick=False) as clock:
        register(seminar)
        register(seminar, party_size=4)
        clock.shift(timedelta(minutes=31))
        register(seminar, party_size=1)

    assert pool(seminar).held == 1


def test_two_holds_end_at_moments_nobody_can_foretell(make_seminar, register, pool):
    seminar = make_seminar(capacity=10)
    register(seminar)
    ends = set()
    with time_machine.travel(timezone.now(), tick=False):
        for _ in range(5):
            register(seminar)
            ends.add(pool(seminar).held_until)

    assert len(ends) > 1


def test_who_joins_the_waiting_list_during_a_hold_is_seated_at_once(make_seminar, register, pool):
    seminar = make_seminar(capacity=2)
    register(seminar)
    register(seminar)

    ben = register(seminar, "Ben", promised=False)

    assert ben.status == Status.CONFIRMED
    assert (pool(seminar).taken, pool(seminar).waiting) == (2, 0)
    assert reasons() == []


def test_and_by_a_call_where_there_is_only_a_phone(make_seminar, register):
    seminar = make_seminar(capacity=2)
    register(seminar)
    register(seminar)

    register(seminar, "Ben", email="", phone="8135550101", promised=False)

    assert reasons() == [Callback.Reason.SEAT_FREE]


def test_the_front_desk_gives_away_what_is_held(make_seminar, register, pool):
    """At the door nobody is left standing beside a free seat: once it has begun, nobody is promoted from the waiting list any more."""
    seminar = make_seminar(capacity=2)
    register(seminar)
    register(seminar)
    type(seminar).objects.filter(pk=seminar.pk).update(starts_at=timezone.now() - timedelta(minutes=5))
    seminar.refresh_from_db()

    walk_in = add_by_phone(seminar, mode="in-person", first_name="Cy", last_name="Sample", phone="8135550102", language="en")

    assert (walk_in.status, pool(seminar).waiting) == (Status.CONFIRMED, 0)


def test_a_hold_takes_nothing_from_those_who_wait(make_seminar, register):
    seminar = make_seminar(capacity=1)
    ana, ben = register(seminar), register(seminar, "Ben")
    register(seminar, "Ben")

    registration.cancel(ana)

    ben.refresh_from_db()
    assert ben.status == Status.CONFIRMED
