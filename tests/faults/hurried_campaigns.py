"""`celery -A tests.faults.hurried_campaigns worker`: the real application, whose rests and retries take seconds.

LECTERN_CARELESS names a protection that is taken out, to see whether the soak notices.
"""

from project.celery import app as app  # noqa: I001  Django is set up by Celery when the app is finalized

import os

import django

django.setup()

from tests.faults import careless  # noqa: E402
from tests.faults.hurry import hurry  # noqa: E402

hurry(chunk=100)
careless.be(os.environ.get("LECTERN_CARELESS", ""))
