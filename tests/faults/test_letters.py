"""A process dies at every step of a letter's way: nothing is lost, at most the letter in hand arrives twice, and what is in doubt is listed."""

import pytest

from project.mail.models import Message
from tests.processes import eventually

from .conftest import kill

pytestmark = pytest.mark.django_db(transaction=True)

KILLED = 137
EVERYBODY = [f"person{n}@example.org" for n in range(4)]


def states():
    return sorted(Message.objects.values_list("state", flat=True))


@pytest.mark.parametrize("step", ["claimed", "built"])
def test_dead_before_the_hand_over_every_letter_arrives_once(workers, step):
    workers.run("post", count=4)

    assert workers.run("drain", crash=step) == KILLED
    assert workers.letters() == []
    workers.leases_run_out()
    workers.run("drain")

    assert workers.letters() == EVERYBODY
    assert states() == ["sent"] * 4


@pytest.mark.parametrize("step", ["accepted", "recording"])
def test_dead_after_the_hand_over_one_letter_arrives_twice_and_none_is_lost(workers, step):
    workers.run("post", count=4)

    assert workers.run("drain", crash=step) == KILLED
    assert workers.letters() == EVERYBODY[:1]
    workers.leases_run_out()
    workers.run("drain")

    assert workers.letters() == sorted([*EVERYBODY, EVERYBODY[0]])
    assert states() == ["sent"] * 4


def test_the_crash_is_real_a_letter_written_down_before_it_is_handed_over_is_lost(workers):
    workers.run("post", count=4)

    assert workers.run("drain-carelessly", crash="accepted") == KILLED
    workers.leases_run_out()
    workers.run("drain")

    assert workers.letters() == EVERYBODY[1:]
    assert states() == ["sent"] * 4


def test_dead_twice_with_the_same_letter_it_is_listed_and_not_sent_again(workers):
    workers.run("post", count=1)

    for _death in range(2):
        assert workers.run("drain", crash="accepted") == KILLED
        workers.leases_run_out()
    workers.run("drain")

    assert workers.letters() == EVERYBODY[:1] * 2
    assert [(letter.key, letter.state) for letter in Message.objects.needs_a_person()] == [("fault/0", "uncertain")]


def test_a_page_that_dies_between_commit_and_bell_has_its_letter_sent_by_the_next_tick(workers):
    assert workers.run("post", count=1, crash="bell") == KILLED

    workers.run("drain")

    assert workers.letters() == EVERYBODY[:1]


def test_a_celery_worker_is_killed_with_a_letter_in_hand_and_the_next_one_sends_it(workers):
    (workers.folder / "wait").touch()
    workers.run("post", count=4)

    with workers.celery() as worker:
        eventually((workers.folder / "building").exists)
        kill(worker)
    assert states() == ["handing", "pending", "pending", "pending"]
    (workers.folder / "wait").unlink()
    with workers.celery():
        eventually(lambda: states() == ["sent"] * 4)

    assert workers.letters() == EVERYBODY
