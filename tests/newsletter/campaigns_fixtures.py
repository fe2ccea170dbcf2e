"""What campaign tests share: readers with a real consent, and a campaign ready to be sent."""

import pytest
from django.utils import timezone

from newsletter import campaigns
from newsletter.models import Campaign, Consent, ConsentWording, Subscriber, Subscription
from project.mail import ledger
from project.mail.addresses import address_hash

BODY = """# News from the practice

Dear [[first_name|friend]],

our next **seminar** is in [Tampa](https://example.org/tampa). You can [change what you get]([[preferences_url]]).

- Bring your questions
- Bring somebody
"""


@pytest.fixture
def make_readers(topic):
    """`make_readers(3, language="es")` → three subscribers of the topic."""

    def make(count, language="en", first_name="Ana"):
        return subscribe_readers(topic, count, language, first_name)

    return make


def subscribe_readers(topic, count, language="en", first_name="Ana"):
    """So many more subscribers of the topic, each with a consent."""
    begin = Subscriber.objects.count()
    people = [
        Subscriber(
            address=(address := f"reader{number}@example.org"), address_hash=address_hash(address), first_name=first_name, language=language
        )
        for number in range(begin, begin + count)
    ]
    people = Subscriber.objects.bulk_create(people)
    now = timezone.now()
    words = {"text": "Write to me."}  # a migration's own are gone where a test with real transactions has emptied the database
    wording = ConsentWording.objects.get_or_create(purpose="newsletter", language=language, version=1, defaults=words)[0]
    consents = Consent.objects.bulk_create(
        Consent(
            subscriber=person,
            address_hash=person.address_hash,
            purpose="newsletter",
            given=True,
            topic=topic,
            wording=wording,
            form="test",
            method=Consent.Method.DOUBLE_OPT_IN,
            at=now,
            confirmed_at=now,
        )
        for person in people
    )
    Subscription.objects.bulk_create(
        Subscription(subscriber=person, topic=topic, consent=consent, started_at=now) for person, consent in zip(people, consents, strict=True)
    )
    return people


@pytest.fixture
def make_campaign(practice, topic):
    """`make_campaign("en", "es")` → a draft with a text in each language."""

    def make(*languages, slug="spring", body=BODY):
        campaign = Campaign.objects.create(name="Spring", slug=slug, topic=topic)
        for language in languages or ["en"]:
            campaign.texts.create(language=language, subject="News for [[first_name|you]]", preheader="What is new", body=body)
        return campaign

    return make


@pytest.fixture
def make_launched(make_campaign):
    """`make_launched("en")` → a campaign whose deliveries are written and wait to be sent."""

    def make(*languages, **words):
        ledger.release()
        campaign = make_campaign(*languages, **words)
        now = timezone.now()
        campaigns.schedule(campaign, now)
        assert campaigns.launch(campaign, now)
        campaign.refresh_from_db()
        return campaign

    return make
