"""The desk with a million readers: every page a coordinator opens from Today and the menu, in milliseconds. PostgreSQL only.

Time inside the server, by Django's test client: the view, its queries and its template, warm, the median of several. The rows are made by plain
SQL and vacuumed, as autovacuum leaves them. `--only WORD` measures the pages with that word in their names.
"""

import argparse
import logging
import statistics
import sys
import time

from django.contrib.auth.models import User
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from . import _desk_pages, _desk_rows
from ._database import table

SERVICES = True

#: What a page may take, in milliseconds.
LIMIT = 400

#: A query that takes longer than this is given up, and so is its page.
PATIENCE = 20

ROUNDS = 5


def run(*options):
    parser = argparse.ArgumentParser(prog="./run bench desk")
    parser.add_argument("--readers", type=int, default=1_000_000)
    parser.add_argument("--only", default="", metavar="WORD")
    given = parser.parse_args(options)
    logging.disable(logging.ERROR)  # a page that is given up is in the table
    began = time.monotonic()
    with connection.cursor() as cursor:
        # Nobody asks the foreign keys a million times, nor waits for the disk.
        cursor.execute("SET session_replication_role = replica")
        cursor.execute("SET synchronous_commit = off")
        _desk_rows.make(given.readers)
        cursor.execute("RESET session_replication_role")
        cursor.execute("VACUUM ANALYZE")
    print(f"{given.readers:,} readers, made in {time.monotonic() - began:.0f} s.")
    with connection.cursor() as cursor:
        cursor.execute(f"SET statement_timeout = '{PATIENCE}s'")
    client = Client(raise_request_exception=True)
    client.force_login(User.objects.create_superuser("desk", "desk@example.org"))
    pages = {name: address for name, address in _desk_pages.addresses().items() if given.only.lower() in name.lower()}
    rows = []
    for name, address in pages.items():
        rows.append([name, *_measured(client, address)])
        print(f"  {name}: {rows[-1][1]} ms", file=sys.stderr, flush=True)
    table(f"The desk with {given.readers:,} readers", ["page", "ms", "queries", f"≤ {LIMIT} ms"], rows)


def _measured(client, address):
    """The median in milliseconds, how many queries, and whether that is within the limit."""
    try:
        with CaptureQueriesContext(connection) as queries:
            _opened(client, address)
        asked = len(queries)  # the next request forgets them
        took = statistics.median(_opened(client, address) for _round in range(ROUNDS))
    except OperationalError:
        return f"> {PATIENCE * 1000:,}", "", "NO"
    return f"{took:,.0f}", asked, "yes" if took <= LIMIT else "NO"


def _opened(client, address):
    began = time.perf_counter()
    response = client.get(address)
    took = (time.perf_counter() - began) * 1000
    if response.status_code != 200:
        raise RuntimeError(f"{address} answers {response.status_code}.")
    return took
