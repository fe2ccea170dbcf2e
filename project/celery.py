"""The Celery application: two queues, and beat's one entry.

Celery is the engine and the broker only a doorbell (docs/architecture.md): a task carries no row's id, is acknowledged early, and drains what
is due in the database. Whatever the broker loses, doubles or delays, the next `tick` makes good.
"""

import os

from celery import Celery
from celery.signals import beat_init, worker_init

from .start import check_or_exit

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")

app = Celery("lectern")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
@beat_init.connect
def refuse_what_cannot_work(**kwargs):
    check_or_exit()
