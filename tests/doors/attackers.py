"""What comes in from the net and means no good: slow bodies, and bodies that are too large."""

import contextlib
import socket
import threading
import time

from .conftest import anybodys_certificate

MEGABYTE = 1_000_000


def connect(port, tls=True):
    plain = socket.create_connection(("127.0.0.1", port), 10)
    return anybodys_certificate().wrap_socket(plain, server_hostname="localhost") if tls else plain


@contextlib.contextmanager
def slow_bodies(port, number):
    """So many visitors who send a form one letter in half a second, until the block is left."""
    told = "Content-Length: 100000\r\nContent-Type: application/x-www-form-urlencoded"
    head = _head(port, "/newsletter/subscribe/", told) + b"email="
    visitors = [connect(port) for _ in range(number)]
    for visitor in visitors:
        visitor.sendall(head)
    enough = threading.Event()

    def go_on():
        while not enough.wait(0.5):
            for visitor in visitors:
                with contextlib.suppress(OSError):
                    visitor.send(b"x")

    writer = threading.Thread(target=go_on)
    writer.start()
    try:
        yield
    finally:
        enough.set()
        writer.join()
        for visitor in visitors:
            visitor.close()


def send_file(port, path, megabytes, *, tls=True, chunked=False):
    """Send a form with a file of that size until it is all out, or the other side has had enough.

    Returns its status, None when it only hung up, and how many bytes went out.
    """
    connection = connect(port, tls)
    start = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    length = "Transfer-Encoding: chunked" if chunked else f"Content-Length: {megabytes * MEGABYTE + len(start)}"
    head = _head(port, path, f"{length}\r\nContent-Type: multipart/form-data; boundary=x")
    sent = 0
    block = b"x" * 100_000
    if chunked:
        start, block = (b"%x\r\n%s\r\n" % (len(part), part) for part in (start, block))
    with contextlib.closing(connection):
        try:
            connection.sendall(head + start)
            while sent < megabytes * MEGABYTE:
                connection.sendall(block)
                sent += len(block)
                if answered := _answer(connection):
                    return answered, sent
            connection.sendall(b"0\r\n\r\n" if chunked else b"")
        except OSError:
            pass
        return _answer(connection, 10), sent


def _head(port, path, told):
    """Of a form's request that Django reads to the end: it has the cookie and the origin, and only the token in it will be wrong."""
    host = f"localhost:{port}"
    lines = [
        f"POST {path} HTTP/1.1",
        f"Host: {host}",
        f"Origin: https://{host}",
        "X-Forwarded-Proto: https",
        f"Cookie: __Host-csrftoken={'x' * 32}",
        told,
    ]
    return "\r\n".join([*lines, "", ""]).encode()


def _answer(connection, seconds=0.0001):
    """The status the other side has answered with, or None when it hasn't, or has hung up."""
    connection.settimeout(seconds)
    try:
        return int(connection.recv(4096).split(b" ")[1])
    except (OSError, IndexError, ValueError):
        return None
    finally:
        connection.settimeout(10)


def slowest(ask, times=5):
    """How long the slowest of so many visits took, in seconds."""
    took = []
    for _ in range(times):
        began = time.monotonic()
        ask()
        took.append(time.monotonic() - began)
    return max(took)
