"""What a million deliveries cost: how they are written, found and changed. The figures themselves come from `./run bench`."""

import pytest
from anymail.signals import EventType
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter import campaigns, chunks, deliveries, reports, windows
from newsletter.models import Delivery, Subscriber
from project.mail.models import Event

pytestmark = pytest.mark.django_db
State, Reason = Delivery.State, Delivery.Reason


@pytest.fixture
def indexes_only(db):
    """PostgreSQL reads a handful of rows faster without any."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")


@pytest.mark.usefixtures("indexes_only")
def test_a_window_is_read_along_the_primary_key_even_without_statistics(make_launched, make_readers):
    """By an index on the campaign every window would walk all of it: right after a launch both databases would choose that."""
    make_readers(100)
    make_launched()
    claim = chunks.claim(timezone.now())

    plans = [
        Delivery.objects.of(claim.chunk).due(timezone.now()).order_by("pk").explain(),
        windows.waiting(claim.waiting[:48], claim.chunk.campaign.topic_id).explain(),
    ]

    for plan in plans:
        assert "newsletter_delivery_pkey" in plan or "newsletter_delivery USING INTEGER PRIMARY KEY" in plan


def reads_all_readers(make_launched, make_readers):
    """Whether the last window of a large campaign, sent soon after a small one, is planned by what was known of the small one."""
    make_readers(20)
    make_launched(slug="small")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    make_readers(5000)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE" if connection.vendor == "sqlite" else "ANALYZE newsletter_subscriber, newsletter_subscription")
    campaign = make_launched(slug="large")
    last = list(Delivery.objects.filter(campaign=campaign).order_by("-pk").values_list("pk", flat=True)[:48])
    plan = windows.waiting(last, campaign.topic_id).explain()
    return "Merge" in plan or "Seq Scan on newsletter_subscriber" in plan or "SCAN newsletter_subscriber" in plan


def test_a_large_campaign_after_a_small_one_reads_no_more_than_its_window(make_launched, make_readers):
    assert not reads_all_readers(make_launched, make_readers)


def test_without_a_look_at_the_table_postgresql_would_read_all_readers_for_each_window(make_launched, make_readers, monkeypatch):
    """The negative control; SQLite doesn't fall into it."""
    monkeypatch.setattr(campaigns, "_take_stock", lambda: None)

    assert reads_all_readers(make_launched, make_readers) == (connection.vendor == "postgresql")


def test_recording_a_letter_changes_no_index(make_launched, make_readers):
    """PostgreSQL writes into every index of a row when a column of any of them, or of its condition, changes. What was sent has no reason."""
    columns = {column for index in _indexes() for column in index["columns"]}
    conditions = " ".join(str(index.condition) for index in [*Delivery._meta.indexes, *Delivery._meta.constraints])

    assert columns == {"id", "campaign_id", "subscriber_id", "provider_id"}
    assert not [name for name in ("state", "attempts", "settled_at") if name in conditions]


def _indexes():
    with connection.cursor() as cursor:
        found = connection.introspection.get_constraints(cursor, Delivery._meta.db_table).values()
    return [constraint for constraint in found if constraint["index"] or constraint["unique"] or constraint["primary_key"]]


def test_a_launch_takes_as_many_statements_however_many_read_it(make_campaign, make_readers):
    counts = []
    for number in (1, 30):
        make_readers(number)
        campaign = make_campaign(slug=f"for-{number}")
        now = timezone.now()
        campaigns.schedule(campaign, now)
        with CaptureQueriesContext(connection) as queries:
            assert campaigns.launch(campaign, now)
        counts.append(len(queries))

    assert counts[0] == counts[1]


@pytest.mark.usefixtures("indexes_only")
def test_webhooks_and_erasures_find_their_deliveries_by_an_index(make_launched, make_readers):
    make_readers(3)
    make_launched()

    by_provider = Delivery.objects.by_provider_id("abc").explain()
    by_person = Delivery.objects.filter(subscriber_id=1).explain()

    assert "delivery_provider_id" in by_provider
    assert "delivery_once_per_subscriber" in by_person or "(subscriber_id=?)" in by_person


def test_who_was_erased_in_the_moment_of_the_launch_is_nobody(make_launched, make_readers, deliver):
    """The launch still saw them, and the erasure did not see the launch's rows: the row's number is borne by nobody any more."""
    reader, *_others = make_readers(3)
    campaign = make_launched()
    reader.consents.update(subscriber=None)
    reader.subscriptions.all().delete()
    Subscriber.objects.filter(pk=reader.pk)._raw_delete("default")
    left_over = Delivery.objects.get(subscriber_id=reader.pk)
    Event.objects.create(
        provider="test", type=EventType.BOUNCED, letter=left_over.public_id, address_hash=reader.address_hash, occurred_at=timezone.now()
    )
    deliveries.reconcile(left_over.pk)

    letters = deliver()

    assert len(letters) == 2
    assert reports.of(campaign).reasons == [(State.SKIPPED, Reason.ERASED, 1)]
