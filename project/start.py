"""Refusing to start on what can't work. Only `manage.py` runs Django's checks by itself: a web server or a worker would start anyway."""

import io
import sys

from django.core.management import call_command
from django.core.management.base import SystemCheckError


def check_or_exit():
    """Print every error the system checks find, with its hint, and exit 1; come back when there is none."""
    try:
        call_command("check", stdout=io.StringIO(), stderr=io.StringIO())
    except SystemCheckError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
