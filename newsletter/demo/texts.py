"""Reading the sample texts: Markdown files that begin with a few `name: value` lines."""

from pathlib import Path

HERE = Path(__file__).parent


def read(path):
    """`(head, body)` of a sample text: the lines up to the first empty one as a dict, and the Markdown after it."""
    head, _empty, body = (HERE / path).read_text(encoding="utf-8").partition("\n\n")
    return dict(line.split(": ", 1) for line in head.splitlines()), body.strip() + "\n"
