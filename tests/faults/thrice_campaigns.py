"""`celery -A tests.faults.thrice_campaigns worker`: the real application in a hurry, whose every bell rings three times."""

from tests.faults.hurried_campaigns import app as app  # noqa: I001  Django is set up by it

from project.mail import bells

_once = bells.ring


def ring(name):
    told = [_once(name) for _time in range(3)]
    return all(told)


bells.ring = ring
