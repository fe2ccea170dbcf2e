"""People change their minds while workers run: pause, resume, cancel, edit, unsubscribe, at any moment, and each is exact."""

import random
import time

import pytest
from django.db.models import Q

from newsletter import campaigns, subscribing
from newsletter.models import Campaign, Chunk, Consent, Delivery, Subscriber
from project.mail import suppressions
from tests.processes import eventually

from .conftest import KILLED, over

pytestmark = pytest.mark.django_db(transaction=True)
State, Status = Delivery.State, Campaign.Status

READERS, WINDOW = 120, 8
SLOWLY = {"at": "DOT", "say": "slow:0.01 250 2.0.0 taken"}


def unsubscribe(number):
    subscribing.unsubscribe(Subscriber.objects.get(address=f"reader{number}@example.org"), Consent.Method.ONE_CLICK, form="test")


def told_to(verb, campaign):
    """A press that comes too late is refused with a sentence, and that is all."""
    try:
        verb(campaign)
    except campaigns.CampaignRefused:
        return False
    return True


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_paused_and_resumed_at_random_moments_everybody_gets_it_once(crew, smtp, scheduled, reckon, seed):
    campaign, chance = scheduled(READERS), random.Random(seed)
    smtp.script(SLOWLY)
    for _worker in range(2):
        crew.start(arguments={"until": "cancelled"})

    for _press in range(8):
        time.sleep(chance.uniform(0, 0.15))
        told_to(chance.choice([campaigns.pause, campaigns.resume]), campaign)
    smtp.script()
    told_to(campaigns.resume, campaign)
    eventually(lambda: over(campaign) or told_to(campaigns.resume, campaign))
    eventually(lambda: over(campaign))

    assert reckon(smtp).states == {State.SENT: READERS}


def cancelled_midway(crew, smtp, scheduled, chance):
    campaign = scheduled(READERS)
    smtp.script(SLOWLY)
    hands = [crew.start(arguments={"until": "cancelled"}) for _worker in range(2)]
    few = chance.randrange(1, READERS // 2)
    eventually(lambda: len(smtp.accepted()) >= few, pause=0.002)
    campaigns.cancel(campaign)
    assert [hand.wait() for hand in hands] == [0, 0]


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_cancelled_at_a_random_moment_who_has_got_it_is_recorded_and_nobody_else_gets_it(crew, smtp, scheduled, reckon, seed):
    cancelled_midway(crew, smtp, scheduled, random.Random(seed))

    found = reckon(smtp)
    assert found.states.total() == READERS
    assert set(found.states) == {State.SENT, State.SKIPPED}
    assert set(Delivery.objects.filter(state=State.SKIPPED).values_list("reason", flat=True)) == {"cancelled"}


def test_control_did_cancelling_not_spare_the_window_in_hand_letters_that_left_would_be_hidden(crew, smtp, scheduled, reckon, monkeypatch):
    monkeypatch.setattr(campaigns, "_in_hand", lambda: Q(pk__in=[]))

    cancelled_midway(crew, smtp, scheduled, random.Random(1))

    assert "lost" in reckon(smtp, but={"lost"}).off


def edited_midway(crew, smtp, scheduled):
    """Somebody gets at the words of a campaign that is being sent, past all forms."""
    campaign = scheduled(READERS)
    text = campaign.texts.get()
    smtp.script(SLOWLY)
    crew.start(arguments={"until": "cancelled"})
    eventually(lambda: len(smtp.accepted()) >= WINDOW, pause=0.002)
    with pytest.raises(campaigns.CampaignRefused):
        campaigns.begin_edit(campaign)
    campaign.texts.update(subject="Something else")
    return campaign, text


def test_words_that_were_changed_after_all_are_sent_to_nobody_and_put_right_everybody_gets_the_first(crew, smtp, scheduled, reckon):
    campaign, text = edited_midway(crew, smtp, scheduled)
    eventually(lambda: Campaign.objects.filter(pk=campaign.pk, status=Status.PAUSED).exists())
    eventually(lambda: not Chunk.objects.filter(state=Chunk.State.HELD).exists())
    before = len(smtp.accepted())
    assert Campaign.objects.get().stopped_because == "Its words were changed after it was launched."

    campaign.texts.update(subject=text.subject)
    campaigns.resume(campaign)
    smtp.script()
    eventually(lambda: over(campaign))

    assert before < READERS
    assert reckon(smtp).states == {State.SENT: READERS}


def leave_between_claim_and_hand_over(crew, scheduled, careless=""):
    """Two people go, in two ways, when a worker has taken the chunk they are in."""
    campaign = scheduled(20)
    assert crew.run(crash="claimed", careless=careless) == KILLED
    unsubscribe(3)
    suppressions.complaint(Subscriber.objects.get(address="reader5@example.org").address_hash)
    crew.leases_run_out()
    crew.run(careless=careless)
    assert over(campaign)


def written_to(smtp):
    return {line["to"].partition("@")[0] for line in smtp.accepted()}


def test_who_leaves_between_claim_and_hand_over_is_not_written_to(crew, smtp, scheduled, reckon):
    leave_between_claim_and_hand_over(crew, scheduled)

    assert not written_to(smtp) & {"reader3", "reader5"}
    assert reckon(smtp).states == {State.SENT: 18, State.SKIPPED: 2}
    assert sorted(Delivery.objects.filter(state=State.SKIPPED).values_list("reason", flat=True)) == ["suppressed", "unsubscribed"]


def test_control_without_the_last_look_they_would_be(crew, smtp, scheduled):
    leave_between_claim_and_hand_over(crew, scheduled, careless="last look")

    assert written_to(smtp) >= {"reader3", "reader5"}


def test_who_leaves_while_the_window_before_is_handed_over_is_not_written_to(crew, smtp, scheduled, reckon):
    campaign = scheduled(20)  # one chunk
    smtp.script({"at": "DOT", "say": "slow:0.1 250 2.0.0 taken"})
    worker = crew.start()
    eventually(lambda: Chunk.objects.filter(window_hi__isnull=False).exists(), pause=0.005)

    unsubscribe(19)
    smtp.script()
    worker.wait()

    assert over(campaign)
    assert "reader19" not in written_to(smtp)
    assert reckon(smtp).states == {State.SENT: 19, State.SKIPPED: 1}
