"""Calendar files as pages serve them: who may have which, and that an unchanged one is not sent twice."""

from datetime import timedelta

import pytest
from django.utils import timezone
from icalendar import Calendar

from seminars import links, registration
from seminars.models import Seminar


def events(page):
    return list(Calendar.from_ical(page.content).walk("VEVENT"))


@pytest.mark.parametrize("path", ["/seminars/calendar.ics", "/seminars/{slug}/calendar.ics"])
def test_a_public_calendar_is_a_feed_in_the_pages_language(client, seminar, path):
    path = path.format(slug=seminar.slug)

    english, spanish = client.get(path), client.get(f"/es{path}")

    assert english["Content-Type"] == "text/calendar; charset=utf-8"
    assert Calendar.from_ical(english.content)["METHOD"] == "PUBLISH"
    assert [event["SUMMARY"] for event in events(english)] == ["Back in motion (en)"]
    assert [event["SUMMARY"] for event in events(spanish)] == ["Back in motion (es)"]
    assert events(english)[0]["DTSTART"].dt == seminar.starts_at


@pytest.mark.parametrize("path", ["/seminars/calendar.ics", "/seminars/{slug}/calendar.ics"])
def test_who_has_the_calendar_gets_304_until_it_changes(client, seminar, path):
    path = path.format(slug=seminar.slug)
    first = client.get(path)

    by_tag = client.get(path, headers={"If-None-Match": first["ETag"]})
    by_time = client.get(path, headers={"If-Modified-Since": first["Last-Modified"]})
    Seminar.objects.update(starts_at=seminar.starts_at + timedelta(hours=1), ends_at=seminar.ends_at + timedelta(hours=1), revision=1)
    changed = client.get(path, headers={"If-None-Match": first["ETag"]})

    assert (by_tag.status_code, by_tag.content, by_tag["ETag"]) == (304, b"", first["ETag"])
    assert by_time.status_code == 304
    assert changed.status_code == 200
    assert changed["ETag"] != first["ETag"]


def test_the_feed_of_all_leaves_drafts_out_and_keeps_what_was_called_off(client, make_seminar):
    make_seminar(status=Seminar.Status.DRAFT)
    make_seminar(status=Seminar.Status.CANCELLED)
    make_seminar(starts_at=timezone.now() - timedelta(days=90))

    assert [event["STATUS"] for event in events(client.get("/seminars/calendar.ics"))] == ["CANCELLED"]


def test_no_seminar_at_all_is_still_a_calendar(client, practice):
    page = client.get("/seminars/calendar.ics")

    assert page.status_code == 200
    assert events(page) == []


def test_a_draft_has_no_calendar(client, make_seminar):
    seminar = make_seminar(status=Seminar.Status.DRAFT)

    assert client.get(f"/seminars/{seminar.slug}/calendar.ics").status_code == 404


def test_a_confirmed_registration_has_its_invite_as_a_file_that_nothing_keeps(client, seminar, register):
    ana = register(seminar)

    page = client.get(f"/registrations/{links.registration_token(ana)}/calendar.ics")

    assert page["Content-Type"] == "text/calendar; charset=utf-8; method=REQUEST"
    assert page["Content-Disposition"] == 'attachment; filename="invite.ics"'
    assert "no-store" in page["Cache-Control"]
    assert [str(event["UID"]) for event in events(page)] == [ana.uid]


def test_who_waits_or_cancelled_has_none(client, make_seminar, register):
    seminar = make_seminar(capacity=1)
    ana, ben = register(seminar), register(seminar, "Ben")
    registration.cancel(ana)
    waiting = register(seminar, "Cleo")

    ben.refresh_from_db()
    assert [ben.status, waiting.status] == ["confirmed", "waitlisted"]
    for person in (ana, waiting):
        assert client.get(f"/registrations/{links.registration_token(person)}/calendar.ics").status_code == 404
