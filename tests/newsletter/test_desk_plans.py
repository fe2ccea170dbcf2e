"""The desk with many readers: no page reads all of them, whatever is clicked or typed there.

Measured as rows that PostgreSQL takes into its hands (EXPLAIN ANALYZE of the very queries a page runs) among 20,000 readers, with lists that
count to 200 where they count to 10,000 in earnest. `./run bench desk` says how long the pages take with a million.
"""

import json

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from newsletter.templatetags import newsletter_today
from project.practice import long_lists
from tests.benchmarks import _desk_pages, _desk_rows

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]

READERS = 20_000

#: The largest share of a table that a page may read for one query. To show fifty of the one in a hundred whose two names are frequent, five
#: thousand are read, the newest first, and no more of a million.
MOST = 1 / 2

LISTS = _desk_pages.LISTS


@pytest.fixture(scope="module")
def desk(django_db_setup, django_db_blocker):
    """Somebody at the front desk of a practice that has grown; all of it is gone afterwards."""
    with django_db_blocker.unblock(), transaction.atomic():
        _desk_rows.make(READERS)
        connection.check_constraints()  # once; else at the end of every test
        with connection.cursor() as cursor:
            cursor.execute("ANALYZE")
        client = Client()
        client.force_login(User.objects.create_superuser("desk", "desk@example.org"))
        yield client
        transaction.set_rollback(True)


@pytest.fixture(autouse=True)
def _short_counts(monkeypatch):
    monkeypatch.setattr(long_lists, "MOST", 200)
    monkeypatch.setattr(newsletter_today, "MOST", 200)


def _nodes(plan):
    yield plan
    for child in plan.get("Plans", []):
        yield from _nodes(child)


def _scans(plan):
    """`(table, rows it took into its hands)` of every scan in a plan."""
    for node in _nodes(plan):
        if "Relation Name" in node:
            rows = node["Actual Rows"] + node.get("Rows Removed by Filter", 0) + node.get("Rows Removed by Index Recheck", 0)
            yield node["Relation Name"], rows * node["Actual Loops"]


def _plan(sql):
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql}")
        found = cursor.fetchone()[0]
    return (json.loads(found) if isinstance(found, str) else found)[0]["Plan"]


def _queries(client, address):
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return [query["sql"] for query in queries if query["sql"].startswith("SELECT")]


def _share_read(client, address, table):
    """The largest share of that table which one of the page's queries reads."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")
        size = cursor.fetchone()[0]
    return max((rows / size for sql in _queries(client, address) for name, rows in _scans(_plan(sql)) if name == table), default=0)


@pytest.mark.parametrize("model", ["newsletter_subscriber", "newsletter_consent"])
def test_a_list_reads_what_it_shows(desk, model):
    queries = [{}, *(query for query in LISTS[model] if query.get("reads") != "nothing")]  # of these below

    shares = {str(query): _share_read(desk, _desk_pages.list_address(model, query), model) for query in queries}

    assert {query: share for query, share in shares.items() if share > MOST} == {}


@pytest.mark.parametrize(
    ("query", "walks"),
    [
        ({"reads": "nothing"}, 2),  # how many, and who comes first
        ({"reads": "nothing", "language__exact": "es"}, 1),  # nobody: that is known after looking once
        ({"reads": "nothing", "q": "zuleika"}, 1),
    ],
)
def test_who_reads_nothing_is_found_by_a_join_and_not_reader_by_reader(desk, query, walks):
    plans = [_plan(sql) for sql in _queries(desk, _desk_pages.list_address("newsletter_subscriber", query))]

    assert [plan for plan in plans if "SubPlan" in json.dumps(plan)] == []
    assert sum(any(rows > READERS / 2 for _table, rows in _scans(plan)) for plan in plans) <= walks


@pytest.mark.parametrize("table", ["newsletter_subscriber", "newsletter_subscription", "newsletter_packetrequest"])
def test_today_counts_so_far_and_no_further(desk, table):
    assert _share_read(desk, reverse("admin:index"), table) <= MOST


def test_today_asks_for_the_letters_that_were_not_sent_and_no_others(desk):
    returned = [
        node["Actual Rows"] * node["Actual Loops"]
        for sql in _queries(desk, reverse("admin:index"))
        for node in _nodes(_plan(sql))
        if node.get("Relation Name") == "newsletter_delivery"
    ]

    assert 0 < max(returned) <= READERS / 10


def test_topics_count_their_readers_without_a_join(desk):
    plans = [json.dumps(_plan(sql)) for sql in _queries(desk, reverse("admin:newsletter_topic_changelist"))]

    assert [plan for plan in plans if "Join" in plan and "newsletter_subscription" in plan] == []
