"""The other ends a measurement sends to, each a process, and where PostgreSQL's processor time is counted."""

import contextlib
import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

from django.db import connection

from tests import processes

from . import _listening, _postfix


@contextlib.contextmanager
def sink(*options, host="127.0.0.1"):
    """Our own; yields `(port, process id)`."""
    port = processes.free_port()
    command = [sys.executable, "-m", "tests.benchmarks._sink", str(port), "--host", host, *map(str, options)]
    with _listening.started(command, dict(os.environ), port) as pid:
        yield port, pid


@contextlib.contextmanager
def smtp_sink():
    """Postfix's; yields `(port, process id)`."""
    port = processes.free_port()
    with _postfix.sink(port) as pid:
        yield port, pid


@contextlib.contextmanager
def provider(kind, record):
    """A provider's stub that counts; yields `(route, process id)`."""
    port = processes.free_port()
    origin = quote(f"http://127.0.0.1:{port}", safe="")
    routes = {
        "mailgun": f"anymail+mailgun://KEY@mg.example.org?api_url={origin}",
        "ses": f"ses://KEY:SECRET@?region=us-east-1&endpoint={origin}",
    }
    command = [sys.executable, "-m", "tests.mail.esps", kind, str(port), "--record", str(record)]
    with _listening.started(command, dict(os.environ), port) as pid:
        yield routes[kind], pid


def postmaster():
    """The process all of PostgreSQL's others descend from."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        backend = cursor.fetchone()[0]
    return processes.parents()[backend]


def recorded(file):
    """`(how many letters, how many different addresses)` of a sink's record."""
    lines = Path(file).read_bytes().split()
    return len(lines), len(set(lines))


def explained(sql, params):
    """`(how many pages it touched, milliseconds, the indexes it took)` of EXPLAIN (ANALYZE, BUFFERS)."""
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) {sql}", params)
        found = cursor.fetchone()[0]
    plan = (json.loads(found) if isinstance(found, str) else found)[0]
    top = plan["Plan"]
    return top["Shared Hit Blocks"] + top["Shared Read Blocks"], plan["Execution Time"], sorted(set(_indexes(top)))


def _indexes(node):
    if "Index Name" in node:
        yield node["Index Name"]
    for child in node.get("Plans", []):
        yield from _indexes(child)
