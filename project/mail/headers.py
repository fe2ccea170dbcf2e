"""People's words in a letter's head, as ASCII that any reader's program turns back into the same words (RFC 5322 §3.2, RFC 2047).

Newsletters put their letters together from prepared bytes and call these functions; all other letters take HEAD as their policy.
"""

import base64
import re
from email.policy import Compat32

#: RFC 5322 §2.1.1: lines should be no longer, and must not pass 998.
LINE = 78

#: Bytes in one encoded-word: 39 make 52 of base64, 64 with `=?utf-8?b?…?=`. A line with one may have 76 characters (RFC 2047 §2), the first
#: with its header's name.
_PIECE = 39

_WORDS = re.compile(r" *[^ ]+(?: +$)?").findall

_FOLD = re.compile(r"\r?\n(?=[ \t])")

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+(?: [A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]+)*").fullmatch


def mailbox(name, address, *, room=LINE):
    """`name <address>`, folded by itself when it is longer than `room`. `name` has no control characters, and its blanks are single."""
    if not name:
        return address
    words = phrase(name)
    fits = len(words) + len(address) + 3 <= room
    return f"{words} <{address}>" if fits else f"{words}\r\n <{address}>"


def phrase(name):
    """A display name: as it is, in quotes, or in encoded-words, where it holds more than ASCII, looks like one or would make a long line."""
    if _is_plain(name):
        written = name if _ATOMS(name) else '"' + name.replace("\\", r"\\").replace('"', r"\"") + '"'
        if len(written) <= LINE - len("Reply-To: "):
            return written
    return "\r\n ".join(encoded_words(name))


def unstructured(words, *, room=LINE):
    """A one-line text, such as a subject: folded at its blanks, or in encoded-words where it holds more than ASCII, looks like one or has a
    word too long for a line. `room`: what is left of the first line."""
    lines = _lines(words, room) if _is_plain(words) else []
    fits = lines and len(lines[0]) <= room and max(map(len, lines)) <= LINE
    return "\r\n".join(lines) if fits else "\r\n ".join(encoded_words(words))


def _is_plain(words):
    """An ASCII `=?` may be taken for the beginning of an encoded-word, so it does not count as plain."""
    return words.isascii() and words.isprintable() and "=?" not in words


def _lines(words, room):
    """Lines to be joined by CRLF, each but the first with the blanks it begins with. None is empty, the first least of all: Python's parser,
    for one, takes a value that begins on the second line to begin with a blank. A word too long for its line stands there all the same.
    """
    if len(words) <= room:
        return [words]
    lines, line = [], ""
    for word in _WORDS(words):
        if line and len(line) + len(word) > (LINE if lines else room):
            lines.append(line)
            line = word
        else:
            line += word
    return [*lines, line]


def unfolded(value):
    """A header's value on one line again (RFC 5322 §2.2.3)."""
    return _FOLD.sub("", value)


class _Head(Compat32):
    """Python's older policy, the one Django's messages keep, but for how it folds: that leaves a first line empty before a long word."""

    def fold(self, name, value):
        lines = _lines(unfolded(str(value)), LINE - len(f"{name}: "))
        return f"{name}: {self.linesep.join(lines)}{self.linesep}"

    def fold_binary(self, name, value):
        return self.fold(name, value).encode("ascii")


#: For a message whose headers are ASCII already, as Django's are.
HEAD = _Head()


def encoded_words(words):
    """The text in encoded-words of at most 75 characters, none of which ends inside a character (RFC 2047 §5)."""
    data = words.encode()
    found, begin = [], 0
    while begin < len(data):
        end = begin + _PIECE
        while end < len(data) and data[end] & 0xC0 == 0x80:
            end -= 1
        found.append(f"=?utf-8?b?{base64.b64encode(data[begin:end]).decode()}?=")
        begin = end
    return found
