"""Puts the sample readers, packets and issues into the database, by the verbs the pages use, in the order in which it would have happened."""

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

from django.core.files.base import ContentFile
from django.utils.module_loading import import_string

from project.mail.addresses import address_hash
from project.mail.models import Suppression
from project.mail.suppressions import suppress
from project.practice.phones import phone_words

from .. import campaigns, consent
from ..models import Campaign, Chunk, Consent, Delivery, InfoPacket, PacketRequest, Subscriber, Subscription, Topic
from ..subscribing import current_wording
from . import texts
from .people import people

LANGUAGES = ("en", "es")
PACKETS = ("before-you-decide", "less-invasive-procedures")

#: How long after seeding the demo sends a campaign by itself.
SOON = timedelta(minutes=4)

READERS = 300
LATECOMERS = 24  # subscribed after the last issue
_FORMS = ("info-packet", "info-packet", "subscribe", "register")


def seed(now, practice):
    """Idempotent: what is there stays as it is. Call it in a transaction."""
    packets = [_packet(slug, position, practice) for position, slug in enumerate(PACKETS)]
    if Campaign.objects.filter(slug="physical-therapy").exists():
        return
    chance = random.Random(1)  # noqa: S311  the same demo each time
    everybody = people(READERS, seed=2026)
    readers = _subscribe(everybody[LATECOMERS:], now - timedelta(days=12), packets, chance)
    _send_past_issue(_ten_in_the_morning(now - timedelta(days=9), practice.zone), readers, chance)
    _part_with_some(readers, now, chance)
    _subscribe(everybody[:LATECOMERS], now - timedelta(hours=3), packets, chance, days=8)
    campaigns.schedule(_issue("physical-therapy"), now + SOON, now=now)
    _issue("sleeping-with-back-pain")
    _issue("holiday-hours", languages=("en",))  # nobody has translated it yet: the page says whom that leaves out


def _ten_in_the_morning(moment, zone):
    return moment.astimezone(ZoneInfo(zone)).replace(hour=10, minute=0, second=0, microsecond=0)


# -- Packets -----------------------------------------------------------------------------------------------------------------------------


def _packet(slug, position, practice):
    packet, _new = InfoPacket.objects.get_or_create(slug=slug, defaults={"position": position})
    for language in LANGUAGES:
        head, body = texts.read(f"packets/{slug}.{language}.md")
        text, _new = packet.texts.get_or_create(language=language, defaults={"title": head["title"], "summary": head["summary"]})
        if not text.pdf or not text.pdf.storage.exists(text.pdf.name):
            text.pdf.save(f"{slug}-{language}.pdf", ContentFile(_pdf(head, body, language, practice)))
    return packet


def _pdf(head, body, language, practice):
    phone = phone_words(practice.phone)
    # By its name, because setting type takes most of a second to load, and a demo that starts again needs none.
    return import_string("newsletter.demo.booklet.make")(
        head,
        body,
        language=language,
        practice=practice.name,
        tagline=practice.text(language).tagline,
        contact=[phone, practice.postal_address],
        phone=phone,
    )


# -- Readers -----------------------------------------------------------------------------------------------------------------------------


def _subscribe(persons, latest, packets, chance, days=400):
    """Subscribers who asked at some time in the `days` before `latest` and confirmed by letter."""
    topics = list(Topic.objects.filter(standard=True))
    wordings = {language: current_wording(consent.PURPOSE, language) for language in LANGUAGES}
    asked = sorted(latest - timedelta(minutes=chance.randrange(days * 24 * 60)) for _person in persons)
    readers = Subscriber.objects.bulk_create(
        Subscriber(
            address=person.address,
            address_hash=address_hash(person.address),
            first_name=person.first_name,
            last_name=person.last_name,
            language=person.language,
        )
        for person in persons
    )
    requests = []
    for reader, at in zip(readers, asked, strict=True):
        form, confirmed_at = chance.choice(_FORMS), at + timedelta(minutes=chance.randrange(2, 300))
        reader.created_at = confirmed_at
        consent.give(
            reader,
            topics,
            wording=wordings[reader.language],
            form=form,
            method=Consent.Method.DOUBLE_OPT_IN,
            at=at,
            confirmed_at=confirmed_at,
        )
        if form == "info-packet":
            requests.append(_request(reader, chance.choice(packets), wordings[reader.language], at, confirmed_at))
    Subscriber.objects.bulk_update(readers, ["created_at"])
    PacketRequest.objects.bulk_create(requests)
    return readers


