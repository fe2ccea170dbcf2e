"""Finding a seminar: the home page, the list, a seminar's page, and what search engines read."""

import json
import re
from datetime import UTC, datetime, timedelta
from xml.etree import ElementTree

import pytest
from django.contrib.auth import get_user_model
from django.contrib.auth.models import Permission
from django.core.files.base import ContentFile
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter.models import InfoPacket
from project.practice.models import PracticeText
from seminars.models import SeatPool, Seminar, SeminarText, Venue

IPHONE = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X)"
ANDROID = "Mozilla/5.0 (Linux; Android 15; Pixel 9)"


@pytest.fixture
def atlanta(db):
    return Venue.objects.create(
        name="Peach Room", street="9 Sample Road", city="Atlanta", state="GA", postal_code="30303", latitude=33.7525, longitude=-84.3888
    )


def titles(response):
    return re.findall(r'<h3><a href="[^"]*">([^<]*)</a></h3>', response.content.decode())


def rename(seminar, title):
    SeminarText.objects.filter(seminar=seminar).update(title=title)
    return seminar


# -- Home ------------------------------------------------------------------------------------------------------------------------------


def test_home_says_who_we_are_and_what_comes_next(client, practice, make_seminar):
    PracticeText.objects.create(practice=practice, language="en", tagline="Back in motion", hours="Monday to Friday, 8 to 5")
    for days in (5, 3, 9, 7):
        rename(make_seminar(starts_at=timezone.now() + timedelta(days=days)), f"In {days} days")

    page = client.get("/")

    text = page.content.decode()
    for words in (
        "Gulf Coast Spine",
        "Back in motion",
        'href="tel:+18135550100"',
        "(813) 555-0100",
        "Monday to Friday, 8 to 5",
        "complimentary",
    ):
        assert words in text
    assert titles(page) == ["In 3 days", "In 5 days", "In 7 days"]
    assert 'hreflang="es" lang="es"' in text


@pytest.mark.parametrize("path", ["/", "/seminars/", "/sitemap.xml"])
def test_a_seminar_that_has_begun_is_no_longer_offered(client, make_seminar, path):
    now = timezone.now()
    make_seminar(slug="begun", starts_at=now - timedelta(minutes=5))
    make_seminar(slug="soon", starts_at=now + timedelta(minutes=5))

    text = client.get(path).content.decode()

    assert "/seminars/soon/" in text
    assert "/seminars/begun/" not in text


def test_home_without_seminars_and_packets_says_so(client, practice):
    text = client.get("/").content.decode()

    assert "New dates are being planned" in text
    assert "Ask for the info packet" not in text


def test_home_promises_the_way_to_cancel_that_there_is(client, practice):
    text = client.get("/").content.decode()

    assert "with a link to a page of your own. If you can’t come, you can cancel there." in text
    assert "one button" not in text


def test_home_offers_the_packets_of_the_pages_language(client, practice, settings, tmp_path):

    settings.MEDIA_ROOT = tmp_path
    packet = InfoPacket.objects.create(slug="back-pain")
    packet.texts.create(language="es", title="Dolor de espalda", summary="Lo que ayuda", pdf=ContentFile(b"%PDF-", "a.pdf"))

    assert "Dolor de espalda" in client.get("/es/").content.decode()
    assert "Dolor de espalda" not in client.get("/").content.decode()


@pytest.mark.parametrize("path", ["/", "/seminars/", "/es/", "/es/seminars/"])
def test_lists_take_as_many_queries_for_three_seminars_as_for_one(client, make_seminar, django_assert_num_queries, path):
    make_seminar()

    with CaptureQueriesContext(connection) as one:
        client.get(path)
    make_seminar()
    make_seminar()

    with django_assert_num_queries(len(one)):
        client.get(path)


# -- The list --------------------------------------------------------------------------------------------------------------------------


def test_list_shows_only_what_is_published_and_to_come(client, make_seminar):
    now = timezone.now()
    rename(make_seminar(), "Comes")
    rename(make_seminar(status=Seminar.Status.DRAFT), "Draft")
    rename(make_seminar(status=Seminar.Status.CANCELLED), "Cancelled")
    rename(make_seminar(starts_at=now - timedelta(days=1)), "Past")

    assert titles(client.get("/seminars/")) == ["Comes"]


def test_list_says_each_seminar_in_the_pages_language(client, make_seminar):
    seminar = make_seminar(starts_at=datetime(2030, 12, 5, 23, 0, tzinfo=UTC))

    english, spanish = client.get("/seminars/"), client.get("/es/seminars/")

    assert titles(english) == ["Back in motion (en)"]
    assert titles(spanish) == ["Back in motion (es)"]
    assert "Thursday, December 5, 2030, at 6\N{NO-BREAK SPACE}p.m. Eastern Time" in english.content.decode()
    assert "Bayside Hall, Tampa, FL" in english.content.decode()
    assert f'href="/es/seminars/{seminar.slug}/"' in spanish.content.decode()


