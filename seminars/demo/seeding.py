"""Puts the sample seminars and registrations into the database by the verbs pages and coordinators use, so that seats and ledger are right.

Their letters are recorded as sent: nobody wants two hundred of them in the demo's mailbox.
"""

import random
from datetime import timedelta
from itertools import islice

from newsletter.demo.people import people
from project.mail.models import Message

from .. import changes
from ..models import Callback, Mode, Registration, Seminar, Speaker, Venue
from ..registration import add_by_phone, cancel, register
from .places import VENUES
from .program import PROGRAM, starts_at
from .speakers import SPEAKERS
from .talks import BRING, BRING_ONLINE, TALKS

LANGUAGES = ("en", "es")
ENTERED = ("seminars.confirmed", "seminars.waitlisted", "seminars.promoted", "seminars.cancelled")


def seed(now):
    """Idempotent: once the first seminar is there, nothing happens. Call it in a transaction."""
    if Seminar.objects.filter(slug=PROGRAM[0].slug).exists():
        return
    chance = random.Random(2)  # noqa: S311  the same demo each time
    venues = {key: _venue(data) for key, data in VENUES.items()}
    speakers = {key: _speaker(data) for key, data in SPEAKERS.items()}
    crowd = {language: iter(people(200, seed=f"guests {language}", spanish=float(language == "es"))) for language in LANGUAGES}
    for plan in PROGRAM:
        seminar = _seminar(plan, now, venues, speakers)
        _fill(seminar, plan, crowd, chance)
    _change_minds(chance)
    _date_back(now, chance)


def _venue(data):
    venue = Venue.objects.create(**data["facts"])
    for language in LANGUAGES:
        venue.texts.create(language=language, **data[language])
    return venue


def _speaker(data):
    speaker = Speaker.objects.create(name=data["name"], credentials=data["credentials"])
    for language in LANGUAGES:
        speaker.texts.create(language=language, bio=data[language])
    return speaker


def _seminar(plan, now, venues, speakers):
    begins = starts_at(plan, now)
    online = plan.format == Seminar.Format.ONLINE
    seminar = Seminar.objects.create(
        slug=plan.slug,
        format=plan.format,
        talk_language=plan.language,
        venue=venues[plan.venue] if plan.venue else None,
        zone=plan.zone,
        starts_at=begins,
        ends_at=begins + timedelta(minutes=plan.minutes),
        series=plan.talk,
        join_url="" if plan.format == Seminar.Format.IN_PERSON else f"https://meet.example.org/{plan.slug}",
    )
    seminar.speakers.set([speakers[key] for key in plan.speakers])
    for language in LANGUAGES:
        seminar.texts.create(language=language, bring=(BRING_ONLINE if online else BRING)[language], **TALKS[plan.talk][language])
    for mode, capacity in plan.seats.items():
        seminar.pools.create(mode=mode, capacity=capacity)
    return changes.publish(seminar)


def _fill(seminar, plan, crowd, chance):
    """Parties of one to three until so many people are booked, then those who wait."""
    for mode, booked in plan.booked.items():
        while booked:
            size = min(booked, chance.choice((1, 1, 2, 2, 3) if mode == Mode.IN_PERSON else (1, 1, 1, 2)))
            _enter(seminar, mode, _guest(plan, crowd, chance), size, chance)
            booked -= size
    for number, size in enumerate(plan.waiting):
        _enter(seminar, Mode.IN_PERSON, _guest(plan, crowd, chance), size, chance, by_phone=number == 0)


def _guest(plan, crowd, chance):
    """Mostly somebody who reads the talk's language."""
    other = {"en": "es", "es": "en"}[plan.language]
    return next(crowd[other if chance.random() < 0.12 else plan.language])


def _enter(seminar, mode, person, size, chance, by_phone=None):
    who = {"first_name": person.first_name, "last_name": person.last_name, "language": person.language, "mode": mode, "party_size": size}
    if by_phone or (by_phone is None and mode == Mode.IN_PERSON and chance.random() < 0.15):
        return add_by_phone(seminar, phone=person.phone, **who)
    return register(seminar, email=person.address, phone=person.phone if chance.random() < 0.4 else "", **who)


def _change_minds(chance):
    """A few have cancelled; where the seminar was full, the first in line, who gave only a phone number, now has a call coming."""
    full = Registration.objects.confirmed().filter(seminar__slug="atlanta-library", party_size=1).exclude(email="")
    roomy = Registration.objects.confirmed().filter(seminar__slug__in=["houston-evening", "online-evening"]).exclude(email="")
    for registration in [*islice(full, 1), *chance.sample(list(roomy), 3)]:
        cancel(registration)


def _date_back(now, chance):
    """They came one after the other over the last three weeks, and their letters left at once."""
    registrations = list(Registration.objects.order_by("pk"))
    moments = sorted(now - timedelta(minutes=chance.randrange(60, 21 * 24 * 60)) for _registration in registrations)
    for registration, at in zip(registrations, moments, strict=True):
        registration.created_at = at
        registration.changed_at = at if registration.sequence == 0 else now - timedelta(minutes=40)
        registration.cancelled_at = registration.cancelled_at and registration.changed_at
        registration.waiting_since = registration.waiting_since and at
    Registration.objects.bulk_update(registrations, ["created_at", "changed_at", "cancelled_at", "waiting_since"])
    _settle_letters({registration.pk: registration for registration in registrations})
    Callback.objects.update(created_at=now - timedelta(minutes=40))
    Seminar.objects.update(published_at=now - timedelta(days=22))


def _settle_letters(registrations):
    letters = list(Message.objects.filter(kind__in=ENTERED, state=Message.State.PENDING))
    for letter in letters:
        registration = registrations[letter.ref["registration"]]
        letter.due_at = letter.created_at = registration.created_at if letter.ref["sequence"] == 0 else registration.changed_at
        letter.state, letter.attempts, letter.settled_at = Message.State.SENT, 1, letter.due_at + timedelta(seconds=3)
    Message.objects.bulk_update(letters, ["due_at", "created_at", "state", "attempts", "settled_at"])
