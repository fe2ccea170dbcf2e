"""A campaign's letter compiled: bytes that are the same for all readers of a language, and the few that differ, joined in microseconds.

Django's e-mail API builds the letter once, around stand-ins. What it wrote is cut at them; the bodies become quoted-printable pieces
(quoted.py), cut at the merge fields. A reader's letter is these pieces with the reader's own in between, each encoded alone. Before any is
handed over, letters to people with the nastiest names are read back and compared with what Django makes of the same words (skeleton_check.py).
"""

import functools
import re
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email.utils import formatdate

from django.conf import settings

from project.mail import headers
from project.practice.phones import phone_words

from . import campaign_letters, content, links, merge, quoted, skeleton_check
from .skeleton_check import SkeletonDiffers

#: What a To may hold as an address; parse_address lets pass no more than this, and nothing of it could end a header.
_is_address = re.compile(r"[^\x00-\x20\x7f-\U0010ffff()<>\[\]\\,;:\"@]+@[A-Za-z0-9.-]+").fullmatch


@dataclass(slots=True)
class Skeleton:
    """The letter of one campaign in one language and variant.

    `pieces`: bytes in their order, empty where a reader's own come; `makers`: functions from a reader's values to bytes; `slots`: which piece
    comes from which maker, as pairs of their indexes.
    """

    pieces: list
    slots: list
    makers: list
    _date: tuple = field(default=(0, b""))

    def wire(self, letter):
        """The finished letter to one reader: CRLF, 7-bit, no line begins with a dot. Raises ValueError for an impossible address."""
        return b"".join(self.parts(letter))

    def parts(self, letter):
        """The same letter in pieces, most of them the same objects for every reader: whoever can write pieces need not copy them.

        `letter`: as windows.Letter, with `.name` (the delivery's public id, opaque), `.address` and `.reader`.
        """
        reader = letter.reader
        values = {
            "first_name": merge.clean(reader.first_name),
            "last_name": merge.clean(reader.last_name),
            "address": letter.address,
            "letter": letter.name,
            "date": self._now(),
            **links.tokens_of(reader),
        }
        made = [make(values) for make in self.makers]
        pieces = self.pieces.copy()
        for index, number in self.slots:
            pieces[index] = made[number]
        return pieces

    def _now(self):
        """The Date of a letter completed now (RFC 5322 §3.6.1), written anew once a second."""
        second = int(time.time())
        if self._date[0] != second:
            self._date = second, formatdate(second, localtime=settings.EMAIL_USE_LOCALTIME).encode()
        return self._date[1]


# -- Once per process ----------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Practice:
    """What a skeleton takes from the practice's row: with it as a key, other facts make another skeleton."""

    name: str
    phone: str
    sender: str
    reply_mailbox: str


@dataclass(frozen=True)
class _Topic:
    slug: str


def of(compiled, practice, topic, variant=0, *, thorough=False):
    """The Skeleton of a Compiled campaign, made and checked once per process for the same words. Raises SkeletonDiffers.

    `variant`: as Chunk.variant; each has a skeleton of its own. `thorough`: check with every name we could think of, as a launch does.
    """
    facts = _Practice(practice.name, practice.phone, practice.sender, practice.reply_mailbox)
    return _checked(compiled, facts, _Topic(topic.slug), variant, thorough, (settings.SITE_URL, settings.DEFAULT_FROM_EMAIL))


@functools.lru_cache(maxsize=16)
def _checked(compiled, practice, topic, _variant, thorough, _site):
    skeleton = make(compiled, practice, topic)
    skeleton_check.check(skeleton, compiled, practice, topic, thorough=thorough)
    return skeleton


def problem(text, practice, topic):
    """What keeps a CampaignText from being sent though its words are fine, as a sentence; '' when nothing does."""
    try:
        of(content.compiled(text, practice), practice, topic, thorough=True)
    except SkeletonDiffers as differs:
        return str(differs)
    return ""


# -- Compiling -----------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Slot:
    """A place for a reader's own bytes, made by a function of her values; the same key means the same bytes."""

    key: object
    make: Callable


def make(compiled, practice, topic):
    """The Skeleton, unchecked; milliseconds. Raises SkeletonDiffers when Django's letter could not be cut."""
    constant = _constant(practice)
    fill = {
        "subject": _subject(compiled.subject, constant),
        "to": [_Slot("to", _to)],
        "date": [_Slot("date", lambda values: values["date"])],
        "letter": [_Slot("letter", lambda values: values["letter"].encode("ascii"))],
        "unsubscribe": _url_in_head("unsubscribe_url", compiled.language),
        "text": _body(compiled.text, "text", str, constant, compiled.language),
        "html": _body(compiled.html, "html", content.as_html, constant, compiled.language),
    }
    parts = _joined(_cut(*_frame(compiled.language, practice, topic), fill))
    makers = {part.key: part.make for part in parts if isinstance(part, _Slot)}
    numbers = {key: number for number, key in enumerate(makers)}
    slots = [(index, numbers[part.key]) for index, part in enumerate(parts) if isinstance(part, _Slot)]
    return Skeleton([b"" if isinstance(part, _Slot) else part for part in parts], slots, list(makers.values()))


