"""What was measured, what it must reach, and the one table that says so."""

import statistics
import sys
import time
from dataclasses import dataclass, field

from django.db import connection

from . import _machine
from ._database import table


@dataclass
class Sample:
    """One run: letters a second, and per 1,000 letters the processor seconds of the workers, of PostgreSQL and of the other end."""

    rate: float
    workers: float = 0.0
    database: float = 0.0
    peer: float = 0.0
    memory: int = 0
    others: float = 0.0


def median(samples, name="rate"):
    return statistics.median(getattr(sample, name) for sample in samples)


@dataclass
class Bench:
    """One run of `./run bench mail`: where its files are, how much it sends, and what came out."""

    folder: object
    stack: object
    tenth: bool = False
    contenders: list = field(default_factory=list)
    rows: list = field(default_factory=list)
    notes: list = field(default_factory=list)
    others: list = field(default_factory=list)
    shared: dict = field(default_factory=dict)

    def __post_init__(self):
        self.began = time.monotonic()

    def size(self, letters):
        return letters // 10 if self.tenth else letters

    @property
    def rounds(self):
        return 1 if self.tenth else 3

    def say(self, text):
        """How far it is, for who waits."""
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", file=sys.stderr, flush=True)

    def contender(self, name, samples):
        """Keep the runs of one way of sending for the table, and say its median."""
        rates = sorted(sample.rate for sample in samples)
        self.contenders.append(
            [
                name,
                f"{median(samples):,.0f}",
                f"{rates[0]:,.0f}–{rates[-1]:,.0f}",
                *(f"{median(samples, part):.3f}" if median(samples, part) else "" for part in ("workers", "database", "peer")),
                f"{max(sample.memory for sample in samples)} MB" if samples[0].memory else "",
                f"{median(samples, 'others'):.0%}",
            ]
        )
        return median(samples)

    def row(self, what, figure, must, met):
        """`met`: None when it could not be measured, or is only told."""
        self.rows.append([what, figure, must, "–" if met is None else "yes" if met else "NO"])

    def note(self, text):
        self.notes.append(text)

    def show(self):
        columns = ["how", "letters/s", "min–max", "sender CPU s/1k", "PostgreSQL", "other end", "peak memory", "others busy"]
        if self.contenders:
            table("Ways of sending (medians; processor seconds per 1,000 letters, each family of processes apart)", columns, self.contenders)
        print()
        for line in _machine.described(connection):
            print(f"  {line}")
        table("What it must reach", ["what", "figure", "must reach", "met"], self.rows)
        for text in self.notes:
            print(f"  · {text}")
