"""Mail servers and providers that fail in every way, on loopback, for as long as a `with` block lasts."""

import collections
import contextlib
import socket
import socketserver
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

DROP, HANG, DRIP = "drop", "hang", "drip"


class _Threads(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


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


class _SmtpSession(socketserver.StreamRequestHandler):
    """One connection of `smtp()`. As strict as RFC 5321 and RFC 3030: one letter at a time, after a failed BDAT nothing but RSET."""

    disable_nagle_algorithm = True

    def setup(self):
        super().setup()
        self.secure, self.accepted = False, 0
        if self.server.tls_at_once:
            self.encrypt()
        self.forget()

    def encrypt(self):
        self.request = self.connection = self.server.tls.wrap_socket(self.request, server_side=True)
        self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
        self.secure = True

    def finish(self):
        super().finish()
        if self.secure:
            self.request.close()  # the socket that TLS took over from the server's

    def forget(self):
        self.sender = self.failed = False
        self.recipients = []
        self.address = ""

    def handle(self):
        with contextlib.suppress(OSError, ValueError):
            self.say("HELLO", "220 hello")
            while line := self.rfile.readline():
                word, _, rest = line.decode("latin-1").strip().partition(" ")
                getattr(self, f"on_{word.lower()}", self.on_other)(word.upper(), rest)
        with contextlib.suppress(OSError):
            self.request.shutdown(socket.SHUT_RDWR)

    # -- Answers -------------------------------------------------------------------------------------------------------------------------

    def say(self, word, otherwise):
        """Answer as the script has it; the code of that answer."""
        answer = self.scripted(word) or otherwise
        self.speak(answer)
        return answer[0][:3] if isinstance(answer, tuple) else answer[:3]

    def scripted(self, word):
        with self.server.lock:
            nth = self.server.counts[word]
            self.server.counts[word] += 1
        answer = self.server.script.get(word)
        return answer(nth, self.address) if callable(answer) else answer

    def speak(self, answer):
        for part in answer if isinstance(answer, tuple) else (answer,):
            if part == HANG:
                self.server.released.wait(2)
            if part == DRIP:
                self.drip()
            if part in {DROP, HANG, DRIP}:
                raise ConnectionAbortedError
            self.put(part)

    def put(self, text):
        ends = self.server.ends
        data = text.replace("\r\n", "\n").replace("\n", ends).encode() + ends.encode()
        for piece in [data[i : i + 1] for i in range(len(data))] if self.server.pieces else [data]:
            self.wfile.write(piece)

    def drip(self):
        for _part in range(40):
            self.wfile.write(b"250-still at it\r\n")
            if self.server.released.wait(0.05):
                return

    # -- Commands ------------------------------------------------------------------------------------------------------------------------

    def on_other(self, word, rest):
        self.say(word, "250 yes")

    def on_ehlo(self, word, rest):
        offers = ["here", *self.server.offers, "SIZE 1000000"]
        if self.server.tls and not self.secure:
            offers.append("STARTTLS")
        self.say(word, "".join(f"250-{offer}\r\n" for offer in offers) + "250 AUTH PLAIN")

    def on_starttls(self, word, rest):
        if self.say(word, "220 go ahead") == "220":
            self.encrypt()

    def on_auth(self, word, rest):
        self.say(word, "235 in")

    def on_quit(self, word, rest):
        self.say(word, "221 bye")
        raise ConnectionAbortedError

    def on_rset(self, word, rest):
        self.forget()
        self.say(word, "250 forgotten")

    def on_mail(self, word, rest):
        if self.server.most is not None and self.accepted >= self.server.most:
            self.speak(("421 4.7.0 enough letters for one connection", DROP))
        amid = self.sender or self.failed
        self.sender = self.say(word, "503 5.5.1 RSET first" if amid else "250 yes") == "250" or amid

    def on_rcpt(self, word, rest):
        self.address = rest.partition("<")[2].partition(">")[0]
        if self.say(word, "250 yes" if self.sender else "503 5.5.1 MAIL first") in {"250", "251"}:
            self.recipients.append(self.address)

    def on_data(self, word, rest):
        otherwise = "354 go on" if self.recipients or self.server.lenient else "554 5.5.1 nobody to send it to"
        if self.say(word, otherwise) == "354":
            self.cut_off(self.rfile.readline)
            self.judge(b"".join(iter(self.rfile.readline, b".\r\n")))
            self.forget()

    def on_bdat(self, word, rest):
        size = int(rest.split()[0])
        self.cut_off(lambda: self.rfile.read(size // 2))
        letter = self.rfile.read(size)
        if len(letter) < size:
            raise ConnectionAbortedError
        self.failed = True  # until we know better
        if self.judge(letter):
            self.forget()

    def cut_off(self, read):
        if self.server.script.get("LETTER") == DROP:
            read()
            raise ConnectionAbortedError

    def judge(self, letter):
        """Answer a whole letter. What gets 250, or no answer at all, was taken."""
        if not self.recipients:
            return self.put("554 5.5.1 nobody to send it to")
        answer = self.scripted("DOT") or "250 taken"
        taken = answer[:3] == "250" or answer in {DROP, HANG, DRIP}
        if taken:
            self.accepted += 1
            self.server.taken.append(letter)
        self.speak(answer)
        return taken


@contextlib.contextmanager
def smtp(*, offers=(), tls=None, tls_at_once=False, most=None, lenient=False, ends="\r\n", pieces=False, **script):
    """An SMTP server that answers as the script says: `smtp(RCPT="550 5.1.1 nobody", DOT=DROP)`; else it agrees to everything.

    Words are HELLO (the greeting), EHLO, STARTTLS, AUTH, MAIL, RCPT, DATA and DOT (after the letter, by DATA or BDAT); LETTER=DROP hangs up
    amid it. An answer is text, several lines perhaps; DROP, HANG or DRIP; several of these in a tuple; or a function of how often that word was
    said before and of the recipient, which may return None. `offers`: PIPELINING, CHUNKING …; `tls`: a server's SSLContext, for STARTTLS or
    `tls_at_once`; `most`: letters per connection; `lenient`: says 354 though every recipient was refused; `ends`: how its lines end; `pieces`:
    each byte of an answer by itself. Yields its port and the letters it took.
    """
    server = _Threads(("127.0.0.1", 0), _SmtpSession)
    server.offers, server.tls, server.tls_at_once, server.most, server.lenient = offers, tls, tls_at_once, most, lenient
    server.ends, server.pieces, server.script = ends, pieces, script
    server.counts, server.lock, server.released, server.taken = collections.Counter(), threading.Lock(), threading.Event(), []
    with _serving(server):
        try:
            yield server.server_address[1], server.taken
        finally:
            server.released.set()


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
