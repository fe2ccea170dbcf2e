"""What must be true of the database at any moment, whatever happened: apps register their checks in `ready()`, `verify` asks them all."""

from collections.abc import Callable, Iterable

_checks: dict[str, Callable[[], Iterable[str]]] = {}


def register(name, check):
    """`check()` yields a sentence for everything that is off, with ids and numbers only; nothing when all is well."""
    if name in _checks:
        raise ValueError(f"The check {name!r} is registered twice.")
    _checks[name] = check


def names():
    return list(_checks)


def findings():
    """`(name, sentence)` for everything that is off."""
    for name, check in _checks.items():
        for sentence in check():
            yield name, sentence
