"""SMTP replies out of whatever pieces the network delivers them in (RFC 5321 §4.2)."""

#: Longer than any honest server's (RFC 5321 §4.5.3.1.5 asks for 512), as smtplib has it.
LONGEST_LINE = 8192
MOST_LINES = 100


class Replies:
    """Bytes in, whole replies out. After `garbage` is set nothing more can be understood."""

    __slots__ = ("_tail", "_text", "garbage")

    def __init__(self):
        self._tail = b""
        self._text = []
        self.garbage = False

    @property
    def unfinished(self):
        return bool(self._tail or self._text)

    def feed(self, data):
        """`[(code, text), …]`: the replies that these bytes complete. Lines may end with a bare LF."""
        *lines, self._tail = (self._tail + data).split(b"\n")
        found = []
        for line in lines:
            code, mark = line[:3], line[3:4]
            if not (len(code) == 3 and code.isdigit() and mark in b" -\r" and b"200" <= code < b"600" and len(line) <= LONGEST_LINE):
                self.garbage = True
                return found
            if mark == b"-":
                self._text.append(line[4:].strip())
                continue
            text = line[4:]
            if self._text:
                text = b"\n".join([*self._text, text])
                self._text = []
            found.append((int(code), text))
        self.garbage = len(self._tail) > LONGEST_LINE or len(self._text) > MOST_LINES
        return found
