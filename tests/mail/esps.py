"""Providers that take many letters in one call, on loopback: they fill in fields as the real ones do, fail as told, and note what they took.

    with esps.provider("mailgun", Answer(429, {"Retry-After": "7"})) as esp: …      # the first call fails so, the next are taken
    python -m tests.mail.esps KIND PORT [--record FILE] [--delay MS]                # a process for benchmarks: counts, renders nothing

What was taken is the oracle of “nobody twice”: it is written down before the answer leaves. A letter is filled in, and then read once more, as
a careless provider might: a marker that appears only then becomes HIJACKED.
"""

import argparse
import contextlib
import html
import json
import os
import re
import socket
import socketserver
import sys
import threading
import time
from dataclasses import dataclass, field
from email import policy
from email.parser import BytesParser
from email.utils import getaddresses
from urllib.parse import quote

HIJACKED = "HIJACKED"

#: What a call may meet instead of being taken. LOST: taken, and then no answer. SLOW: taken, and the answer comes byte by byte.
DROP, LOST, SLOW, GARBAGE, TAKE = "drop", "lost", "slow", "garbage", "take"


@dataclass(frozen=True)
class Answer:
    """The call is refused with this status."""

    status: int
    headers: dict = field(default_factory=dict)
    body: str = "{}"


@dataclass(frozen=True)
class Taken:
    """One reader's letter as it would leave the provider."""

    address: str
    letter: str
    to: str = ""
    subject: str = ""
    html: str = ""
    text: str = ""
    headers: dict = field(default_factory=dict)


# -- Dialects ----------------------------------------------------------------------------------------------------------------------------


def _fill(text, pattern, value, again):
    filled = re.sub(pattern, value, text)
    return re.sub(again, HIJACKED, filled)


def _form(body, headers):
    head = b"Content-Type: " + headers["content-type"].encode() + b"\r\n\r\n"
    parts = BytesParser(policy=policy.HTTP).parsebytes(head + body).iter_parts()
    return {part.get_param("name", header="content-disposition"): part.get_payload(decode=True).decode() for part in parts}


def _mailgun(body, headers):
    form = _form(body, headers)
    names = {address: name for name, address in getaddresses([form["to"]])}
    again = r"%(recipient|unsubscribe_|tag_unsubscribe_|mailing_list_)"
    for address, given in json.loads(form["recipient-variables"]).items():
        read = lambda text, given=given: _fill(text, r"%recipient\.([\w:.-]+)%", lambda match: given.get(match[1], HIJACKED), again)  # noqa: E731
        yield Taken(
            address,
            read(form["v:letter"]),
            names[address],
            read(form["subject"]),
            read(form["html"]),
            read(form["text"]),
            {name.removeprefix("h:").lower(): read(value) for name, value in form.items() if name.startswith("h:")},
        )


_BRACES = r"\{[{%#]"


def _brevo(body, headers):
    call = json.loads(body)
    for version in call["messageVersions"]:
        params = version["params"]
        raw = r"\{% autoescape off %\}\{\{ params\.(\w+) \}\}\{% endautoescape %\}"
        read = lambda text, params=params, raw=raw: _fill(text, raw, lambda match: params[match[1]], _BRACES)  # noqa: E731
        own = version["headers"]
        letter = json.loads(own.pop("X-Mailin-custom"))["letter"]
        parts = (read(call[part]) for part in ("subject", "htmlContent", "textContent"))
        yield Taken(version["to"][0]["email"], letter, version["to"][0].get("name", ""), *parts, {name.lower(): own[name] for name in own})


def _mailjet(body, headers):
    call = json.loads(body)
    shared = call["Globals"]
    for message in call["Messages"]:
        given = message["Variables"]
        pattern = r"\{\{var:(\w+)\}\}" if shared.get("TemplateLanguage") else r"(?!)"
        read = lambda text, given=given, pattern=pattern: _fill(text, pattern, lambda match: given[match[1]], _BRACES + r"|\[\[")  # noqa: E731
        letter = json.loads(message["EventPayload"])["letter"]
        parts = (read(shared[part]) for part in ("Subject", "HTMLPart", "TextPart"))
        own = {name.lower(): value for name, value in message["Headers"].items()}
        yield Taken(message["To"][0]["Email"], letter, message["To"][0].get("Name", ""), *parts, own)


def _sparkpost(body, headers):
    call = json.loads(body)
    content = call["content"]
    for recipient in call["recipients"]:
        given = recipient["substitution_data"]

        def read(text, part="text", given=given):
            def found(match):
                escaped = part == "html" and not match[0].startswith("{{{")
                return html.escape(given[match[1]]) if escaped else given[match[1]]

            return _fill(text, r"\{?\{\{(\w+)\}\}\}?", found, _BRACES)

        own = {name.lower(): read(value) for name, value in content["headers"].items()}
        address = recipient["address"]
        parts = (read(content["subject"]), read(content["html"], "html"), read(content["text"]))
        yield Taken(address["email"], recipient["metadata"]["letter"], address["header_to"].rpartition("<")[0].strip(), *parts, own)


