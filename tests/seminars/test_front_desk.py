"""What a coordinator does with seminars in the admin, through its pages."""

import re
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from project.practice.zones import moment_words, to_wall
from seminars import registration as verbs
from seminars.admin.seminars import SeminarAdmin
from seminars.changes import call_off, publish
from seminars.models import Callback, Registration, Seminar, Speaker, Venue
from tests.desk_pages import as_shown

pytestmark = pytest.mark.django_db


def page(name, *args):
    return reverse(f"admin:seminars_{name}", args=args)


def wall(moment, zone="America/New_York"):
    shown = to_wall(moment, zone)
    return shown.strftime("%Y-%m-%d"), shown.strftime("%H:%M")


def new_seminar(venue, /, **changes):
    """What the form for a new seminar posts."""
    texts = {}
    for number, language in enumerate(["en", "es"]):
        words = {"language": language, "title": f"Back in motion {language}", "summary": "An evening", "description": "What helps", "bring": ""}
        texts |= {f"texts-{number}-{name}": value for name, value in words.items()}
    return {
        "format": "in-person",
        "talk_language": "en",
        "venue": venue.pk,
        "zone": "America/New_York",
        "date": "2027-01-14",
        "starts": "18:00",
        "ends": "19:30",
        "seats_in_person": "40",
        "seats_online": "",
        "speakers": [Speaker.objects.create(name="Elena Marsh").pk],
        "join_url": "",
        "series": "",
        "slug": "",
        "texts-TOTAL_FORMS": "2",
        "texts-INITIAL_FORMS": "0",
        **texts,
        **changes,
    }


def test_a_seminar_is_written_in_both_languages_and_at_its_own_clock(desk, venue):
    response = desk.post(page("seminar_add"), new_seminar(venue))

    assert response.status_code == 302
    seminar = Seminar.objects.get()
    assert seminar.starts_at == datetime(2027, 1, 14, 23, 0, tzinfo=UTC)
    assert seminar.slug == "tampa-2027-01-14"
    assert seminar.status == Seminar.Status.DRAFT
    assert {text.language for text in seminar.texts.all()} == {"en", "es"}
    assert [(pool.mode, pool.capacity) for pool in seminar.pools.all()] == [("in-person", 40)]


@pytest.mark.parametrize(
    ("changes", "field", "sentence"),
    [
        ({"date": "2027-03-14", "starts": "02:30", "ends": "04:00"}, "starts", "does not exist"),
        ({"date": "2026-11-01", "starts": "01:30", "ends": "04:00"}, "starts", "comes twice"),
        ({"ends": "17:00"}, "ends", "later than the start"),
        ({"venue": ""}, "venue", "Choose the venue"),
        ({"seats_in_person": ""}, "seats_in_person", "How many seats"),
    ],
)
def test_what_can_not_be_is_said_at_its_field(desk, venue, changes, field, sentence):
    response = desk.post(page("seminar_add"), new_seminar(venue, **changes))

    assert response.status_code == 200
    assert sentence in str(response.context["adminform"].form.errors[field])
    assert not Seminar.objects.exists()


def test_the_form_offers_a_text_for_each_language(desk, seminar):
    new = desk.get(page("seminar_add")).context["inline_admin_formsets"][0].formset
    written = desk.get(page("seminar_change", seminar.pk)).context["inline_admin_formsets"][0].formset

    assert [form.initial["language"] for form in new.forms] == ["en", "es"]
    assert len(written.forms) == 2


def typed(desk, seminar, **changes):
    """What a seminar's page posts with `changes` typed into it."""
    return as_shown(desk, page("seminar_change", seminar.pk), **changes)