def test_a_seminar_without_words_in_the_pages_language_is_left_out(client, seminar):
    SeminarText.objects.filter(language="es").delete()

    assert titles(client.get("/es/seminars/")) == []
    assert client.get(f"/es/seminars/{seminar.slug}/").status_code == 404
    assert client.get(f"/seminars/{seminar.slug}/").status_code == 200


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("", ["Room", "Both", "Net", "Sala"]),
        ("language=es", ["Sala"]),
        ("language=en&format=online", ["Both", "Net"]),
        ("format=in-person", ["Room", "Both", "Sala"]),
        ("format=nonsense&language=xx&zip=", ["Room", "Both", "Net", "Sala"]),
        ("language=%FF&format=%01", ["Room", "Both", "Net", "Sala"]),
    ],
)
def test_list_can_be_narrowed_down(client, make_seminar, query, shown):
    day = timezone.now() + timedelta(days=1)
    kinds = [
        ("Room", {}),
        ("Both", {"format": "hybrid"}),
        ("Net", {"format": "online", "venue": None}),
        ("Sala", {"talk_language": "es"}),
    ]
    for number, (title, fields) in enumerate(kinds):
        rename(make_seminar(starts_at=day + timedelta(hours=number), **fields), title)

    assert titles(client.get(f"/seminars/?{query}")) == shown


def test_nothing_left_after_narrowing_down_shows_the_way_back(client, seminar):
    text = client.get("/seminars/?language=es").content.decode()

    assert "No seminar fits this choice" in text
    assert "See all seminars" in text


@pytest.fixture
def around(make_seminar, atlanta):
    """A seminar of each kind, soonest first: online, in Atlanta, in Atlanta and online, in Tampa."""
    day = timezone.now() + timedelta(days=1)
    kinds = {
        "Net": {"format": "online", "venue": None},
        "Atlanta": {"venue": atlanta},
        "Atlanta or net": {"format": "hybrid", "venue": atlanta},
        "Tampa": {},
    }
    for number, (title, fields) in enumerate(kinds.items()):
        rename(make_seminar(starts_at=day + timedelta(hours=number), **fields), title)


def headings(response):
    """The headings of the results and the titles below them, in order."""
    results = response.content.decode().partition('id="results"')[2]
    return re.findall(r'<h2(?: id="found")?>([^<]*)</h2>|<h3><a href="[^"]*">([^<]*)</a></h3>', results.partition("</section>")[0])


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("zip=33607", ["4 seminars, nearest to 33607 first", "Tampa", "Online, from home", "Net", "Atlanta or net", "Farther away", "Atlanta"]),
        ("zip=33607&format=in-person", ["3 seminars, nearest to 33607 first", "Tampa", "Farther away", "Atlanta", "Atlanta or net"]),
        ("zip=33607&format=online", ["2 seminars, soonest first", "Net", "Atlanta or net"]),
        ("zip=99501&format=in-person", ["3 seminars, nearest to 99501 first", "Farther away", "Atlanta", "Atlanta or net", "Tampa"]),
        ("", ["4 seminars, soonest first", "Net", "Atlanta", "Atlanta or net", "Tampa"]),
    ],
)
def test_near_a_zip_code_come_those_within_a_drive_then_those_from_home_then_the_others(client, around, query, shown):
    found = headings(client.get(f"/seminars/?{query}"))

    assert [heading or title for heading, title in found] == shown


def test_distances_are_said_with_the_room_and_their_thousands_with_a_comma(client, around):
    english, spanish = (client.get(f"{prefix}/seminars/?zip=99501&format=in-person").content.decode() for prefix in ("", "/es"))

    assert "There is none within 100 miles of 99501." in english
    assert re.search(r"Peach Room, Atlanta, GA, about 3,\d{3} miles away, and online", english)
    assert re.search(r"a unas 3,\d{3} millas", spanish)


@pytest.mark.parametrize(("query", "way_back"), [("", 0), ("?zip=33607", 1), ("?format=online", 1), ("?zip=nonsense", 1)])
def test_a_narrowed_list_opens_at_its_results_with_the_way_back(client, around, query, way_back):
    text = client.get(f"/seminars/{query}").content.decode()
    results = text.partition('<section class="results" id="results" tabindex="-1"')[2]

    assert 'action="/seminars/#results"' in text
    assert results.count("See all seminars") == way_back


