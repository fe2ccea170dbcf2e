"""Each reader at their own time of day, and nobody in quiet hours: whatever the clocks do that night."""

from datetime import UTC, datetime, time, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from newsletter import campaigns, hours, progress, reports, subscribing
from newsletter.models import Campaign, Chunk, Subscriber
from project.practice.models import Practice
from project.practice.zones import nearest

pytestmark = pytest.mark.django_db

EAST, CENTRAL, WEST, HAWAII = "America/New_York", "America/Chicago", "America/Los_Angeles", "Pacific/Honolulu"
NINE = datetime(2026, 12, 3, 14, tzinfo=UTC)  # 9 a.m. at the practice


def at(hour, minute=0, day=3):
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def quiet(practice):
    def quiet(begin, end):
        practice.quiet_from, practice.quiet_until = begin, end
        practice.full_clean()
        practice.save()
        return practice

    return quiet


@pytest.fixture
def readers_in(make_readers):
    """`readers_in("America/Chicago", "")` → a reader in each zone."""

    def readers_in(*zones):
        people = make_readers(len(zones))
        for person, zone in zip(people, zones, strict=True):
            Subscriber.objects.filter(pk=person.pk).update(zone=zone)

    return readers_in


@pytest.fixture
def scheduled(make_campaign):
    def scheduled(send_at=NINE, **options):
        campaign = make_campaign("en")
        campaigns.schedule(campaign, send_at, now=send_at - timedelta(days=2), **options)
        return campaign

    return scheduled


def due_times():
    return dict(Chunk.objects.values_list("zone", "due_at"))


# -- Their own time of day ---------------------------------------------------------------------------------------------------------------


def test_each_zone_waits_for_its_own_nine_o_clock(readers_in, scheduled):
    readers_in("", CENTRAL, WEST, CENTRAL, HAWAII)
    campaign = scheduled(own_zone=True)

    assert campaigns.launch(campaign, NINE)

    assert due_times() == {"": at(14), CENTRAL: at(15), WEST: at(17), HAWAII: at(19)}
    assert Chunk.objects.count() == 4


def test_without_it_all_get_it_at_once_and_no_zone_makes_a_chunk_of_its_own(readers_in, scheduled):
    readers_in("", CENTRAL, WEST)
    campaign = scheduled()

    assert campaigns.launch(campaign, NINE)

    assert due_times() == {"": NINE}


def test_it_begins_where_the_day_begins_first(readers_in, scheduled, practice):
    Practice.objects.update(zone=CENTRAL)
    readers_in("", EAST)
    campaign = scheduled(send_at=at(15), own_zone=True)  # 9 a.m. Central

    assert campaign.launch_at == at(14)
    assert not campaigns.due(at(13, 59)).exists()
    assert campaigns.due(at(14)).exists()
    assert campaigns.launch(campaign, at(14))
    assert due_times() == {"": at(15), EAST: at(14)}


def test_who_came_from_further_east_after_it_was_scheduled_gets_it_at_once(readers_in, scheduled):
    readers_in("")
    campaign = scheduled(own_zone=True)
    readers_in("Atlantic/Bermuda")

    assert campaigns.launch(campaign, NINE)

    assert due_times()["Atlantic/Bermuda"] == NINE


def test_a_zone_no_clock_knows_is_the_practices(readers_in, scheduled):
    readers_in("Mars/Olympus", "America")
    campaign = scheduled(own_zone=True)

    assert campaigns.launch(campaign, NINE)

    assert set(due_times().values()) == {NINE}


def test_letters_leave_zone_by_zone(readers_in, make_campaign, deliver):
    readers_in("", CENTRAL, HAWAII)
    campaign = make_campaign("en")
    with time_machine.travel(NINE - timedelta(days=1)) as clock:
        campaigns.schedule(campaign, NINE, own_zone=True)
        assert deliver() == []
        left = []
        for moment in (at(14), at(14, 30), at(15), at(18), at(19)):
            clock.move_to(moment)
            left.append(len(deliver()))
    assert left == [1, 0, 1, 0, 1]
    campaign.refresh_from_db()
    assert campaign.status == Campaign.Status.SENT


@pytest.mark.parametrize(
    ("wall", "zone", "moment"),
    [
        ("2027-03-14T02:30", EAST, datetime(2027, 3, 14, 7, 30, tzinfo=UTC)),  # no such time: 3:30
        ("2026-11-01T01:30", EAST, datetime(2026, 11, 1, 5, 30, tzinfo=UTC)),  # twice: the first
        ("2026-12-03T09:00", "Asia/Kolkata", datetime(2026, 12, 3, 3, 30, tzinfo=UTC)),
        ("2011-12-30T09:00", "Pacific/Apia", datetime(2011, 12, 30, 19, tzinfo=UTC)),  # a day that did not exist
    ],
)
def test_a_time_that_is_missing_or_comes_twice(wall, zone, moment):
    assert nearest(datetime.fromisoformat(wall), zone) == moment


