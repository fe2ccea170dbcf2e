"""What the front desk does with the newsletter, in Django's admin. Nothing here decides: the verbs do."""

from . import campaigns, packets, subscribers

__all__ = ["campaigns", "packets", "subscribers"]