def test_what_is_typed_is_saved_before_it_is_published(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)
    draft.texts.filter(language="es").update(title="")

    posted = typed(desk, draft, **{"texts-1-title": "De nuevo en movimiento", "seats_in_person": "44", "_publish": ""})
    response = desk.post(page("seminar_change", draft.pk), posted, follow=True)

    assert response.redirect_chain == [(page("seminar_change", draft.pk), 302)]
    assert "People can register now" in response.text
    draft.refresh_from_db()
    assert draft.status == Seminar.Status.PUBLISHED
    assert draft.texts.get(language="es").title == "De nuevo en movimiento"
    assert draft.pools.get().capacity == 44


@pytest.mark.parametrize(("prefix", "sentence"), [("", "How many seats are there?"), ("/es", "¿Cuántos lugares hay?")])
def test_with_a_mistake_nothing_is_published_and_nothing_typed_is_lost(desk, make_seminar, prefix, sentence):
    draft = make_seminar(status=Seminar.Status.DRAFT)

    posted = typed(desk, draft, **{"texts-1-title": "Otro título", "seats_in_person": "", "_publish": ""})
    response = desk.post(f"{prefix}/admin/seminars/seminar/{draft.pk}/change/", posted)

    assert response.status_code == 200
    assert sentence in response.text
    assert 'value="Otro título"' in response.text
    draft.refresh_from_db()
    assert draft.status == Seminar.Status.DRAFT
    assert "Otro título" not in set(draft.texts.values_list("title", flat=True))


def test_a_draft_without_its_spanish_words_stays_one_and_says_why(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)
    draft.texts.filter(language="es").delete()

    response = desk.post(page("seminar_change", draft.pk), typed(desk, draft, series="evenings", _publish=""), follow=True)

    assert "Spanish" in response.text
    draft.refresh_from_db()
    assert (draft.status, draft.series) == (Seminar.Status.DRAFT, "evenings")


def test_a_new_seminar_is_saved_and_published_in_one(desk, venue):
    response = desk.post(page("seminar_add"), new_seminar(venue, date="2035-01-14", _publish=""), follow=True)

    seminar = Seminar.objects.get()
    assert response.redirect_chain == [(page("seminar_change", seminar.pk), 302)]
    assert seminar.status == Seminar.Status.PUBLISHED


@pytest.mark.parametrize("act", ["add_person", "move", "call_off", "copy"])
def test_what_is_typed_is_saved_before_another_page_opens(desk, seminar, act):
    posted = typed(desk, seminar, **{"texts-0-title": "Typed just now", f"_{act}": ""})

    response = desk.post(page("seminar_change", seminar.pk), posted)

    assert response.url == page(f"seminar_{act}", seminar.pk)
    assert seminar.texts.filter(title="Typed just now").exists()
    seminar.refresh_from_db()
    assert seminar.status == Seminar.Status.PUBLISHED


def test_the_public_page_shows_what_was_typed(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)

    response = desk.post(page("seminar_change", draft.pk), typed(desk, draft, **{"texts-0-title": "Typed just now", "_look": ""}), follow=True)

    assert response.redirect_chain == [(reverse("seminar", args=[draft.slug]), 302)]
    assert "Typed just now" in response.text


def test_a_page_older_than_the_publishing_or_the_calling_off_undoes_neither(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)
    old_page = typed(desk, draft, date="2035-01-14", _publish="")
    publish(draft)
    when = draft.starts_at

    again = desk.post(page("seminar_change", draft.pk), old_page, follow=True)
    call_off(draft)
    too_late = desk.post(page("seminar_change", draft.pk), old_page, follow=True)

    assert "It is published already." in again.text
    assert "This seminar was cancelled. Make a copy of it instead." in too_late.text
    draft.refresh_from_db()
    assert (draft.status, draft.starts_at) == (Seminar.Status.CANCELLED, when)


def test_enter_in_a_field_saves_and_does_nothing_else(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)

    form = desk.get(page("seminar_change", draft.pk)).text.partition('id="seminar_form"')[2]

    # The first button of a form is the one that Enter presses (HTML, “implicit submission”).
    assert re.findall(r'<(?:button|input)[^>]*type="submit"[^>]*name="(\w+)"', form)[:3] == ["_save", "_continue", "_publish"]


