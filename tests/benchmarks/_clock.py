"""Beat, for nodes whose broker the measuring process does not ring: a tick a second, until it is ended."""

import os
import time

import django

from tests import environment  # noqa: F401  it must be read before Django's settings are

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from project.mail import sweep

    while True:
        sweep.tick()
        time.sleep(1)
