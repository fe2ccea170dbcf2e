"""What a mail server or provider accepted, by its own durable record, against what the deliveries say: both directions, for tests and the soak.

The record is JSON lines: `letter` (a delivery's public id), `to` (whom it was accepted for), `addressed` (its To header), `whole`.
"""

import json
from collections import Counter
from dataclasses import dataclass, field

from newsletter.models import Campaign, Delivery
from project.mail import events
from project.mail.models import Event
from project.practice import verification

State, Status = Delivery.State, Campaign.Status


@dataclass
class Reckoning:
    """All lists hold deliveries' primary keys; all but `doubt` must be empty."""

    accepted: Counter
    states: Counter
    lost: list = field(default_factory=list)  # accepted, but recorded neither as sent, nor as in doubt, nor as come back
    phantom: list = field(default_factory=list)  # recorded as sent, but never accepted
    doubled: list = field(default_factory=list)  # accepted twice
    waiting: list = field(default_factory=list)  # wait though their campaign is over
    strange: list = field(default_factory=list)  # not whole, or to somebody else
    sums: list = field(default_factory=list)  # campaigns whose deliveries don't add up to their audience, in words
    verify: list = field(default_factory=list)  # what `verify` says is off
    doubt: list = field(default_factory=list)

    @property
    def off(self):
        """Everything that must not be, by name; empty when every recipient is accounted for."""
        named = ["lost", "phantom", "doubled", "waiting", "strange", "sums", "verify"]
        return {name: getattr(self, name) for name in named if getattr(self, name)}

    def __str__(self):
        states = ", ".join(f"{count} {state}" for state, count in sorted(self.states.items()))
        return (
            f"accepted {self.accepted.total()} letters for {len(self.accepted)} deliveries; recorded {states}\n"
            f"accepted − recorded: {len(self.lost)}   recorded − accepted: {len(self.phantom)}   twice: {len(self.doubled)}   "
            f"in doubt, listed: {len(self.doubt)}   still waiting: {len(self.waiting)}   strange: {len(self.strange)}\n"
            f"sums: {'; '.join(self.sums) or 'meet the audience'}   verify: {'; '.join(self.verify) or 'clean'}"
        )


def read(path):
    """The record's lines; a last one that is only half there was never answered for."""
    lines = path.read_bytes().split(b"\n")[:-1] if path.exists() else []
    return [json.loads(line) for line in lines]


def reckon(record, audiences=None, *, campaign=None, at_most=1):
    """The Reckoning of a record's lines. `audiences`: `{campaign's pk: how many readers it had at launch}`, counted by somebody else than the
    deliveries. `campaign`: only that one's. `at_most`: how often one delivery may be accepted (once more for each “send again”)."""
    rows = Delivery.objects.order_by("pk").values_list("pk", "state", "reason", "campaign_id", "campaign__status", "subscriber__address")
    rows = rows.filter(campaign=campaign) if campaign else rows
    ours = {pk: (state, status, address) for pk, state, _reason, _campaign, status, address in rows}
    lines = [(_delivery(line), line) for line in record]
    lines = [(pk, line) for pk, line in lines if campaign is None or pk in ours]
    accepted = Counter(pk for pk, _line in lines)
    told = Event.objects.filter(type__in=events.RETURNED).values_list("letter", flat=True)
    returned = {_delivery({"letter": letter}) for letter in told}
    found = Reckoning(accepted, Counter(state for state, *_rest in ours.values()))
    found.strange = [pk for pk, line in lines if pk not in ours or _strange(line, ours[pk][2])]
    found.doubled = [pk for pk, times in accepted.items() if times > at_most]
    for pk, (state, status, _address) in ours.items():
        if accepted[pk] and state not in {State.SENT, State.UNCERTAIN} and not (state == State.FAILED and pk in returned):
            found.lost.append(pk)
        if state == State.SENT and not accepted[pk]:
            found.phantom.append(pk)
        if state == State.PENDING and status in {Status.SENT, Status.CANCELLED}:
            found.waiting.append(pk)
        if state == State.UNCERTAIN:
            found.doubt.append(pk)
    sizes = Counter(campaign for _pk, _state, _reason, campaign, *_rest in rows)
    for pk, audience in (audiences or {}).items():
        if sizes[pk] != audience:
            found.sums.append(f"campaign {pk}: {sizes[pk]} deliveries for {audience} readers")
    found.verify = [f"{name}: {sentence}" for name, sentence in verification.findings()]
    return found


def _delivery(line):
    pk = line["letter"].removeprefix("d").partition("-")[0]
    return int(pk) if pk.isdigit() else line["letter"]


def _strange(line, address):
    """Not a whole letter, or accepted for somebody else than its reader (who may have been erased meanwhile)."""
    return not line["whole"] or (address is not None and (line["to"] != address or line["addressed"] != [address]))
