"""What must not stand in a log: a signed link is a key to somebody's page."""

import logging
import re

# Django's signing: base64 value, timestamp and signature, with colons between.
_SIGNED = re.compile(r"[\w-]{2,}(?::|%3A)[\w-]{4,}(?::|%3A)[\w-]{20,}", re.IGNORECASE)


def scrub(text):
    """The text with every signed token as `…`."""
    return _SIGNED.sub("…", text)


class Scrub(logging.Filter):
    """Takes tokens out of a record before any handler writes it; it never drops one."""

    def filter(self, record):
        message = record.getMessage()
        scrubbed = scrub(message)
        if scrubbed != message:
            record.msg, record.args = scrubbed, None
        return True
