"""The coordinator's way: write, look, try, schedule, watch, read the report."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from newsletter import campaigns
from newsletter.models import Campaign, Delivery, Subscriber
from project.mail import pace, routes
from project.mail.models import Route
from project.practice.zones import from_wall, to_wall
from tests.desk_pages import as_shown

pytestmark = pytest.mark.django_db
State, Status = Delivery.State, Campaign.Status


@pytest.fixture
def coordinator(client, django_user_model):
    """Signed in, with all that concerns campaigns; `coordinator.get(...)`, `coordinator.post(...)`."""
    user = django_user_model.objects.create_user("carla", email="carla@practice.example.org", first_name="Carla", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(content_type__app_label="newsletter"))
    client.force_login(user)
    client.user = user
    return client


def to(name, campaign, **query):
    return reverse(f"admin:newsletter_campaign_{name}", args=[campaign.pk])


def written(**words):
    """What the compose form posts: an English text, and an empty Spanish one."""
    text = {"language": "en", "subject": "News", "preheader": "", "body": "Dear [[first_name|friend]]"} | words
    return {
        "name": "Spring",
        "slug": "spring",
        "texts-TOTAL_FORMS": "2",
        "texts-INITIAL_FORMS": "0",
        **{f"texts-0-{name}": value for name, value in text.items()},
        "texts-1-language": "es",
    }


def said(response):
    return [str(message) for message in response.context["messages"]]


def test_a_campaign_is_written_in_one_language(coordinator, topic):
    response = coordinator.post(reverse("admin:newsletter_campaign_add"), written() | {"topic": topic.pk})

    assert response.status_code == 302
    campaign = Campaign.objects.get()
    assert (campaign.status, [text.language for text in campaign.texts.all()]) == (Status.DRAFT, ["en"])


def test_a_field_we_do_not_know_is_refused_at_its_line_and_nothing_is_lost(coordinator, topic):
    body = "Hello\n\nDear [[nickname|x]]"

    response = coordinator.post(reverse("admin:newsletter_campaign_add"), written(body=body) | {"topic": topic.pk})

    assert response.status_code == 200
    page = response.content.decode()
    assert "Line 3: “[[nickname|x]]” is not a field we know." in page
    assert "Dear [[nickname|x]]" in page
    assert not Campaign.objects.exists()


def test_a_launched_campaign_can_only_be_read(coordinator, make_launched, make_readers):
    make_readers(1)
    campaign = make_launched()

    page = coordinator.get(to("change", campaign))
    assert page.status_code == 200
    assert b'name="_save"' not in page.content
    response = coordinator.post(to("change", campaign), written(body="Changed") | {"topic": campaign.topic_id}, follow=True)

    assert response.redirect_chain == [(to("report", campaign), 302)]
    assert said(response) == ["This campaign has already been sent or cancelled."]
    assert "Changed" not in campaign.texts.get().body


def test_a_new_campaign_stays_open_under_an_address_of_its_own(coordinator, make_campaign, topic):
    make_campaign(slug="spring-news")

    response = coordinator.post(
        reverse("admin:newsletter_campaign_add"), written() | {"name": "Spring news", "topic": topic.pk, "slug": "", "_save": "Save"}
    )

    campaign = Campaign.objects.get(slug="spring-news-2")
    assert response.url == to("change", campaign)


def test_a_campaign_launched_while_it_was_edited_stays_as_it_was(coordinator, make_campaign, make_readers, monkeypatch):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now())
    begin = campaigns.begin_edit

    def launched_first(edited):
        assert campaigns.launch(edited, timezone.now())
        begin(edited)

    monkeypatch.setattr(campaigns, "begin_edit", launched_first)
    text = campaign.texts.get()
    data = written(body="Changed") | {
        "topic": campaign.topic_id,
        "texts-INITIAL_FORMS": "1",
        "texts-0-id": text.pk,
        "texts-0-campaign": campaign.pk,
    }

    response = coordinator.post(to("change", campaign), data, follow=True)

    assert said(response) == ["This campaign has been sent, so its words can’t be changed any more."]
    text.refresh_from_db()
    assert text.body != "Changed"


def test_saving_does_not_undo_what_happened_meanwhile(coordinator, make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    text = campaign.texts.get()
    data = written() | {
        "topic": campaign.topic_id,
        "name": "Autumn",
        "texts-INITIAL_FORMS": "1",
        "texts-0-id": text.pk,
        "texts-0-campaign": campaign.pk,
    }
    campaigns.schedule(campaign, timezone.now() + timedelta(days=1))

    coordinator.post(to("change", campaign), data)

    campaign.refresh_from_db()
    assert (campaign.name, campaign.status) == ("Autumn", Status.SCHEDULED)


def typed(coordinator, campaign, **changes):
    """What a campaign's page posts with `changes` typed into it."""
    return as_shown(coordinator, to("change", campaign), **changes)


