"""What the page behind a confirmation letter shows: what waits for the button, and what it has opened."""

from dataclasses import dataclass

from django.utils import timezone

from project.mail import tokens

from . import links
from .models import InfoPacket, PacketRequest, Subscriber


@dataclass(frozen=True)
class Opened:
    """A packet somebody may read: its words and the link to its file."""

    text: object
    token: str


@dataclass(frozen=True)
class Page:
    """All that concerns the address a letter went to, because only one letter a day goes there, whatever is asked for meanwhile."""

    request: PacketRequest
    waiting: list
    opened: list
    subscriber: Subscriber | None

    @property
    def packets(self):
        """The packets that wait, each once."""
        texts = [request.packet.text(request.language) for request in self.waiting if request.packet]
        return list({text.pk: text for text in texts if text}.values())

    @property
    def wordings(self):
        """What the button also agrees to: the words beside each newsletter box that was ticked, each once."""
        return list({request.wording_id: request.wording for request in self.waiting if request.newsletter}.values())

    @property
    def is_over(self):
        """Nothing left to press or to read: the link has expired."""
        return not (self.waiting or self.opened or self.subscriber)


def offered(language):
    """The words, in that language, of every packet that can be asked for in it."""
    return [packet.text(language) for packet in InfoPacket.objects.offered(language)]


def request_of(token):
    """The request a letter's link is about; None for a link that was altered or is about nothing any more."""
    public_id = tokens.read("confirm", token)
    return public_id and PacketRequest.objects.filter(public_id=public_id).first()


def page(request, now=None):
    """The Page for the address of `request`. A link older than seven days shows what it once opened, and confirms nothing."""
    now = now or timezone.now()
    everything = (
        PacketRequest.objects.filter(address_hash=request.address_hash).select_related("packet", "wording").prefetch_related("packet__texts")
    )
    lives = request.confirmed_at or request.requested_at > now - PacketRequest.OPEN_FOR
    return Page(
        request=request,
        waiting=list(everything.open(now).order_by("pk")) if lives else [],
        opened=_opened(everything.readable(now).order_by("-confirmed_at", "-pk")) if lives else [],
        subscriber=_subscriber(request) if lives else None,
    )


def _opened(requests):
    found = {}
    for request in requests:
        text = request.packet.text(request.language)
        if text and text.pk not in found:
            found[text.pk] = Opened(text, links.confirm_token(request))
    return list(found.values())


def _subscriber(request):
    """The reader, where the request's own newsletter box led to a subscription that still stands."""
    if not (request.newsletter and request.confirmed_at):
        return None
    return Subscriber.objects.filter(address_hash=request.address_hash, subscriptions__ended_at=None, subscriptions__isnull=False).first()
