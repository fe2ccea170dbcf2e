"""SMTP for both streams: a Django backend, and a carrier that keeps several connections busy, over stdlib `smtplib`.

`replies` reads, `dialling` opens, `lanes` is one connection under way, `exchange` decides what each reply means for which letter.
"""

from .backend import SmtpBackend
from .carrier import SmtpCarrier

__all__ = ["SmtpBackend", "SmtpCarrier"]
