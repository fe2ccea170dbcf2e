"""The first-day list on Today: what a new practice has still to do before it can work for real.

Each app registers its own steps in `ready()`; this module knows none of them but the practice's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .models import Practice


@dataclass(frozen=True)
class Step:
    """One thing to do once. `done()` reads the database; `url()` is where it is done."""

    sentence: str
    done: Callable[[], bool]
    url: Callable[[], str]


_steps: list[Step] = []


def register(step):
    _steps.append(step)


def open_steps():
    """The steps that are still to be done, in the order they were registered."""
    return [step for step in _steps if not step.done()]


def register_own():
    register(
        Step(
            _("Enter the practice’s postal address. The law asks for it in every newsletter."),
            done=lambda: bool(Practice.current().postal_address),
            url=lambda: reverse("admin:practice_practice_change", args=[1]),
        )
    )
    register(
        Step(
            _("Enter the practice’s phone number, so that patients can tap to call."),
            done=lambda: bool(Practice.current().phone),
            url=lambda: reverse("admin:practice_practice_change", args=[1]),
        )
    )
    register(
        Step(
            _("Add a second coordinator, so that somebody can sign in when the first is away."),
            done=lambda: get_user_model().objects.filter(is_staff=True, is_active=True).count() >= 2,
            url=lambda: reverse("admin:auth_user_add"),
        )
    )
