"""Postfix's own `smtp-source` and `smtp-sink`, without a mail server: from PATH, from a folder, or unpacked from Debian's package."""

import contextlib
import functools
import os
import re
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from . import _listening

SESSIONS = (4, 16, 64)


class Missing(Exception):
    """They can't be had; the text says why."""


@functools.cache
def tools():
    """`(folder, environment)`. Raises Missing."""
    folders = [os.environ.get("POSTFIX_TOOLS"), "/"]
    for folder in filter(None, folders):
        if (Path(folder) / "usr/sbin/smtp-source").exists():
            return Path(folder) / "usr/sbin", _environment(Path(folder))
    found = shutil.which("smtp-source")
    if found:
        return Path(found).parent, dict(os.environ)
    folder = Path(_keep(tempfile.TemporaryDirectory(prefix="lectern-postfix-")).name)
    return _unpacked(folder) / "usr/sbin", _environment(folder)


_kept = []


def _keep(folder):
    """Until the process ends."""
    _kept.append(folder)
    return folder


def _environment(folder):
    return os.environ | {"LD_LIBRARY_PATH": str(folder / "usr/lib/postfix")}


def _unpacked(folder):
    """Debian's package, taken apart; nothing of it is installed or configured."""
    try:
        subprocess.run(["apt-get", "download", "postfix"], cwd=folder, check=True, capture_output=True, timeout=60)
        package = next(folder.glob("postfix_*.deb"))
        subprocess.run(["dpkg", "-x", package, folder], check=True, capture_output=True, timeout=60)
    except (OSError, subprocess.SubprocessError, StopIteration):
        raise Missing("Postfix’s smtp-source and smtp-sink are not on this machine and could not be fetched") from None
    return folder


@contextlib.contextmanager
def sink(port):
    """`smtp-sink`; yields its process id."""
    folder, env = tools()
    user = ["-u", "nobody"] if os.geteuid() == 0 else []
    with _listening.started([str(folder / "smtp-sink"), *user, f"127.0.0.1:{port}", "1000"], env, port) as pid:
        yield pid


def source(port, letters, size, sessions):
    """Letters a second of `smtp-source`, and its processor seconds per 1,000 letters."""
    folder, env = tools()
    command = [folder / "smtp-source", "-s", sessions, "-m", letters, "-l", size, "-f", "a@example.org", "-t", "b@example.org"]
    before, began = os.times(), time.perf_counter()
    subprocess.run([*map(str, command), f"127.0.0.1:{port}"], env=env, check=True, timeout=120)
    seconds, after = time.perf_counter() - began, os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return letters / seconds, used / letters * 1000


def version():
    folder, _env = tools()
    found = re.search(rb"mail_version=([\d.]+)", (folder / "smtp-source").read_bytes())
    return found[1].decode() if found else "?"
