"""What the front desk does with the newsletter, in Django's admin. Nothing here decides: the verbs do."""

from . import packets, subscribers

__all__ = ["packets", "subscribers"]
