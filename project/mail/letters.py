"""How a letter is put together: said once, as blocks, and rendered as plain text and HTML with the same words in both.

    Letter(
        subject=_("Your seat is reserved"),
        preheader=...,
        blocks=[Heading(...), Paragraph(...), Facts([(_("When"), ...)]), Button(_("See your registration"), url)],
    ).message(calendar=itip.request(registration))

Spam filters mistrust letters whose parts differ, and two templates per letter always come to differ.
"""

from dataclasses import dataclass, field
from email import encoders
from email.header import Header
from email.mime.base import MIMEBase
from email.utils import formataddr

from django.template.loader import render_to_string
from django.utils.translation import get_language

from project.practice.models import Practice

from .seven_bits import SevenBitMessage


@dataclass(frozen=True)
class Heading:
    text: str
    kind: str = "heading"


@dataclass(frozen=True)
class Paragraph:
    text: str
    kind: str = "paragraph"


@dataclass(frozen=True)
class Facts:
    """A short table: pairs of a label and what it says."""

    rows: list[tuple[str, str]]
    kind: str = "facts"


@dataclass(frozen=True)
class Button:
    """One thing to press; in plain text its label and address on lines of their own."""

    label: str
    url: str
    kind: str = "button"


@dataclass(frozen=True)
class Links:
    """A few lesser links, each on its own line: pairs of a label and an address."""

    rows: list[tuple[str, str]]
    kind: str = "links"


@dataclass(frozen=True)
class Small:
    """Small print: why this letter came, what to do if it was not asked for."""

    text: str
    kind: str = "small"


@dataclass(frozen=True)
class Calendar:
    """An iTIP object: `method` as in the iCalendar text (RFC 6047 §2.4), `content` its UTF-8 bytes."""

    method: str
    content: bytes


class LetterMessage(SevenBitMessage):
    """A message whose calendar parts travel as base64, byte for byte: Django would take them for text, or for Latin-1."""

    def _create_mime_attachment(self, content, mimetype):
        maintype, _slash, rest = mimetype.partition("/")
        if maintype != "text" or not rest.startswith("calendar"):
            return super()._create_mime_attachment(content, mimetype)
        part = MIMEBase("text", "calendar", charset="utf-8", **_parameters(rest))
        part.set_payload(content)
        encoders.encode_base64(part)
        return part


def _parameters(rest):
    """`calendar; method=REQUEST` → `{"method": "REQUEST"}`."""
    return dict(item.strip().split("=", 1) for item in rest.split(";")[1:])


@dataclass
class Letter:
    """A letter in the active language."""

    subject: str
    preheader: str
    blocks: list = field(default_factory=list)

    def message(self, *, calendar=None, headers=None, reply_to=None):
        """The EmailMessage, without its `To`, which the ledger's row decides.

        With `calendar`, the invite is both the last alternative, which mail programs act on, and the attachment `invite.ics`, for those that
        only show files.
        """
        practice = Practice.current()
        context = {
            "letter": self,
            "practice": practice,
            "practice_text": practice.text(),
            "language": get_language(),
        }
        message = LetterMessage(
            subject=" ".join(self.subject.split()),
            body=render_to_string("mail/letter.txt", context),
            from_email=sender(practice),
            reply_to=reply_to,
            headers=headers,
        )
        message.attach_alternative(render_to_string("mail/letter.html", context), "text/html")
        if calendar:
            message.attach_alternative(calendar.content, f"text/calendar; method={calendar.method}")
            message.attach("invite.ics", calendar.content, "application/ics")
        return message


def sender(practice):
    """`Name <address>` for From. Calendar programs match its address with the invite's ORGANIZER.

    A name that needs it comes in encoded-words, each short enough for a line: formataddr alone would make one of any length (RFC 2047 §2).
    """
    name = practice.name if practice.name.isascii() else Header(practice.name, "utf-8", maxlinelen=64).encode(linesep="")
    return formataddr((name, practice.sender))
