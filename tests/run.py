"""`./run test`: the whole suite on SQLite, then again on a real PostgreSQL and Redis. Arguments go to pytest in both passes.

DATABASE_URL and CELERY_BROKER_URL, where set, name the services of the second pass; else it brings its own.
"""

import contextlib
import os
import subprocess
import sys

from . import services


def suite(title, arguments, **environment):
    print(f"\n== {title} ==", flush=True)
    outside = {name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "CELERY_BROKER_URL", "LECTERN_VAR"}}
    command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", *arguments]
    return subprocess.run(command, env=outside | environment).returncode


def main(arguments):
    failed = suite("SQLite", arguments)
    with contextlib.ExitStack() as stack:
        database = os.environ.get("DATABASE_URL") or stack.enter_context(services.postgresql())
        broker = os.environ.get("CELERY_BROKER_URL") or stack.enter_context(services.redis())
        failed = suite("PostgreSQL and Redis", arguments, DATABASE_URL=database, CELERY_BROKER_URL=broker) or failed
    return failed


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
