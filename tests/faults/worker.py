"""Letters for tests that kill whoever sends them: `celery -A tests.faults.worker worker`, or a nursery's children, by the functions here.

There is one kind of letter, `fault.letter`, which is built once no file `wait` stands in LECTERN_VAR.
"""

import os
import time
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from project.celery import app  # noqa: E402, F401
from project.mail import crashpoints, kinds, outbox, routes, sending, sweep  # noqa: E402
from project.mail.letters import Letter, Paragraph  # noqa: E402
from project.mail.outcomes import SENT  # noqa: E402


def build(ref, language):
    folder = Path(os.environ["LECTERN_VAR"])
    (folder / "building").touch()
    while (folder / "wait").exists():
        time.sleep(0.05)
    return Letter("A letter", "A letter", [Paragraph(f"Letter {ref['n']}.")]).message()


kinds.register(kinds.Kind("fault.letter", build))


def post(count):
    for n in range(count):
        outbox.post("fault.letter", {"n": n}, key=f"fault/{n}", address=f"person{n}@example.org", language="en")


def send_one_carelessly(pk):
    """What the ledger does not do: written down as sent before it is."""
    letter = sending.claim(pk, django.utils.timezone.now())
    if letter:
        message = sending.build(letter)
        sending.record(letter, SENT)
        crashpoints.reach("accepted")
        routes.hand_over(letter.stream, message)


def drain():
    sweep.tick_inline(20)


def drain_carelessly():
    sending.send_one = send_one_carelessly
    drain()
