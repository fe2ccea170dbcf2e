"""The campaign engine beside C, plain Django and django-newsletter: letters a second, processor time and memory. It takes half an hour.

    ./run bench mail [--quick] [ROW ...]

ROW is one of: ends latency esp launch million growth nodes; all without a name. `--quick` sends a tenth. What is compared is run in turns,
three times, and the median counts; workers have sent one small newsletter before. `POSTFIX_TOOLS=DIR` says where Debian's postfix package was
unpacked, should it not be installed.
"""

import argparse
import contextlib
import tempfile
from pathlib import Path

from . import _figures, _newsletter, _rows

SERVICES = True

_ALL = {
    "ends": _rows.ends,
    "latency": _rows.latency,
    "esp": _rows.esp,
    "launch": _rows.launch,
    "million": _rows.million,
    "growth": _rows.growth,
    "nodes": _rows.nodes,
}


def run(*arguments):
    parser = argparse.ArgumentParser(prog="./run bench mail", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("rows", nargs="*", metavar="ROW", choices=[[], *_ALL])
    options = parser.parse_args(arguments)
    _newsletter.make_practice()
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="lectern-bench-")))
        bench = _figures.Bench(folder, stack, tenth=options.quick)
        for name in options.rows or _ALL:
            bench.say(f"{name} …")
            try:
                _ALL[name](bench)
            except Exception as error:  # noqa: BLE001  one row that can't be measured must not cost the others
                bench.row(name, f"{type(error).__name__}: {error}"[:120], "to be measured", met=False)
    bench.show()