@pytest.mark.parametrize("act", ["preview", "schedule"])
def test_what_is_typed_is_saved_before_the_preview_or_the_schedule_opens(coordinator, make_campaign, act):
    campaign = make_campaign("en", "es")

    posted = typed(coordinator, campaign, **{"texts-1-subject": "Noticias de hoy", f"_{act}": ""})
    response = coordinator.post(to("change", campaign), posted)

    assert response.url == to(act, campaign)
    assert campaign.texts.get(language="es").subject == "Noticias de hoy"


@pytest.mark.parametrize("act", ["preview", "schedule"])
@pytest.mark.parametrize(("prefix", "sentence"), [("", "is not a field we know"), ("/es", "no es un campo que conozcamos")])
def test_with_a_mistake_neither_opens_and_nothing_typed_is_lost(coordinator, make_campaign, act, prefix, sentence):
    campaign = make_campaign("en", "es")

    posted = typed(coordinator, campaign, **{"texts-1-body": "Hola [[nombre]]", "name": "Otoño", f"_{act}": ""})
    response = coordinator.post(f"{prefix}/admin/newsletter/campaign/{campaign.pk}/change/", posted)

    assert response.status_code == 200
    assert sentence in response.text
    assert "Hola [[nombre]]" in response.text
    assert 'value="Otoño"' in response.text
    campaign.refresh_from_db()
    assert campaign.name == "Spring"


@pytest.mark.parametrize("act", ["preview", "schedule"])
def test_a_new_campaign_is_saved_and_looked_at_in_one(coordinator, topic, act):
    response = coordinator.post(reverse("admin:newsletter_campaign_add"), written() | {"topic": topic.pk, f"_{act}": ""}, follow=True)

    assert response.redirect_chain == [(to(act, Campaign.objects.get()), 302)]
    assert response.status_code == 200


def test_a_scheduled_one_is_saved_and_held_back_in_one(coordinator, make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now() + timedelta(days=1))

    response = coordinator.post(to("change", campaign), typed(coordinator, campaign, name="Autumn", _unschedule=""), follow=True)

    assert said(response) == ["It is a draft again."]
    campaign.refresh_from_db()
    assert (campaign.name, campaign.status) == ("Autumn", Status.DRAFT)


def test_holding_back_needs_the_permission_to_send(coordinator, make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now() + timedelta(days=1))
    posted = typed(coordinator, campaign, name="Autumn", _unschedule="")
    coordinator.user.user_permissions.remove(Permission.objects.get(codename="send_campaign"))

    response = coordinator.post(to("change", campaign), posted)

    assert response.status_code == 403
    campaign.refresh_from_db()
    assert (campaign.name, campaign.status) == ("Spring", Status.SCHEDULED)
    assert 'name="_schedule"' not in coordinator.get(to("change", campaign)).text


def test_who_may_only_look_or_only_send_finds_plain_links(coordinator, make_campaign):
    campaign = make_campaign()
    coordinator.user.user_permissions.set(Permission.objects.filter(codename__in=["view_campaign", "send_campaign"]))

    shown = coordinator.get(to("change", campaign)).text

    assert f'href="{to("preview", campaign)}"' in shown
    assert f'href="{to("schedule", campaign)}"' in shown
    assert 'name="_' not in shown


