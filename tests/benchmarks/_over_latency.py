"""The same letters over so many connections: by our SMTP carrier, or by stdlib `smtplib` with a thread for each.

    python -m tests.benchmarks._over_latency ours|smtplib PORT LETTERS SIZE CONNECTIONS

Prints letters a second and processor seconds per 1,000 letters.
"""

import itertools
import queue
import smtplib
import sys
import threading
import time
from collections import namedtuple
from datetime import timedelta

from tests import environment  # noqa: F401  it must be read before Django's settings are

from django.conf import settings  # isort: skip
from django.utils import timezone  # isort: skip

Letter = namedtuple("Letter", "pk name address")


class Writer:
    """The same bytes to everybody: what is measured is the wire."""

    sender = "news@example.org"

    def __init__(self, size):
        head = b"From: news@example.org\r\nSubject: News\r\nMIME-Version: 1.0\r\n\r\n"
        line = b"x" * 74 + b"\r\n"
        self.bytes = head + line * ((size - len(head)) // len(line))

    def parts(self, letter):
        return [self.wire(letter)]

    def wire(self, letter):
        return self.bytes


def _ours(port, letters, writer, connections):
    from project.mail.smtp import SmtpCarrier  # noqa: PLC0415  Django must be configured

    settings.BULK_WINDOW = max(settings.BULK_WINDOW, 3 * connections)
    carrier = SmtpCarrier({"host": "127.0.0.1", "port": port, "timeout": 30, "connections": connections})
    until = timezone.now() + timedelta(minutes=10)
    waiting, sent = iter(letters), 0
    if carrier.ready():
        raise RuntimeError("The carrier can’t reach the sink.")
    while True:
        some = list(itertools.islice(waiting, carrier.window - carrier.under_way))
        settled = carrier.hand_over(writer, some, until)
        sent += sum(outcome.verdict.name == "SENT" for _letter, outcome in settled)
        if not some and not carrier.under_way:
            return sent


def _smtplib(port, letters, writer, connections):
    waiting, sent = queue.SimpleQueue(), []
    for letter in letters:
        waiting.put(letter)

    def work():
        with smtplib.SMTP("127.0.0.1", port, timeout=30) as connection:
            try:
                while True:
                    letter = waiting.get_nowait()
                    connection.sendmail(writer.sender, letter.address, writer.wire(letter))
                    sent.append(letter)
            except queue.Empty:
                return

    threads = [threading.Thread(target=work) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return len(sent)


def main(way, port, count, size, connections):
    letters = [Letter(number, f"d{number}", f"reader{number}@example.org") for number in range(int(count))]
    began, used = time.perf_counter(), time.process_time()
    sent = {"ours": _ours, "smtplib": _smtplib}[way](int(port), letters, Writer(int(size)), int(connections))
    seconds, used = time.perf_counter() - began, time.process_time() - used
    if sent != len(letters):
        raise SystemExit(f"{sent} of {len(letters)} were sent.")
    print(sent / seconds, used / sent * 1000)


if __name__ == "__main__":
    import os

    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    main(*sys.argv[1:])
