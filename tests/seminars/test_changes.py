"""Moving, calling off, publishing: what each person hears, in which order, and in which language."""

from datetime import UTC, datetime, timedelta

import icalendar
import pytest
from django.utils import timezone, translation

from project.mail.models import Message
from project.practice.zones import moment_words
from seminars.changes import call_off, duplicate, publish, reschedule, unpublish
from seminars.models import Callback, Registration, SeatPool, Seminar, SeminarText, Venue
from seminars.refusals import NotReady, Refused, RegistrationClosed
from seminars.registration import add_by_phone, cancel

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)


def event(letter):
    [event] = icalendar.Calendar.from_ical(letter.attachments[0].content).walk("VEVENT")
    return event


def move(seminar, by=DAY, **where):
    seminar = Seminar.objects.get(pk=seminar.pk)
    return reschedule(seminar, seminar.starts_at + by, seminar.ends_at + by, **where)


def test_request_request_cancel_keep_one_uid(seminar, register, deliver):
    ana = register(seminar)
    letters = deliver()
    move(seminar)
    letters += deliver()
    cancel(ana)
    letters += deliver()

    methods = [icalendar.Calendar.from_ical(letter.attachments[0].content)["METHOD"] for letter in letters]
    assert methods == ["REQUEST", "REQUEST", "CANCEL"]
    assert [event(letter)["SEQUENCE"] for letter in letters] == [0, 1, 2]
    assert {event(letter)["UID"] for letter in letters} == {ana.uid}
    assert [event(letter)["DTSTART"].dt - seminar.starts_at for letter in letters] == [timedelta(0), DAY, DAY]


def test_a_move_is_told_in_words_old_and_new(make_seminar, register, deliver):
    seminar = make_seminar(starts_at=datetime(2098, 12, 3, 23, 0, tzinfo=UTC))
    register(seminar)
    deliver()

    move(seminar)

    [letter] = deliver()
    assert letter.subject == "Please note the change: now Thursday, December 4"
    assert "Wednesday, December 3, 2098, at 6 p.m. Eastern Time" in letter.body
    assert "Thursday, December 4, 2098, at 6 p.m. Eastern Time" in letter.body


def test_another_venue_in_another_zone(seminar, register, deliver):
    register(seminar)
    deliver()
    hall = Venue.objects.create(name="Lake Hall", street="1 Sample St", city="Austin", state="TX", postal_code="78701", zone="America/Chicago")

    moved = move(seminar, timedelta(0), venue=hall)

    [letter] = deliver()
    assert moved.zone == "America/Chicago"
    assert "Bayside Hall" in letter.body
    assert "Lake Hall, 1 Sample St, Austin, TX 78701" in letter.body
    assert "Central Time" in letter.body
    assert event(letter)["DTSTART"].dt == seminar.starts_at


@pytest.fixture
def hall(db):
    return Venue.objects.create(name="Lake Hall", street="1 Sample St", city="Tampa", state="FL", postal_code="33602", zone="America/New_York")


def test_another_room_is_no_news_to_who_attends_online(make_seminar, hall, register, deliver):
    seminar = make_seminar(format="hybrid", capacity=1)
    here = [register(seminar, "Ana", mode="in-person"), register(seminar, "Ben", mode="in-person")]
    away = [register(seminar, "Cleo", mode="online"), register(seminar, "Dora", mode="online")]
    called = add_by_phone(seminar, mode="online", first_name="Eva", last_name="Sample", phone="8135550102", language="en", anyway=True)
    deliver()

    move(seminar, timedelta(0), venue=hall)

    assert [letter.to for letter in deliver()] == [["ana@example.org"], ["ben@example.org"]]
    sequences = dict(Registration.objects.values_list("pk", "sequence"))
    assert [sequences[person.pk] for person in here] == [1, 1]
    assert [sequences[person.pk] for person in (*away, called)] == [0, 0, 0]
    assert [Registration.objects.get(pk=person.pk).changed_at for person in away] == [person.changed_at for person in away]
    assert not Callback.objects.filter(reason="moved").exists()


def test_who_attends_online_hears_of_another_time_and_of_no_room(make_seminar, hall, register, deliver):
    seminar = make_seminar(format="hybrid", capacity=1)
    for name in ("Cleo", "Dora"):
        register(seminar, name, mode="online")
    deliver()

    move(seminar, venue=hall)

    cleo, dora = deliver()
    assert event(cleo)["SEQUENCE"] == 1
    assert "You need to do nothing if the new time suits you." in cleo.body
    for letter in (cleo, dora):
        assert "Old time: " in letter.body
        for word in ("Hall", "place:", "Parking"):
            assert word not in letter.body