def test_a_zip_code_we_do_not_know_is_said_where_the_page_opens(client, seminar):
    results = client.get("/seminars/?zip=00000").content.decode().partition('id="results"')[2]

    assert results.index("We don’t know this ZIP code") < results.index("<h3>")
    assert '<a href="#id_zip">' in results


@pytest.mark.parametrize("zip_code", ["00000", "abc", "3360", "33607; DROP", "٣٣٦٠٧", "\x01", "9" * 500, "<script>"])
def test_an_unknown_zip_code_gets_a_sentence_and_the_list_stays(client, seminar, zip_code):
    page = client.get("/seminars/", {"zip": zip_code})

    assert page.status_code == 200
    assert titles(page) == ["Back in motion (en)"]
    assert 'id="id_zip_error"' in page.content.decode()
    assert "<script>" not in page.content.decode()


@pytest.mark.parametrize(
    ("capacity", "taken", "waiting", "words"),
    [
        (40, 0, 0, "Plenty of seats"),
        (40, 36, 0, "A few seats left"),
        (40, 39, 0, "A few seats left"),
        (40, 40, 0, "Full – waiting list open"),
        (40, 39, 2, "Full – waiting list open"),
    ],
)
def test_seats_are_said_in_words(client, make_seminar, capacity, taken, waiting, words):
    seminar = make_seminar(capacity=capacity)
    SeatPool.objects.filter(seminar=seminar).update(taken=taken, waiting=waiting)

    assert words in client.get("/seminars/").content.decode()
    assert words in client.get(f"/seminars/{seminar.slug}/").content.decode()


def test_list_offers_the_calendar_to_subscribe_to(client, practice):
    assert 'href="webcal://testserver/seminars/calendar.ics"' in client.get("/seminars/").content.decode()
    assert 'href="webcal://testserver/es/seminars/calendar.ics"' in client.get("/es/seminars/").content.decode()


# -- A seminar's page ------------------------------------------------------------------------------------------------------------------


def test_a_seminars_page_says_everything_for_the_day(client, make_seminar):
    seminar = make_seminar(starts_at=datetime(2030, 7, 11, 22, 0, tzinfo=UTC))

    text = client.get(f"/seminars/{seminar.slug}/").content.decode()

    for words in (
        "Thursday, July 11, 2030, at 6\N{NO-BREAK SPACE}p.m. Eastern Time",
        "1 hour 30 minutes",
        "200 Sample Avenue",
        "Free garage next door",
        "Step-free",
        "Elena Marsh, MD",
        "Your questions (en)",
        f'href="/seminars/{seminar.slug}/register/"',
        f'href="/seminars/{seminar.slug}/calendar.ics"',
    ):
        assert words in text


@pytest.mark.parametrize(("device", "host"), [(IPHONE, "maps.apple.com"), (ANDROID, "www.google.com/maps"), ("", "www.google.com/maps")])
def test_the_map_link_opens_the_devices_own_map(client, seminar, device, host):
    page = client.get(f"/seminars/{seminar.slug}/", headers={"User-Agent": device})

    assert re.search(rf'href="https://{re.escape(host)}/[^"]*200\+Sample\+Avenue[^"]*" rel="noreferrer"', page.content.decode())
    assert "User-Agent" in page["Vary"]


def test_a_cancelled_seminar_says_so_and_where_to_go(client, make_seminar):
    seminar = make_seminar(status=Seminar.Status.CANCELLED)

    page = client.get(f"/seminars/{seminar.slug}/")

    assert page.status_code == 200
    assert "This seminar is cancelled" in page.content.decode()
    assert "/register/" not in page.content.decode()


def test_a_seminar_that_has_begun_says_so_and_keeps_its_place(client, make_seminar):
    seminar = make_seminar(starts_at=timezone.now() - timedelta(minutes=5))

    text = client.get(f"/seminars/{seminar.slug}/").content.decode()

    assert "This seminar has already begun" in text
    assert "200 Sample Avenue" in text
    assert "Plenty of seats" not in text
    assert "/register/" not in text


@pytest.mark.parametrize(
    ("full", "sentence"),
    [
        ("in-person", "All seats in the room are taken, but you can attend online."),
        ("online", "but you can come in person."),
        (None, "It takes a minute."),
    ],
)
def test_a_hybrid_seminar_full_one_way_says_the_other(client, make_seminar, full, sentence):
    seminar = make_seminar(format="hybrid")
    SeatPool.objects.filter(seminar=seminar, mode=full).update(taken=10)

    text = client.get(f"/seminars/{seminar.slug}/").content.decode()

    assert sentence in text
    assert "This seminar is full" not in text
    assert ("In person: full – waiting list open" in text, "Online: full – waiting list open" in text) == (
        full == "in-person",
        full == "online",
    )


