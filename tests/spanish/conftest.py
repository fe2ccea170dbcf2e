"""The catalogue, and the people and things of both apps that pages and letters speak of."""

from pathlib import Path

import polib
import pytest

from tests.newsletter.campaigns_fixtures import make_campaign, make_launched
from tests.newsletter.conftest import make_packet, make_subscriber, packet, subscriber, topic
from tests.seminars.conftest import make_seminar, register, venue

__all__ = [
    "make_campaign",
    "make_launched",
    "make_packet",
    "make_seminar",
    "make_subscriber",
    "packet",
    "register",
    "subscriber",
    "topic",
    "venue",
]

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="session")
def catalogue():
    return polib.pofile(str(ROOT / "locale/es/LC_MESSAGES/django.po"))
