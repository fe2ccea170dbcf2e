"""A race for forty seats: the one conditional UPDATE beside reading first and writing then."""

import threading
import time
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from seminars.models import Mode, SeatPool, Seminar, Venue

from ._database import table

THREADS, TRIES, SEATS = 8, 50, 40


def run():
    ways = {"one conditional UPDATE": _conditional, "read, then write": _naive}
    measured = {name: _race(way) for name, way in ways.items()}
    reference = measured["read, then write"][0]
    rows = [[name, f"{seconds:.2f} s", f"{seconds / reference:.2f}", told, counted] for name, (seconds, told, counted) in measured.items()]
    title = f"{THREADS * TRIES} tries by {THREADS} threads for {SEATS} seats, {connection.vendor}"
    table(title, ["way", "time", "ratio", "told yes", "counted as taken"], rows)


def _race(way):
    """(seconds, how many were told yes, what the pool says) of everybody trying at once."""
    pool = _pool()
    yes, start = [], threading.Barrier(THREADS + 1)

    def try_often():
        start.wait()
        try:
            yes.extend(True for _ in range(TRIES) if way(pool))
        finally:
            connection.close()

    threads = [threading.Thread(target=try_often) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    return time.perf_counter() - began, len(yes), SeatPool.objects.get(pk=pool).taken


def _conditional(pool):
    return SeatPool.objects.filter(pk=pool).take(1)


def _naive(pool):
    """What one would write first, and what sells a seat twice."""
    row = SeatPool.objects.get(pk=pool)
    if row.taken >= row.capacity:
        return False
    row.taken += 1
    row.save(update_fields=["taken"])
    return True


def _pool():
    venue = Venue.objects.create(zone="America/New_York")
    starts = timezone.now() + timedelta(days=7)
    slug = f"race-{Seminar.objects.count()}"
    seminar = Seminar.objects.create(slug=slug, venue=venue, zone=venue.zone, starts_at=starts, ends_at=starts + timedelta(hours=1))
    return SeatPool.objects.create(seminar=seminar, mode=Mode.IN_PERSON, capacity=SEATS).pk
