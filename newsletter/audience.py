"""Who gets a campaign: everybody with an active subscription to its topic. What becomes of each is decided when the letter's turn comes."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, OuterRef

from project.mail.models import Suppression

from .models import Subscriber, Subscription


def subscribed(topic_id, subscriber="pk"):
    """A condition: an active subscription to the topic. `subscriber`: the path to whose, from the row it is used on."""
    return Exists(Subscription.objects.active().filter(subscriber=OuterRef(subscriber), topic=topic_id))


def suppressed(address_hash="address_hash"):
    """A condition: no newsletter may go to that address hash. `address_hash`: the path to it from the row it is used on."""
    return Exists(Suppression.objects.filter(address_hash=OuterRef(address_hash)))


def readers(topic):
    """The subscribers of a topic: its audience."""
    return Subscriber.objects.reading([topic.pk])


@dataclass(frozen=True)
class Part:
    """The readers of one language: how many there are, how many of them can't be written to, and whether there is a text for them."""

    language: str
    name: str
    readers: int
    suppressed: int
    has_text: bool

    @property
    def will_get(self):
        return self.readers - self.suppressed if self.has_text else 0

    @property
    def left_out(self):
        """Left out because nobody wrote to them in their language."""
        return 0 if self.has_text else self.readers


@dataclass(frozen=True)
class Audience:
    parts: list[Part]

    @property
    def total(self):
        return sum(part.readers for part in self.parts)

    @property
    def will_get(self):
        return sum(part.will_get for part in self.parts)

    @property
    def left_out(self):
        return sum(part.left_out for part in self.parts)

    @property
    def suppressed(self):
        return sum(part.suppressed for part in self.parts if part.has_text)


def of(campaign):
    """The Audience of a campaign as it stands now, per language in the order of settings.LANGUAGES."""
    everybody = _by_language(readers(campaign.topic))
    # Asked apart: there are few of them, and PostgreSQL begins with those few instead of looking each reader up.
    not_to_be_written_to = _by_language(readers(campaign.topic).filter(suppressed()))
    texts = set(campaign.texts.values_list("language", flat=True))
    return Audience(
        [Part(code, str(name), everybody.get(code, 0), not_to_be_written_to.get(code, 0), code in texts) for code, name in settings.LANGUAGES]
    )


def _by_language(subscribers):
    return dict(subscribers.order_by().values_list("language").annotate(Count("pk")))
