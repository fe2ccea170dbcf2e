import json
from datetime import UTC, datetime
from io import StringIO

import pytest
import time_machine
from django.core.management import CommandError, call_command

from newsletter.models import Campaign

pytestmark = pytest.mark.django_db
Status = Campaign.Status


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


@pytest.mark.parametrize("name", ["slug", "pk"])
def test_a_campaign_is_sent_now(make_campaign, make_readers, deliver, name):
    make_readers(2)
    campaign = make_campaign()

    run("send_campaign", str(getattr(campaign, name)))

    assert len(deliver()) == 2


@pytest.mark.parametrize("at", ["2026-12-03T09:00", "2026-12-03T14:00Z", "2026-12-03T15:00+01:00"])
@time_machine.travel(datetime(2026, 11, 23, 12, tzinfo=UTC))
def test_a_time_is_on_the_practices_clocks_unless_it_says_which(make_campaign, make_readers, at):
    make_readers(1)
    campaign = make_campaign()

    said = run("send_campaign", "spring", "--at", at)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.send_at) == (Status.SCHEDULED, datetime(2026, 12, 3, 14, tzinfo=UTC))
    assert said == "Spring: Thursday, December 3, 2026, at 9 a.m. Eastern Time\n"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["none"], "There is no campaign 'none'."),
        (["spring", "--at", "soon"], "'soon' is no time"),
        (["spring", "--at", "2035-03-11T02:30"], "does not exist"),
        (["spring", "--at", "2020-01-01T09:00"], "already passed"),
        (["spring"], "Nobody would get this campaign"),
    ],
)
def test_what_cannot_be_done_is_said(make_campaign, arguments, words):
    make_campaign()

    with pytest.raises(CommandError, match=words):
        run("send_campaign", *arguments)


def test_the_report_for_scripts_adds_up(make_launched, make_readers, deliver):
    make_readers(2)
    make_readers(1, language="es")
    make_launched("en")
    deliver()

    facts = json.loads(run("campaign_report", "spring", "--json"))

    assert (facts["status"], facts["audience"], sum(facts["states"].values())) == ("sent", 3, 3)
    assert facts["states"] == {"pending": 0, "sent": 2, "failed": 0, "uncertain": 0, "skipped": 1}
    assert facts["reasons"] == [{"state": "skipped", "reason": "no-text", "count": 1}]


def test_the_report_for_scripts_tells_pace_and_zones_under_stable_names(make_launched, make_readers):
    make_readers(2)
    make_launched("en")

    facts = json.loads(run("campaign_report", "spring", "--json"))

    assert set(facts) == {
        *("id", "slug", "status", "stopped_because", "own_zone", "send_at", "launched_at", "finished_at", "audience", "states", "reasons"),
        *("complaints", "per_minute", "eta", "held_back", "zones", "pace"),
    }
    assert facts["pace"] == {"per_second": None, "per_day": None, "today": 0, "warm_up_day": None, "slowed_until": None}
    assert [(zone["zone"], zone["chunks"], zone["done"]) for zone in facts["zones"]] == [("", 1, 0)]


def test_own_zone_by_command(make_campaign, make_readers):
    make_readers(1)
    campaign = make_campaign()

    run("send_campaign", "spring", "--at", "2035-12-03T09:00", "--own-zone")

    campaign.refresh_from_db()
    assert campaign.own_zone


def test_the_report_for_people(make_launched, make_readers, deliver):
    make_readers(1, language="es")
    make_readers(1)
    make_launched("en")
    deliver()

    assert run("campaign_report", "spring").splitlines() == [
        "Spring: sent, 2 of 2",
        "       0 pending",
        "       1 sent",
        "       0 failed",
        "       0 uncertain",
        "       1 skipped",
        "               1 there is no text in the reader’s language",
    ]
