"""A time of day as people at a front desk type it, in the admin's forms."""

import re

from django import forms
from django.contrib.admin.widgets import AdminTimeWidget
from django.utils.translation import gettext_lazy as _

_HALF = re.compile(r"\s*([ap])\.?\s*(?:m\.?)?$", re.IGNORECASE)


class ClockInput(AdminTimeWidget):
    """Shows `6:30 PM`."""

    def format_value(self, value):
        return value.strftime("%I:%M %p").lstrip("0") if hasattr(value, "strftime") else value


class ClockField(forms.TimeField):
    """A time of day: `6 pm`, `6:30 p.m.`, `6:30 p. m.` or `18:30`."""

    widget = ClockInput
    default_error_messages = {"invalid": _("Please write the time like 6:30 pm or 18:30.")}

    def __init__(self, **kwargs):
        super().__init__(input_formats=["%H:%M", "%H:%M:%S", "%I:%M%p", "%I%p"], **kwargs)

    def to_python(self, value):
        return super().to_python(_HALF.sub(r"\1m", value.strip()) if isinstance(value, str) else value)
