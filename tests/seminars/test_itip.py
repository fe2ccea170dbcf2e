"""The calendar objects: every reader finds the stored instant, and nobody's text becomes a property."""

import email
import io
import itertools
import re
from datetime import UTC, datetime, timedelta
from email import policy
from zoneinfo import ZoneInfo, available_timezones

import icalendar
import pytest
import vobject
from dateutil.tz import tzical
from django.utils import translation
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from project.practice.models import Practice
from project.practice.zones import CHOICES
from seminars import itip
from seminars.models import Registration, Seminar, SeminarText, Venue
from seminars.vtimezones import vtimezone

ZONES = ["America/New_York", "America/Chicago", "America/Denver", "America/Los_Angeles"]
STAMP = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


@pytest.fixture(autouse=True)
def _english():
    with translation.override("en"):
        yield


def a_registration(start=None, zone="America/New_York", **fields):
    """Rows that were never saved: itip asks the database for nothing."""
    start = start or datetime(2026, 12, 3, 23, 0, tzinfo=UTC)
    venue = Venue(name="Bayside Hall", street="200 Sample Avenue", city="Tampa", state="FL", postal_code="33602", zone=zone)
    seminar = Seminar(pk=7, slug="back", venue=venue, zone=zone, starts_at=start, ends_at=start + timedelta(minutes=90))
    return Registration(
        **{
            "pk": 42,
            "seminar": seminar,
            "mode": "in-person",
            "first_name": "Ana",
            "last_name": "Sample",
            "email": "ana@example.org",
            "status": "confirmed",
            "created_at": STAMP,
            "changed_at": STAMP,
        }
        | fields
    )


def a_practice(**fields):
    return Practice(**{"name": "Gulf Coast Spine", "phone": "+18135550100", "organizer_mailbox": "seminars@practice.example.org"} | fields)


def lines(content):
    return content.replace(b"\r\n ", b"").decode().split("\r\n")