def test_a_later_room_leaves_the_call_about_another_time_to_be_made(make_seminar, hall):
    seminar = make_seminar(format="hybrid")
    add_by_phone(seminar, mode="online", first_name="Eva", last_name="Sample", phone="8135550102", language="en")

    move(seminar)
    move(seminar, timedelta(0), venue=hall)

    assert list(Callback.objects.values_list("reason", "sequence", "outcome")) == [("moved", 1, "")]


def test_two_moves_before_the_letter_left_are_one(seminar, register, deliver):
    register(seminar)
    deliver()

    move(seminar)
    move(seminar)

    [letter] = deliver()
    assert event(letter)["SEQUENCE"] == 2
    with translation.override("en"):
        assert moment_words(seminar.starts_at, seminar.zone) in letter.body
        assert moment_words(seminar.starts_at + DAY, seminar.zone) not in letter.body
    assert list(Message.objects.order_by("pk").values_list("reason", flat=True)) == ["", "superseded", ""]


def test_an_invite_overtaken_by_a_move_is_not_sent(seminar, register, deliver):
    register(seminar)

    move(seminar)

    [letter] = deliver()
    assert event(letter)["SEQUENCE"] == 1
    assert Message.objects.get(kind="seminars.confirmed").reason == "superseded"


def test_everybody_hears_in_their_own_way(make_seminar, register, deliver):
    seminar = make_seminar(capacity=2)
    register(seminar)
    register(seminar, "Bea", language="es")
    waits = register(seminar, "Cy")
    called = add_by_phone(seminar, mode="in-person", first_name="Di", last_name="Sample", phone="8135550102", language="en", anyway=True)
    deliver()

    move(seminar)

    letters = {letter.to[0]: letter for letter in deliver()}
    assert sorted(letters) == ["ana@example.org", "bea@example.org", "cy@example.org"]
    assert "Back in motion (es)" in letters["bea@example.org"].body
    assert letters["cy@example.org"].attachments == []
    assert Registration.objects.get(pk=waits.pk).status == "waitlisted"
    assert list(Callback.objects.values_list("registration", "reason", "sequence")) == [(called.pk, "moved", 1)]


def test_a_second_move_is_a_second_call_and_the_first_is_not_needed(seminar):
    add_by_phone(seminar, mode="in-person", first_name="Di", last_name="Sample", phone="8135550102", language="en")

    move(seminar)
    move(seminar)

    assert list(Callback.objects.order_by("pk").values_list("sequence", "outcome")) == [(1, "not-needed"), (2, "")]


def test_a_move_leaves_the_call_about_a_free_seat_to_be_made(make_seminar, register):
    seminar = make_seminar(capacity=1)
    ana = register(seminar)
    add_by_phone(seminar, mode="in-person", first_name="Di", last_name="Sample", phone="8135550102", language="en")
    cancel(ana)

    move(seminar)
    move(seminar)

    assert list(Callback.objects.open().values_list("reason", "sequence")) == [("seat-free", 0), ("moved", 2)]


def test_no_difference_is_no_news(seminar, register, deliver):
    register(seminar)
    deliver()

    move(seminar, timedelta(0))

    assert deliver() == []
    assert Seminar.objects.get().revision == 0


@pytest.mark.parametrize("by", [-60 * DAY])
def test_a_seminar_is_not_moved_into_the_past(seminar, by):
    with pytest.raises(Refused):
        move(seminar, by)


def test_a_past_seminar_is_neither_moved_nor_called_off(make_seminar):
    seminar = make_seminar(starts_at=timezone.now() - DAY)

    for change in (lambda: move(seminar, 3 * DAY), lambda: call_off(seminar)):
        with pytest.raises(Refused):
            change()


def test_called_off_everybody_hears_once(make_seminar, register, pool, deliver):
    seminar = make_seminar(capacity=1)
    register(seminar)
    register(seminar, "Ben")
    called = add_by_phone(seminar, mode="in-person", first_name="Di", last_name="Sample", phone="8135550102", language="en", anyway=True)
    deliver()

    call_off(seminar)
    call_off(seminar)

    ana, ben = deliver()
    assert b"METHOD:CANCEL" in ana.attachments[0].content
    assert event(ana)["SEQUENCE"] == 1
    assert "(813) 555-0100" in ana.body
    assert ben.attachments == []
    assert list(Callback.objects.values_list("registration", "reason")) == [(called.pk, "cancelled")]
    assert (pool(seminar).taken, pool(seminar).waiting, pool(seminar).extra) == (0, 0, 0)
    with pytest.raises(RegistrationClosed):
        register(seminar, "Cy")


def test_publishing_names_what_is_missing(make_seminar):
    draft = make_seminar(status="draft", starts_at=timezone.now() - DAY)
    SeminarText.objects.filter(seminar=draft, language="es").update(summary="")
    SeatPool.objects.all().delete()

    with pytest.raises(NotReady) as refusal:
        publish(draft)

    assert str(refusal.value) == (
        "Before this seminar can be published, it needs a title, a summary and a description in Spanish, "
        "a number of seats (in person) and a date that is still to come."
    )
    assert Seminar.objects.get().status == "draft"


