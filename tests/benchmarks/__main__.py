"""`./run bench`: measurements, each beside the plain way of doing the same in the same run, because only the ratio means anything elsewhere.

Without a name it lists them. A benchmark is a module here with `run()`, which prints its table; what follows its name on the command line is
for it to read. The database is a test's own: SQLite, or a new one on the server of DATABASE_URL. One that says `SERVICES = True` starts
processes of its own and is given a PostgreSQL and a Redis, by their environment variables.
"""

import ast
import importlib
import signal
import sys
from pathlib import Path

from tests import environment  # noqa: F401  it must be read before Django's settings are
from tests.benchmarks import _database


def known():
    """`{name: its syntax tree}`, read without running any."""
    files = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    return {file.stem: ast.parse(file.read_text()) for file in files}


def _wants_services(tree):
    return any(isinstance(node, ast.Assign) and ast.unparse(node) == "SERVICES = True" for node in tree.body)


def main(arguments):
    found = known()
    if not arguments:
        print("./run bench NAME, where NAME is one of:")
        for name, tree in found.items():
            print(f"  {name:<10} {ast.get_docstring(tree).splitlines()[0]}")
        return 0
    name, *options = arguments
    if name not in found:
        print(f"There is no benchmark {name}. Known: {', '.join(found)}.", file=sys.stderr)
        return 1
    around = _database.postgresql_and_redis if _wants_services(found[name]) else _database.database
    with around():
        importlib.import_module(f"tests.benchmarks.{name}").run(*options)
    return 0


if __name__ == "__main__":
    # Ended from outside it still cleans up: servers, namespaces, folders.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main(sys.argv[1:]))
