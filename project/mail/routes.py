"""The two ways out of the building: which backend a route's URL names, its connection in this process, and one letter handed over.

A URL's user and password come percent-encoded, as in DATABASE_URL. `file://DIR` and `memory://` are refused outside DEBUG (checks.py).
"""

import hashlib
import logging
import os
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F
from django.utils import timezone

from . import outcomes
from .models import Route
from .outcomes import Verdict

logger = logging.getLogger(__name__)

#: After how many failures in a row a route rests before the next try, and for how long at most.
_REST = [timedelta(seconds=s) for s in (0, 15, 30, 60, 120, 300)]


@dataclass(frozen=True)
class Spec:
    """What a route's URL says: a Django backend's path, its arguments, and whether it is only fit for a demo."""

    url: str
    backend: str
    options: dict = field(default_factory=dict)
    for_real: bool = True

    @property
    def fingerprint(self):
        return hashlib.sha256(self.url.encode()).hexdigest()

    @property
    def name(self):
        """The URL without its secrets, for people: `smtp://relay.example.org`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or parts.path}"


class BadRoute(ValueError):
    """The URL names no route we know."""


def _smtp(parts, secure):
    return {
        "host": parts.hostname,
        "port": parts.port or (465 if secure else 587 if parts.username else 25),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": secure,
        "use_tls": not secure and (dict(parse_qsl(parts.query)).get("tls", "1" if parts.username else "0") == "1"),
        "timeout": settings.MAIL_SOCKET_TIMEOUT,
    }


def parse(url):
    """The Spec of a route's URL. Raises BadRoute with a sentence."""
    parts = urlsplit(url)
    match parts.scheme:
        case "smtp" | "smtps" if parts.hostname:
            return Spec(url, "project.mail.backends.SmtpBackend", _smtp(parts, parts.scheme == "smtps"))
        case "file" if parts.path:
            return Spec(url, "project.mail.backends.FileBackend", {"folder": unquote(parts.path)}, for_real=False)
        case "memory":
            return Spec(url, "django.core.mail.backends.locmem.EmailBackend", for_real=False)
    raise BadRoute(f"{parts.scheme or url!r} is no route. Known: smtp, smtps, file, memory.")


def spec(stream):
    return parse(settings.MAIL_BULK if stream == "bulk" else settings.MAIL_TRANSACTIONAL)


_connections = {}


def connection(stream):
    """This process's own connection of that stream: opened once, kept, and never shared with a forked child."""
    key = (os.getpid(), stream, spec(stream).url)
    if key not in _connections:
        chosen = spec(stream)
        _connections[key] = get_connection(chosen.backend, **chosen.options)
    return _connections[key]


def hand_over(stream, message):
    """Give one letter to the route. Returns its Outcome; raises nothing. What concerns the whole route is noted on its row."""
    backend = connection(stream)
    try:
        sent = backend.send_messages([message])
        outcome = outcomes.SENT if sent else outcomes.Outcome(Verdict.FAILED, "refused", "The route took no letter and gave no reason.")
    except Exception as error:  # noqa: BLE001  every route raises its own; the table decides
        outcome = outcomes.of_exception(error, begun=getattr(backend, "begun", False), dot_sent=getattr(backend, "dot_sent", False))
        _close(backend)
    note(stream, outcome)
    return outcome


def _close(backend):
    try:
        backend.close()
    except Exception as error:  # noqa: BLE001  it is broken already
        logger.info("Closing a broken connection: %s", type(error).__name__)


def row(stream):
    """The stream's row, begun afresh (running, untested) when its URL has changed."""
    fingerprint = spec(stream).fingerprint
    route, _new = Route.objects.get_or_create(stream=stream, defaults={"url": fingerprint})
    if route.url != fingerprint:
        fresh = {"url": fingerprint, "tested_at": None, "paused_at": None, "paused_because": "", "failures": 0, "probe_at": None}
        Route.objects.filter(pk=route.pk).exclude(url=fingerprint).update(**fresh)
        route.refresh_from_db()
    return route


def open_now(stream, now):
    """Whether letters may be tried: neither paused nor resting after failures."""
    route = row(stream)
    return route.paused_at is None and (route.probe_at is None or route.probe_at <= now)


def note(stream, outcome):
    """Keep the route's row: a success clears its failures, bad credentials pause it, an outage lets it rest, longer each time."""
    route = Route.objects.filter(stream=stream)
    now = timezone.now()
    if outcome.verdict is Verdict.PAUSE:
        route.filter(paused_at=None).update(paused_at=now, paused_because=outcome.detail)
    elif outcome.verdict is Verdict.LATER:
        failures = row(stream).failures + 1
        route.update(failures=F("failures") + 1, probe_at=now + _REST[min(failures, len(_REST)) - 1])
    else:
        route.exclude(failures=0, probe_at=None).update(failures=0, probe_at=None)


def resume(stream):
    """A person says the route works again."""
    Route.objects.filter(stream=stream).update(paused_at=None, paused_because="", failures=0, probe_at=None)


def message_id_domain():
    """The right side of our Message-IDs: the domain letters come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