def test_the_log_says_what_was_done_and_nothing_more(desk, make_seminar):
    draft = make_seminar(status=Seminar.Status.DRAFT)

    desk.post(page("seminar_change", draft.pk), typed(desk, draft, _copy=""))
    desk.post(page("seminar_change", draft.pk), typed(desk, draft, series="evenings", _publish=""))

    said = [entry.get_change_message() for entry in LogEntry.objects.order_by("pk")]
    assert said == ["Changed Series.", "Published. People can register now."]


def test_who_may_only_look_finds_plain_links(client, seminar):
    looker = User.objects.create_user("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_seminar"))
    client.force_login(looker)

    shown = client.get(page("seminar_change", seminar.pk)).text

    assert f'href="{reverse("seminar", args=[seminar.slug])}"' in shown
    assert 'name="_' not in shown
    assert client.post(page("seminar_change", seminar.pk), {"_publish": ""}).status_code == 403


def test_a_seminar_nobody_registered_for_becomes_a_draft_again(desk, seminar):
    asked = desk.get(page("seminar_call_off", seminar.pk))

    response = desk.post(page("seminar_unpublish", seminar.pk), follow=True)

    assert page("seminar_unpublish", seminar.pk) in asked.text
    assert "It is a draft again" in response.text
    seminar.refresh_from_db()
    assert (seminar.status, seminar.published_at) == (Seminar.Status.DRAFT, None)
    assert desk.get(page("seminar_unpublish", seminar.pk)).status_code == 405


def test_a_seminar_somebody_ever_registered_for_does_not(desk, seminar, register):
    verbs.cancel(register(seminar, "Ana"), by=Registration.CancelledBy.FRONT_DESK)

    asked = desk.get(page("seminar_call_off", seminar.pk))
    response = desk.post(page("seminar_unpublish", seminar.pk), follow=True)

    assert page("seminar_unpublish", seminar.pk) not in asked.text
    assert "Somebody has registered for this seminar already" in response.text
    seminar.refresh_from_db()
    assert seminar.status == Seminar.Status.PUBLISHED
    assert seminar.published_at is not None


def test_a_move_is_previewed_then_told_to_everybody(desk, seminar, register, deliver):
    register(seminar, "Ana")
    register(seminar, "Luz", language="es")
    register(seminar, "Bo", email="", phone="+18135550101")
    deliver()
    date, starts = wall(seminar.starts_at + timedelta(days=7, hours=1))
    moved = {"date": date, "starts": starts, "ends": "23:59", "zone": seminar.zone, "venue": seminar.venue_id}

    preview = desk.post(page("seminar_move", seminar.pk), moved)
    assert preview.context["told"] == {"by_letter": 2, "in_spanish": 1, "to_call": 1, "waiting": 0}
    assert Seminar.objects.get().starts_at == seminar.starts_at

    desk.post(page("seminar_move", seminar.pk), moved | {"confirm": "1"})

    assert Seminar.objects.get().starts_at > seminar.starts_at
    assert set(Registration.objects.values_list("sequence", flat=True)) == {1}
    assert {letter.to[0] for letter in deliver()} == {"ana@example.org", "luz@example.org"}
    assert Callback.objects.open().get(reason=Callback.Reason.MOVED).registration.first_name == "Bo"


def test_the_preview_of_another_room_counts_whom_it_concerns(desk, make_seminar, register, deliver):
    seminar = make_seminar(format="hybrid", starts_at=datetime(2098, 1, 14, 23, 0, tzinfo=UTC))
    hall = Venue.objects.create(name="Lake Hall", street="1 Sample St", city="Tampa", state="FL", postal_code="33602", zone=seminar.zone)
    register(seminar, "Ana", mode="in-person")
    register(seminar, "Luz", mode="online", language="es")
    register(seminar, "Bo", mode="online", email="", phone="+18135550101")
    deliver()
    date, starts = wall(seminar.starts_at)
    moved = {"date": date, "starts": starts, "ends": wall(seminar.ends_at)[1], "zone": seminar.zone, "venue": hall.pk}

    preview = desk.post(page("seminar_move", seminar.pk), moved)
    desk.post(page("seminar_move", seminar.pk), moved | {"confirm": "1"})

    assert preview.context["told"] == {"by_letter": 1, "in_spanish": 0, "to_call": 0, "waiting": 0}
    assert [letter.to for letter in deliver()] == [["ana@example.org"]]
    assert not Callback.objects.open().exists()


