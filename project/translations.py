"""Compile `locale/*/LC_MESSAGES/*.po` to `.mo` where the text is newer: `python -m project.translations`.

In pure Python, because a machine that has only Python has no `msgfmt`.
"""

import os
from pathlib import Path

import polib

LOCALE = Path(__file__).resolve().parent.parent / "locale"


def compile_all(folder=LOCALE):
    for source in folder.glob("*/LC_MESSAGES/*.po"):
        compiled = source.with_suffix(".mo")
        if not compiled.exists() or compiled.stat().st_mtime < source.stat().st_mtime:
            # Written beside and renamed: two commands may start at once.
            beside = compiled.with_suffix(f".{os.getpid()}")
            polib.pofile(str(source)).save_as_mofile(str(beside))
            beside.replace(compiled)


if __name__ == "__main__":
    compile_all()