def _request(reader, packet, wording, at, confirmed_at):
    return PacketRequest(
        packet=packet,
        address=reader.address,
        address_hash=reader.address_hash,
        first_name=reader.first_name,
        last_name=reader.last_name,
        language=reader.language,
        newsletter=True,
        wording=wording,
        form="info-packet",
        requested_at=at,
        confirmed_at=confirmed_at,
    )


def _part_with_some(readers, now, chance):
    """Since the last issue some have unsubscribed, and one has reported it as unwanted."""
    leaving = chance.sample(readers, 15)
    for number, reader in enumerate(leaving[:14]):
        one_click = number % 3 == 0
        consent.withdraw(
            reader,
            method=Consent.Method.ONE_CLICK if one_click else Consent.Method.UNSUBSCRIBE,
            ending=Subscription.Ending.ONE_CLICK if one_click else Subscription.Ending.PERSON,
            form="unsubscribe",
            now=now - timedelta(days=8, hours=-11 * number),
        )
    suppress(leaving[14].address_hash, Suppression.Scope.MARKETING, Suppression.Reason.COMPLAINT)


# -- Issues ------------------------------------------------------------------------------------------------------------------------------


def _issue(slug, languages=LANGUAGES):
    written = {language: texts.read(f"issues/{slug}.{language}.md") for language in languages}
    campaign = Campaign.objects.create(name=written["en"][0]["name"], slug=slug, topic=Topic.objects.filter(standard=True).first())
    for language, (head, body) in written.items():
        campaign.texts.create(language=language, subject=head["subject"], preheader=head["preheader"], body=body)
    return campaign


def _send_past_issue(then, readers, chance):
    """An issue that left some days ago: launched by the same verb, its deliveries then settled as a worker would have."""
    campaign = _issue("what-an-mri-can-tell")
    campaigns.schedule(campaign, then, now=then - timedelta(days=1))
    campaigns.launch(campaign, then)
    gone, full = chance.sample(readers, 7)[:4], chance.sample(readers, 2)
    deliveries = Delivery.objects.filter(campaign=campaign)
    settled = {"attempts": 1, "settled_at": then + timedelta(minutes=2)}
    deliveries.filter(subscriber__in=gone).update(
        state=Delivery.State.FAILED, reason="no-such-address", detail="550 5.1.1 No such user here", **settled
    )
    for reader in gone:
        suppress(reader.address_hash, Suppression.Scope.ALL, Suppression.Reason.HARD_BOUNCE)
    deliveries.filter(subscriber__in=full, state=Delivery.State.PENDING).update(
        state=Delivery.State.FAILED, reason="gave-up", detail="452 4.2.2 Mailbox full", attempts=6, settled_at=then + timedelta(hours=6)
    )
    left = list(deliveries.filter(state=Delivery.State.PENDING).select_related("subscriber").order_by("pk"))
    stopped = chance.sample(left, 3)  # unsubscribed in the minute between launch and their turn
    for delivery in stopped:
        consent.withdraw(
            delivery.subscriber,
            method=Consent.Method.UNSUBSCRIBE,
            ending=Subscription.Ending.PERSON,
            form="unsubscribe",
            now=then + timedelta(seconds=20),
        )
    deliveries.filter(pk__in=[delivery.pk for delivery in stopped]).update(
        state=Delivery.State.SKIPPED, reason=Delivery.Reason.UNSUBSCRIBED, settled_at=then + timedelta(minutes=1)
    )
    deliveries.filter(state=Delivery.State.PENDING).update(state=Delivery.State.SENT, **settled)
    Chunk.objects.filter(campaign=campaign).update(state=Chunk.State.DONE)
    campaigns.finish(then + timedelta(hours=6))
