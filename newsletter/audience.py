"""Who gets a campaign: everybody with an active subscription to its topic. What becomes of each is decided when the letter's turn comes."""

from dataclasses import dataclass

from django.conf import settings
from django.db.models import Count, Exists, OuterRef, Q

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
    return Subscriber.objects.filter(subscribed(topic.pk))


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
    counts = {
        row["language"]: row
        for row in readers(campaign.topic).values("language").annotate(readers=Count("pk"), suppressed=Count("pk", filter=Q(suppressed())))
    }
    texts = set(campaign.texts.values_list("language", flat=True))
    none = {"readers": 0, "suppressed": 0}
    return Audience(
        [
            Part(code, str(name), counts.get(code, none)["readers"], counts.get(code, none)["suppressed"], code in texts)
            for code, name in settings.LANGUAGES
        ]
    )
