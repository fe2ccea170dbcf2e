"""How much a sink can take: the same bytes again and again over a few sockets, pipelined as our carrier does it, with nothing else to do.

python -m tests.benchmarks._raw_sender PORT LETTERS SIZE [--connections N] [--chunking]
"""

import argparse
import socket
import time


def send(port, letters, size, connections, chunking):
    """Seconds it took."""
    line = b"x" * 70 + b"\r\n"
    body = line * (size // len(line))
    envelope = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
    if chunking:
        step, expected = envelope + b"BDAT %d LAST\r\n" % len(body) + body, 3
        first = None
    else:
        first = envelope + b"DATA\r\n"
        step, expected = body + b".\r\n" + first, 4
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
    for sock in sockets:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        _lines(sock, 1)
        sock.sendall(b"EHLO bench\r\n")
        _lines(sock, 4 if chunking else 3)
        if first:
            sock.sendall(first)
            _lines(sock, 3)
    began = time.perf_counter()
    for _round in range(letters // connections):
        for sock in sockets:
            sock.sendall(step)
        for sock in sockets:
            _lines(sock, expected)
    seconds = time.perf_counter() - began
    for sock in sockets:
        sock.close()
    return seconds


def _lines(sock, count):
    while count > 0:
        count -= sock.recv(65536).count(b"\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("port", type=int)
    parser.add_argument("letters", type=int)
    parser.add_argument("size", type=int)
    parser.add_argument("--connections", type=int, default=8)
    parser.add_argument("--chunking", action="store_true")
    options = parser.parse_args()
    print(send(options.port, options.letters, options.size, options.connections, options.chunking))


if __name__ == "__main__":
    main()
