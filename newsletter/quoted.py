"""Quoted-printable (RFC 2045 §6.7) in pieces that can be put side by side: each is encoded alone and begins on a line of its own.

A piece that something follows ends with a soft line break, `=` and CRLF, which decodes to nothing. So whatever stands beside it, no line gets
longer than 76 characters. No line begins with a dot either: SMTP would have it doubled (RFC 5321 §4.5.2), and a piece would not be safe to
hand over as it is. Nor with “From ”, to which some programs add a “>”.
"""

import re
from binascii import b2a_qp

_LONGEST = 73  # without the `=` of a soft break, and the two characters more of a “=46rom ”
_SOFT = "=\r\n"

_NEWLINE = re.compile(r"\r\n|\r|\n")

_OF_BYTE = [chr(byte) if byte in b"\t " or 33 <= byte <= 126 and byte != ord("=") else f"={byte:02X}" for byte in range(256)]


def piece(text):
    """The encoded piece, ready for another to follow it."""
    short = b2a_qp(text.encode(), istext=True)  # in C, but without our rules for the beginning and the end of a line
    if 0 < len(short) <= _LONGEST and not short.startswith((b".", b"From ")) and b"\n" not in short and b"\r" not in short:
        return short + _SOFT.encode()
    encoded = last_piece(text)
    return encoded if not encoded or encoded.endswith(b"\r\n") else encoded + _SOFT.encode()


def last_piece(text):
    """The encoded piece that nothing follows."""
    return "\r\n".join(map(_line, _NEWLINE.split(text))).encode()


def _line(text):
    units = [_OF_BYTE[byte] for byte in text.encode()]
    if units and units[-1] in {" ", "\t"}:
        units[-1] = f"={ord(units[-1]):02X}"
    lines, line = [], ""
    for unit in units:
        if len(line) + len(unit) > _LONGEST:
            lines.append(_begun(line))
            line = ""
        line += unit if line or unit != "." else "=2E"
    return _SOFT.join([*lines, _begun(line)])


def _begun(line):
    return f"=46{line[1:]}" if line.startswith("From ") else line


def long_word(word):
    """The piece of a word without `=`, dot or blank, such as a link's token."""
    if len(word) <= 2 * _LONGEST:
        return f"{word[:_LONGEST]}{_SOFT}{word[_LONGEST:]}{_SOFT}".encode("ascii")
    return _SOFT.join([*(word[at : at + _LONGEST] for at in range(0, len(word), _LONGEST)), ""]).encode("ascii")
