"""`celery -A tests.faults.hurried_campaigns worker`: the real application, whose rests and retries take seconds."""

from project.celery import app as app  # noqa: I001  Django is set up by Celery when the app is finalized

import django

django.setup()

from tests.faults.hurry import hurry  # noqa: E402

hurry(chunk=100)
