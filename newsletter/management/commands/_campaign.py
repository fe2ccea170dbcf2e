"""How a campaign is named on the command line."""

from django.core.management.base import CommandError
from django.db.models import Q

from newsletter.models import Campaign


def find(name):
    """The campaign of that number or slug; a slug that looks like a number comes second. Raises CommandError."""
    by_number = Q(pk=int(name)) if name.isascii() and name.isdigit() and len(name) < 19 else Q(pk=None)
    found = Campaign.objects.filter(by_number).first() or Campaign.objects.filter(slug=name).first()
    if found is None:
        raise CommandError(f"There is no campaign {name!r}.")
    return found
