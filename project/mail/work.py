"""Work that workers drain: the table of what a bell can mean.

A bell names a kind of work and carries no row: whoever answers it takes what is due in the database, until nothing is or its time is up.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Work:
    """`slots_due(now)`: how many workers could use a bell now (0: nothing is due, or enough of them are at it).

    `drain(deadline)`: do what is due until `time.monotonic()` passes `deadline`; True when something due is left.
    """

    name: str
    queue: str
    slots_due: Callable[[object], int]
    drain: Callable[[float], bool]


_work: dict[str, Work] = {}


def register(work):
    _work[work.name] = work


def get(name):
    return _work[name]


def everything():
    """Every kind of work, in the order it was registered."""
    return list(_work.values())
