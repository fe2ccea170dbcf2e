"""A server for as long as a block lasts."""

import contextlib
import subprocess
from pathlib import Path

from tests import processes


@contextlib.contextmanager
def started(command, env, port):
    """A server that listens when the block begins and is gone when it ends; yields its process id."""
    process = subprocess.Popen(command, env=env, cwd=processes.ROOT)
    try:
        processes.eventually(lambda: _listens(port) or process.poll() is not None, 20)
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} ended at once")
        yield process.pid
    finally:
        process.terminate()
        process.wait(20)


def _listens(port):
    """Read from the kernel's table: a connection to look would be counted by the server."""
    wanted = f":{port:04X} "
    return any(wanted in line and " 0A " in line for line in Path("/proc/net/tcp").read_text().splitlines())
