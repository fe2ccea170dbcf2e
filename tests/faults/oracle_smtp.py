"""A mail server that keeps a durable record of every letter it accepted, written before it answers 250, and fails as it is told.

`python -m tests.faults.oracle_smtp RECORD [--offers PIPELINING …]` prints its port. Every line of its standard input is a script: a JSON list
of rules, which takes the place of the one before, and is answered by how often that one applied. At the input's end it ends itself. A rule says
what to answer and where:

    {"at": "RCPT", "say": "550 5.1.1 nobody", "to": "reader3@"}      whenever it is about that address
    {"at": "DOT", "say": "keep-drop", "times": 2}                    the first two times
    {"at": "MAIL", "say": "hang", "after": 10}                       from the eleventh letter on
    {"at": "EHLO", "say": "421 4.3.2 later", "chance": 0.1}          one time in ten (`{"seed": 7}` is a rule too)

Places: HELLO (the greeting), EHLO, AUTH, NOOP, MAIL, RCPT, DATA, LETTER (inside it), DOT (after the final dot, or BDAT's last byte).
Answers: words to say (after 421 it hangs up), `drop`, `hang` (silence, then drop), `keep-drop` and `keep-hang` (DOT: the letter is accepted,
and nobody is told), `slow:0.2 250 yes` (so many seconds late).
"""

import argparse
import json
import os
import random
import socketserver
import sys
import threading
import time
from email.parser import BytesHeaderParser
from email.policy import default

#: For how long it keeps silent before it hangs up: longer than any client of the tests waits.
SILENCE = 6


class Script:
    """The rules in force, and how often each place and rule has been reached."""

    def __init__(self):
        self.lock, self.random, self.rules, self.letters = threading.Lock(), random.Random(1), [], 0
        self.applied = 0

    def replace(self, rules):
        """How often a rule of the script before applied."""
        with self.lock:
            applied, self.applied = self.applied, 0
            self.rules = [rule for rule in rules if "at" in rule]
            for rule in rules:
                if "seed" in rule:
                    self.random.seed(rule["seed"])
            return applied

    def answer(self, place, otherwise, recipient):
        with self.lock:
            self.letters += place == "MAIL"
            for rule in self.rules:
                if rule["at"] == place and self._applies(rule, recipient):
                    rule["times"] = rule.get("times", 1 << 60) - 1
                    self.applied += 1
                    return rule["say"]
        return otherwise

    def _applies(self, rule, recipient):
        return (
            rule.get("times", 1) > 0
            and rule.get("to", "") in (recipient or "")
            and ("after" not in rule or self.letters > rule["after"])
            and ("chance" not in rule or self.random.random() < rule["chance"])
        )


