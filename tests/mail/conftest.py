"""A kind of letter that greets, and what a test may ask of it."""

from dataclasses import dataclass, field

import pytest

from project.mail import kinds, outbox
from project.mail.letters import Letter, Paragraph
from project.mail.models import Message


@dataclass
class Greetings:
    """Letters `Hello n`. `settled` holds what the owner was told; a test may put its own function in `build`."""

    settled: list = field(default_factory=list)
    build: object = None

    def post(self, n=1, **changes):
        given = {"key": f"greeting/{n}", "address": "ana@example.org", "language": "en"} | changes
        return outbox.post("test.greeting", {"n": n}, **given)

    def letter(self, n=1):
        return Message.objects.get(key=f"greeting/{n}")


def _hello(ref, language):
    return Letter("Hello", "A greeting", [Paragraph(f"Hello {ref['n']}")]).message()


@pytest.fixture
def greetings(practice):
    greetings = Greetings()
    kinds.register(
        kinds.Kind(
            "test.greeting",
            build=lambda ref, language: (greetings.build or _hello)(ref, language),
            settle=lambda ref, settled: greetings.settled.append((ref["n"], settled.state, settled.reason)),
        )
    )
    yield greetings
    kinds._kinds.pop("test.greeting")


@pytest.fixture
def route_says(monkeypatch):
    """`route_says(outcome, …)`: the next letters handed over get these outcomes, the last one for good. Returns the letters."""

    def route_says(*outcomes):
        taken, answers = [], list(outcomes)

        def hand_over(stream, message):
            taken.append(message)
            return answers.pop(0) if len(answers) > 1 else answers[0]

        monkeypatch.setattr("project.mail.routes.hand_over", hand_over)
        return taken

    return route_says
