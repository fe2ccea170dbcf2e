"""An SMTP server that takes every letter and keeps none: one process, one thread, epoll, as little work per letter as Python can do.

    python -m tests.benchmarks._sink PORT [--host HOST] [--chunking] [--delay MS] [--record FILE]

It speaks EHLO with PIPELINING and 8BITMIME, and CHUNKING (BDAT, RFC 3030) where asked for; no TLS, no AUTH. `--delay` keeps every batch of
replies back for so long, as a network and a busy server would. `--record` writes down every accepted recipient, one a line, so that nobody can
be lost or doubled unseen. It ends on SIGTERM.
"""

import argparse
import collections
import contextlib
import select
import signal
import socket
import time

_END = b"\r\n.\r\n"
_BUFFER = 1 << 18


class Connection:
    """One client: what of its command, letter or chunk has come, and what it is told."""

    __slots__ = ("bdat", "ends", "in_data", "last", "recipients", "replies", "rest", "sink", "socket", "waiting")

    def __init__(self, sink, sock):
        self.sink, self.socket = sink, sock
        self.rest, self.in_data, self.bdat, self.last, self.ends = b"", False, 0, False, False
        self.recipients, self.replies, self.waiting = [], [], b""

    def feed(self, data):
        """Work through what has come. Replies are gathered, to leave together."""
        if self.rest:
            data, self.rest = self.rest + data, b""
        at, size = 0, len(data)
        while at < size:
            if self.in_data:
                at = self._through_data(data, at)
            elif self.bdat:
                at = self._through_chunk(size, at)
            else:
                end = data.find(b"\r\n", at)
                if end < 0:
                    self.rest = data[at:]
                    break
                self._command(data[at:end])
                # The line's end stays in front of a letter: a dot alone may be its first line.
                at = end if self.in_data else end + 2
        replies, self.replies = self.replies, []
        return b"".join(replies)

    def _through_data(self, data, at):
        end = data.find(_END, at)
        if end < 0:
            self.rest = data[max(at, len(data) - 4) :]  # the end may have come in part
            return len(data)
        self.in_data = False
        self._accept()
        return end + 5

    def _through_chunk(self, size, at):
        here = min(self.bdat, size - at)
        self.bdat -= here
        if not self.bdat:
            self._chunk_ends()
        return at + here

    def _chunk_ends(self):
        if self.last:
            self._accept()
        else:
            self.replies.append(b"250 2.0.0 more\r\n")

    def _accept(self):
        self.sink.accept(self.recipients)
        self.recipients = []
        self.replies.append(b"250 2.0.0 taken\r\n")

    def _command(self, line):
        verb = line[:4].upper()
        if verb == b"RCPT":
            self.recipients.append(line[line.find(b"<") + 1 : line.find(b">")])
            self.replies.append(b"250 2.1.5 ok\r\n")
        elif verb == b"DATA":
            self.in_data = True
            self.replies.append(b"354 go\r\n")
        elif verb == b"BDAT" and self.sink.chunking:
            words = line.split()
            self.bdat, self.last = int(words[1]), len(words) > 2
            if not self.bdat:
                self._chunk_ends()
        elif verb == b"EHLO":
            self.replies.append(self.sink.greeting)
        elif verb == b"QUIT":
            self.ends = True
            self.replies.append(b"221 2.0.0 bye\r\n")
        elif verb in {b"MAIL", b"NOOP", b"RSET", b"HELO"}:
            self.recipients = []
            self.replies.append(b"250 2.1.0 ok\r\n")
        else:
            self.replies.append(b"502 5.5.1 unknown\r\n")


class Sink:
    def __init__(self, host, port, *, chunking=False, delay=0.0, record=None):
        self.chunking, self.delay, self.record = chunking, delay, record
        self.greeting = b"250-sink\r\n250-PIPELINING\r\n" + (b"250-CHUNKING\r\n" if chunking else b"") + b"250 8BITMIME\r\n"
        self.listener = socket.create_server((host, port), backlog=1024)
        self.listener.setblocking(False)
        self.poll = select.epoll()
        self.poll.register(self.listener, select.EPOLLIN)
        self.connections, self.later = {}, collections.deque()
        self.letters, self.stopped = 0, False
        self._buffer = bytearray(_BUFFER)
        self._view = memoryview(self._buffer)

    def accept(self, recipients):
        self.letters += 1
        if self.record:
            self.record.write(b"\n".join(recipients) + b"\n")

    def run(self):
        """Until `stop`."""
        try:
            self._until_stopped()
        finally:
            for connection in list(self.connections.values()):
                self._close(connection)
            self.listener.close()
            self.poll.close()

    def _until_stopped(self):
        while not self.stopped:
            timeout = max(self.later[0][0] - time.monotonic(), 0) if self.later else 0.5
            for number, events in self.poll.poll(timeout):
                if number == self.listener.fileno():
                    self._welcome()
                elif number in self.connections:
                    self._serve(self.connections[number], events)
            while self.later and self.later[0][0] <= time.monotonic():
                _when, connection, replies = self.later.popleft()
                self._send(connection, replies)

    def stop(self, *_signal):
        self.stopped = True

    def _welcome(self):
        with contextlib.suppress(BlockingIOError):
            while True:
                sock, _address = self.listener.accept()
                sock.setblocking(False)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                self.connections[sock.fileno()] = connection = Connection(self, sock)
                self.poll.register(sock, select.EPOLLIN)
                self._reply(connection, b"220 sink ESMTP\r\n")

    def _serve(self, connection, events):
        if events & select.EPOLLOUT:
            self._send(connection, b"")
        if not events & (select.EPOLLIN | select.EPOLLHUP):
            return
        try:
            size = connection.socket.recv_into(self._buffer)
        except BlockingIOError:
            return
        except OSError:
            size = 0
        if not size:
            self._close(connection)
            return
        if connection.bdat > size and not connection.rest:  # all of it lies inside a chunk
            connection.bdat -= size
            return
        replies = connection.feed(bytes(self._view[:size]))
        if replies:
            self._reply(connection, replies)

    def _reply(self, connection, replies):
        if self.delay:
            self.later.append((time.monotonic() + self.delay, connection, replies))
        else:
            self._send(connection, replies)

    def _send(self, connection, replies):
        if connection.socket.fileno() < 0:
            return
        waiting = connection.waiting + replies
        try:
            sent = connection.socket.send(waiting)
        except BlockingIOError:
            sent = 0
        except OSError:
            self._close(connection)
            return
        connection.waiting = waiting[sent:]
        if connection.waiting or len(waiting) > len(replies):
            wanted = select.EPOLLIN | (select.EPOLLOUT if connection.waiting else 0)
            self.poll.modify(connection.socket, wanted)
        if connection.ends and not connection.waiting:
            self._close(connection)

    def _close(self, connection):
        number = connection.socket.fileno()
        if number >= 0:
            self.poll.unregister(number)
            del self.connections[number]
            connection.socket.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--chunking", action="store_true")
    parser.add_argument("--delay", type=float, default=0, metavar="MS")
    parser.add_argument("--record", metavar="FILE")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        record = stack.enter_context(open(options.record, "wb", 1 << 20)) if options.record else None
        sink = Sink(options.host, options.port, chunking=options.chunking, delay=options.delay / 1000, record=record)
        signal.signal(signal.SIGTERM, sink.stop)
        signal.signal(signal.SIGINT, sink.stop)
        sink.run()


if __name__ == "__main__":
    main()