def _constant(practice):
    """The merge fields that are the same for every reader."""
    return {"practice_name": merge.clean(practice.name), "practice_phone": merge.clean(phone_words(practice.phone)) if practice.phone else ""}


def _frame(language, practice, topic):
    """Django's own bytes of the letter, with a mark wherever something is ours to fill in; and the pattern of the marks."""
    nonce = secrets.token_hex(8)  # nobody can guess it, so no word of a practice or a topic can hold it
    message = campaign_letters.assembled(
        content.Filled(subject=f"subject{nonce}", html=f"html{nonce}", text=f"text{nonce}"),
        to=f"to{nonce}@mark.invalid",
        letter=f"letter{nonce}",
        unsubscribe_url=f"unsubscribe{nonce}",
        language=language,
        practice=practice,
        topic=topic,
    )
    message.extra_headers["Date"] = f"date{nonce}"
    built = message.message()
    # `=_` never stands in quoted-printable (RFC 2045 §6.7 says so), and nobody can guess the rest.
    built.set_boundary(f"=_{secrets.token_hex(16)}")
    return built.as_bytes(linesep="\r\n"), re.compile(rf"([a-z]+){nonce}(?:@mark\.invalid)?".encode())


def _cut(frame, mark, fill):
    """`[bytes, _Slot, …]`: the frame with each mark replaced. Each must be there exactly once."""
    parts, at, found = [], 0, []
    for match in mark.finditer(frame):
        found.append(match[1].decode())
        parts += [frame[at : match.start()], *fill.get(found[-1], [])]
        at = match.end()
    if sorted(found) != sorted(fill):
        raise SkeletonDiffers("form")
    return [*parts, frame[at:]]


def _joined(parts):
    """Neighbouring bytes as one, so that a letter is as few pieces as can be."""
    joined = []
    for part in parts:
        if isinstance(part, bytes) and joined and isinstance(joined[-1], bytes):
            joined[-1] += part
        else:
            joined.append(part)
    return joined


# -- The head ------------------------------------------------------------------------------------------------------------------------------


def _to(values):
    address = values["address"]
    if not _is_address(address):
        raise ValueError("This address can't stand in a letter's head.")
    first, last = values["first_name"], values["last_name"]
    name = f"{first} {last}" if first and last else first or last
    return headers.mailbox(name, address, room=headers.LINE - len("To: ")).encode("ascii")


def _subject(subject, constant):
    """The subject's value: once for all, or for each reader where a name stands in it."""
    parts = merge.cut(subject)

    def written(values):
        words = merge.clean("".join(part if isinstance(part, str) else merge.value_of(*part, values) for part in parts))
        return headers.unstructured(words, room=headers.LINE - len("Subject: ")).encode("ascii")

    parts = [part if isinstance(part, str) or part[0] not in constant else merge.value_of(*part, constant) for part in parts]
    if all(isinstance(part, str) for part in parts):
        return [written(constant)]
    return [_Slot("subject", written)]


def _url_in_head(name, language):
    before, after = (part.encode("ascii") for part in links.around(name, language))
    return [before, _Slot(("token", name), lambda values: values[name].encode("ascii")), after]


# -- The bodies ----------------------------------------------------------------------------------------------------------------------------


def _body(parts, kind, escaped, constant, language):
    """A body's bytes and slots. `parts`: as in Compiled; `escaped`: how a value is written in this `kind` of body."""
    return _quoted(list(_flat(parts, kind, escaped, constant, language)))


def _flat(parts, kind, escaped, constant, language):
    """Text and slots; what is the same for all readers, a link's beginning and end included, is text."""
    for part in parts:
        if isinstance(part, str):
            yield part
            continue
        name, default = part
        if merge.FIELDS[name].is_url:
            before, after = links.around(name, language)
            yield escaped(before)
            yield _Slot(("quoted token", name), lambda values, name=name: quoted.long_word(values[name]))
            yield escaped(after)
        elif name in constant:
            yield escaped(merge.value_of(name, default, constant))
        else:
            yield _Slot((kind, name, default), _name(name, default, escaped))


def _name(name, default, escaped):
    instead = merge.value_of(name, default, {name: ""})
    return lambda values: _written(values[name] or instead, escaped)


@functools.lru_cache(maxsize=1024)
def _written(value, escaped):
    """A name stands in a letter many times, and the same names come again and again."""
    return quoted.piece(escaped(value))


def _quoted(parts):
    """Neighbouring texts as one quoted-printable piece; the last one isn't followed by another, so nothing has to end it."""
    found, text = [], ""
    for part in parts:
        if isinstance(part, str):
            text += part
        else:
            found += [quoted.piece(text), part]
            text = ""
    return [*found, quoted.last_piece(text)]
