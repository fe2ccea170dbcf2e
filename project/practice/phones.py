"""Telephone numbers: stored in E.164 (`+18135550123`), shown as people here write them."""

import phonenumbers
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

REGION = "US"


def parse_phone(text):
    """E.164 of what a person typed, United States unless it starts with `+`.

    Raises ValidationError with a sentence for the person.
    """
    try:
        number = phonenumbers.parse(text, REGION)
    except phonenumbers.NumberParseException:
        number = None
    if number is None or not phonenumbers.is_possible_number(number):
        raise ValidationError(_("That doesn’t look like a phone number. Please type it with its area code, like (813) 555-0123."))
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def validate_phone(value):
    parse_phone(value)


def phone_words(e164):
    """`+18135550123` → `(813) 555-0123`; numbers from abroad in their international form; what can't be read, as it is."""
    try:
        number = phonenumbers.parse(e164, REGION)
    except phonenumbers.NumberParseException:
        return e164
    home = number.country_code == phonenumbers.country_code_for_region(REGION)
    style = phonenumbers.PhoneNumberFormat.NATIONAL if home else phonenumbers.PhoneNumberFormat.INTERNATIONAL
    return phonenumbers.format_number(number, style)
