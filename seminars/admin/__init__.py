"""What the front desk does with seminars, in Django's admin. Nothing here decides: the verbs do."""

from . import callbacks, people, registrations, seminars

__all__ = ["callbacks", "people", "registrations", "seminars"]