def switch_weekends():
    """Around both changes of 2026 and of 2027: the evening before, each half hour of the night, and the day after, of each zone, in UTC."""
    for zone, (month, day) in itertools.product(ZONES, [(3, 8), (11, 1)]):
        midnight = datetime(2026, month, day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
        offsets = [-240, -30, *range(0, 300, 30), 720, 1080, 60 * 24 * 30, -60 * 24 * 30]
        yield from ((zone, midnight + timedelta(minutes=minutes)) for minutes in offsets)
    for zone in ("America/Phoenix", "Pacific/Honolulu", "America/Puerto_Rico", "UTC"):
        yield zone, datetime(2026, 12, 3, 23, 0, tzinfo=UTC)


@pytest.mark.parametrize(("zone", "start"), list(switch_weekends()))
def test_every_reader_finds_the_stored_instant(zone, start):
    content = itip.request(a_registration(start, zone), a_practice()).content

    [event] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert (event["DTSTART"].dt.astimezone(UTC), event["DTEND"].dt.astimezone(UTC)) == (start, start + timedelta(minutes=90))
    assert from_text_alone(content) == (start, start + timedelta(minutes=90))


@pytest.mark.parametrize(("zone", "start"), list(switch_weekends()))
def test_vobject_finds_the_stored_instant(zone, start):
    """vobject takes the offsets from the VTIMEZONE, not from its own knowledge of the zone's name."""
    content = itip.request(a_registration(start, zone), a_practice()).content.replace(zone.encode(), f"Our {zone}".encode())

    calendar = vobject.readOne(content.decode())

    assert calendar.vevent.dtstart.value.astimezone(UTC) == start


def from_text_alone(content):
    """DTSTART and DTEND by the letter of RFC 5545 §3.6.5: the observance with the latest onset at or before that wall time gives the offset."""
    calendar = icalendar.Calendar.from_ical(content)
    return tuple(_instant(calendar, name, content) for name in ("DTSTART", "DTEND"))


def _instant(calendar, name, content):
    [line] = [line for line in lines(content[content.index(b"BEGIN:VEVENT") :]) if line.startswith(name)]
    wall = datetime.strptime(line.rpartition(":")[2].rstrip("Z"), "%Y%m%dT%H%M%S")  # noqa: DTZ007  a wall time
    if line.endswith("Z"):
        return wall.replace(tzinfo=UTC)
    return (wall - _offset(calendar.walk("VTIMEZONE")[0], wall)).replace(tzinfo=UTC)


def _offset(component, wall):
    onsets = []
    for observance in component.subcomponents:
        first = observance["DTSTART"].dt
        rule = observance.get("RRULE")
        years = range(first.year, wall.year + 1) if rule else [first.year]
        onsets += [(_nth(first, rule, year) if rule else first, observance["TZOFFSETTO"].td) for year in years]
    return max((onset, offset) for onset, offset in onsets if onset <= wall)[1]


def _nth(first, rule, year):
    count, day = re.fullmatch(r"(-?\d)(\w\w)", str(rule["BYDAY"][0])).groups()
    days = [datetime(year, rule["BYMONTH"][0], n) for n in range(1, 29)]  # noqa: DTZ001  wall times
    found = [one for one in days if one.strftime("%a")[:2].upper() == day]
    return found[int(count) - 1].replace(hour=first.hour, minute=first.minute)


def test_daylight_time_begins_at_two_not_three():
    text = vtimezone("America/New_York", STAMP, STAMP).to_ical().decode()

    assert "DTSTART:20250309T020000" in text
    assert "DTSTART:20251102T020000" in text
    assert text.count("BEGIN:DAYLIGHT") == text.count("BEGIN:STANDARD") == 1


def test_offsets_are_those_of_zoneinfo_all_year():
    for zone in ZONES:
        component = icalendar.Timezone.from_ical(vtimezone(zone, STAMP, STAMP).to_ical())
        for hours in range(0, 24 * 365, 7):
            moment = (datetime(2026, 1, 2, tzinfo=UTC) + timedelta(hours=hours)).astimezone(ZoneInfo(zone))
            if not moment.fold:
                assert _offset(component, moment.replace(tzinfo=None)) == moment.utcoffset(), (zone, moment)


def test_a_zone_whose_clocks_follow_no_rule_lists_its_changes():
    text = vtimezone("Africa/Casablanca", STAMP, STAMP).to_ical().decode()

    assert "RRULE" not in text
    assert text.count("DTSTART") > 2


def differences(zone, first, last, moments):
    """Of these moments those whose wall time dateutil, which knows a zone by its VTIMEZONE alone, gives another offset than zoneinfo.

    The second time round of a repeated hour is left out: no VTIMEZONE can tell it from the first, so events say it in UTC.
    """
    text = vtimezone(zone, first, last).to_ical().decode()
    read, known = tzical(io.StringIO(text)).get(zone), ZoneInfo(zone)
    walls = [wall for moment in moments if not (wall := moment.astimezone(known)).fold]
    return [(zone, wall) for wall in walls if wall.replace(tzinfo=read).utcoffset() != wall.utcoffset()]


def test_every_zone_there_is_has_its_own_offset_around_an_event():
    start = datetime(2026, 7, 4, 23, 0, tzinfo=UTC)
    moments = [start + timedelta(hours=hours) for hours in (-24 * 180, -24 * 90, -1, 0, 1, 2, 24 * 90, 24 * 180)]

    found = [differences(zone, start, start + timedelta(hours=2), moments) for zone in sorted(available_timezones() - {"localtime"})]

    assert len(found) > 500
    assert [difference for one in found for difference in one] == []


@pytest.mark.parametrize("zone", [*dict(CHOICES), "Africa/Casablanca", "Australia/Lord_Howe"])
def test_a_zones_offset_is_right_in_every_hour_of_a_year_with_its_changes(zone):
    first = datetime(2026, 1, 1, tzinfo=UTC)
    hours = [first + timedelta(hours=hours, minutes=1) for hours in range(24 * 365)]

    assert differences(zone, first, hours[-1], hours) == []


def test_before_the_first_change_it_knows_a_zone_has_the_offset_it_had_then():
    """Volgograd gave up an hour in the last days of 2020 and has had no change since."""
    start = datetime(2020, 6, 1, 12, 0, tzinfo=UTC)

    assert differences("Europe/Volgograd", start, start, [start]) == []


def test_the_repeated_hour_is_said_in_utc():
    content = itip.request(a_registration(datetime(2026, 11, 1, 6, 30, tzinfo=UTC)), a_practice()).content

    assert "DTSTART:20261101T063000Z" in lines(content)
    assert b"VTIMEZONE" not in content


def test_the_invite_word_for_word():
    ana = a_registration(uid="reg-1@practice.example.org")

    assert lines(itip.request(ana, a_practice()).content) == [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Lectern//Seminars//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:REQUEST",
        "BEGIN:VTIMEZONE",
        "TZID:America/New_York",
        "BEGIN:DAYLIGHT",
        "DTSTART:20250309T020000",
        "RRULE:FREQ=YEARLY;BYDAY=2SU;BYMONTH=3",
        "TZNAME:EDT",
        "TZOFFSETFROM:-0500",
        "TZOFFSETTO:-0400",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "DTSTART:20251102T020000",
        "RRULE:FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        "TZNAME:EST",
        "TZOFFSETFROM:-0400",
        "TZOFFSETTO:-0500",
        "END:STANDARD",
        "END:VTIMEZONE",
        "BEGIN:VEVENT",
        "SUMMARY:Seminar at Gulf Coast Spine",
        "DTSTART;TZID=America/New_York:20261203T180000",
        "DTEND;TZID=America/New_York:20261203T193000",
        "DTSTAMP:20261101T120000Z",
        "UID:reg-1@practice.example.org",
        "SEQUENCE:0",
        'ATTENDEE;CN="Ana Sample";CUTYPE=INDIVIDUAL;PARTSTAT=ACCEPTED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:mailto:ana@example.org',
        "CLASS:PRIVATE",
        "CREATED:20261101T120000Z",
        "DESCRIPTION:To cancel\\, use the button in our e-mail.\\nQuestions? Call Gulf Coast Spine at (813) 555-0100.",
        "LAST-MODIFIED:20261101T120000Z",
        "LOCATION:Bayside Hall\\, 200 Sample Avenue\\, Tampa\\, FL 33602",
        'ORGANIZER;CN="Gulf Coast Spine":mailto:seminars@practice.example.org',
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    ]


def test_a_cancel_keeps_everything_but_method_and_status():
    ana = a_registration(uid="reg-1@practice.example.org", sequence=3)

    part, invite = itip.cancel(ana, a_practice()), itip.request(ana, a_practice())

    assert part.method == "CANCEL"
    differs = set(lines(part.content)) ^ set(lines(invite.content))
    assert differs == {"METHOD:CANCEL", "METHOD:REQUEST", "STATUS:CANCELLED", "STATUS:CONFIRMED"}


def test_an_online_invite_leads_to_the_persons_page_and_never_tells_the_meetings_address():
    ana = a_registration(mode="online")
    ana.seminar.format, ana.seminar.join_url = "online", "https://meet.example.org/secret"

    content = itip.request(ana, a_practice()).content

    assert any(line.startswith("LOCATION:http://testserver/registrations/") for line in lines(content))
    assert b"secret" not in content.replace(b"\r\n ", b"")


def test_a_party_with_only_a_phone_has_a_file_without_attendee():
    content = itip.download(a_registration(email="", phone="+18135550101"), a_practice())

    assert content.method == "PUBLISH"
    assert b"ATTENDEE" not in content.content


NASTY = st.text(st.characters(codec="utf-8"), max_size=60) | st.sampled_from(
    ["a\r\nATTENDEE:mailto:x@example.org", 'q"u;o:t,e', "\x00\x0b\x1b", "a\u2028BEGIN:VEVENT", "\x85DTSTART:1", "Ñandú " * 20, "^n^'", "\\n\\;"]
)


@hypothesis_settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(NASTY, NASTY, NASTY, NASTY)
def test_no_text_becomes_a_property(first, last, name, venue_name):
    ana = a_registration(first_name=first, last_name=last)
    ana.seminar.venue.name = venue_name

    content = itip.request(ana, a_practice(name=name)).content

    plain = itip.request(a_registration(), a_practice()).content
    assert [line.partition(":")[0].partition(";")[0] for line in lines(content)] == [
        line.partition(":")[0].partition(";")[0] for line in lines(plain)
    ]
    assert len(content.decode().splitlines()) == content.count(b"\r\n")
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    assert not re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", content)
    [event] = icalendar.Calendar.from_ical(content).walk("VEVENT")
    assert event["ATTENDEE"] == "mailto:ana@example.org"


# -- Feeds ---------------------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_feed_of_two_zones_is_the_same_bytes_every_time(make_seminar, practice):
    for zone, hour in (("America/New_York", 23), ("America/Los_Angeles", 1)):
        make_seminar(starts_at=datetime(2027, 3, 14, hour, 0, tzinfo=UTC), zone=zone, format="online", venue=None)
    rows = Seminar.objects.with_words()

    feeds = {itip.feed(order, practice, "en", url="http://testserver/seminars/calendar.ics") for order in (rows, reversed(rows))}

    [feed] = feeds
    calendar = icalendar.Calendar.from_ical(feed)
    assert [zone["TZID"] for zone in calendar.walk("VTIMEZONE")] == ["America/Los_Angeles", "America/New_York"]
    assert [event["DTSTART"].dt.astimezone(UTC) for event in calendar.walk("VEVENT")] == [one.starts_at for one in rows.order_by("starts_at")]
    assert "REFRESH-INTERVAL;VALUE=DURATION:PT6H" in lines(feed)
    assert "UID" not in calendar
    assert b"ATTENDEE" not in feed
    assert vobject.readOne(feed.decode()).method.value == "PUBLISH"


@pytest.mark.django_db
def test_a_feed_speaks_its_language_and_shows_what_was_called_off(make_seminar, practice):
    make_seminar(slug="off", status="cancelled")
    untranslated = make_seminar(slug="english-only")
    SeminarText.objects.filter(seminar=untranslated, language="es").delete()

    with translation.override("es"):
        feed = itip.feed(Seminar.objects.with_words(), practice, "es", url="http://testserver/es/seminars/calendar.ics")

    [event] = icalendar.Calendar.from_ical(feed).walk("VEVENT")
    assert event["SUMMARY"] == "Back in motion (es)"
    assert event["STATUS"] == "CANCELLED"
    assert event["URL"] == "http://testserver/es/seminars/off/"


# -- In a letter ----------------------------------------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_letter_as_it_travels(seminar, register, deliver):
    ana = register(seminar, "José", last_name="Peña", email="jose@example.org")

    [letter] = deliver()

    message = email.message_from_bytes(letter.message().as_bytes(), policy=policy.strict)
    assert [part.get_content_type() for part in message.walk()] == [
        "multipart/mixed",
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
        "application/ics",
    ]
    alternative, attached = list(message.walk())[-2:]
    assert alternative.get_param("method") == "REQUEST"
    assert alternative.get_param("charset").lower() == "utf-8"
    assert alternative["Content-Disposition"] is None
    assert attached.get_filename() == "invite.ics"
    ics = alternative.get_payload(decode=True)
    assert ics == attached.get_payload(decode=True)
    assert alternative["Content-Transfer-Encoding"] == attached["Content-Transfer-Encoding"] == "base64"
    [event] = icalendar.Calendar.from_ical(ics).walk("VEVENT")
    assert event["UID"] == ana.uid
    assert event["ATTENDEE"].params["CN"] == "José Peña"
    assert event["ORGANIZER"] == f"mailto:{message['From'].addresses[0].addr_spec}"
    assert event["DTSTART"].dt.astimezone(UTC) == seminar.starts_at
    assert message["Auto-Submitted"] == "auto-generated"
    assert [name for name in message if name.lower().startswith("list-")] == []