def test_a_move_to_the_same_time_asks_for_another(desk, make_seminar):
    seminar = make_seminar(starts_at=datetime(2030, 1, 14, 23, 0, tzinfo=UTC))
    date, starts = wall(seminar.starts_at)
    same = {"date": date, "starts": starts, "ends": wall(seminar.ends_at)[1], "zone": seminar.zone, "venue": seminar.venue_id}

    response = desk.post(page("seminar_move", seminar.pk), same | {"confirm": "1"})

    assert "Nothing is different yet" in response.content.decode()


def test_a_published_seminars_date_does_not_change_in_its_form(desk, seminar, venue):
    posted = new_seminar(venue, slug="other")
    for number, text in enumerate(seminar.texts.order_by("pk")):
        posted |= {f"texts-{number}-id": text.pk, f"texts-{number}-seminar": seminar.pk}

    response = desk.post(page("seminar_change", seminar.pk), posted | {"texts-INITIAL_FORMS": "2"})

    assert response.status_code == 302
    after = Seminar.objects.get()
    assert (after.starts_at, after.slug) == (seminar.starts_at, seminar.slug)
    assert after.texts.get(language="en").title == "Back in motion en"


def test_more_seats_go_to_those_who_wait(desk, make_seminar, register, venue):
    seminar = make_seminar(capacity=1)
    register(seminar, "Ana")
    waiting = register(seminar, "Bo")
    posted = new_seminar(venue, seats_in_person="5")
    for number, text in enumerate(seminar.texts.order_by("pk")):
        posted |= {f"texts-{number}-id": text.pk, f"texts-{number}-seminar": seminar.pk}

    desk.post(page("seminar_change", seminar.pk), posted | {"texts-INITIAL_FORMS": "2"})

    waiting.refresh_from_db()
    assert waiting.status == Registration.Status.CONFIRMED


def test_calling_off_asks_first_and_then_tells_everybody(desk, seminar, register, deliver):
    register(seminar, "Ana")
    deliver()

    assert desk.get(page("seminar_call_off", seminar.pk)).status_code == 200
    assert Seminar.objects.get().status == Seminar.Status.PUBLISHED
    desk.post(page("seminar_call_off", seminar.pk))

    assert Seminar.objects.get().status == Seminar.Status.CANCELLED
    [letter] = deliver()
    assert "CANCEL" in letter.message().as_string().partition("text/calendar")[2][:60]


def test_somebody_with_only_a_phone_is_registered(desk, seminar):
    person = {"first_name": "José", "last_name": "Núñez", "phone": "(813) 555-0101", "email": "", "party_size": "2", "language": "es"}

    desk.post(page("seminar_add_person", seminar.pk), person | {"mode": "in-person"})

    registration = Registration.objects.get()
    assert (registration.phone, registration.status, registration.source) == ("+18135550101", "confirmed", "front-desk")


def test_somebody_nobody_could_reach_is_not(desk, seminar):
    person = {"first_name": "José", "last_name": "Núñez", "phone": "", "email": "", "party_size": "2", "language": "es", "mode": "in-person"}

    response = desk.post(page("seminar_add_person", seminar.pk), person)

    assert "so that we can reach them" in response.content.decode()
    assert not Registration.objects.exists()