def test_a_past_seminar_says_so(client, make_seminar):
    seminar = make_seminar(starts_at=timezone.now() - timedelta(days=2))

    page = client.get(f"/seminars/{seminar.slug}/")

    assert "This seminar is over" in page.content.decode()
    assert "/register/" not in page.content.decode()


def test_a_draft_is_shown_to_staff_who_may_see_seminars_alone(client, make_seminar):
    seminar = make_seminar(status=Seminar.Status.DRAFT)
    path = f"/seminars/{seminar.slug}/"
    user = get_user_model().objects.create_user("desk", password="a long pass phrase", is_staff=True)

    assert client.get(path).status_code == 404
    client.force_login(user)
    assert client.get(path).status_code == 404
    user.user_permissions.add(Permission.objects.get(codename="view_seminar"))
    page = client.get(path)

    assert page.status_code == 200
    assert "This is a preview" in page.content.decode()
    assert "noindex" in page.content.decode()


@pytest.mark.parametrize(
    "path", ["/seminars/nowhere/", "/es/seminars/nowhere/", "/seminars/nowhere/register/", "/seminars/nowhere/calendar.ics"]
)
def test_what_is_not_there_is_a_friendly_404(client, practice, path):
    page = client.get(path)

    assert page.status_code == 404
    assert "seminars/" in page.content.decode()


@pytest.mark.parametrize("path", ["/", "/seminars/", "/seminars/{slug}/", "/seminars/calendar.ics", "/sitemap.xml", "/robots.txt"])
def test_another_method_gets_405_and_a_sentence(client, seminar, path):
    for method in (client.post, client.put, client.delete):
        page = method(path.format(slug=seminar.slug))

        assert page.status_code == 405
        assert page["Allow"] == "GET, HEAD"
        assert "use its buttons" in page.content.decode()


# -- Search engines --------------------------------------------------------------------------------------------------------------------


def jsonld_of(page):
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page.content.decode(), re.DOTALL)
    return json.loads(text)


def test_a_seminar_carries_an_event_for_search_engines(client, make_seminar):
    seminar = make_seminar(starts_at=datetime(2030, 7, 11, 22, 0, tzinfo=UTC), talk_language="es")

    event = jsonld_of(client.get(f"/es/seminars/{seminar.slug}/"))

    assert event["@type"] == "Event"
    assert event["name"] == "Back in motion (es)"
    assert event["startDate"] == "2030-07-11T18:00-04:00"
    assert event["endDate"] == "2030-07-11T19:30-04:00"
    assert event["eventStatus"] == "https://schema.org/EventScheduled"
    assert event["eventAttendanceMode"] == "https://schema.org/OfflineEventAttendanceMode"
    assert event["location"]["address"]["postalCode"] == "33602"
    assert event["offers"]["price"] == "0"
    assert event["offers"]["availability"] == "https://schema.org/InStock"
    assert event["offers"]["validFrom"] == seminar.published_at.isoformat(timespec="minutes")
    assert event["organizer"]["name"] == "Gulf Coast Spine"
    assert event["performer"] == [{"@type": "Person", "name": "Elena Marsh, MD"}]
    assert event["inLanguage"] == "es"
    assert event["url"] == f"http://testserver/es/seminars/{seminar.slug}/"


def test_hybrid_full_and_cancelled_are_told_too_and_the_link_to_join_is_not(client, make_seminar):
    hybrid = make_seminar(format="hybrid", join_url="https://meet.example.org/secret")
    SeatPool.objects.filter(seminar=hybrid).update(taken=10)
    cancelled = make_seminar(status=Seminar.Status.CANCELLED)

    page = client.get(f"/seminars/{hybrid.slug}/")
    event = jsonld_of(page)

    assert event["eventAttendanceMode"] == "https://schema.org/MixedEventAttendanceMode"
    assert [place["@type"] for place in event["location"]] == ["Place", "VirtualLocation"]
    assert event["offers"]["availability"] == "https://schema.org/SoldOut"
    assert "meet.example.org" not in page.content.decode()
    assert jsonld_of(client.get(f"/seminars/{cancelled.slug}/"))["eventStatus"] == "https://schema.org/EventCancelled"


