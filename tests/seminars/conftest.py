"""A published seminar with words, seats and a venue, and people who register for it."""

import itertools
from datetime import timedelta

import pytest
from django.conf import settings as django_settings
from django.contrib.auth.models import User
from django.utils import timezone

from seminars import registration
from seminars.models import SeatPool, Seminar, SeminarText, Speaker, Venue, VenueText


@pytest.fixture
def venue(db):
    venue = Venue.objects.create(
        name="Bayside Hall", street="200 Sample Avenue", city="Tampa", state="FL", postal_code="33602", zone="America/New_York"
    )
    for language, parking in (("en", "Free garage next door"), ("es", "Garaje gratuito al lado")):
        VenueText.objects.create(venue=venue, language=language, parking=parking, access="Step-free")
    return venue


@pytest.fixture
def make_seminar(practice, venue):
    """`make_seminar(capacity=10, **fields)`: a published seminar in thirty days, with words in both languages."""
    numbers = itertools.count(1)

    def make_seminar(capacity=10, *, status=Seminar.Status.PUBLISHED, **fields):
        now = timezone.now()
        start = fields.pop("starts_at", now.replace(microsecond=0) + timedelta(days=30))
        fields.setdefault("venue", venue)
        seminar = Seminar.objects.create(
            slug=fields.pop("slug", f"seminar-{next(numbers)}"),
            status=status,
            published_at=now if status != Seminar.Status.DRAFT else None,
            cancelled_at=now if status == Seminar.Status.CANCELLED else None,
            starts_at=start,
            ends_at=fields.pop("ends_at", start + timedelta(minutes=90)),
            **fields,
        )
        for language, _name in django_settings.LANGUAGES:
            SeminarText.objects.create(
                seminar=seminar,
                language=language,
                title=f"Back in motion ({language})",
                summary="An evening",
                description="What helps",
                bring=f"Your questions ({language})",
            )
        seminar.speakers.add(Speaker.objects.get_or_create(name="Elena Marsh", credentials="MD")[0])
        for mode in seminar.modes:
            SeatPool.objects.create(seminar=seminar, mode=mode, capacity=capacity)
        return seminar

    return make_seminar


@pytest.fixture
def seminar(make_seminar):
    return make_seminar()


@pytest.fixture
def register():
    """`register(seminar, "Ana", party_size=2, …)`: Ana Sample with an address of her own."""

    def register(seminar, first_name="Ana", **fields):
        fields.setdefault("email", f"{first_name.lower()}@example.org")
        return registration.register(
            seminar, **{"mode": seminar.modes[0], "first_name": first_name, "last_name": "Sample", "language": "en"} | fields
        )

    return register


@pytest.fixture
def pool():
    """`pool(seminar)` as it now is."""
    return lambda seminar: SeatPool.objects.get(seminar=seminar, mode=seminar.modes[0])


@pytest.fixture
def desk(client):
    """A browser signed in as an administrator."""
    client.force_login(User.objects.create_superuser("desk", "desk@practice.example.org", "not a real password"))
    return client
