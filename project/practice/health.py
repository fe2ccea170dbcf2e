"""What the apps say of their health at /health/ready, registered in their `ready()`."""

from collections.abc import Callable

_parts: dict[str, Callable[[], object]] = {}


def register(name, part):
    """`part()` returns something JSON can hold, such as an age in seconds or a word."""
    _parts[name] = part


def report():
    """`{name: value}` of every part; a part that fails says so and hides no other."""
    answers = {}
    for name, part in _parts.items():
        try:
            answers[name] = part()
        except Exception as error:  # noqa: BLE001
            answers[name] = f"unknown ({type(error).__name__})"
    return answers
