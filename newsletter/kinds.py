"""The kinds of letters the newsletter builds for the mail core."""

from django.utils.translation import gettext_lazy as _

from project.mail.kinds import Kind, register

from . import emails


def register_all():
    register(Kind(emails.CONFIRM_ADDRESS, emails.confirm_address_letter, words=_("please confirm your address")))
