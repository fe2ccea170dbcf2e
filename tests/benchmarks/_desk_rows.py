"""A practice that has grown: so many readers with all that hangs on them, by plain SQL. PostgreSQL only."""

from datetime import timedelta

from django.db import connection
from django.utils import timezone

from newsletter.models import Campaign, ConsentWording, InfoPacket, Topic
from project.mail import routes
from project.mail.addresses import address_hash
from project.mail.models import Stream
from project.practice.folding import fold
from seminars.models import SeatPool, Seminar, Venue

from ._newsletter import make_practice

_FIRST = ["Ana", "José Ángel", "Margaret", "Walter", "Linda", "María", "James", "Inés"]
_LAST = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "García",
    "Miller",
    "Davis",
    "Rodríguez",
    "Martínez",
    "O’Brien",
    "Peña López",
    "Novák",
]

#: One reader whose address can be looked for everywhere.
KNOWN = "reader777@example.org"

_WITH_ADDRESSES = (
    "newsletter_subscriber", "newsletter_consent", "newsletter_packetrequest", "mail_message", "mail_event", "mail_suppression",
)  # fmt: skip
_KNOW = "UPDATE {table} SET address_hash = %s WHERE address_hash = encode(sha256('777'::bytea), 'hex')"

# Of a hundred readers eighty read English; ninety read the newsletter, five stopped, five never began; a fifth read a second topic as well.
_SUBSCRIBERS = """
    INSERT INTO newsletter_subscriber
           (public_id, address, address_hash, first_name, folded_first, last_name, folded_last, language, zone, created_at)
    SELECT gen_random_uuid(), 'reader' || n || '@example.org', encode(sha256(n::text::bytea), 'hex'),
           CASE WHEN n %% 19999 = 1 THEN 'Zuleika' ELSE (%(first)s::text[])[1 + n %% 8] END,
           CASE WHEN n %% 19999 = 1 THEN 'zuleika' ELSE (%(folded_first)s::text[])[1 + n %% 8] END,
           (%(last)s::text[])[1 + n %% 13], (%(folded_last)s::text[])[1 + n %% 13],
           CASE WHEN n %% 5 = 0 THEN 'es' ELSE 'en' END, '', now() - (%(readers)s - n) * interval '1 minute'
    FROM generate_series(1, %(readers)s) AS n"""
_CONSENTS = """
    INSERT INTO newsletter_consent (subscriber_id, address_hash, purpose, given, topic_id, wording_id, form, method, at, confirmed_at, note)
    SELECT id, address_hash, 'newsletter', given, %(topic)s, CASE WHEN given THEN %(wording)s::bigint END, form, method, created_at,
           created_at, ''
    FROM newsletter_subscriber,
         (VALUES (true, 'info-packet', 'double-opt-in'), (false, 'unsubscribe', 'unsubscribe')) AS act (given, form, method)
    WHERE id %% 20 <> 7 AND (given OR id %% 20 = 3) ORDER BY id"""
_SECOND_CONSENTS = """
    INSERT INTO newsletter_consent (subscriber_id, address_hash, purpose, given, topic_id, wording_id, form, method, at, confirmed_at, note)
    SELECT id, address_hash, 'newsletter', true, %(topic)s, %(wording)s, 'preferences', 'preferences', now(), now(), ''
    FROM newsletter_subscriber WHERE id %% %(every)s = 1 ORDER BY id"""
_SUBSCRIPTIONS = """
    INSERT INTO newsletter_subscription (subscriber_id, topic_id, consent_id, started_at, ended_at, ending)
    SELECT subscriber_id, topic_id, id, at, CASE WHEN subscriber_id %% 20 = 3 THEN now() END,
           CASE WHEN subscriber_id %% 20 = 3 THEN 'person' ELSE '' END
    FROM newsletter_consent WHERE given"""
_DELIVERIES = """
    INSERT INTO newsletter_delivery
           (campaign_id, subscriber_id, language, variant, zone, state, reason, detail, attempts, provider_id, settled_at)
    SELECT %(campaign)s, id, language, 0, '',
           CASE WHEN id %% 100 = 1 THEN 'failed' WHEN id %% 1000 = 2 THEN 'uncertain' WHEN id %% 50 = 3 THEN 'skipped' ELSE 'sent' END,
           CASE WHEN id %% 100 = 1 THEN 'no-such-address' WHEN id %% 1000 = 2 THEN 'crashed' WHEN id %% 50 = 3 THEN 'unsubscribed'
                ELSE '' END,
           '', 1, '', now()
    FROM newsletter_subscriber ORDER BY id"""
_CHUNKS = """
    INSERT INTO newsletter_chunk (campaign_id, language, variant, zone, lo, hi, due_at, state)
    SELECT campaign_id, 'en', 0, '', min(id), max(id), now(), 'done' FROM newsletter_delivery GROUP BY campaign_id, id / 500"""
_SUPPRESSIONS = """
    INSERT INTO mail_suppression (address_hash, scope, reason, created_at)
    SELECT address_hash, CASE WHEN id %% 100 = 1 THEN 'all' ELSE 'marketing' END,
           CASE WHEN id %% 100 = 1 THEN 'hard-bounce' ELSE 'complaint' END, now()
    FROM newsletter_subscriber WHERE id %% 50 = 1"""
