"""The demo's venues, speakers, seminars and who registered for them. `seed(now)` puts them in."""

from .seeding import seed

__all__ = ["seed"]
