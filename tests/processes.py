"""Real processes for tests: who is whose child, waiting with a limit, and one `manage.py up` on a free port."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

#: Where programs lie, those of the administrator too, which a person's PATH may lack.
SERVERS = os.pathsep.join([os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin"])


def free_port():
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def parents():
    """`{pid: parent's pid}` of everything that runs, from /proc; the dead that nobody has buried yet don't run."""
    found = {}
    for entry in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            state, parent = (entry / "stat").read_text().rpartition(")")[2].split()[:2]
            if state != "Z":
                found[int(entry.name)] = int(parent)
    return found


def below(pid):
    """Every process that descends from that one."""
    tree, found = parents(), {pid}
    while True:
        more = {child for child, parent in tree.items() if parent in found} - found
        if not more:
            return found - {pid}
        found |= more


def command_line(pid):
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
    return ""


def eventually(condition, seconds=40, pause=0.05):
    """Wait until it holds, looking every `pause` seconds; fails the test when it does not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "It did not come about in time."
        time.sleep(pause)


def none_left(pids):
    return not set(parents()) & set(pids)


def environment(var, **more):
    """A plain environment: what this test run was given must not leak into what is tested."""
    kept = {name: value for name, value in os.environ.items() if name in {"PATH", "HOME", "LANG", "TMPDIR"}}
    return kept | {"LECTERN_VAR": str(var), **more}


def manage(*arguments, env, **options):
    """`manage.py …` to its end, output together."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120, **options)


@contextlib.contextmanager
def started(command, env):
    """A process that is gone, with all below it, when the block is left."""
    process = subprocess.Popen(command, cwd=ROOT, env=env, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    family = set()
    process.remember = lambda: family.update(below(process.pid)) or set(family)
    try:
        yield process
    finally:
        family |= below(process.pid)
        for pid in [process.pid, *family] if process.poll() is None else family:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        process.wait()
        process.stdout.close()
