"""100,000 tellings of a provider, shuffled and doubled: how fast they are taken, and that they end where their set says, whatever the order."""

import argparse
import random
import time

from django.utils import timezone

from newsletter import campaigns
from newsletter.models import Campaign, Delivery, Topic
from project.mail import ledger
from project.practice.models import Practice
from tests.faults import webhooks
from tests.newsletter.campaigns_fixtures import BODY, subscribe_readers

from ._database import table


def run(*options):
    parser = argparse.ArgumentParser(prog="./run bench webhooks")
    parser.add_argument("--tellings", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args(options)
    chance = random.Random(given.seed)
    told = webhooks.tellings(_deliveries(given.tellings // 4), chance, most=5)[: given.tellings]
    began = time.perf_counter()
    for delivery, what in told:
        webhooks.tell(delivery, what)
    seconds = time.perf_counter() - began
    expected = webhooks.expected(told)
    wrong = [pk for pk, state in Delivery.objects.values_list("pk", "state") if pk in expected and state != expected[pk]]
    rows = [[len(told), f"{seconds:.0f} s", f"{len(told) / seconds:,.0f}", len(wrong)]]
    table("Webhooks shuffled and doubled", ["tellings", "time", "a second", "ended elsewhere"], rows)
    if wrong:
        raise SystemExit(1)


def _deliveries(count):
    practice = Practice.current()
    practice.street, practice.city, practice.state, practice.postal_code = "100 Sample Street", "Tampa", "FL", "33607"
    practice.save()
    ledger.release()
    topic = Topic.objects.get_or_create(standard=True, defaults={"slug": "newsletter"})[0]
    subscribe_readers(topic, count)
    campaign = Campaign.objects.create(name="Told of", slug="told-of", topic=topic)
    campaign.texts.create(language="en", subject="News", preheader="What is new", body=BODY)
    now = timezone.now()
    campaigns.schedule(campaign, now)
    campaigns.launch(campaign, now)
    return list(Delivery.objects.select_related("subscriber").order_by("pk"))
