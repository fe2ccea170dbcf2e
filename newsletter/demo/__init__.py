"""The demo's readers, packets and issues. `seed(now, practice)` puts them in."""

from .seeding import seed

__all__ = ["seed"]
