"""A worker that does not mark the window it hands over: the negative control of test_campaign_kill."""

from project.celery import app as app  # noqa: I001  Django is set up by Celery when the app is finalized

import django

django.setup()

from newsletter import windows  # noqa: E402

windows.mark = lambda *args: None
