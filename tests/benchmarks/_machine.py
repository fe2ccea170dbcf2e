"""What a measurement costs: processor time and memory of whole families of processes, from /proc; and what else the machine was doing."""

import contextlib
import os
import platform
import time
from pathlib import Path

import django

from tests import processes

_TICK = os.sysconf("SC_CLK_TCK")


def cpu(*roots):
    """Processor seconds, user and system, of these processes and all below them, those that have ended included."""
    return sum(_cpu_of(pid) for root in roots for pid in {root, *processes.below(root)})


def _cpu_of(pid):
    with contextlib.suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICK  # utime, stime and those of children that were waited for
    return 0.0


def memory(pid):
    """`(now, at most so far)` in MB that a process holds."""
    words = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":" in line)
    return tuple(int(words[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))


class Watch:
    """`with Watch(workers=[pid], database=[pid]) as watch:` … → `watch.seconds`, `watch.cpu["workers"]`, `watch.others`, a share."""

    def __init__(self, **families):
        self.families, self.cpu, self.seconds, self.others = families, {}, 0.0, 0.0

    def __enter__(self):
        self._before, self._busy, self._began = self._read(), _busy(), time.monotonic()
        return self

    def __exit__(self, *_):
        self.seconds = time.monotonic() - self._began
        after = self._read()
        self.cpu = {name: after[name] - self._before[name] for name in after}
        ours = sum(self.cpu.values())
        self.others = max(_busy() - self._busy - ours, 0) / (self.seconds * os.cpu_count()) if self.seconds else 0

    def _read(self):
        # Our own, with what was run and waited for meanwhile.
        return {"bench": sum(os.times()[:4])} | {name: cpu(*pids) for name, pids in self.families.items()}


def _busy():
    """Processor seconds of the whole machine that were not idle."""
    fields = list(map(int, Path("/proc/stat").read_text().splitlines()[0].split()[1:9]))
    return (sum(fields) - fields[3] - fields[4]) / _TICK


def described(connection):
    """Lines for a table's head."""
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version" if connection.vendor == "postgresql" else "SELECT sqlite_version()")
        version = cursor.fetchone()[0].split()[0]
    model = next(
        (line.partition(":")[2].strip() for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")), "?"
    )
    total = int(Path("/proc/meminfo").read_text().split()[1]) // 1024**2
    load = ", ".join(f"{value:.2f}" for value in os.getloadavg())
    return [
        f"{model}, {os.cpu_count()} cores, {total} GB, {platform.system()} {platform.release()}",
        f"Python {platform.python_version()}, Django {django.__version__}, {connection.vendor} {version}; load average {load}",
    ]
