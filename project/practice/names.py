"""People's names as forms take them: letters of any script, and little else, because a name is the one thing a letter ever echoes."""

import re
import unicodedata

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

LONGEST = 60

_PUNCTUATION = set(" -.'’")
# A dot with two letters right behind it makes most mail programs draw a link; “J.R. Ortiz” does not.
_ADDRESS_LIKE = re.compile(r"\.[^\W\d_]{2}|https?|www", re.IGNORECASE)


def parse_name(text):
    """The name a person typed: NFC, single spaces, at most 60 characters; '' for none.

    Only letters, marks, spaces and - . ' ’ get through, and nothing a mail program would turn into a link, so that nobody can make us send
    their words to a stranger. Raises ValidationError with a sentence for the person.
    """
    text = unicodedata.normalize("NFC", text or "").strip(" ")
    if _ADDRESS_LIKE.search(text):
        raise ValidationError(_("Please type just the name, without a web address."), code="address")
    if not all(character in _PUNCTUATION or unicodedata.category(character)[0] in "LM" for character in text):
        raise ValidationError(_("Please use letters only, as in “María José O’Neil-Smith”."), code="characters")
    if text and not any(unicodedata.category(character)[0] == "L" for character in text):
        raise ValidationError(_("Please use letters only, as in “María José O’Neil-Smith”."), code="characters")
    if len(text) > LONGEST:
        raise ValidationError(_("That is longer than we can print. Please shorten it to 60 letters."), code="long")
    return " ".join(text.split())


class NameField(forms.CharField):
    """A form's first or last name."""

    def __init__(self, *, autocomplete, **kwargs):
        kwargs.setdefault("widget", forms.TextInput(attrs={"autocomplete": autocomplete}))
        super().__init__(**kwargs)

    def to_python(self, value):
        return parse_name(super().to_python(value))
