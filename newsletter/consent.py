"""The consent ledger: every agreement and every withdrawal is a row for good, and subscriptions follow from them, never the other way round."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from .models import Consent, Subscriber, Subscription

PURPOSE = "newsletter"


def give(subscriber, topics, *, wording, form, method, at, confirmed_at=None, note=""):
    """Record that a person agreed to letters about `topics`, and start those subscriptions that are not active yet.

    `wording`: the ConsentWording they read. `at`: when they agreed; `confirmed_at`: when they proved that the address is theirs, where the
    method asks for that. Returns the topics that are new to them.
    """
    with transaction.atomic():
        _hold(subscriber)
        active = set(subscriber.subscriptions.active().values_list("topic_id", flat=True))
        started = []
        for topic in topics:
            evidence = Consent.objects.create(
                subscriber=subscriber,
                address_hash=subscriber.address_hash,
                purpose=PURPOSE,
                given=True,
                topic=topic,
                wording=wording,
                form=form,
                method=method,
                at=at,
                confirmed_at=confirmed_at,
                note=note,
            )
            if topic.pk not in active:
                subscriber.subscriptions.create(topic=topic, consent=evidence, started_at=confirmed_at or at)
                started.append(topic)
    return started


def withdraw(subscriber, *, method, ending, form, topics=None, begun_by=None, note="", now=None):
    """End the active subscriptions to `topics` (default: all) that were begun by `begun_by` (aware; default: whenever), with a row of evidence
    for each. Returns how many ended; 0 the second time."""
    now = now or timezone.now()
    with transaction.atomic():
        _hold(subscriber)
        active = subscriber.subscriptions.active()
        if topics is not None:
            active = active.filter(topic__in=topics)
        if begun_by is not None:
            active = active.filter(started_at__lte=begun_by)
        ended = list(active)
        Subscription.objects.filter(pk__in=[subscription.pk for subscription in ended]).update(ended_at=now, ending=ending)
        Consent.objects.bulk_create(
            Consent(
                subscriber=subscriber,
                address_hash=subscriber.address_hash,
                purpose=PURPOSE,
                given=False,
                topic_id=subscription.topic_id,
                form=form,
                method=method,
                at=now,
                note=note,
            )
            for subscription in ended
        )
    return len(ended)


def _hold(subscriber):
    """One writer at a time per person, so that an unsubscribe and a confirmation pressed together come one after the other."""
    Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def unproven():
    """Active subscriptions whose evidence does not hold: withdrawn words, another person's or another topic's consent, no wording."""
    return (
        Subscription.objects.active()
        .select_related("consent", "subscriber")
        .exclude(
            consent__given=True,
            consent__purpose=PURPOSE,
            consent__wording__isnull=False,
            consent__topic=F("topic"),
            consent__address_hash=F("subscriber__address_hash"),
        )
    )


def check():
    """For `verify`: a sentence for every active subscription without its consent."""
    for subscription in unproven().iterator():
        yield f"{subscription} of {subscription.subscriber} is active without a consent that covers it."
