"""The list and the newsletter that are measured: made-up readers by plain SQL, and about 15 kB of HTML and text with five merge fields."""

from django.db import connection
from django.db.models import Count
from django.utils import timezone

from newsletter import campaigns
from newsletter.models import Campaign, Chunk, Delivery, Topic
from project.mail import ledger
from project.practice.models import Practice

_PARAGRAPH = (
    "Back pain that lasts longer than a few weeks has many causes, and most of them are treated without an operation. In our evening talk "
    "Dr. García explains what an examination can show, which exercises help at home, and when it is time to see somebody. "
    "There is coffee, there are chairs with good backs, and there is time for **your own questions**: bring them, or send them before."
)
_BODY = "\n\n".join(
    [
        "# News from [[practice_name]]",
        "Dear [[first_name|friend]],",
        *[f"## Part {number}: moving well\n\n{_PARAGRAPH}\n\n- Bring your questions\n- Bring [somebody](https://example.org/friends/{number})"
          for number in range(1, 10)],
        "Yours, [[first_name|friend]] [[last_name|there]]: call [[practice_phone|our desk]], or [change what you get]([[preferences_url]]).",
    ]
)  # fmt: skip

_FIRST_NAMES = ["Ana", "José Ángel", "Margaret", "Robert", "Linda", "María", "James", "Inés"]
_LAST_NAMES = [
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
    "Hernández",
    "López",
    "González",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Pérez",
    "Thompson",
    "White",
    "Harris",
    "Sánchez",
    "Clark",
    "Ramírez",
    "Lewis",
    "Robinson",
    "O’Brien",
]

_TABLES = ("newsletter_delivery", "newsletter_chunk", "newsletter_campaigntext", "newsletter_campaign")


def make_practice():
    practice = Practice.current()
    practice.name, practice.phone = "Gulf Coast Spine", "+18135550100"
    practice.street, practice.city, practice.state, practice.postal_code = "100 Sample Street", "Tampa", "FL", "33607"
    practice.save()
    ledger.release()


def make_readers(count):
    """Subscribers up to so many, and a topic that just these read. They share names as people do: a few dozen, some of which need encoding."""
    topic, _new = Topic.objects.get_or_create(slug=f"readers-{count}", defaults={"offered": False})
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM newsletter_subscriber")
        have = cursor.fetchone()[0]
        cursor.execute(
            """INSERT INTO newsletter_subscriber (public_id, address, address_hash, first_name, last_name, language, zone, created_at)
               SELECT gen_random_uuid(), 'reader' || n || '@example.org', encode(sha256(n::text::bytea), 'hex'),
                      (%s::text[])[1 + n %% 8], (%s::text[])[1 + n %% 31], 'en', '', now()
               FROM generate_series(%s, %s) AS n""",
            [_FIRST_NAMES, _LAST_NAMES, have + 1, count],
        )
        cursor.execute("SELECT count(*) FROM newsletter_subscription WHERE topic_id = %s", [topic.pk])
        if not cursor.fetchone()[0]:
            _subscribe(cursor, topic.pk, count)
        for table in ("newsletter_subscriber", "newsletter_consent", "newsletter_subscription"):
            cursor.execute(f"ANALYZE {table}")
    return topic


def _subscribe(cursor, topic, count):
    cursor.execute(
        """WITH given AS (
             INSERT INTO newsletter_consent (subscriber_id, address_hash, purpose, given, topic_id, form, method, at, confirmed_at, note)
             SELECT id, address_hash, 'newsletter', true, %s, 'bench', 'double-opt-in', now(), now(), ''
             FROM newsletter_subscriber ORDER BY id LIMIT %s RETURNING id, subscriber_id)
           INSERT INTO newsletter_subscription (subscriber_id, topic_id, consent_id, started_at, ending)
           SELECT subscriber_id, %s, id, now(), '' FROM given""",
        [topic, count, topic],
    )


def forget_campaigns():
    """Every run begins on empty tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"TRUNCATE {', '.join(_TABLES)} CASCADE")


def draft(topic):
    campaign = Campaign.objects.create(name="Bench", slug=f"bench-{Campaign.objects.count()}-{topic.slug}", topic=topic)
    campaign.texts.create(language="en", subject="News for [[first_name|you]]", preheader="What is new this month", body=_BODY)
    return campaign


def launch(topic):
    """A campaign that waits to be sent; who rings is for the caller."""
    campaign = scheduled(topic)
    begin(campaign)
    return campaign


def scheduled(topic):
    campaign = draft(topic)
    campaigns.schedule(campaign, timezone.now())
    return campaign


def begin(campaign):
    if not campaigns.launch(campaign, timezone.now()):
        raise RuntimeError("The campaign could not be launched.")
    campaign.refresh_from_db()


def counts(campaign):
    """`{state: how many}`, and chunks that are not done."""
    states = dict(Delivery.objects.filter(campaign=campaign).values_list("state").annotate(count=Count("pk")))
    return states, Chunk.objects.filter(campaign=campaign).exclude(state=Chunk.State.DONE).count()
