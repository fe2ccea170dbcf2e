import pytest
from django.core import mail

from project.mail import kinds, outbox
from project.mail.letters import Letter, Paragraph
from project.mail.models import Message

pytestmark = pytest.mark.django_db


@pytest.fixture
def greeting(practice):
    """A kind of letter that greets."""
    kind = kinds.Kind("test.greeting", lambda ref, language: Letter("Hello", "A greeting", [Paragraph(f"Hello {ref['n']}")]).message())
    kinds.register(kind)
    yield kind
    kinds._kinds.pop(kind.name)


def post(n=1, key=None):
    return outbox.post("test.greeting", {"n": n}, key=key or f"greeting/{n}", address="ana@example.org", language="en")


def test_a_posted_letter_leaves_and_is_recorded(greeting, deliver):
    post()

    letters = deliver()

    assert [letter.to for letter in letters] == [["ana@example.org"]]
    assert "Hello 1" in letters[0].body
    assert Message.objects.get().state == Message.State.SENT


def test_the_same_key_is_posted_once(greeting, deliver):
    assert [post(), post()] == [True, False]

    deliver()

    assert len(mail.outbox) == 1
