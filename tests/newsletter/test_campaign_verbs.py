"""Schedule, launch, pause, resume, cancel, send again: one transaction each, decided by one conditional UPDATE."""

import threading
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from newsletter import audience, campaigns, reports
from newsletter.models import Campaign, Chunk, Delivery
from project.mail import suppressions

pytestmark = pytest.mark.django_db
State, Status = Delivery.State, Campaign.Status


def states(campaign):
    return {state: count for state, count in reports.of(campaign).states.items() if count}


def test_the_audience_is_counted_by_language(make_campaign, make_readers):
    readers = make_readers(3)
    make_readers(2, language="es")
    suppressions.complaint(readers[0].address_hash)
    readers[1].subscriptions.update(ended_at=timezone.now())

    counted = audience.of(make_campaign("en"))

    assert [(part.language, part.readers, part.will_get, part.left_out) for part in counted.parts] == [("en", 2, 1, 0), ("es", 2, 0, 2)]
    assert (counted.total, counted.will_get, counted.left_out, counted.suppressed) == (4, 1, 2, 1)


def test_scheduling_waits_for_its_time(make_campaign, make_readers, deliver):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now() + timedelta(hours=1))

    assert deliver() == []
    assert campaign.status == Status.SCHEDULED
    assert campaigns.launch(campaign, timezone.now()) is False


@pytest.mark.parametrize(
    ("break_it", "words"),
    [
        (lambda campaign, practice: campaign.texts.all().delete(), "There is no text yet."),
        (lambda campaign, practice: type(practice).objects.update(street=""), "postal address is missing"),
        (lambda campaign, practice: campaign.texts.update(body="[[no]]"), "English: Line 1: “[[no]]” is not a field we know."),
        (lambda campaign, practice: campaign.topic.subscriptions.update(ended_at=timezone.now()), "Nobody would get this campaign"),
        (lambda campaign, practice: Campaign.objects.update(status="cancelled"), "already been sent or cancelled"),
    ],
)
def test_what_cannot_be_sent_is_not_scheduled(make_campaign, make_readers, practice, break_it, words):
    make_readers(1)
    campaign = make_campaign()
    break_it(campaign, practice)

    with pytest.raises(campaigns.CampaignRefused) as refused:
        campaigns.schedule(campaign, timezone.now() + timedelta(hours=1))

    assert words in str(refused.value)
    assert not Campaign.objects.filter(status=Status.SCHEDULED).exists()


def test_a_time_that_has_passed_is_refused(make_campaign, make_readers):
    make_readers(1)

    with pytest.raises(campaigns.CampaignRefused, match="already passed"):
        campaigns.schedule(make_campaign(), timezone.now() - timedelta(minutes=5))


def test_unscheduled_it_is_a_draft_again(make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now())

    campaigns.unschedule(campaign)

    assert campaign.status == Status.DRAFT
    assert campaigns.launch(campaign, timezone.now()) is False


def test_launch_writes_one_delivery_per_reader_and_none_without_a_text_waits(make_launched, make_readers):
    make_readers(3)
    make_readers(2, language="es")

    campaign = make_launched("en")

    assert reports.of(campaign).audience == 5
    assert states(campaign) == {"pending": 3, "skipped": 2}
    assert reports.of(campaign).reasons == [("skipped", "no-text", 2)]
    assert Delivery.objects.filter(state=State.SKIPPED, settled_at=None).count() == 0
    assert Delivery.objects.filter(state=State.PENDING, settled_at=None).count() == 3


def test_the_short_way_to_count_states_ends_at_the_same_figures(make_launched, make_readers, deliver):
    make_readers(3)
    make_readers(2, language="es")
    campaign = make_launched("en")

    before = reports.states_of(campaign)
    deliver()
    Delivery.objects.filter(pk=Delivery.objects.filter(state=State.SENT).first().pk).update(state=State.UNCERTAIN, reason="crashed")

    assert before == {"pending": 3, "sent": 0, "failed": 0, "uncertain": 0, "skipped": 2}
    assert reports.states_of(campaign) == reports.of(campaign).states == {**before, "pending": 0, "sent": 2, "uncertain": 1}


def test_chunks_hold_one_language_each_and_every_pending_delivery_once(make_launched, make_readers, monkeypatch):
    monkeypatch.setattr(campaigns, "CHUNK", 4)
    for language in ["en", "es"] * 3:
        make_readers(3, language=language)

    make_launched("en", "es")

    covered = [delivery for chunk in Chunk.objects.all() for delivery in Delivery.objects.of(chunk).values_list("pk", flat=True)]
    assert sorted(covered) == sorted(Delivery.objects.values_list("pk", flat=True))
    assert sorted(Chunk.objects.values_list("language", flat=True)) == ["en"] * 3 + ["es"] * 3
    assert max(Delivery.objects.of(chunk).count() for chunk in Chunk.objects.all()) == 4