class Record:
    """One JSON line per accepted letter; in the kernel's hands, so that killing this process loses none, before the client hears of it."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)

    def accept(self, recipient, letter):
        headers = BytesHeaderParser(policy=default).parsebytes(letter.partition(b"\r\n\r\n")[0] + b"\r\n\r\n")
        addressed = [address.addr_spec for address in headers["To"].addresses] if headers["To"] else []
        line = {
            "letter": str(headers["Message-ID"] or "").strip().removeprefix("<").partition("@")[0],
            "to": recipient,
            "addressed": addressed,
            # One whole letter: it ends as a multipart does, and no command of the next one has slipped into it.
            "whole": letter.endswith(b"--\r\n") and b"\r\nMAIL FROM:" not in letter and letter.count(b"\r\nMessage-ID:") == 1,
            "at": time.time(),
        }
        os.write(self.file, json.dumps(line).encode() + b"\n")


class Hangup(Exception):
    pass


class Conversation(socketserver.StreamRequestHandler):
    rbufsize, disable_nagle_algorithm = 65536, True

    def handle(self):
        self.recipient, self.parts, self.mail = None, [], False
        try:
            self.say("HELLO", "220 oracle ESMTP")
            while line := self.rfile.readline(65536):
                if self.obey(line.decode("latin-1").strip()):
                    return
        except (Hangup, OSError):
            pass

    def say(self, place, otherwise):
        """Answer as the script has it; the answer."""
        answer = self.server.script.answer(place, otherwise, self.recipient)
        return self.speak(answer)

    def obey(self, line):
        word, _blank, rest = line.partition(" ")
        match word.upper():
            case "EHLO":
                offered = [*self.server.offers, "8BITMIME", "AUTH PLAIN LOGIN"]
                self.say("EHLO", "".join(f"250-{line}\r\n" for line in ["oracle", *offered]) + "250 SIZE 10000000")
            case "HELO":
                self.say("EHLO", "250 oracle")
            case "AUTH":
                self.say("AUTH", "235 2.7.0 in")
            case "MAIL":
                self.recipient, self.parts = None, []
                self.mail = self.say("MAIL", "250 2.1.0 yes").startswith("2")
            case "RCPT":
                self.recipient = rest.partition("<")[2].partition(">")[0]
                if not (self.mail and self.say("RCPT", "250 2.1.5 yes").startswith("2")):
                    if not self.mail:
                        self.wfile.write(b"503 5.5.1 MAIL first\r\n")
                    self.recipient = None
            case "DATA":
                self.data()
            case "BDAT":
                self.bdat(rest.upper().split())
            case "RSET":
                self.recipient, self.parts = None, []
                self.wfile.write(b"250 2.0.0 forgotten\r\n")
            case "NOOP":
                self.say("NOOP", "250 2.0.0 here")
            case "QUIT":
                self.wfile.write(b"221 2.0.0 bye\r\n")
                return True
            case _:
                self.wfile.write(b"500 5.5.2 what?\r\n")

    def data(self):
        if self.recipient is None:
            self.wfile.write(b"554 5.5.1 no valid recipients\r\n")
        elif self.say("DATA", "354 go on").startswith("3"):
            self.within()
            lines = []
            for line in iter(self.rfile.readline, b".\r\n"):
                if not line:
                    raise Hangup
                lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
            self.accept(b"".join(lines))

    def bdat(self, words):
        size, last = int(words[0]), words[1:] == ["LAST"]
        if self.recipient is not None:
            self.within()
        part = self.rfile.read(size)
        if len(part) < size:
            raise Hangup
        if self.recipient is None:  # RFC 3030 §2: its bytes are read and thrown away
            self.wfile.write(b"503 5.5.1 no valid recipients\r\n")
        elif last:
            self.accept(b"".join([*self.parts, part]))
        else:
            self.parts.append(part)
            self.wfile.write(b"250 2.0.0 go on\r\n")

    def within(self):
        """The place inside a letter: only going away makes sense there."""
        if self.server.script.answer("LETTER", "", self.recipient):
            self.rfile.read(100)
            raise Hangup

    def accept(self, letter):
        answer = self.server.script.answer("DOT", "250 2.0.0 taken", self.recipient)
        if answer.startswith(("2", "keep", "slow")):
            self.server.record.accept(self.recipient, letter)
        self.recipient, self.parts = None, []
        self.speak(answer)

    def speak(self, answer):
        if answer.startswith("slow:"):
            seconds, _blank, answer = answer.removeprefix("slow:").partition(" ")
            time.sleep(float(seconds))
        if answer.endswith("hang"):
            time.sleep(SILENCE)
        if answer.endswith(("drop", "hang")):
            raise Hangup
        self.wfile.write(answer.encode() + b"\r\n")
        if answer.startswith("421"):
            raise Hangup
        return answer


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = daemon_threads = True
    block_on_close = False
    request_queue_size = 64


def _tell(word):
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("record")
    parser.add_argument("--offers", nargs="*", default=["PIPELINING", "CHUNKING"])
    parser.add_argument("--port", type=int, default=0)
    given = parser.parse_args()
    server = Server(("127.0.0.1", given.port), Conversation)
    server.script, server.record, server.offers = Script(), Record(given.record), given.offers
    threading.Thread(target=server.serve_forever, daemon=True).start()
    _tell(server.server_address[1])
    for line in sys.stdin:
        _tell(server.script.replace(json.loads(line)))


if __name__ == "__main__":
    main()
