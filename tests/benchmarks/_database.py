"""Django set up on a database that is gone afterwards, and a table to print."""

import contextlib
import logging
import os

import django
from django.core.management import call_command
from django.test.utils import get_runner, setup_test_environment, teardown_test_environment

from tests import services


@contextlib.contextmanager
def database():
    _set_up()
    from django.conf import settings  # noqa: PLC0415  readable only now

    setup_test_environment()
    runner = get_runner(settings)(verbosity=0, interactive=False)
    made = runner.setup_databases()
    try:
        yield
    finally:
        runner.teardown_databases(made)
        teardown_test_environment()


@contextlib.contextmanager
def postgresql_and_redis():
    """For measurements with processes of their own: they find both by the environment."""
    with services.postgresql() as database_url, services.redis() as broker:
        # As many bells as there are ever workers: two nodes of two.
        os.environ |= {"DATABASE_URL": database_url, "CELERY_BROKER_URL": broker, "BULK_SLOTS": "4"}
        _set_up()
        call_command("migrate", verbosity=0)
        yield


def _set_up():
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    logging.disable(logging.INFO)


def table(title, columns, rows):
    widths = [max(len(str(row[i])) for row in [columns, *rows]) for i in range(len(columns))]
    print(f"\n{title}\n")
    for row in [columns, ["-" * width for width in widths], *rows]:
        print("  " + "  ".join(str(cell).ljust(width) for cell, width in zip(row, widths, strict=True)))