def _sendgrid(body, headers):
    call = json.loads(body)
    bodies = {part["type"]: part["value"] for part in call["content"]}
    for one in call["personalizations"]:

        def read(text, given=one["substitutions"]):
            for _twice in range(2):
                for tag, value in given.items():
                    text = text.replace(tag, value)
            return re.sub(r"-lectern\.|<%|\[unsubscribe", HIJACKED, text)

        own = {name.lower(): value for name, value in (call.get("headers", {}) | one["headers"]).items()}
        parts = (read(call["subject"]), read(bodies["text/html"]), read(bodies["text/plain"]))
        yield Taken(one["to"][0]["email"], one["custom_args"]["letter"], one["to"][0].get("name", ""), *parts, own)


def _ses(body, headers):
    call = json.loads(body)
    template = call["DefaultContent"]["Template"]
    content = template["TemplateContent"]
    shared = {header["Name"].lower(): header["Value"] for header in template.get("Headers", [])}
    for entry in call["BulkEmailEntries"]:
        given = json.loads(template["TemplateData"])
        given |= json.loads(entry["ReplacementEmailContent"]["ReplacementTemplate"]["ReplacementTemplateData"])
        read = lambda text, given=given: _fill(text, r"\{\{(\w+)\}\}", lambda match: given[match[1]], _BRACES)  # noqa: E731
        own = {header["Name"].lower(): header["Value"] for header in entry["ReplacementHeaders"]}
        letter = json.loads(own.pop("x-metadata"))["letter"]
        name, _lt, address = entry["Destination"]["ToAddresses"][0].rpartition("<")
        parts = (read(content[part]) for part in ("Subject", "Html", "Text"))
        yield Taken(address.rstrip(">"), letter, name.strip(), *parts, shared | own)


_READ = {"mailgun": _mailgun, "brevo": _brevo, "mailjet": _mailjet, "sparkpost": _sparkpost, "sendgrid": _sendgrid, "ses": _ses}

# Without rendering: (address, letter) of each, as cheaply as the call's shape allows.


def _count_mailgun(body):
    return re.findall(rb'"([^"\s]+@[^"\s]+)": \{"v:letter": "(\w+)"', body)


def _count_ses(body):
    return re.findall(rb'"ToAddresses":\s*\["(?:[^"]|\\")*?<?([^\s"<>]+@[^\s"<>]+)>?"\].*?letter\\": \\"(\w+)', body)


def _count_brevo(body):
    versions = json.loads(body)["messageVersions"]
    return [(one["to"][0]["email"], json.loads(one["headers"]["X-Mailin-custom"])["letter"]) for one in versions]


def _count_mailjet(body):
    return [(one["To"][0]["Email"], json.loads(one["EventPayload"])["letter"]) for one in json.loads(body)["Messages"]]


def _count_sparkpost(body):
    return [(one["address"]["email"], one["metadata"]["letter"]) for one in json.loads(body)["recipients"]]


def _count_sendgrid(body):
    return [(one["to"][0]["email"], one["custom_args"]["letter"]) for one in json.loads(body)["personalizations"]]


_COUNT = {
    "mailgun": _count_mailgun,
    "brevo": _count_brevo,
    "mailjet": _count_mailjet,
    "sparkpost": _count_sparkpost,
    "sendgrid": _count_sendgrid,
    "ses": _count_ses,
}


def _counted(kind, body):
    return [Taken(*(part.decode() if isinstance(part, bytes) else part for part in one)) for one in _COUNT[kind](body)]


# -- Answers -----------------------------------------------------------------------------------------------------------------------------


_BAD_ADDRESS = Answer(400, body='{"message": "to parameter is not a valid address", "code": "invalid_parameter"}')


def _answer_mailjet(letters, refused):
    messages = [
        {"Status": "error", "Errors": [{"ErrorCode": "mj-0013", "StatusCode": 400, "ErrorMessage": "invalid"}]}
        if one.address in refused
        else {"Status": "success", "To": [{"Email": one.address, "MessageID": f"id-{one.letter}"}]}
        for one in letters
    ]
    return Answer(400 if refused & {one.address for one in letters} else 200, body=json.dumps({"Messages": messages}))


def _answer_sparkpost(letters, refused):
    bad = sum(one.address in refused for one in letters)
    totals = {"total_rejected_recipients": bad, "total_accepted_recipients": len(letters) - bad, "id": "t-1"}
    return Answer(200, body=json.dumps({"results": totals}))


def _answer_ses(letters, statuses):
    entries = [
        {"Status": statuses[one.address], "Error": "as it says"}
        if one.address in statuses
        else {"Status": "SUCCESS", "MessageId": f"id-{one.letter}"}
        for one in letters
    ]
    return Answer(200, body=json.dumps({"BulkEmailEntryResults": entries}))


def _answer(kind, letters, refused):
    match kind:
        case "mailgun":
            return Answer(200, body=json.dumps({"id": "<call@mg.example.org>", "message": "Queued. Thank you."}))
        case "brevo":
            return Answer(201, body=json.dumps({"messageIds": [f"id-{one.letter}" for one in letters]}))
        case "sendgrid":
            return Answer(202, body="")
        case "mailjet":
            return _answer_mailjet(letters, set(refused))
        case "sparkpost":
            return _answer_sparkpost(letters, set(refused))
        case "ses":
            return _answer_ses(letters, refused)


