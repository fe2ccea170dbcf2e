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


class OneLine(logging.Filter):
    """For what strangers do wrong all day and nobody mends here, such as asking for a site that isn't ours: a warning of one short line, where
    Django would write an error with a page of traceback each time."""

    LONGEST = 200

    def filter(self, record):
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        record.msg, record.args = record.getMessage()[: self.LONGEST], None
        record.exc_info = record.exc_text = record.stack_info = None
        return True
