"""`./run bench`: measurements, each beside the plain way of doing the same in the same run, because only the ratio means anything elsewhere.

Without a name it lists them. A benchmark is a module here with `run()`, which prints its table. The database is a test's own: SQLite, or a new
one on the server of DATABASE_URL.
"""

import ast
import importlib
import sys
from pathlib import Path

from tests import environment  # noqa: F401  it must be read before Django's settings are
from tests.benchmarks import _database


def known():
    """`{name: what it measures}`, read without running any."""
    files = sorted(Path(__file__).parent.glob("[a-z]*.py"))
    return {file.stem: ast.get_docstring(ast.parse(file.read_text())).splitlines()[0] for file in files}


def main(arguments):
    if not arguments:
        print("./run bench NAME, where NAME is one of:")
        for name, measures in known().items():
            print(f"  {name:<10} {measures}")
        return 0
    unknown = set(arguments) - set(known())
    if unknown:
        print(f"There is no benchmark {', '.join(sorted(unknown))}. Known: {', '.join(known())}.", file=sys.stderr)
        return 1
    with _database.database():
        for name in arguments:
            importlib.import_module(f"tests.benchmarks.{name}").run()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
