"""Protections taken out, by name, in a process of its own: the negative controls. With each one out somebody is lost, doubled or hidden."""

from django.db.models import Q
from django.utils import timezone

from newsletter import chunks, windows
from newsletter.models import Chunk, Delivery
from project.mail import outcomes
from project.mail.outcomes import Verdict

State = Delivery.State


def no_mark():
    """A window is handed over without saying so first: who dies with it in hand is not known to have had it."""
    windows.marking = lambda *args: ("SELECT 1", [])


def no_doubt():
    """What a dead worker had in hand simply waits again."""
    settle = chunks.take_back

    def take_back(now):
        held = list(chunks.abandoned(now).values_list("pk", flat=True))
        Chunk.objects.filter(pk__in=held).update(window_lo=None, window_hi=None, window_at=None)
        settle(now)

    chunks.take_back = take_back


def sent_when_fetched():
    """A letter is written down as sent when it is taken from the database, before it is handed over."""
    marking = windows.marking

    def eager(chunk, token, under_way, *moments):
        windows.run(windows.settling(list(under_way) or [0], {"state": State.SENT, "settled_at": timezone.now()}))
        return marking(chunk, token, under_way, *moments)

    windows.marking = eager


def no_fence():
    """Who was taken for dead goes on as if nothing had happened."""
    windows.is_ours = lambda rows: True


def no_claim():
    """Two workers may take the same chunk."""
    take = chunks.claim

    def claim(now):
        taken = Chunk.objects.filter(Q(state=Chunk.State.HELD), campaign__status="sending").select_related("campaign__topic").first()
        if taken is None:
            return take(now)
        due = Delivery.objects.of(taken).due(now).order_by("pk")
        return chunks.Claim(taken, taken.token, now, taken.lease_until, list(due.values_list("pk", flat=True)))

    chunks.claim = claim


def no_last_look():
    """Who has left is written to all the same."""
    chunks._skip_reason = lambda row: ""


def nothing_is_in_doubt():
    """A connection that broke after the letter had left is taken for one that broke before."""
    plain = outcomes.Outcome.__post_init__

    def hopeful(outcome):
        plain(outcome)
        if outcome.verdict is Verdict.UNCERTAIN:
            object.__setattr__(outcome, "verdict", Verdict.RETRY)

    outcomes.Outcome.__post_init__ = hopeful


_ways = {
    "mark": no_mark,
    "doubt": no_doubt,
    "late record": sent_when_fetched,
    "fence": no_fence,
    "claim": no_claim,
    "last look": no_last_look,
    "final dot": nothing_is_in_doubt,
}


def be(way):
    if way:
        _ways[way]()
