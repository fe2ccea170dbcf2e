"""Refusing to start on what can't work. Only `manage.py` runs Django's checks by itself: a web server or a worker would start anyway."""

import io
import sys

from django.conf import settings
from django.core import checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError


def check_or_exit():
    """Print every error the system checks find, with its hint, and exit 1; come back when there is none.

    Outside DEBUG, what Django and we list for a site that faces the world counts as well, there the warnings too: a key that can be guessed
    is as bad as none. `./run manage check --deploy --fail-level WARNING` finds the same, and what only disappoints.
    """
    try:
        _check(deploy=not settings.LOCAL)
        if not settings.LOCAL:
            _check(deploy=True, tags=[checks.Tags.security], fail_level="WARNING")
    except SystemCheckError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None


def _check(**options):
    call_command("check", stdout=io.StringIO(), stderr=io.StringIO(), **options)