def test_the_list_costs_the_same_queries_however_long(coordinator, make_campaign, make_readers):
    make_readers(1)

    def queries():
        with CaptureQueriesContext(connection) as captured:
            assert coordinator.get(reverse("admin:newsletter_campaign_changelist")).status_code == 200
        return len(captured)

    campaigns.schedule(make_campaign(slug="one"), timezone.now() + timedelta(days=1))
    queries()  # the first one also reads what Django then keeps
    with_one = queries()
    for number in range(3):
        campaigns.schedule(make_campaign(slug=f"more-{number}"), timezone.now() + timedelta(days=1))

    assert queries() == with_one


def test_the_preview_shows_a_real_readers_name_and_nobodys_links(coordinator, make_campaign, make_readers):
    [reader] = make_readers(1, first_name="Rosa")
    campaign = make_campaign("en", "es")

    page = coordinator.get(to("preview", campaign), {"language": "en", "reader": reader.pk})
    frame = coordinator.get(to("preview", campaign) + "en/", {"reader": reader.pk})

    assert page.context["letter"].subject == "News for Rosa"
    assert "Dear Rosa," in page.context["letter"].text
    assert f"?reader={reader.pk}" in page.content.decode()
    assert "Dear Rosa," in frame.content.decode()
    assert "style=" not in page.content.decode().split("<iframe")[1].split("<pre")[0]
    # The links are a made-up reader's: a press on one unsubscribes nobody.
    address = frame.content.decode().split("/newsletter/unsubscribe/")[1].split('"')[0]
    coordinator.post(f"/newsletter/unsubscribe/{address}", {"List-Unsubscribe": "One-Click"})
    assert reader.subscriptions.active().exists()