@pytest.mark.parametrize(
    "fields",
    [
        {"status": Seminar.Status.CANCELLED},
        {"starts_at": timezone.now() - timedelta(days=3)},
        {"starts_at": timezone.now() - timedelta(minutes=5)},
    ],
    ids=["cancelled", "over", "begun"],
)
def test_what_nobody_can_register_for_offers_search_engines_no_seats(client, make_seminar, fields):
    seminar = make_seminar(**fields)

    event = jsonld_of(client.get(f"/seminars/{seminar.slug}/"))

    assert "offers" not in event
    assert event["startDate"].startswith(str(seminar.starts_at.year))


def test_text_that_wants_to_be_markup_stays_text(client, seminar):
    evil = "</script><script>alert(1)</script><!-- {{ 7|add:7 }}"
    SeminarText.objects.filter(seminar=seminar).update(title=evil, description=evil, bring=evil)

    page = client.get(f"/seminars/{seminar.slug}/")

    assert jsonld_of(page)["name"] == evil
    assert "<script>alert" not in page.content.decode()
    assert "14" not in re.sub(r"\d{3,}", "", jsonld_of(page)["name"])


@pytest.mark.parametrize("path", ["/", "/seminars/", "/seminars/{slug}/"])
def test_each_page_names_itself_and_its_other_language(client, seminar, path):
    path = path.format(slug=seminar.slug)

    for here in (path, f"/es{path}"):
        text = client.get(here, {"zip": "33607"}, headers={"Host": "localhost"}).content.decode()

        assert f'<link rel="canonical" href="http://testserver{here}">' in text
        assert f'<link rel="alternate" hreflang="en" href="http://testserver{path}">' in text
        assert f'<link rel="alternate" hreflang="es" href="http://testserver/es{path}">' in text


def test_the_sitemap_lists_public_pages_in_both_languages(client, make_seminar):
    shown = make_seminar(slug="shown")
    make_seminar(slug="draft", status=Seminar.Status.DRAFT)
    make_seminar(slug="past", starts_at=timezone.now() - timedelta(days=3))

    page = client.get("/sitemap.xml", headers={"Host": "localhost"})

    tree = ElementTree.fromstring(page.content)
    space = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}
    found = [url.text for url in tree.findall("s:url/s:loc", space)]
    assert page["Content-Type"] == "application/xml"
    assert f"http://testserver/seminars/{shown.slug}/" in found
    assert f"http://testserver/es/seminars/{shown.slug}/" in found
    assert not [url for url in found if "draft" in url or "past" in url or "registrations" in url]
    assert all(len(url.findall("x:link", space)) == 2 for url in tree.findall("s:url", space))
    assert client.get("/es/sitemap.xml").status_code == 404


def test_a_seminar_and_its_closed_form_lead_to_other_dates_of_the_same_talk(client, make_seminar):
    begun = make_seminar(slug="begun", series="backs", starts_at=timezone.now() - timedelta(minutes=5))
    make_seminar(slug="next-month", series="backs")
    make_seminar(slug="draft", series="backs", status=Seminar.Status.DRAFT)
    make_seminar(slug="another-talk", series="necks")
    make_seminar(slug="one-of-a-kind")

    for path, status in ((f"/seminars/{begun.slug}/", 200), (f"/seminars/{begun.slug}/register/", 410)):
        page = client.get(path)
        text = page.content.decode()
        assert page.status_code == status
        assert "Other dates for this talk" in text
        assert re.findall(r'href="/seminars/([a-z-]+)/"', text[text.index("Other dates") :]) == ["next-month"]


def test_a_seminar_that_is_not_repeated_says_nothing_of_other_dates(client, make_seminar):
    seminar = make_seminar(slug="one-of-a-kind")
    make_seminar(slug="another")

    assert "Other dates" not in client.get(f"/seminars/{seminar.slug}/").content.decode()


def test_robots_leave_what_is_private_alone(client, practice):
    page = client.get("/robots.txt")

    assert page["Content-Type"] == "text/plain; charset=utf-8"
    lines = page.content.decode().splitlines()
    assert "Disallow: /registrations/" in lines
    assert "Disallow: /es/registrations/" in lines
    assert "Sitemap: http://testserver/sitemap.xml" in lines


@pytest.mark.parametrize("path", ["/", "/seminars/", "/seminars/{slug}/", "/seminars/{slug}/register/"])
def test_pages_carry_nothing_inline_and_load_nothing_from_elsewhere(client, seminar, path):
    for prefix in ("", "/es"):
        text = client.get(prefix + path.format(slug=seminar.slug)).content.decode()

        assert not re.search(r"<[^>]+\s(on\w+|style)=", text)
        assert not re.search(r"<style|<script(?! type=\"application/ld\+json\")", text)
        assert not re.search(r'<(img|script|iframe|link rel="(?:stylesheet|icon)")[^>]*(src|href)="(https?:)?//', text)
