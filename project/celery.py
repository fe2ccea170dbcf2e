"""The Celery application: two queues, and beat's one entry.

Celery is the engine and the broker only a doorbell (docs/architecture.md): a task carries no row's id, is acknowledged early, and drains what
is due in the database. Whatever the broker loses, doubles or delays, the next `tick` makes good.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("lectern")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
