"""Mail servers and providers that fail in every way, on loopback, for as long as a `with` block lasts."""

import contextlib
import socket
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROP, HANG = "drop", "hang"


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False


@contextlib.contextmanager
def _serving(server):
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


@contextlib.contextmanager
def smtp(**script):
    """An SMTP server that answers as the script says: `smtp(RCPT="550 5.1.1 nobody", DOT=DROP)`; else it agrees to everything.

    Words are HELLO (the greeting), EHLO, AUTH, MAIL, RCPT, DATA and DOT (after the letter). Yields its port and the letters it took.
    """
    taken = []

    class Handler(socketserver.StreamRequestHandler):
        def say(self, word, otherwise):
            answer = script.get(word, otherwise)
            if answer == HANG:
                time.sleep(2)
            if answer in {DROP, HANG}:
                self.request.shutdown(socket.SHUT_RDWR)
                raise ConnectionAbortedError
            self.wfile.write(answer.encode() + b"\r\n")

        def handle(self):
            with contextlib.suppress(OSError):
                self.say("HELLO", "220 hello")
                while line := self.rfile.readline():
                    word = line.split()[0].decode().upper()
                    match word:
                        case "EHLO":
                            self.say("EHLO", "250-here\r\n250-SIZE 1000000\r\n250 AUTH PLAIN")
                        case "DATA":
                            self.say("DATA", "354 go on")
                            if script.get("DATA", "354").startswith("354"):
                                self.letter()
                        case "QUIT":
                            return self.say("QUIT", "221 bye")
                        case _:
                            self.say(word, "235 in" if word == "AUTH" else "250 yes")

        def letter(self):
            if script.get("LETTER") == DROP:
                self.rfile.readline()
                self.say("LETTER", "")
            lines = list(iter(self.rfile.readline, b".\r\n"))
            if script.get("DOT", "250")[:3] == "250" or script["DOT"] in (DROP, HANG):
                taken.append(b"".join(lines))
            self.say("DOT", "250 taken")

    with _serving(_Threads(("127.0.0.1", 0), Handler)) as server:
        yield server.server_address[1], taken


@contextlib.contextmanager
def http(answer):
    """A provider's API that gives one answer: `(status, headers, body)`, DROP after the request, or HANG. Yields its port and the requests."""
    requests = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            requests.append((self.path, dict(self.headers), body))
            if answer == HANG:
                time.sleep(2)
            if answer in (DROP, HANG):
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers, content = answer
            self.send_response(status)
            for name, value in ({"Content-Length": str(len(content)), "Content-Type": "application/json"} | headers).items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, *arguments):
            pass

    class Server(ThreadingHTTPServer):
        block_on_close = False
        daemon_threads = True

        def handle_error(self, request, client_address):
            pass

    with _serving(Server(("127.0.0.1", 0), Handler)) as server:
        yield server.server_address[1], requests
