"""The first-day list on Today: what a new practice has still to do before it can work for real.

Each app registers its own steps in `ready()`; this module knows none of them but the practice's.
"""

from collections.abc import Callable
from dataclasses import dataclass

from django.contrib.auth import get_user_model
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from .models import Practice

#: Domains nobody owns (RFC 2606, RFC 6761): a letter from one is thrown away on arrival.
_NOBODYS = ("example", "example.com", "example.net", "example.org", "invalid", "localhost", "test")


@dataclass(frozen=True)
class Step:
    """One thing to do once. `done()` reads the database; `url()` is where it is done; who lacks `permission` is not asked to do it."""

    sentence: str
    done: Callable[[], bool]
    url: Callable[[], str]
    permission: str


_steps: list[Step] = []


def register(step):
    _steps.append(step)


def open_steps(user):
    """The steps still to be done that this person can do, in the order they were registered."""
    return [step for step in _steps if user.has_perm(step.permission) and not step.done()]


def sender_is_ours():
    """Whether letters come from a domain that somebody owns."""
    domain = Practice.current().sender.rpartition("@")[2].lower()
    return not any(domain == nobodys or domain.endswith(f".{nobodys}") for nobodys in _NOBODYS)


def _practice_page():
    return reverse("admin:practice_practice_change", args=[1])


def register_own():
    register(
        Step(
            _("Enter the practice’s postal address. The law asks for it in every newsletter."),
            done=lambda: bool(Practice.current().postal_address),
            url=_practice_page,
            permission="practice.change_practice",
        )
    )
    register(
        Step(
            _("Enter the practice’s phone number, so that patients can tap to call."),
            done=lambda: bool(Practice.current().phone),
            url=_practice_page,
            permission="practice.change_practice",
        )
    )
    register(
        Step(
            _("Enter a mailbox at your own domain as the organizer mailbox: letters and invites come from it."),
            done=sender_is_ours,
            url=_practice_page,
            permission="practice.change_practice",
        )
    )
    register(
        Step(
            _("Add a second coordinator, so that somebody can sign in when the first is away."),
            done=lambda: get_user_model().objects.filter(is_staff=True, is_active=True).count() >= 2,
            url=lambda: reverse("admin:auth_user_add"),
            permission="auth.add_user",
        )
    )
