"""Letters at the front desk: seen, sent again, tested, released; each by a pressed button and with a right to it."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from project.mail import bells, kinds, ledger, routes, suppressions
from project.mail.addresses import address_hash
from project.mail.models import Ledger, Message, Suppression
from project.mail.outcomes import Outcome, Verdict

pytestmark = pytest.mark.django_db

PAUSED = Outcome(Verdict.PAUSE, "auth-refused", "535 wrong password")


@pytest.fixture
def desk(client):
    user = User.objects.create_user("desk", "desk@example.org", is_staff=True)
    user.groups.add(Group.objects.get(name="Coordinator"))
    client.force_login(user)
    return client


@pytest.fixture
def visitor(client):
    """Staff who may look at everything here and do nothing."""
    user = User.objects.create_user("looker", "looker@example.org", is_staff=True)
    user.user_permissions.set(Group.objects.get(name="Coordinator").permissions.filter(codename__startswith="view_"))
    client.force_login(user)
    return client


@pytest.fixture
def failed(greetings):
    greetings.post()
    Message.objects.update(state="failed", reason="bounced", settled_at=timezone.now())
    return greetings.letter()


def said(response):
    return [str(message) for message in response.context["messages"]]


def send_again(client, letter):
    url = reverse("admin:mail_message_changelist")
    return client.post(url, {"action": "send_again", "_selected_action": letter.pk}, follow=True)


def test_a_letter_is_found_by_its_whole_address_only(desk, greetings):
    greetings.post(1)
    greetings.post(2, address="bo@example.org")
    url = reverse("admin:mail_message_changelist")

    found = [
        [letter.key for letter in desk.get(url, {"q": term}).context["cl"].queryset] for term in ("ANA@example.org", "ana", "@example.org")
    ]

    assert found == [["greeting/1"], [], []]


def test_a_letter_shows_why_and_never_what(desk, failed):
    page = desk.get(reverse("admin:mail_message_change", args=[failed.pk])).content.decode()

    assert "the letter came back" in page
    assert "Hello 1" not in page


def test_a_failed_letter_is_sent_again(desk, failed, deliver):
    assert said(send_again(desk, failed)) == ["1 letter is sent again."]
    assert len(deliver()) == 1


def test_a_letter_that_was_sent_stays_sent(desk, greetings, deliver):
    greetings.post()
    deliver()

    send_again(desk, greetings.letter())

    assert greetings.letter().state == "sent"
    assert deliver() == []


def test_who_may_only_look_sends_nothing_again(visitor, failed, deliver):
    send_again(visitor, failed)

    assert deliver() == []


def test_lists_ask_the_database_no_more_for_many_letters(desk, greetings, django_assert_num_queries, django_assert_max_num_queries):
    url = reverse("admin:mail_message_changelist")
    greetings.post(1)
    with django_assert_max_num_queries(12) as one:
        desk.get(url)
    for n in range(2, 5):
        greetings.post(n)

    with django_assert_num_queries(len(one)):
        desk.get(url)


# -- Routes ------------------------------------------------------------------------------------------------------------------------------


def press(client, verb, stream="transactional"):
    return client.post(reverse(f"admin:mail_route_{verb}", kwargs={"stream": stream}), follow=True)


def test_routes_are_shown_without_their_secrets(desk, settings):
    settings.MAIL_BULK = "smtp://user:hunter2@relay.example.org"

    page = desk.get(reverse("admin:mail_route_changelist")).content.decode()

    assert "smtp://relay.example.org" in page
    assert "hunter2" not in page


def test_a_test_letter_goes_to_whoever_asked_and_is_noted(desk, practice):
    response = press(desk, "test")

    assert [letter.to for letter in mail.outbox] == [["desk@example.org"]]
    assert "on its way to desk@example.org" in said(response)[0]
    assert routes.row("transactional").tested_at is not None


def test_a_test_letter_that_does_not_leave_says_why(desk, practice, settings, monkeypatch):
    monkeypatch.setattr(routes, "hand_over", lambda stream, letter: PAUSED)

    assert "535 wrong password" in said(press(desk, "test"))[0]
    assert routes.row("transactional").tested_at is None


def test_a_paused_route_is_resumed(desk):
    routes.note("transactional", PAUSED)

    assert said(press(desk, "resume")) == ["Letters leave this way again."]
    assert routes.row("transactional").paused_at is None


@pytest.mark.parametrize(("stream", "bell"), [("transactional", "letters"), ("bulk", "campaigns")])
def test_a_resumed_route_wakes_its_own_workers(desk, monkeypatch, stream, bell):
    routes.note(stream, PAUSED)
    rung = []
    monkeypatch.setattr(bells, "ring", rung.append)

    press(desk, "resume", stream)

    assert bell in rung
    assert ("campaigns" in rung) is (stream == "bulk")


def test_a_route_is_stopped_by_a_person(desk):
    press(desk, "pause", "bulk")

    assert not routes.open_now("bulk", timezone.now())
    assert "somebody at the front desk stopped it" in routes.row("bulk").paused_because


def test_the_limits_of_newsletters_are_set_and_shown(desk):
    url = reverse("admin:mail_route_limits")

    assert "819200" not in desk.get(url).text  # the table ends after two weeks
    page = desk.post(url, {"per_second": "10", "per_day": "5000", "warm_up_from": ""}, follow=True)

    route = routes.row("bulk")
    assert (route.per_second, route.per_day, route.warm_up_from) == (10, 5000, None)
    assert "At most 10 a second. At most 5000 letters today; 0 have left." in page.text


@pytest.mark.parametrize("given", [{"per_second": "0"}, {"per_second": "fast"}, {"per_day": "0"}, {"warm_up_from": "31/31"}])
def test_limits_that_cannot_be_are_refused_with_a_sentence(desk, given):
    page = desk.post(reverse("admin:mail_route_limits"), given)

    assert page.status_code == 200
    assert page.context["form"].errors
    assert routes.row("bulk").per_second is None


def test_limits_need_the_right_to_change_the_route(visitor, practice):
    assert visitor.get(reverse("admin:mail_route_limits")).status_code == 403


def test_when_a_resting_route_is_tried_again_is_told(desk, practice):
    routes.note("bulk", Outcome(Verdict.LATER, "busy", wait=timedelta(minutes=5)))

    assert "Resting after 1 failure; at " in desk.get(reverse("admin:index")).text


@pytest.mark.parametrize("verb", ["test", "resume", "pause"])
def test_routes_need_a_pressed_button_and_a_right(desk, visitor, practice, verb):
    url = reverse(f"admin:mail_route_{verb}", kwargs={"stream": "transactional"})

    assert visitor.get(url).status_code == 405
    assert visitor.post(url).status_code == 403
    assert mail.outbox == []


# -- Whom not to write to -----------------------------------------------------------------------------------------------------------------


def test_an_address_is_entered_and_only_its_hash_is_kept(desk):
    response = desk.post(reverse("admin:mail_suppression_add"), {"address": " Ana@Example.org", "scope": "all"})

    assert response.status_code == 302
    assert suppressions.blocks(address_hash("ana@example.org"), "transactional")
    assert Suppression.objects.get().reason == "by-hand"
    assert "ana" not in str(list(LogEntry.objects.values())).lower()


@pytest.mark.parametrize("address", ["nobody", "a@b@c.org", ""])
def test_what_is_no_address_is_refused_with_a_sentence(desk, address):
    response = desk.post(reverse("admin:mail_suppression_add"), {"address": address, "scope": "all"})

    assert response.context["adminform"].form.errors["address"]
    assert not Suppression.objects.exists()


def test_an_address_on_the_list_already_is_said_to_be(desk):
    suppressions.suppress(address_hash("ana@example.org"), "all", "hard-bounce")

    response = desk.post(reverse("admin:mail_suppression_add"), {"address": "ana@example.org", "scope": "all"})

    assert response.context["adminform"].form.errors["address"] == ["This address is on the list already."]


def test_lifting_needs_a_reason_which_stays_in_the_log(desk):
    suppressions.suppress(address_hash("ana@example.org"), "all", "hard-bounce")
    url = reverse("admin:mail_suppression_lift", kwargs={"pk": Suppression.objects.get().pk})

    assert desk.get(url).status_code == 200
    assert desk.post(url, {"reason": ""}).status_code == 200
    assert Suppression.objects.exists()
    desk.post(url, {"reason": "She called and corrected it."})

    assert not Suppression.objects.exists()
    assert LogEntry.objects.get().change_message == "She called and corrected it."


def test_who_may_only_look_lifts_nothing(visitor):
    suppressions.suppress(address_hash("ana@example.org"), "all", "hard-bounce")

    assert visitor.post(reverse("admin:mail_suppression_lift", kwargs={"pk": Suppression.objects.get().pk}), {"reason": "x"}).status_code == 403


# -- Today -------------------------------------------------------------------------------------------------------------------------------


def today(client):
    return " ".join(client.get(reverse("admin:index")).content.decode().split())


def test_a_quiet_day_says_so(desk, practice):
    assert "Every letter has left as it should." in today(desk)


def test_what_needs_a_person_is_listed_with_links(desk, failed):
    page = today(desk)

    assert reverse("admin:mail_message_change", args=[failed.pk]) in page
    assert "Every letter has left" not in page


def test_the_age_of_a_late_letter_is_said(desk, greetings):
    greetings.post(due_at=timezone.now() - timedelta(minutes=7))

    assert "The oldest letter has waited for 7 minutes." in today(desk)


def test_a_paused_route_is_said(desk, practice):
    routes.note("bulk", PAUSED)

    assert "535 wrong password" in today(desk)


def test_a_hold_says_why_and_is_released_by_a_button(desk, practice, settings):
    ledger.hold()
    Ledger.objects.update(hold="moved")
    assert "this database belongs to another address" in today(desk)

    response = desk.post(reverse("admin:mail_release"), follow=True)

    assert said(response) == ["Letters leave again."]
    assert ledger.hold() == ""


def test_a_hold_needs_a_pressed_button_and_a_right(visitor, practice):
    ledger.hold()
    Ledger.objects.update(hold="moved")

    assert visitor.get(reverse("admin:mail_release")).status_code == 405
    assert visitor.post(reverse("admin:mail_release")).status_code == 403
    assert "Release" not in today(visitor)
    assert ledger.hold() == "moved"


def test_what_keeps_letters_from_leaving_stands_first_on_today(desk, practice):
    page = today(desk)
    assert page.index('id="today-seminars"') < page.index('id="today-mail"')

    ledger.hold()
    Ledger.objects.update(hold="moved")

    page = today(desk)
    assert page.index('id="today-mail"') < page.index('id="today-seminars"')
    assert page.count('id="today-mail"') == 1


def test_a_failed_letter_is_sent_again_from_its_own_page(desk, failed):
    page = reverse("admin:mail_message_change", args=[failed.pk])
    assert 'value="send_again"' in desk.get(page).text

    send_again(desk, failed)

    assert 'value="send_again"' not in desk.get(page).text


def test_a_letter_goes_by_the_words_its_app_gave_it():
    assert kinds.words("seminars.changed") == "seminar moved"
    assert kinds.words("gone.with-its-app") == "gone.with-its-app"
