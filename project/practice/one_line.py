"""Texts of one line. They end up in the heads of letters and in calendars, where a line break would begin something else."""

import re

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

# C0 and C1 controls, and the two separators that also end a line for many programs.
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def validate_one_line(text):
    """Raises ValidationError for line breaks and all other control characters."""
    if _CONTROLS.search(text):
        raise ValidationError(_("Please type this in one line, without special control characters."), code="control")


def one_line(text):
    """The text with a blank for each of them."""
    return _CONTROLS.sub(" ", text)


class OneLineTexts:
    """For a ModelAdmin or an inline: whatever is typed into a field of one line is a text of one line."""

    def formfield_for_dbfield(self, db_field, request, **kwargs):
        field = super().formfield_for_dbfield(db_field, request, **kwargs)
        if isinstance(field, forms.CharField) and isinstance(field.widget, forms.TextInput):
            field.validators.append(validate_one_line)
        return field