def test_a_campaign_whose_text_was_taken_away_goes_back_to_a_draft(make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()
    campaigns.schedule(campaign, timezone.now())
    campaign.texts.all().delete()

    assert campaigns.launch(campaign, timezone.now()) is False

    campaign.refresh_from_db()
    assert (campaign.status, campaign.stopped_because) == (Status.DRAFT, "There is no text yet.")
    assert not Delivery.objects.exists()


def test_a_campaign_that_cannot_be_begun_stands_in_nobodys_way(make_campaign, make_readers, monkeypatch):
    make_readers(1)
    broken, sound = make_campaign(slug="broken"), make_campaign(slug="sound")
    now = timezone.now()
    for campaign in (broken, sound):
        campaigns.schedule(campaign, now)
    sound_problems = campaigns.problems
    monkeypatch.setattr(campaigns, "problems", lambda campaign: 1 / 0 if campaign == broken else sound_problems(campaign))

    assert campaigns.launch_due(timezone.now()) == 1

    broken.refresh_from_db()
    assert (broken.status, broken.launched_at) == (Status.SCHEDULED, None)
    assert {delivery.campaign for delivery in Delivery.objects.all()} == {sound}


def test_launched_it_cannot_be_edited(make_launched, make_readers):
    make_readers(1)

    with pytest.raises(campaigns.CampaignRefused):
        campaigns.begin_edit(make_launched())


@pytest.mark.django_db(transaction=True)
def test_two_ticks_launch_once(make_campaign, make_readers):
    make_readers(20)
    campaign = make_campaign()
    now = timezone.now()
    campaigns.schedule(campaign, now)
    start, launched = threading.Barrier(4), []

    def tick():
        start.wait()
        launched.append(campaigns.launch_due(now))
        connection.close()

    threads = [threading.Thread(target=tick) for _ in range(4)]
    [thread.start() for thread in threads]
    [thread.join(30) for thread in threads]

    assert sorted(launched) == [0, 0, 0, 1]
    assert Delivery.objects.count() == 20


def test_a_paused_campaign_sends_nothing_and_goes_on_where_it_was(make_launched, make_readers, deliver):
    make_readers(3)
    campaign = make_launched()
    campaigns.pause(campaign)
    assert deliver() == []

    campaigns.resume(campaign)

    assert len(deliver()) == 3
    campaign.refresh_from_db()
    assert (campaign.status, states(campaign)) == (Status.SENT, {"sent": 3})


def test_a_cancelled_campaign_writes_down_whom_it_leaves_out(make_launched, make_readers, deliver):
    make_readers(3)
    campaign = make_launched()

    campaigns.cancel(campaign)

    assert deliver() == []
    assert states(campaign) == {"skipped": 3}
    assert reports.of(campaign).reasons == [("skipped", "cancelled", 3)]
    assert not Chunk.objects.exclude(state=Chunk.State.DONE).exists()


@pytest.mark.parametrize("verb", [campaigns.pause, campaigns.resume, campaigns.unschedule])
def test_what_does_not_fit_is_refused(make_campaign, verb):
    with pytest.raises(campaigns.CampaignRefused):
        verb(make_campaign())


def test_those_left_over_can_be_sent_again_by_hand(make_launched, make_readers, deliver):
    make_readers(4)
    campaign = make_launched()
    deliver()
    doubtful, failed = Delivery.objects.order_by("pk")[:2]
    Delivery.objects.filter(pk=doubtful.pk).update(state=State.UNCERTAIN, reason="crashed")
    Delivery.objects.filter(pk=failed.pk).update(state=State.FAILED, reason="refused")
    campaign.refresh_from_db()

    count = campaigns.send_again(campaign, {"uncertain"})

    letters = deliver()
    assert count == 1
    assert [letter.extra_headers["Message-ID"].split("@")[0] for letter in letters] == [f"<{doubtful.public_id}"]
    assert states(campaign) == {"sent": 3, "failed": 1}
    campaign.refresh_from_db()
    assert campaign.status == Status.SENT


def test_nobody_left_means_nothing_is_sent_again(make_launched, make_readers, deliver):
    make_readers(1)
    campaign = make_launched()
    deliver()
    campaign.refresh_from_db()

    with pytest.raises(campaigns.CampaignRefused, match="nobody"):
        campaigns.send_again(campaign, {"failed"})

    campaign.refresh_from_db()
    assert campaign.status == Status.SENT


def test_what_was_sent_can_never_be_sent_again(make_launched, make_readers):
    make_readers(1)

    with pytest.raises(ValueError, match="Only"):
        campaigns.send_again(make_launched(), {"sent"})
