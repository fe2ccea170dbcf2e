"""Who may do what at the front desk."""

import pytest
from django.contrib.auth.models import Group, User
from django.urls import reverse

pytestmark = pytest.mark.django_db

PASSWORD = "a long enough sentence"


@pytest.fixture
def coordinator(client):
    user = User.objects.create_user("desk", password=PASSWORD, is_staff=True)
    user.groups.add(Group.objects.get(name="Coordinator"))
    client.force_login(user)
    return user


@pytest.fixture
def superuser(client):
    user = User.objects.create_superuser("owner", password=PASSWORD)
    client.force_login(user)
    return user


def status(client, name):
    return client.get(reverse(f"admin:{name}"), follow=True).status_code


@pytest.mark.parametrize("model", ["seminars_seminar", "seminars_venue", "seminars_speaker", "newsletter_subscriber", "newsletter_campaign"])
def test_a_coordinator_does_the_desks_work(client, coordinator, model):
    assert status(client, f"{model}_changelist") == 200
    assert status(client, f"{model}_add") == 200


def test_a_coordinator_edits_the_practices_facts(client, coordinator, practice):
    assert status(client, "practice_practice_changelist") == 200
    assert coordinator.has_perm("practice.change_practice")


def test_a_coordinator_may_send_a_campaign(coordinator):
    assert coordinator.has_perm("newsletter.send_campaign")


@pytest.mark.parametrize("model", ["auth_user", "auth_group"])
def test_a_coordinator_makes_no_logins(client, coordinator, model):
    assert status(client, f"{model}_changelist") == 403
    assert status(client, f"{model}_add") == 403


def test_a_coordinator_changes_no_evidence_and_deletes_no_person(coordinator):
    held = coordinator.get_all_permissions()

    assert {name for name in held if "consent" in name} == {"newsletter.view_consent", "newsletter.view_consentwording"}
    assert {name.removeprefix("mail.") for name in held if name.startswith("mail.")} == {
        *("view_message", "change_message", "view_route", "change_route", "view_event", "change_ledger"),
        *("view_suppression", "add_suppression", "change_suppression"),
    }
    assert {name.partition(".delete_")[2] for name in held if ".delete_" in name} == {
        *("venuetext", "speakertext", "seminartext", "topictext", "infopackettext", "campaigntext", "practicetext")
    }
    assert not any(name.startswith(("auth.", "axes.", "sessions.")) for name in held)


def test_a_superuser_makes_coordinators(client, superuser):
    assert status(client, "auth_user_add") == 200
    assert status(client, "auth_group_changelist") == 200


def test_a_visitor_is_asked_to_sign_in(client):
    answer = client.get("/admin/")

    assert answer.status_code == 302
    assert answer.url.startswith("/admin/login/")


def test_too_many_wrong_passwords_close_the_door_for_a_while_and_say_so(client, settings, practice):
    User.objects.create_superuser("owner", password=PASSWORD)
    login = {"username": "owner", "password": "wrong"}

    answers = [client.post("/admin/login/", login).status_code for _ in range(settings.AXES_FAILURE_LIMIT)]
    locked = client.post("/admin/login/", {"username": "owner", "password": PASSWORD})

    assert answers[0] == 200
    assert locked.status_code == 429
    assert "Please wait 15 minutes" in locked.content.decode()


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_signing_in_never_leads_to_another_site(client, practice, elsewhere):
    User.objects.create_superuser("owner", password=PASSWORD)

    answer = client.post("/admin/login/", {"username": "owner", "password": PASSWORD, "next": elsewhere})

    assert (answer.status_code, answer.url) == (302, "/admin/")


def test_a_host_name_that_is_not_ours_gets_a_page_that_does_not_repeat_it(client, practice):
    answer = client.get("/es/", headers={"host": "evil.example"})

    assert answer.status_code == 400
    assert "Content-Security-Policy" in answer.headers
    assert "evil" not in answer.content.decode()