def test_a_full_seminar_lets_nobody_in_unless_the_desk_says_so(desk, make_seminar):
    seminar = make_seminar(capacity=1)
    person = {"last_name": "Núñez", "phone": "8135550101", "email": "", "party_size": "1", "language": "es", "mode": "in-person"}

    for first_name, anyway in (("Ana", {}), ("Bo", {}), ("Cy", {"anyway": "on"})):
        desk.post(page("seminar_add_person", seminar.pk), person | {"first_name": first_name} | anyway)

    assert dict(Registration.objects.values_list("first_name", "status")) == {"Ana": "confirmed", "Bo": "waitlisted", "Cy": "confirmed"}
    assert seminar.pools.get().extra == 1


def test_the_list_as_a_file_runs_nothing_in_a_spreadsheet(desk, seminar, register):
    register(seminar, "=1+1", email="", phone="+18135550101")

    response = desk.get(page("seminar_export", seminar.pk))

    lines = b"".join(response).decode("utf-8").splitlines()
    assert lines[1].startswith("Sample,'=1+1,(813) 555-0101,")
    assert "no-store" in response["Cache-Control"]


@pytest.mark.parametrize("search", ["gonzalez", "GONZÁLEZ", "luz gonz", "0177"])
def test_a_name_is_found_however_it_is_typed(desk, seminar, register, search):
    register(seminar, "Luz", last_name="González", phone="+18135550177")
    register(seminar, "Ana")

    response = desk.get(page("registration_changelist"), {"q": search})

    assert [person.first_name for person in response.context["cl"].queryset] == ["Luz"]


def test_the_desk_cancels_for_a_person(desk, seminar, register, deliver):
    person = register(seminar, "Ana")
    deliver()

    asked = desk.get(page("registration_cancel", person.pk))
    person.refresh_from_db()
    assert (asked.status_code, person.status) == (200, "confirmed")
    assert "Ana" in asked.text

    desk.post(page("registration_cancel", person.pk))

    person.refresh_from_db()
    assert (person.status, person.cancelled_by) == ("cancelled", "front-desk")
    assert len(deliver()) == 1


def test_a_call_leaves_the_list_and_can_be_put_back(desk, seminar, register):
    call = Callback.objects.create(
        registration=register(seminar, "Bo", email="", phone="+18135550101"), reason=Callback.Reason.MOVED, created_at=timezone.now()
    )

    desk.post(page("callback_changelist"), {"action": "reached", "_selected_action": [call.pk]})
    call.refresh_from_db()
    assert (call.outcome, call.done_by.username) == ("reached", "desk")

    desk.post(page("callback_changelist") + "?state=done", {"action": "reopen", "_selected_action": [call.pk]})
    call.refresh_from_db()
    assert (call.outcome, call.done_at) == ("", None)


def test_a_copy_is_a_draft_on_another_day(desk, seminar):
    desk.post(page("seminar_copy", seminar.pk), {"date": "2027-02-01", "starts": "18:00"})

    copy = Seminar.objects.get(status=Seminar.Status.DRAFT)
    assert copy.starts_at == datetime(2027, 2, 1, 23, 0, tzinfo=UTC)
    assert copy.slug == "tampa-2027-02-01"


def test_who_may_only_look_changes_nothing(client, seminar):
    client.force_login(User.objects.create_user("looker", is_staff=True))

    for name in ("move", "call_off", "copy", "add_person"):
        assert client.post(page(f"seminar_{name}", seminar.pk), {"confirm": "1"}).status_code == 403
    assert client.post(page("seminar_unpublish", seminar.pk)).status_code == 403
    assert Seminar.objects.get().status == Seminar.Status.PUBLISHED


def test_lists_ask_the_database_as_often_for_three_as_for_one(desk, make_seminar, register):
    def queries(url):
        with CaptureQueriesContext(connection) as captured:
            desk.get(url)
        return len(captured)

    counts = []
    for number in range(3):
        seminar = make_seminar()
        verbs.register(seminar, mode="in-person", first_name=f"Ana{number}", last_name="S", phone="8135550101", language="en")
        counts.append([queries(page("seminar_changelist")), queries(page("registration_changelist"))])

    assert counts[0] == counts[2]


