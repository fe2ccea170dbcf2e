"""Golden: the vendors document none of these addresses, so a change here is tried by hand at each of the four."""

from datetime import UTC, datetime

import pytest
from django.utils import translation

from seminars.calendar_links import calendar_links

pytestmark = pytest.mark.django_db


@pytest.fixture
def ana(make_seminar, register):
    start, end = datetime(2098, 11, 1, 2, 0, tzinfo=UTC), datetime(2098, 11, 1, 3, 30, tzinfo=UTC)
    return lambda **fields: register(make_seminar(starts_at=start, ends_at=end, **fields))


def test_in_person(ana, practice):
    with translation.override("en"):
        links = calendar_links(ana(), practice)

    outlook = (
        "/calendar/0/deeplink/compose?path=/calendar/action/compose&rru=addevent&subject=Seminar%20at%20Gulf%20Coast%20Spine"
        "&startdt=2098-11-01T02:00:00Z&enddt=2098-11-01T03:30:00Z&location=Bayside%20Hall%2C%20200%20Sample%20Avenue%2C%20Tampa%2C%20FL%2033602&body="
    )
    assert links == [
        (
            "Google",
            "https://calendar.google.com/calendar/render?action=TEMPLATE&text=Seminar%20at%20Gulf%20Coast%20Spine"
            "&dates=20981101T020000Z/20981101T033000Z&details="
            "&location=Bayside%20Hall%2C%20200%20Sample%20Avenue%2C%20Tampa%2C%20FL%2033602&ctz=America/New_York",
        ),
        ("Outlook.com", f"https://outlook.live.com{outlook}"),
        ("Microsoft 365", f"https://outlook.office.com{outlook}"),
        (
            "Yahoo",
            "https://calendar.yahoo.com/?v=60&title=Seminar%20at%20Gulf%20Coast%20Spine&st=20981101T020000Z&et=20981101T033000Z"
            "&desc=&in_loc=Bayside%20Hall%2C%20200%20Sample%20Avenue%2C%20Tampa%2C%20FL%2033602",
        ),
    ]


def test_online_they_hold_neither_the_meetings_link_nor_the_persons_own(ana, practice):
    links = calendar_links(ana(format="online", venue=None, join_url="https://meet.example.org/secret"), practice)

    assert [name for name, url in links if "secret" in url or "registrations" in url or "testserver" in url] == []
    assert all("Online" in url for _name, url in links)
