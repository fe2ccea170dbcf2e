"""The database goes away between two windows, for a moment: what the worker knows by then is recorded all the same, and nobody is in doubt."""

import pytest
from django.core import mail
from django.db import OperationalError

from newsletter import sending
from newsletter.models import Delivery
from project.mail import sweep

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

READERS = 30


@pytest.mark.parametrize(
    ("place", "name"),
    [(sending.pace, "take"), (sending.pace, "give_back"), (sending.guard, "look"), (sending.routes, "note"), (sending.chunks, "turn")],
)
@pytest.mark.parametrize("nth", [1, 2])
def test_the_database_away_at_that_call(make_readers, make_launched, settings, monkeypatch, place, name, nth):
    settings.BULK_WINDOW = 8
    calls, plain = [], getattr(place, name)

    def away(*arguments, **words):
        calls.append(name)
        if len(calls) == nth:
            raise OperationalError("the server closed the connection unexpectedly")
        return plain(*arguments, **words)

    make_readers(READERS)
    campaign = make_launched()
    monkeypatch.setattr(place, name, away)
    monkeypatch.setattr(sending.time, "sleep", lambda seconds: None)
    sweep.tick_inline(20)

    assert len(calls) > nth or name == "note"
    assert Delivery.objects.filter(campaign=campaign, state=State.SENT).count() == len(mail.outbox) == READERS