_EVENTS = """
    INSERT INTO mail_event (dedupe, provider, type, hard, address_hash, letter, provider_id, nonce, occurred_at, received_at)
    SELECT 'dedupe-' || id, CASE WHEN id %% 2 = 0 THEN 'postmark' ELSE 'ses' END,
           CASE WHEN id %% 100 = 1 THEN 'bounced' ELSE 'delivered' END, id %% 100 = 1, address_hash, '',
           'p' || id, gen_random_uuid(), now(), now()
    FROM newsletter_subscriber WHERE id %% 20 IN (1, 17)"""
_MESSAGES = """
    INSERT INTO mail_message (kind, ref, stream, language, address, address_hash, key, public_id, due_at, state, reason, detail, attempts,
                              doubts, provider_id, created_at, settled_at)
    SELECT 'newsletter.confirm-address', '{}', 'transactional', language, address, address_hash, 'bench/' || id, md5(id::text),
           CASE WHEN id %% 1000 = 7 THEN now() + interval '1 day' ELSE now() END,
           CASE WHEN id %% 1000 = 7 THEN 'pending' WHEN id %% 10000 = 17 THEN 'failed' WHEN id %% 100 = 27 THEN 'skipped' ELSE 'sent' END,
           '', '', 1, 0, '', now(), now()
    FROM newsletter_subscriber WHERE id %% 10 = 7"""
_REQUESTS = """
    INSERT INTO newsletter_packetrequest (public_id, packet_id, address, address_hash, first_name, last_name, language, newsletter, wording_id,
                                          form, requested_at, confirmed_at)
    SELECT gen_random_uuid(), %(packet)s, address, address_hash, first_name, last_name, language, true, %(wording)s, 'info-packet', created_at,
           CASE WHEN id %% 50 <> 17 THEN created_at END
    FROM newsletter_subscriber WHERE id %% 10 = 7"""
_REGISTRATIONS = """
    INSERT INTO seminars_registration (public_id, seminar_id, mode, first_name, last_name, folded_name, email, phone, contact_hash, language,
                                       party_size, status, uid, sequence, source, place_hash, passed_over, created_at, changed_at, cancelled_by)
    SELECT gen_random_uuid(), %(seminar)s, 'in-person', first_name, last_name, lower(first_name || ' ' || last_name), address,
           '+1813' || (5550000 + id), address_hash, language, 1, 'confirmed', 'reg-' || id, 0, 'public', '', 0, now(), now(), ''
    FROM newsletter_subscriber WHERE id %% 20 = 1"""


def make(readers):
    """The rows, for an empty database."""
    make_practice()
    topic, more, few = Topic.objects.get(standard=True), Topic.objects.create(slug="more"), Topic.objects.create(slug="few")
    wording, packet = ConsentWording.objects.first().pk, InfoPacket.objects.create(slug="back-pain").pk
    with connection.cursor() as cursor:
        cursor.execute(_SUBSCRIBERS, {"readers": readers, **_names()})
        cursor.execute(_CONSENTS, {"topic": topic.pk, "wording": wording})
        for other, every in ((more, 5), (few, 2_000)):
            cursor.execute(_SECOND_CONSENTS, {"topic": other.pk, "wording": wording, "every": every})
        cursor.execute(_SUBSCRIPTIONS, {})
        for name in ("Autumn", "Spring"):
            cursor.execute(_DELIVERIES, {"campaign": _sent(name, topic, readers).pk})
        for statement in (_CHUNKS, _SUPPRESSIONS, _EVENTS, _MESSAGES):
            cursor.execute(statement, {})
        cursor.execute(_REQUESTS, {"packet": packet, "wording": wording})
        cursor.execute(_REGISTRATIONS, {"seminar": _seminar(readers).pk})
        for table in _WITH_ADDRESSES:
            cursor.execute(_KNOW.format(table=table), [address_hash(KNOWN)])
    _draft(topic)
    for stream in Stream:
        routes.row(stream)


def _names():
    return {"first": _FIRST, "folded_first": list(map(fold, _FIRST)), "last": _LAST, "folded_last": list(map(fold, _LAST))}


def _sent(name, topic, size):
    now = timezone.now()
    return Campaign.objects.create(
        name=name, slug=name.lower(), topic=topic, status="sent", launched_at=now, finished_at=now, content_hash="0" * 64, audience_size=size
    )


def _draft(topic):
    campaign = Campaign.objects.create(name="Winter", slug="winter", topic=topic)
    for language in ("en", "es"):
        campaign.texts.create(language=language, subject="News", preheader="What is new", body="Dear [[first_name|friend]]")


def _seminar(seats):
    venue = Venue.objects.create(zone="America/New_York", name="Library", city="Tampa", state="FL")
    starts = timezone.now() + timedelta(days=7)
    times = {"zone": venue.zone, "starts_at": starts, "ends_at": starts + timedelta(hours=1), "published_at": starts}
    seminar = Seminar.objects.create(slug="sleep", venue=venue, status=Seminar.Status.PUBLISHED, **times)
    SeatPool.objects.create(seminar=seminar, mode="in-person", capacity=seats, taken=seats // 20)
    return seminar
