"""Absolute addresses of our pages, for letters and calendars: under the active language's prefix."""

from uuid import UUID

from project.mail import tokens
from project.practice.links import absolute

from .models import Registration

_PURPOSE = "registration"


def registration_token(registration):
    """What the address of a registration's own page carries: signed, opaque, valid as long as the registration exists."""
    return tokens.make(_PURPOSE, registration.public_id.hex)


def registration_of(token):
    """The registration whose page that is, with its seminar; None for a token that was altered or made for something else."""
    public_id = tokens.read(_PURPOSE, token)
    if public_id is None:
        return None
    return Registration.objects.select_related("seminar__venue").filter(public_id=UUID(hex=public_id)).first()


def registration_url(registration):
    return absolute("registration", registration_token(registration))


def seminar_url(seminar):
    return absolute("seminar", seminar.slug)


def seminars_url():
    return absolute("seminar-list")
