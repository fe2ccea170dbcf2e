"""The proof that a skeleton's letters read as they should: read back by Python's own parser, and compared with what Django's API makes.

By people whose names are as nasty as names get. It runs when a campaign is scheduled and launched, and, shorter, once in every process that
sends it.
"""

import logging
import re
import time
import uuid
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from . import campaign_letters
from .windows import Letter, Reader

logger = logging.getLogger(__name__)

_parser = BytesParser(policy=policy.default)

#: What of a letter can come out differently, in a coordinator's words.
_PARTS = {
    "subject": gettext_lazy("its subject"),
    "to": gettext_lazy("the reader’s name"),
    "head": gettext_lazy("its technical lines"),
    "text": gettext_lazy("its plain text"),
    "html": gettext_lazy("its formatted text"),
    "form": gettext_lazy("its form"),
}

_NASTIEST = [
    "",
    ".dot first <b>&",
    "=?utf-8?q?x?=",
    "Ñandú" * 30,
    'Gil, "Ana"; <ana@example.org> {{x}}',
]

_NASTY = [
    *_NASTIEST,
    "Ana",
    "..",
    "Ana “Anita” O'Neil",
    "back\\slash\\",
    "long " * 40,
    "L" * 200,
    "blank ",
    "a=b =3D =",
    "José María",
    "👩‍⚕️ Ana",
    "e\u0301e\u0323\u0302" * 12,
    "محمد بن سلمان",
    "Ana\r\nBcc: other@example.org\x00\x07\u2028\u202e",
    "[[email]] [[first_name|x]]",
    "{{x}} {% y %} %recipient.x% <b>&amp;</b>",
    "From here",
    "--",
]


class SkeletonDiffers(Exception):
    """A letter would not read as its words were written; its text is a sentence for a coordinator. `part`: a key of _PARTS."""

    def __init__(self, part):
        self.part = part
        sentence = _(
            "It was not sent because %(part)s would not reach readers as you wrote it. Please change that part a little. If that doesn’t help, "
            "tell the person who looks after this site."
        )
        super().__init__(sentence % {"part": _PARTS[part]})


def check(skeleton, compiled, practice, topic, *, thorough):
    """Raises SkeletonDiffers unless the skeleton's letters to all sorts of people hold what Django's hold."""
    names = _NASTY if thorough else _NASTIEST
    for number, name in enumerate(names):
        reader = Reader(number, uuid.UUID(int=number), f"reader{number}@example.org", "", name, names[-number])
        part = difference(skeleton, Letter(number, 0, reader), compiled, practice, topic)
        if part:
            raise SkeletonDiffers(part)


def difference(skeleton, letter, compiled, practice, topic):
    """What of a letter is not as it should be, as a key of _PARTS; '' when all is well."""
    while True:  # until both are of the same second, which is in their links and Dates
        second = int(time.time())
        wire = skeleton.wire(letter)
        message = campaign_letters.message(compiled, letter.reader, practice, topic, letter=letter.name)
        reference = message.message().as_bytes(linesep="\r\n")
        if int(time.time()) == second:
            break
    if not may_travel(wire):
        return "form"
    # Subject and name against the words themselves, not against another encoding of them.
    try:
        return _first_difference(
            _parser.parsebytes(wire), _parser.parsebytes(reference), message.subject, campaign_letters.name_of(letter.reader)
        )
    except Exception:
        logger.exception("A letter could not be read back.")  # Python's parser stumbles over some heads that are wrong
        return "head"


_FOLD = re.compile(r"\r\n(?=[ \t])")

#: A line as SMTP takes it without a second look: at most 998 characters, ASCII, and no dot at its beginning (RFC 5321 §4.5.2, RFC 5322 §2.1.1).
_may_travel = re.compile(rb"(?:(?!\.)[\t\x20-\x7e]{0,998}\r\n)+").fullmatch

_BODY_LINES = re.compile(rb"(?:[\t\x20-\x7e]{0,76}\r\n)*").fullmatch


def may_travel(wire):
    """Whether these bytes can go to an SMTP server as they are: 7-bit, CRLF, no line too long or with a dot at its beginning."""
    _head, _blank, body = wire.partition(b"\r\n\r\n")
    return bool(_may_travel(wire) and _BODY_LINES(body))


def _first_difference(ours, reference, subject, name):
    if [part.get_content_type() for part in ours.walk()] != [part.get_content_type() for part in reference.walk()] or _defects(ours):
        return "form"
    if ours["Subject"] != subject:
        return "subject"
    if [person.addr_spec for person in ours["To"].addresses] != [person.addr_spec for person in reference["To"].addresses]:
        return "to"
    if _display_name(ours) != name:
        return "to"
    if _head(ours) != _head(reference):
        return "head"
    for kind, part in (("plain", "text"), ("html", "html")):
        if ours.get_body([kind]).get_content() != reference.get_body([kind]).get_content():
            return part
    return ""


def _defects(letter):
    return [defect for part in letter.walk() for defect in part.defects] + list(letter["To"].defects)


def _display_name(letter):
    """Decoded by the older API: in Python 3.11 the newer one leaves a blank between encoded-words of a name, where RFC 2047 §6.2 has none."""
    [value] = [value for header, value in letter.raw_items() if header == "To"]
    return str(make_header(decode_header(parseaddr(_FOLD.sub("", value))[0])))


def _head(letter):
    """All other headers. How its bodies are encoded, and what lies between them, is the letter's own affair."""
    own = {"subject", "to", "content-type", "content-transfer-encoding"}
    return sorted((name.lower(), str(value).strip()) for name, value in letter.items() if name.lower() not in own)
