"""Who must not be written to, and how widely. A hard bounce stops every letter; a complaint stops newsletters.

An unsubscribe is no suppression: it ends the subscription, and a newer confirmed opt-in begins another.
"""

from .models import Stream, Suppression

Scope, Why = Suppression.Scope, Suppression.Reason


def blocks(address_hash, stream):
    """Whether a letter of that stream must not go to that address."""
    scopes = [Scope.ALL, Scope.MARKETING] if stream == Stream.BULK else [Scope.ALL]
    return Suppression.objects.filter(address_hash=address_hash, scope__in=scopes).exists()


def suppress(address_hash, scope, reason):
    """Idempotent: the first reason stays."""
    Suppression.objects.get_or_create(address_hash=address_hash, scope=scope, defaults={"reason": reason})


def hard_bounce(address_hash):
    suppress(address_hash, Scope.ALL, Why.HARD_BOUNCE)


def complaint(address_hash):
    suppress(address_hash, Scope.MARKETING, Why.COMPLAINT)
