"""The newsletter's people and things."""

import re

import pytest
from django.core.files.base import ContentFile
from django.utils import timezone

from newsletter import consent, subscribing
from newsletter.models import Consent, InfoPacket, Subscriber, Topic
from project.mail.addresses import parse_address

from .campaigns_fixtures import make_campaign, make_launched, make_readers

__all__ = ["make_campaign", "make_launched", "make_readers"]

PDF = b"%PDF-1.4\n% a small sample\n%%EOF\n"


@pytest.fixture
def topic(db):
    """The standard topic, which a migration makes; made again where a test with real transactions has emptied the database."""
    return Topic.objects.get_or_create(standard=True, defaults={"slug": "newsletter"})[0]


@pytest.fixture
def make_packet(practice, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path

    def make(slug="back-pain", *, languages=("en", "es"), **fields):
        packet = InfoPacket.objects.create(slug=slug, **fields)
        for language in languages:
            title = f"{slug.replace('-', ' ').capitalize()} ({language})"
            packet.texts.create(
                language=language, title=title, summary=f"What to know, in {language}.", pdf=ContentFile(PDF + language.encode(), f"{slug}.pdf")
            )
        return packet

    return make


@pytest.fixture
def packet(make_packet):
    return make_packet()


@pytest.fixture
def make_subscriber(practice, topic):
    """`make_subscriber()`: somebody who reads the standard topic, with the evidence."""

    def make(address="ana@example.org", *, language="en", first_name="Ana", last_name="Gil", topics=None, at=None):
        at = at or timezone.now()
        subscriber = Subscriber.objects.create(address=parse_address(address), language=language, first_name=first_name, last_name=last_name)
        consent.give(
            subscriber,
            [topic] if topics is None else topics,
            wording=subscribing.current_wording("newsletter", language),
            form="subscribe",
            method=Consent.Method.DOUBLE_OPT_IN,
            at=at,
            confirmed_at=at,
        )
        return subscriber

    return make


@pytest.fixture
def subscriber(make_subscriber):
    return make_subscriber()


@pytest.fixture
def link_in():
    """`link_in(letter)`: the path its one button leads to."""
    return lambda letter: re.search(r"http://testserver(\S*/(?:info-packet|newsletter/confirm)/\S+/)", letter.body)[1]
