"""Asking, confirming, stopping: what happens between a person and the newsletter, as verbs."""

import re
from datetime import timedelta

from django.db import transaction
from django.utils import timezone

from project.mail.addresses import address_hash

from . import consent, emails
from .models import Consent, ConsentWording, PacketRequest, Subscriber, Subscription, Topic

Method, Ending = Consent.Method, Subscription.Ending

#: How long a person can take a “stop” back with one press.
UNDO_FOR = timedelta(hours=1)

_ENDINGS = {Method.ONE_CLICK: Ending.ONE_CLICK, Method.COORDINATOR: Ending.COORDINATOR, Method.COMPLAINT: Ending.COMPLAINT}


def current_wording(purpose, language):
    """The newest words for that purpose in that language; None where nobody has written any."""
    return ConsentWording.objects.filter(purpose=purpose, language=language).order_by("-version").first()


def wording_read(purpose, language, version):
    """The very words a person read, by the version their form carried: they may have been replaced meanwhile.

    None for a version nobody wrote, or what is no number at all: it comes back from a field that people don't see and programs fill in.
    """
    if not re.fullmatch(r"[0-9]{1,4}", version or ""):
        return None
    return ConsentWording.objects.filter(purpose=purpose, language=language, version=version).first()


def ask(address, *, first_name, last_name, language, form, wording, packet=None, newsletter):
    """Somebody who says this address is theirs asks for a packet, the newsletter, or both. Nothing follows until they confirm it by letter.

    `address` and names as `parse_address` and `parse_name` return them; `wording`: the ConsentWording beside the newsletter box; `newsletter`:
    the box was ticked. Posts at most one letter a day per address: the page it opens shows every open request of that address, later ones too.
    Returns the PacketRequest.
    """
    with transaction.atomic():
        request = PacketRequest.objects.create(
            packet=packet,
            address=address,
            address_hash=address_hash(address),
            first_name=first_name,
            last_name=last_name,
            language=language,
            newsletter=newsletter and wording is not None,
            wording=wording,
            form=form,
            requested_at=timezone.now(),
        )
        emails.confirm_address(request)
    return request


def confirm(request, now=None):
    """The address is theirs: the packet is open, and the subscription starts if they had ticked it. False, and nothing more, later."""
    now = now or timezone.now()
    with transaction.atomic():
        if not PacketRequest.objects.filter(pk=request.pk, confirmed_at=None).update(confirmed_at=now):
            return False
        if request.newsletter:
            _subscribe(request, now)
    return True


def _subscribe(request, now):
    subscriber, new = Subscriber.objects.get_or_create(
        address_hash=request.address_hash,
        defaults={
            "address": request.address,
            "first_name": request.first_name,
            "last_name": request.last_name,
            "language": request.language,
        },
    )
    if not new:
        subscriber.language = request.language
        subscriber.first_name = request.first_name or subscriber.first_name
        subscriber.last_name = request.last_name or subscriber.last_name
        subscriber.save(update_fields=["language", "first_name", "last_name"])
    consent.give(
        subscriber,
        Topic.objects.filter(standard=True),
        wording=request.wording,
        form=request.form,
        method=Method.DOUBLE_OPT_IN,
        at=request.requested_at,
        confirmed_at=now,
    )


def unsubscribe(subscriber, method, *, form="unsubscribe", note="", begun_by=None):
    """End every subscription of a person, or those begun by a moment. How many ended; 0 the second time. A newer confirmed opt-in begins
    new ones."""
    ending = _ENDINGS.get(method, Ending.PERSON)
    return consent.withdraw(subscriber, method=method, ending=ending, form=form, note=note, begun_by=begun_by)


def just_stopped(subscriber, now=None):
    """The subscriptions the person's last “stop” ended, while it can still be taken back; empty when any is active again."""
    now = now or timezone.now()
    if subscriber.subscriptions.active().exists():
        return []
    by_person = subscriber.subscriptions.filter(ending__in=[Ending.PERSON, Ending.ONE_CLICK], ended_at__gt=now - UNDO_FOR)
    last = by_person.order_by("-ended_at").first()
    return list(by_person.filter(ended_at=last.ended_at).select_related("topic", "consent__wording")) if last else []


def take_back(subscriber):
    """Undo that “stop”: the same topics again, on the words agreed to before. Returns how many; 0 once the hour is over."""
    now = timezone.now()
    with transaction.atomic():
        stopped = just_stopped(subscriber, now)
        for subscription in stopped:
            consent.give(
                subscriber,
                [subscription.topic],
                wording=subscription.consent.wording,
                form="unsubscribe",
                method=Method.TAKEN_BACK,
                at=now,
                confirmed_at=now,
            )
    return len(stopped)


def save_preferences(subscriber, *, topics, among, wording, language, first_name, last_name):
    """What a person set on their own page: of the topics `among` those shown, exactly `topics`; and how to address them.

    Each new topic is a consent to `wording`; each that was left is a withdrawal.
    """
    now = timezone.now()
    with transaction.atomic():
        Subscriber.objects.filter(pk=subscriber.pk).update(language=language, first_name=first_name, last_name=last_name)
        active = set(subscriber.subscriptions.active().values_list("topic_id", flat=True))
        consent.give(
            subscriber,
            [topic for topic in topics if topic.pk not in active and wording],  # no words were shown: nothing was agreed to
            wording=wording,
            form="preferences",
            method=Method.PREFERENCES,
            at=now,
            confirmed_at=now,
        )
        consent.withdraw(
            subscriber,
            topics=[topic for topic in among if topic not in topics],
            method=Method.PREFERENCES,
            ending=Ending.PERSON,
            form="preferences",
            now=now,
        )
