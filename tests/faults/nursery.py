"""A process that has Django set up and forks a worker for each line of JSON it reads, so that a test can kill twenty without waiting for twenty
starts. It ends, and all it forked with it, when its input does.

`{"do": "work", "seconds": 20, "crash": "marked:2", "careless": "mark", "settings": {"MAIL_BULK": …}}` answers the new worker's pid;
`{"wait": pid, "seconds": 20}` its exit code, minus the signal that killed it, or null while it runs.
"""

import contextlib
import json
import os
import signal
import sys
import time
from datetime import timedelta
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
django.setup()

from django.conf import settings  # noqa: E402
from django.utils import timezone  # noqa: E402

from newsletter import campaigns  # noqa: E402
from newsletter.models import Campaign  # noqa: E402
from project.mail import sweep  # noqa: E402
from tests.faults import careless, worker  # noqa: E402
from tests.faults.hurry import hurry  # noqa: E402

_SECONDS = {"MAIL_LEASE"}
_children = {}


def work(deadline, until="over"):
    """Sweep after sweep, as a worker with its beat, until every campaign has ended or the time is up."""
    going = {Campaign.Status.SCHEDULED, Campaign.Status.SENDING}
    going |= {Campaign.Status.PAUSED} if until == "cancelled" else set()
    while time.monotonic() < deadline:
        sweep.tick_inline(deadline - time.monotonic())
        if not Campaign.objects.filter(status__in=going).exists():
            return
        time.sleep(0.05)


def tick(deadline):
    """Ring bells as beat does, only faster."""
    while time.monotonic() < deadline:
        sweep.tick()
        time.sleep(0.05)


def press_send(deadline):
    """What a coordinator's press of “Send now” does in a web process."""
    campaigns.schedule(Campaign.objects.get(status=Campaign.Status.DRAFT), timezone.now())


_verbs = {
    "work": work,
    "tick": tick,
    "press_send": press_send,
    "post": lambda deadline, count: worker.post(count),
    "drain": lambda deadline: worker.drain(),
    "drain-carelessly": lambda deadline: worker.drain_carelessly(),
}


def child(wish):
    """Never returns."""
    code = 1
    with contextlib.suppress(SystemExit):
        for name, value in wish.get("settings", {}).items():
            setattr(settings, name, timedelta(seconds=value) if name in _SECONDS else value)
        settings.MAIL_WITNESS = Path(settings.MAIL_WITNESS)
        os.environ["LECTERN_CRASH"] = wish.get("crash", "")
        hurry()
        careless.be(wish.get("careless", ""))
        _verbs[wish["do"]](time.monotonic() + wish.get("seconds", 20), **wish.get("arguments", {}))
        code = 0
    os._exit(code)


def start(wish):
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        try:
            child(wish)
        finally:
            import traceback  # noqa: PLC0415  only on the way out

            traceback.print_exc()
            os._exit(1)
    _children[pid] = None
    return pid


def wait(pid, seconds):
    deadline = time.monotonic() + seconds
    while _children[pid] is None:
        buried, status = os.waitpid(pid, os.WNOHANG)
        if buried:
            _children[pid] = os.waitstatus_to_exitcode(status)
        elif time.monotonic() >= deadline:
            break
        else:
            time.sleep(0.01)
    return _children[pid]


def main():
    try:
        for line in sys.stdin:
            wish = json.loads(line)
            answer = wait(wish["wait"], wish["seconds"]) if "wait" in wish else start(wish)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()
    finally:
        for pid in [pid for pid, code in _children.items() if code is None]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main()