def test_a_page_saved_late_does_not_undo_what_happened_meanwhile(seminar):
    stale = Seminar.objects.get(pk=seminar.pk)
    call_off(seminar)
    stale.series = "evenings"

    SeminarAdmin(Seminar, admin.site).save_model(None, stale, SimpleNamespace(changed_data=["series"]), change=True)

    seminar.refresh_from_db()
    assert (seminar.status, seminar.series) == ("cancelled", "evenings")


def test_a_new_seminar_stays_open_so_that_it_can_be_published(desk, venue):
    response = desk.post(page("seminar_add"), new_seminar(venue, starts="6 pm", ends="7:30 p.m.") | {"_save": "Save"}, follow=True)

    seminar = Seminar.objects.get()
    assert response.redirect_chain == [(page("seminar_change", seminar.pk), 302)]
    assert wall(seminar.starts_at) == ("2027-01-14", "18:00")
    assert 'name="_publish"' in response.text
    assert 'name="_look"' in response.text


@pytest.mark.parametrize("verb", ["move", "call_off", "add_person", "copy"])
@pytest.mark.parametrize("prefix", ["", "/es"])
def test_each_page_says_which_seminar_it_is_about(desk, seminar, verb, prefix):
    shown = desk.get(f"{prefix}/admin/seminars/seminar/{seminar.pk}/{verb.replace('_', '-')}/").text

    with override("es" if prefix else "en"):
        assert f"<strong>{seminar.text().title}</strong>" in shown
        assert moment_words(seminar.starts_at, seminar.zone) in shown
    assert "<dd>Bayside Hall, Tampa</dd>" in shown


def test_calling_off_and_closing_the_page_do_not_read_alike_in_spanish(desk, seminar):
    shown = desk.get(f"/es/admin/seminars/seminar/{seminar.pk}/call-off/").text
    before = desk.get(f"/es/admin/seminars/seminar/{seminar.pk}/change/").text

    assert re.search(r'name="_call_off">Cancelar el seminario<', before)
    assert re.search(r">Cancelar el seminario y avisar a todos<", shown)
    assert re.search(r">No, el seminario sigue en pie<", shown)


@pytest.mark.parametrize("verb", ["move", "call_off", "add_person"])
def test_a_seminar_called_off_offers_nothing_that_would_be_refused(desk, seminar, verb):
    call_off(seminar)

    response = desk.get(page(f"seminar_{verb}", seminar.pk), follow=True)

    assert response.redirect_chain == [(page("seminar_change", seminar.pk), 302)]
    assert "This seminar was cancelled. Make a copy of it instead." in response.text
    assert "This seminar was called off." in response.text
    assert "Press “Move”" not in response.text


def test_the_list_names_the_ways_to_attend_only_where_there_are_two(desk, seminar, register):
    register(seminar, "Ana")
    assert SeminarAdmin(Seminar, admin.site).seats(seminar) == "1 of 10"


def test_a_call_leads_to_the_person_on_today_and_on_the_list(desk, seminar, register):
    person = register(seminar, "Bo", email="", phone="+18135550101")
    Callback.objects.create(registration=person, reason=Callback.Reason.MOVED, created_at=timezone.now())

    for where in (reverse("admin:index"), page("callback_changelist")):
        assert page("registration_change", person.pk) in desk.get(where).text


@pytest.mark.parametrize("seats_of", ["the seminar", "nothing", "9" * 40, "²"])
def test_the_list_of_one_seminar_leads_back_to_it(desk, seminar, register, seats_of):
    register(seminar, "Ana")

    chosen = str(seminar.pk) if seats_of == "the seminar" else seats_of
    shown = desk.get(page("registration_changelist"), {"seminar__id__exact": chosen}, follow=True)

    assert shown.status_code == 200
    assert (page("seminar_add_person", seminar.pk) in shown.text) is (seats_of == "the seminar")