def test_the_night_the_clocks_are_set_forward_each_zone_has_one_due_time(readers_in, scheduled):
    readers_in("", CENTRAL, "America/Phoenix")
    campaign = scheduled(send_at=datetime(2027, 3, 14, 6, 30, tzinfo=UTC), own_zone=True)  # 1:30 a.m.; Central sets its clocks an hour later

    assert campaigns.launch(campaign, campaign.launch_at)

    assert due_times() == {
        "": datetime(2027, 3, 14, 6, 30, tzinfo=UTC),
        CENTRAL: datetime(2027, 3, 14, 7, 30, tzinfo=UTC),
        "America/Phoenix": datetime(2027, 3, 14, 8, 30, tzinfo=UTC),
    }


# -- Quiet hours -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("zone", "now", "then"),
    [
        ("", at(1, 59, day=4), None),  # 8:59 p.m.
        ("", at(2, day=4), at(13, day=4)),  # 9 p.m. → 8 a.m.
        ("", at(6), at(13)),  # 1 a.m.
        ("", at(12, 59), at(13)),
        ("", at(13), None),
        (CENTRAL, at(13), at(14)),
        (HAWAII, at(13), at(18)),
    ],
)
def test_over_night(quiet, zone, now, then):
    assert hours.not_before(zone, now, quiet(time(21), time(8))) == then


def test_at_noon(quiet):
    practice = quiet(time(12), time(14))

    assert hours.not_before("", at(16, 59), practice) is None
    assert hours.not_before("", at(17), practice) == at(19)
    assert hours.not_before("", at(19), practice) is None


def test_off_unless_a_practice_wants_them(practice):
    assert hours.not_before("", at(6)) is None


def test_they_end_after_now_in_the_hour_that_comes_twice(quiet):
    practice = quiet(time(22), time(1, 45))
    second_half_past_one = datetime(2026, 11, 1, 6, 30, tzinfo=UTC)

    assert hours.not_before("", second_half_past_one, practice) == datetime(2026, 11, 1, 6, 45, tzinfo=UTC)


@pytest.mark.parametrize(("begin", "end"), [(time(21), None), (None, time(8)), (time(8), time(8))])
def test_they_need_two_ends(quiet, begin, end):
    with pytest.raises(ValidationError):
        quiet(begin, end)
    with pytest.raises(IntegrityError), transaction.atomic():
        Practice.objects.update(quiet_from=begin, quiet_until=end)


def test_a_campaign_scheduled_into_them_waits_for_the_morning(quiet, readers_in, scheduled):
    quiet(time(21), time(8))
    readers_in("", HAWAII)
    campaign = scheduled(send_at=at(2, 30, day=4), own_zone=True)  # 9:30 p.m.

    assert campaigns.launch(campaign, campaign.launch_at)

    assert due_times() == {"": at(13, day=4), HAWAII: at(18, day=4)}


def test_a_late_launch_keeps_them(quiet, readers_in, scheduled):
    quiet(time(21), time(8))
    readers_in("")
    campaign = scheduled()

    assert campaigns.launch(campaign, at(4, day=4))  # the machine was off until 11 p.m.

    assert due_times() == {"": at(13, day=4)}


def test_sending_again_keeps_them(quiet, readers_in, make_campaign, deliver):
    quiet(time(21), time(8))
    readers_in("")
    campaign = make_campaign("en")
    with time_machine.travel(NINE):
        campaigns.schedule(campaign, timezone.now())
        deliver()
        campaign.deliveries.update(state="failed")

    campaign.refresh_from_db()
    campaigns.send_again(campaign, {"failed"}, now=at(4, day=4))

    assert set(Chunk.objects.filter(state="ready").values_list("due_at", flat=True)) == {at(13, day=4)}


def test_a_campaign_that_runs_into_them_goes_on_in_the_morning(quiet, readers_in, make_launched, deliver):
    quiet(time(21), time(8))
    readers_in("", "", "")
    with time_machine.travel(at(20)) as clock:  # 3 p.m.
        campaign = make_launched()
        clock.move_to(at(2, 30, day=4))  # 9:30 p.m.: nobody had time before
        assert deliver() == []
        assert due_times() == {"": at(13, day=4)}
        report = reports.of(campaign, now=timezone.now())
        assert progress.of(campaign, report, timezone.now()).because == [
            "These are quiet hours. It goes on Friday, December 4, 2026, at 8 a.m. Eastern Time."
        ]
        clock.move_to(at(13, day=4))
        assert len(deliver()) == 3


def test_single_letters_know_no_quiet_hours(quiet, deliver):
    quiet(time(21), time(8))
    with time_machine.travel(at(6)):
        wording = subscribing.current_wording("newsletter", "en")
        who = {"first_name": "Ana", "last_name": "", "language": "en"}
        subscribing.ask("ana@example.org", **who, form="subscribe", wording=wording, packet=None, newsletter=True)

        assert len(deliver()) == 1


def test_quiet_hours_chosen_while_it_is_sent_are_reckoned_with_in_its_report(quiet, readers_in, make_launched):
    readers_in("")
    with time_machine.travel(at(20)):
        campaign = make_launched()
        quiet(time(14), time(16))

        [zone] = progress.of(campaign, reports.of(campaign), timezone.now()).zones

        assert zone.first_at == at(21)