# -- The server --------------------------------------------------------------------------------------------------------------------------


class Esp(socketserver.ThreadingTCPServer):
    """`script`: what the next calls meet. `refused`: addresses it doesn't like; for SES a dict with the status of each.

    `calls`: the addresses of every call that came, taken or not. `taken`: what it took, in order, for good.
    """

    allow_reuse_address = daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, kind, script=(), refused=(), port=0, record=None, delay=0.0, *, render=True):
        super().__init__(("127.0.0.1", port), _Handler)
        self.kind, self.script, self.refused = kind, list(script), refused
        self.calls, self.taken, self.keys, self.count = [], [], {}, 0
        self.render, self.delay = render, delay
        self.record = os.open(record, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if record else None
        self.lock = threading.Lock()

    @property
    def route(self):
        """The URL of a route that ends here."""
        origin = f"http://127.0.0.1:{self.server_address[1]}"
        match self.kind:
            case "ses":
                return f"ses://KEY:SECRET@?region=us-east-1&endpoint={quote(origin, safe='')}"
            case "mailgun":
                return f"anymail+mailgun://KEY@mg.example.org?api_url={quote(origin, safe='')}"
            case "mailjet":
                return f"anymail+mailjet://KEY:OTHER@?api_url={quote(origin, safe='')}"
        return f"anymail+{self.kind}://KEY@?api_url={quote(origin, safe='')}"

    def call(self, body, headers):
        """What comes of one call: an Answer, or how it fails."""
        letters = list(_READ[self.kind](body, headers)) if self.render else _counted(self.kind, body)
        with self.lock:
            if self.render:
                self.calls.append([one.address for one in letters])
            fate = self.script.pop(0) if self.script else TAKE
            if isinstance(fate, Answer) or fate == DROP:
                return fate
            return self._take(letters, body, fate)

    def _take(self, letters, body, fate):
        bad = {one.address for one in letters} & set(self.refused)
        if bad and self.kind in {"mailgun", "brevo", "sendgrid"}:
            return _BAD_ADDRESS
        if self.kind == "brevo" and self.render:
            key = json.loads(body)["headers"]["idempotencyKey"]
            if key in self.keys:
                return self.keys[key]
        good = [one for one in letters if one.address not in bad]
        self.count += len(good)
        if self.render:
            self.taken += good
        if self.record is not None:
            os.write(self.record, "".join(f"{one.letter} {one.address}\n" for one in good).encode())
        answer = _answer(self.kind, letters, self.refused)
        if self.kind == "brevo" and self.render:
            self.keys[key] = answer
        return answer if fate == TAKE else (fate, answer)

    def handle_error(self, request, client_address):
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(socketserver.StreamRequestHandler):
    disable_nagle_algorithm = True
    rbufsize = 1 << 20

    def handle(self):
        while request := self.rfile.readline():
            headers = {}
            while line := self.rfile.readline().strip():
                name, _colon, value = line.decode().partition(":")
                headers[name.lower()] = value.strip()
            if headers.get("expect"):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            body = self.rfile.read(int(headers.get("content-length", 0)))
            if request.startswith(b"GET"):
                self.say(Answer(200, body=json.dumps({"taken": self.server.count})))
                continue
            fate = self.server.call(body, headers)
            if self.server.delay:
                time.sleep(self.server.delay)
            if not self.met(fate):
                return

    def met(self, fate):
        """Answer as told; whether the connection lives on."""
        how, answer = fate if isinstance(fate, tuple) else (None, fate)
        if fate == DROP or how == LOST:
            self.connection.shutdown(socket.SHUT_RDWR)
            return False
        if how == SLOW:
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n")
            for _byte in range(100):
                self.wfile.write(b" ")
                time.sleep(0.1)
            return False
        self.say(Answer(200, {"Content-Type": "text/html"}, "<h1>Welcome</h1>") if how == GARBAGE else answer)
        return True

    def say(self, answer):
        body = answer.body.encode()
        headers = {"Content-Type": "application/json", "Content-Length": len(body)} | answer.headers
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self.wfile.write(f"HTTP/1.1 {answer.status} Told\r\n{head}\r\n".encode() + body)


@contextlib.contextmanager
def provider(kind, *script, **options):
    """An Esp that serves as long as the `with` block lasts."""
    esp = Esp(kind, script, **options)
    thread = threading.Thread(target=esp.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield esp
    finally:
        esp.shutdown()
        esp.server_close()
        thread.join(5)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=sorted(_READ))
    parser.add_argument("port", type=int)
    parser.add_argument("--record")
    parser.add_argument("--delay", type=float, default=0, help="milliseconds before each answer")
    given = parser.parse_args()
    esp = Esp(given.kind, port=given.port, record=given.record, delay=given.delay / 1000, render=False)
    sys.stdout.write(f"{esp.route}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        esp.serve_forever()


if __name__ == "__main__":
    main()