def test_the_frame_may_show_its_styles_and_nothing_else(coordinator, make_campaign):
    frame = coordinator.get(to("preview", make_campaign()) + "en/")

    policy = dict(part.strip().partition(" ")[::2] for part in frame["Content-Security-Policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'unsafe-inline'"
    assert policy["frame-ancestors"] == "'self'"
    assert "sandbox" in policy
    assert "script-src" not in policy
    assert frame["X-Frame-Options"] == "SAMEORIGIN"


def test_a_preview_without_a_text_says_so(coordinator, make_campaign):
    campaign = make_campaign()
    campaign.texts.all().delete()

    assert "There is no text yet." in coordinator.get(to("preview", campaign)).content.decode()


def test_a_test_goes_to_oneself_by_the_newsletters_route(coordinator, make_campaign, deliver):
    campaign = make_campaign("en", "es")

    response = coordinator.post(to("test", campaign), {"language": "es"}, follow=True)

    assert said(response) == ["A test is on its way to carla@practice.example.org."]
    [letter] = deliver()
    assert letter.to == ["carla@practice.example.org"]
    assert letter.subject == "[Prueba] News for Carla"
    assert letter.extra_headers["Content-Language"] == "es"
    assert "List-Unsubscribe" not in letter.extra_headers
    assert not Delivery.objects.exists()


def test_scheduling_shows_who_is_left_out_and_wants_the_number_typed(coordinator, make_campaign, make_readers):
    make_readers(3)
    make_readers(2, language="es")
    campaign = make_campaign("en")

    page = coordinator.get(to("schedule", campaign)).content.decode()
    wrong = coordinator.post(to("schedule", campaign), {"now": "on", "confirm": "5"}).content.decode()

    assert "There is no text in Spanish, so 2 readers are left out." in page
    assert "Type the number <strong>3</strong>." in page
    assert "Eastern Time" in page
    assert "3 people would get it now. Please type that number." in wrong
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def test_a_time_is_read_on_the_practices_clocks(coordinator, make_campaign, make_readers, practice):
    make_readers(1)
    campaign = make_campaign()
    day = to_wall(timezone.now(), practice.zone).date() + timedelta(days=40)

    response = coordinator.post(to("schedule", campaign), {"date": str(day), "time": "09:30", "confirm": "1"}, follow=True)

    campaign.refresh_from_db()
    nine_thirty = timezone.datetime.strptime("09:30", "%H:%M").time()  # noqa: DTZ007  a wall-clock time
    assert campaign.send_at == from_wall(day, nine_thirty, practice.zone)
    assert "at 9:30 a.m. Eastern Time" in said(response)[0]


@pytest.mark.parametrize(
    ("date", "time", "words"),
    [
        ("2035-03-11", "02:30", "this time does not exist"),
        ("2035-11-04", "01:30", "this time comes twice"),
        ("2020-01-01", "09:00", "That time has already passed."),
        ("", "", "Please choose a date, or send it now."),
    ],
)
def test_a_time_that_cannot_be_is_refused_with_a_sentence(coordinator, make_campaign, make_readers, date, time, words):
    make_readers(1)
    campaign = make_campaign()

    page = coordinator.post(to("schedule", campaign), {"date": date, "time": time, "confirm": "1"}).content.decode()

    assert words in page
    campaign.refresh_from_db()
    assert campaign.status == Status.DRAFT


def test_what_keeps_it_from_going_out_is_said_before(coordinator, make_campaign, make_readers, practice):
    make_readers(1)
    practice.street = ""
    practice.save()

    page = coordinator.get(to("schedule", make_campaign())).content.decode()

    assert "postal address is missing" in page
    assert 'name="confirm"' not in page


def test_paused_resumed_and_cancelled_by_buttons(coordinator, make_launched, make_readers):
    make_readers(2)
    campaign = make_launched()

    for verb, status in [("pause", Status.PAUSED), ("resume", Status.SENDING), ("cancel", Status.CANCELLED)]:
        response = coordinator.post(to(verb, campaign), follow=True)
        campaign.refresh_from_db()
        assert (response.status_code, campaign.status) == (200, status)
    refused = coordinator.post(to("resume", campaign), follow=True)

    assert said(refused) == ["This campaign is not paused."]


@pytest.mark.parametrize("verb", ["pause", "resume", "cancel", "unschedule", "again", "test"])
def test_a_link_alone_does_nothing(coordinator, make_launched, make_readers, verb):
    make_readers(1)
    campaign = make_launched()

    assert coordinator.get(to(verb, campaign)).status_code == 405
    campaign.refresh_from_db()
    assert campaign.status == Status.SENDING


def test_sending_needs_its_own_permission(coordinator, make_launched, make_readers):
    make_readers(1)
    campaign = make_launched()
    coordinator.user.user_permissions.remove(Permission.objects.get(codename="send_campaign"))

    assert {coordinator.post(to(verb, campaign)).status_code for verb in ("pause", "cancel", "unschedule", "again", "schedule")} == {403}
    page = coordinator.get(to("report", campaign)).content.decode()
    assert "Pause" not in page


def test_names_need_their_own_permission(coordinator, make_launched, make_readers, deliver):
    make_readers(1)
    campaign = make_launched()
    deliver()
    coordinator.user.user_permissions.remove(Permission.objects.get(codename="view_subscriber"))

    assert b"reader0@" not in coordinator.get(to("report", campaign), {"state": "sent"}).content
    assert coordinator.get(to("export", campaign)).status_code == 403
    assert b"reader0@" not in coordinator.get(to("preview", campaign)).content


def test_the_report_while_it_is_sent_renews_itself(coordinator, make_launched, make_readers):
    make_readers(4)
    campaign = make_launched()
    Delivery.objects.filter(pk__in=Delivery.objects.values("pk")[:2]).update(state=State.SENT, settled_at=timezone.now())

    page = coordinator.get(to("report", campaign)).content.decode()

    assert '<meta http-equiv="refresh" content="5">' in page
    assert '<progress id="progress" max="4" value="2">' in page
    assert "letters a minute." in page


def test_the_report_of_one_sent_now_waits_with_the_reader_and_one_for_next_week_does_not(coordinator, make_campaign, make_readers):
    make_readers(2)
    campaign = make_campaign()
    response = coordinator.post(to("schedule", campaign), {"now": "on", "confirm": "2"})

    assert response.url == to("report", campaign)
    assert 'http-equiv="refresh"' in coordinator.get(response.url).text
    campaigns.schedule(campaign, timezone.now() + timedelta(days=7))
    assert 'http-equiv="refresh"' not in coordinator.get(response.url).text


def test_the_report_names_everybody(coordinator, make_launched, make_readers, deliver):
    readers = make_readers(3)
    make_readers(1, language="es")
    campaign = make_launched("en")
    deliver()
    Delivery.objects.filter(subscriber=readers[0]).update(state=State.UNCERTAIN, reason="crashed")

    page = coordinator.get(to("report", campaign), {"state": "uncertain"}).content.decode()

    assert readers[0].address in page
    assert readers[1].address not in page
    assert "the worker stopped while handing it over" in page
    assert "there is no text in the reader’s language" in page
    assert "Send again to the 1 in doubt" in page
    assert "http-equiv" not in page


def test_those_in_doubt_are_sent_again_by_a_button(coordinator, make_launched, make_readers, deliver):
    make_readers(2)
    campaign = make_launched()
    deliver()
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state=State.UNCERTAIN, reason="crashed")

    response = coordinator.post(to("again", campaign), {"state": "uncertain"}, follow=True)

    assert said(response) == ["It goes out again to 1 person."]
    assert len(deliver()) == 1
    assert len(mail.outbox) == 3


def test_the_export_runs_no_formula(coordinator, make_launched, make_readers, deliver):
    make_readers(1, first_name="=HYPERLINK(1)")
    campaign = make_launched()
    deliver()

    response = coordinator.get(to("export", campaign))

    lines = b"".join(response.streaming_content).decode().splitlines()
    assert "'=HYPERLINK(1)" in lines[1]
    assert "reader0@example.org" in lines[1]
    assert "no-store" in response["Cache-Control"]


def test_today_shows_what_is_under_way_and_what_is_in_doubt(coordinator, make_campaign, make_launched, make_readers, deliver):
    make_readers(2)
    make_launched(slug="one")
    deliver()
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(state=State.UNCERTAIN, reason="crashed")
    make_launched(slug="two")

    page = coordinator.get(reverse("admin:index")).content.decode()

    assert "Last sent:" in page
    assert "1 in doubt" in page
    assert '<progress max="2" value="0"' in page


def test_nobody_gets_in_without_signing_in(client, make_campaign):
    campaign = make_campaign()

    for name in ("change", "preview", "schedule", "report", "export"):
        assert client.get(to(name, campaign)).status_code == 302


# -- What holds it back, where and when --------------------------------------------------------------------------------------------------


def limit_route(**limits):
    routes.row("bulk")
    Route.objects.filter(stream="bulk").update(**limits)
    pace.forget()


def test_the_report_says_what_paces_it_and_how_long_it_takes(coordinator, make_launched, make_readers):
    make_readers(40)
    campaign = make_launched()
    limit_route(per_second=0.01)

    page = coordinator.get(to("report", campaign)).content.decode()

    assert "Your mail route is limited to 0.01 a second." in page
    assert "About 67 minutes are left." in page


def test_the_report_says_that_the_route_is_stopped(coordinator, make_launched, make_readers):
    make_readers(1)
    campaign = make_launched()
    routes.pause("bulk", "535 wrong password")

    page = coordinator.get(to("report", campaign)).content.decode()

    assert "The way out for newsletters is stopped, so nothing leaves: 535 wrong password" in page


def test_each_zones_time_is_told(coordinator, make_campaign, make_readers):
    for person, zone in zip(make_readers(3), ["", "America/Los_Angeles", "Mars/Olympus"], strict=True):
        Subscriber.objects.filter(pk=person.pk).update(zone=zone)
    campaign = make_campaign()
    nine = datetime(2026, 12, 3, 14, tzinfo=UTC)
    with time_machine.travel(nine - timedelta(minutes=1)):
        campaigns.schedule(campaign, nine, own_zone=True)
    with time_machine.travel(nine):
        campaigns.launch(campaign, nine)

    with time_machine.travel(nine + timedelta(minutes=1)):
        coordinator.force_login(coordinator.user)
        page = coordinator.get(to("report", campaign)).content.decode()

    assert "9 a.m. Pacific Time" in page
    assert "waits" in page


def test_each_reader_at_their_own_time_is_a_tick(coordinator, make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    day = timezone.now().date() + timedelta(days=40)

    coordinator.post(to("schedule", campaign), {"date": str(day), "time": "9 am", "own_zone": "on", "confirm": "1"})

    campaign.refresh_from_db()
    assert campaign.own_zone
    assert coordinator.get(to("schedule", campaign)).context["form"]["own_zone"].value() is True


def test_what_falls_into_quiet_hours_is_said_when_it_is_scheduled(coordinator, make_campaign, make_readers, practice):
    make_readers(1)
    campaign = make_campaign()
    practice.quiet_from, practice.quiet_until = time(21), time(8)
    practice.save()
    day = timezone.now().date() + timedelta(days=40)

    page = coordinator.get(to("schedule", campaign)).content.decode()
    response = coordinator.post(to("schedule", campaign), {"date": str(day), "time": "10 pm", "confirm": "1"}, follow=True)

    assert "From 9 p.m. to 8 a.m. you keep quiet hours." in page
    assert said(response)[0].startswith("That is in your quiet hours, so it goes out when they end: ")


def test_a_campaign_that_stopped_by_itself_stands_on_today_and_is_resumed_with_open_eyes(coordinator, make_launched, make_readers):
    make_readers(1)
    campaign = make_launched()
    Campaign.objects.update(status=Status.PAUSED, stopped_because="Stopped by itself: of 200 letters 20 came back.", guarded_at=timezone.now())

    today = coordinator.get(reverse("admin:index")).content.decode()
    report = coordinator.get(to("report", campaign)).content.decode()

    assert "A campaign has stopped" in today
    assert "of 200 letters 20 came back" in today
    assert to("report", campaign) in today
    assert "only what comes on top of these figures can stop it again" in report


def test_complaints_are_counted_apart(coordinator, make_launched, make_readers, deliver):
    make_readers(2)
    campaign = make_launched()
    deliver()
    Delivery.objects.filter(pk=Delivery.objects.first().pk).update(reason="complained")

    page = coordinator.get(to("report", campaign)).content.decode()

    assert "1 reader who got it reported it as unwanted." in page
    assert "Why some did not get it" not in page


def test_a_list_of_one_state_is_exported(coordinator, make_launched, make_readers, deliver):
    readers = make_readers(3)
    campaign = make_launched()
    deliver()
    Delivery.objects.filter(subscriber=readers[1]).update(state=State.UNCERTAIN, reason="crashed")

    response = coordinator.get(to("export", campaign), {"state": "uncertain"})

    lines = b"".join(response.streaming_content).decode().splitlines()
    assert len(lines) == 2
    assert readers[1].address in lines[1]
    assert 'filename="spring-uncertain.csv"' in response["Content-Disposition"]


def test_the_list_and_today_count_only_what_still_waits(coordinator, make_launched, make_readers, deliver):
    make_readers(3)
    make_launched(slug="one")
    deliver()
    make_launched(slug="two")
    Delivery.objects.filter(pk=Delivery.objects.last().pk).update(state=State.SENT, settled_at=timezone.now())

    page = coordinator.get(reverse("admin:newsletter_campaign_changelist")).content.decode()

    assert "3 of 3" in page
    assert "1 of 3" in page
