"""One connection with letters under way on it: what has been written, and what each reply to come will be about."""

import contextlib
import re
import smtplib
import socket
import ssl
import time
from collections import deque
from enum import Enum

from .replies import Replies

# What a reply will be about.
MAIL, RCPT, DATA, DOT, LAST, LONE_DOT, RSET, NOOP = range(8)

_CONTROL = re.compile(rb"[\x00-\x1f\x7f]").search
_LEADING_DOT = re.compile(rb"(?m)^\.")

#: sendmsg takes at most 1024 pieces (IOV_MAX).
_MOST_PIECES = 512

#: With so much written that the other side has not read, nothing more is begun here.
MOST_UNREAD = 512 * 1024


def _dots_doubled(pieces):
    """RFC 5321 §4.5.2. `(pieces, their size)`."""
    body = _LEADING_DOT.sub(b"..", b"".join(pieces))
    return [body], len(body)


class Way(Enum):
    """How letters go over a connection."""

    STEP = "step"  # every command waits for its answer
    CHAIN = "chain"  # a letter and the next one's commands in one write (RFC 2920): one round trip per letter
    CHUNK = "chunk"  # whole letters one behind the other (RFC 3030 over RFC 2920)


class Job:
    """One letter to hand over.

    `item`: the caller's own. `body`: pieces, the last of which ends with CRLF. `plain`: seven-bit, and no line begins with a dot. `moves`: how
    often its connection was lost before anything was said of it.
    """

    __slots__ = (
        "answered",
        "body",
        "end",
        "heard",
        "item",
        "moves",
        "plain",
        "recipients",
        "refusals",
        "refused",
        "sender",
        "size",
        "start",
        "taken",
    )

    def __init__(self, item, sender, recipients, body, *, plain):
        if _CONTROL(sender) or any(map(_CONTROL, recipients)):
            raise ValueError("A control character in an address.")
        self.item, self.sender, self.recipients, self.body, self.plain = item, sender, recipients, body, plain
        self.size = sum(map(len, body))
        self.moves = 0
        self.forget()

    def forget(self):
        """As if it had never been on a connection."""
        self.answered = False  # whether MAIL was accepted
        self.heard = self.taken = 0  # recipients that were answered, and accepted
        self.refused = None  # the Outcome of the first refusal
        self.refusals = None  # {address: Outcome}
        self.start = self.end = 0  # where its body lies in all that its lane writes

    def refuse_recipient(self, outcome):
        self.refusals = (self.refusals or {}) | {self.recipients[self.heard]: outcome}
        self.refused = self.refused or outcome
        self.heard += 1