def test_a_whole_draft_is_published_once(make_seminar):
    draft = make_seminar(status="draft")

    first, second = publish(draft), publish(draft)

    assert first.status == "published"
    assert first.published_at == second.published_at


def test_published_by_mistake_it_is_a_draft_again_and_can_be_published_anew(seminar):
    assert unpublish(seminar).status == Seminar.Status.DRAFT
    assert unpublish(seminar).published_at is None

    assert publish(seminar).status == Seminar.Status.PUBLISHED


def test_a_seminar_somebody_registered_for_or_that_was_called_off_is_no_draft_again(seminar, make_seminar, register):
    register(seminar)
    cancelled = make_seminar()
    call_off(cancelled)

    for wanted in (seminar, cancelled):
        before = Seminar.objects.values().get(pk=wanted.pk)
        with pytest.raises(Refused):
            unpublish(wanted)
        assert Seminar.objects.values().get(pk=wanted.pk) == before


def test_a_copy_is_a_draft_with_the_same_words_and_seats(seminar, register):
    register(seminar)

    copy = duplicate(seminar, slug="again", starts_at=seminar.starts_at + 7 * DAY)

    assert (copy.status, copy.ends_at - copy.starts_at) == ("draft", timedelta(minutes=90))
    assert sorted(copy.texts.values_list("title", flat=True)) == ["Back in motion (en)", "Back in motion (es)"]
    assert list(copy.pools.values_list("capacity", "taken")) == [(10, 0)]
    assert publish(copy).status == "published"
    assert seminar.texts.count() == 2


def test_letters_hold_what_matters_on_the_day(seminar, register, deliver):
    register(seminar, party_size=2, language="es")

    [letter] = deliver()

    [(html, _type), _calendar] = letter.alternatives
    for words in ("Bayside Hall, 200 Sample Avenue, Tampa, FL 33602", "Garaje gratuito al lado", "Your questions (es)", "Elena Marsh, MD"):
        assert words in letter.body
        assert words in html
    assert "/es/registrations/" in letter.body
    assert "calendarios de Google, Outlook, Yahoo y Apple" in letter.body


def test_who_waits_is_told_what_for_when_and_where_and_nothing_of_the_day(make_seminar, register, deliver):
    seminar = make_seminar(capacity=1)
    register(seminar)
    register(seminar, "Ben")

    [letter] = [letter for letter in deliver() if letter.to == ["ben@example.org"]]

    labels = [line.partition(": ")[0] for line in letter.body.splitlines() if ": " in line and "http" not in line]
    assert labels == ["Seminar", "When", "Where"]
    assert "Bayside Hall, 200 Sample Avenue, Tampa, FL 33602" in letter.body
    for words in ("Free garage", "Step-free", "Your questions", "Until"):
        assert words not in letter.body


@pytest.mark.parametrize(
    ("language", "subject", "cancelled"),
    [
        ("en", "You are off the waiting list: Wednesday", "cancelled"),
        ("es", "Ya no está en la lista de espera: miércoles", "cancelad"),
    ],
)
def test_leaving_the_waiting_list_is_called_that(make_seminar, register, deliver, language, subject, cancelled):
    seminar = make_seminar(capacity=1, starts_at=datetime(2098, 12, 3, 23, 0, tzinfo=UTC))
    register(seminar)
    waits = register(seminar, "Ben", language=language)
    deliver()

    cancel(waits)

    [letter] = deliver()
    assert letter.subject.startswith(subject)
    assert letter.attachments == []
    for part in (letter.body, letter.alternatives[0].content):
        assert cancelled not in part
        assert "register again" not in part


def test_who_gives_a_seat_back_is_told_that_the_registration_is_cancelled(make_seminar, register, deliver):
    ana = register(make_seminar(starts_at=datetime(2098, 12, 3, 23, 0, tzinfo=UTC)))
    deliver()

    cancel(ana)

    [letter] = deliver()
    assert letter.subject == "Your registration is cancelled: Wednesday, December 3"
    assert b"METHOD:CANCEL" in letter.attachments[0].content


def test_no_subject_says_what_the_seminar_is_about(make_seminar, register, deliver):
    seminar = make_seminar(capacity=1)
    ana = register(seminar)
    register(seminar, "Ben")
    deliver_all = deliver()
    move(seminar)
    deliver_all += deliver()
    cancel(ana)
    deliver_all += deliver()
    call_off(seminar)
    deliver_all += deliver()

    assert len(deliver_all) == 7
    assert [letter.subject for letter in deliver_all if "motion" in letter.subject] == []
    assert [letter.subject for letter in deliver_all if "Ana" in letter.subject] == []
