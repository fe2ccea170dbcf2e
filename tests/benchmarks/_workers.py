"""Real workers for a measurement: Celery, prefork, on the bulk queue, as `./run manage up` starts them; and one campaign sent by them."""

import contextlib
import os
import subprocess
import sys
import time

from django.db import connection, connections

from newsletter.models import Campaign, Chunk
from project.mail import sweep
from tests import processes

from . import _machine, _newsletter

#: So many seconds without one chunk more being done: it will not come to an end.
_PATIENCE = 60

#: How many read the first campaign of freshly started workers, which is not measured.
SMALL = 1000


@contextlib.contextmanager
def started(route, *, count=2, name="bench", app="project.celery", prefix=(), **environment):
    """Workers on that route; yields their parent's process id once they are there. `prefix`: words before the command (`ip netns exec …`)."""
    command = [
        *prefix,
        *(sys.executable, "-m", "celery", "--quiet", "--app", app, "worker", "-n", f"{name}@bench", "-Q", "bulk", "-c", str(count)),
        *("--pool", "prefork", "--loglevel", "WARNING", "--without-gossip", "--without-mingle", "--without-heartbeat"),
    ]
    env = os.environ | {"MAIL_BULK": route, "PYTHONWARNINGS": "ignore"} | environment
    process = subprocess.Popen(command, cwd=processes.ROOT, env=env)
    try:
        processes.eventually(lambda: len(children(process.pid)) >= count or process.poll() is not None, 60)
        if process.poll() is not None:
            raise RuntimeError("The workers ended at once.")
        time.sleep(1)  # until they listen to the broker
        yield process.pid
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)


def children(pid):
    """The processes that do the work."""
    return sorted(child for child, parent in processes.parents().items() if parent == pid)


def send(campaign, watching=None):
    """Ring as beat does until the campaign is sent. Returns seconds from the first bell to the last letter's record.

    `watching()` is called once a second meanwhile.
    """
    began, looked, done, moved = time.time(), 0.0, -1, time.monotonic()
    while time.monotonic() - moved < _PATIENCE:
        if time.monotonic() - looked > 1:
            looked = time.monotonic()
            sweep.tick()
            if watching:
                watching()
            now_done = Chunk.objects.filter(state=Chunk.State.DONE).count()
            if now_done != done:
                done, moved = now_done, time.monotonic()
        found = Campaign.objects.get(pk=campaign.pk)
        if found.status == Campaign.Status.SENT:
            return found.finished_at.timestamp() - began
        if found.status != Campaign.Status.SENDING:
            raise RuntimeError(f"The campaign stopped: {found.stopped_because or found.status}.")
        time.sleep(0.05)
    raise RuntimeError(f"The campaign stands still at {done} chunks.")


def measured(topic, parents, database, peers=(), watching=None):
    """`(letters a second, Watch, counts)` of one campaign to that topic, sent by the workers of these parents.

    They have sent a small one before: what a process does once in its life is not the newsletter's.
    """
    _newsletter.forget_campaigns()
    send(_newsletter.launch(_newsletter.make_readers(SMALL)))
    _newsletter.forget_campaigns()
    campaign = _newsletter.launch(topic)
    with connection.cursor() as cursor:
        cursor.execute("CHECKPOINT")
    with _machine.Watch(workers=parents, database=[database], peers=peers) as watch:
        seconds = send(campaign, watching)
    states, left = _newsletter.counts(campaign)
    connections.close_all()
    if left or set(states) != {"sent"}:
        raise RuntimeError(f"Not everything was sent: {states}, {left} chunks open.")
    return states["sent"] / seconds, watch, states