class Lane:
    """A connection that smtplib has opened, now without blocking. What it is given is written by `flush`, as far as it goes.

    `slot`: the letter whose DATA has not been answered yet, or was answered by 354 (`held`) while its body was not written. `told`: the server
    said 421, so it heeds nothing that came after. `shut`: nothing new is begun here.
    """

    __slots__ = (
        *("accepted", "connection", "dirty", "eight_bit", "held", "load", "measured", "out", "queued", "replies", "sent", "shut", "since"),
        *("slot", "sock", "steps", "tls", "told", "used", "watched", "way"),
    )

    def __init__(self, connection):
        self.connection, self.sock = connection, connection.sock
        self.sock.setblocking(False)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # a letter's last packet must not wait for an ACK
        self.tls = isinstance(self.sock, ssl.SSLSocket)
        pipelining, chunking = connection.has_extn("pipelining"), connection.has_extn("chunking")
        self.way = Way.CHUNK if pipelining and chunking else Way.CHAIN if pipelining else Way.STEP
        self.eight_bit, self.measured = connection.has_extn("8bitmime"), connection.has_extn("size")
        self.replies = Replies()
        self.steps = deque()  # (what, Job or None), one for each reply to come
        self.out = []
        self.queued = self.sent = 0  # bytes, ever
        self.accepted = self.load = 0  # letters: ever; under way now
        self.slot = None
        self.dirty = self.held = self.told = self.shut = self.watched = False
        self.since = self.used = time.monotonic()

    # -- Saying --------------------------------------------------------------------------------------------------------------------------

    def _put(self, pieces, size):
        if not self.steps:
            self.since = time.monotonic()
        self.out += pieces
        self.queued += size

    def ask(self, command, step, job=None):
        """One command, whose answer it waits for."""
        self._put([command], len(command))
        self.steps.append((step, job))

    def begin(self, job):
        """Its commands, in as few writes as this server allows."""
        self.load += 1
        dirty, self.dirty = self.dirty, self.way is Way.CHUNK  # RFC 3030 §2: after a BDAT that failed nothing goes but RSET
        if self.way is Way.STEP:
            self.slot = job
            self.ask(b"RSET\r\n" if dirty else self.mail(job), RSET if dirty else MAIL, job)
            return
        if dirty:  # after a refusal a server may still think itself amid the old letter
            self.ask(b"RSET\r\n", RSET)
        recipients = [b"RCPT TO:<%b>\r\n" % address for address in job.recipients]
        last = b"BDAT %d LAST\r\n" % job.size if self.way is Way.CHUNK else b"DATA\r\n"
        commands = b"".join([self.mail(job), *recipients, last])
        self._put([commands], len(commands))
        steps = self.steps
        steps.append((MAIL, job))
        for _address in recipients:
            steps.append((RCPT, job))
        if self.way is Way.CHUNK:
            self._write_body(job, job.body, job.size)
            steps.append((LAST, job))
        else:
            steps.append((DATA, job))
            self.slot = job

    def mail(self, job):
        options = b""
        if not job.plain:
            if self.measured:
                options += b" SIZE=%d" % job.size
            if self.eight_bit and not all(piece.isascii() for piece in job.body):
                options += b" BODY=8BITMIME"
        return b"MAIL FROM:<%b>%b\r\n" % (job.sender, options)

    def next_step(self, job):
        """Without pipelining: what comes after a good answer."""
        if job.heard < len(job.recipients):
            self.ask(b"RCPT TO:<%b>\r\n" % job.recipients[job.heard], RCPT, job)
        else:
            self.ask(b"DATA\r\n", DATA, job)

    def say_letter(self):
        """The body of the letter in the slot, and the final dot."""
        job, self.slot, self.held = self.slot, None, False
        body, size = (job.body, job.size) if job.plain else _dots_doubled(job.body)
        self._write_body(job, [*body, b".\r\n"], size + 3)
        self.steps.append((DOT, job))

    def say_nothing(self):
        """354 though nobody is to have it: the dot alone ends it (RFC 2920 §3.1)."""
        job, self.slot = self.slot, None
        self.ask(b".\r\n", LONE_DOT, job)

    def _write_body(self, job, pieces, size):
        job.start = self.queued
        self._put(pieces, size)
        job.end = self.queued

    # -- Writing -------------------------------------------------------------------------------------------------------------------------

    def flush(self):
        """Write what the socket takes. Once it is broken nothing more is written, and only what it had answered before is read."""
        was_waiting = self.watched
        try:
            while self.out:
                self._written(self._write())
        except (BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            return
        except OSError:
            self.stop_writing()
        if was_waiting:
            self.since = time.monotonic()

    def _write(self):
        if not self.tls:
            return self.sock.sendmsg(self.out[:_MOST_PIECES])
        if len(self.out) > 1:
            self.out = [b"".join(self.out)]
        return self.sock.send(self.out[0])

    def _written(self, count):
        self.sent += count
        out = self.out
        if self.sent == self.queued:
            out.clear()
            return
        done = 0
        while done < len(out) and count >= len(out[done]):
            count -= len(out[done])
            done += 1
        del out[:done]
        if count:
            out[0] = memoryview(out[0])[count:]

    def stop_writing(self):
        self.out = []
        self.shut = True

    # -- What has become of a letter here ------------------------------------------------------------------------------------------------

    @property
    def jobs(self):
        """The letters under way here, the oldest first."""
        found = dict.fromkeys(job for _what, job in self.steps if job)
        if self.slot:
            found[self.slot] = None
        return list(found)

    def has_left(self, job):
        """All of it, with its end, is out of our hands."""
        return 0 < job.end <= self.sent

    def has_begun(self, job):
        return job.answered or (job.end > 0 and job.start < self.sent)

    @property
    def open(self):
        return self.sock is not None

    def close(self):
        self.sock = None
        with contextlib.suppress(OSError, smtplib.SMTPException):  # it is gone already
            self.connection.close()
