"""The two ways out of the building: which backend a route's URL names, its connection in this process, and one letter handed over.

A URL's user and password come percent-encoded, as in DATABASE_URL; for providers' see `providers`. `file://DIR` and `memory://` are refused
outside DEBUG (checks.py).
"""

import copy
import functools
import hashlib
import logging
import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parseaddr
from urllib.parse import parse_qsl, unquote, urlsplit

from django.conf import settings
from django.core.mail import get_connection
from django.db.models import F
from django.utils import timezone

from . import api_outcomes, outcomes, pace, providers
from .capabilities import MIME, Can, fit
from .models import Route
from .outcomes import Outcome, Verdict
from .providers import BadRoute

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
    can: Can = MIME
    outcome_of: Callable = outcomes.of_exception

    @property
    def scheme(self):
        return urlsplit(self.url).scheme

    @property
    def provider(self):
        """The provider's name, as in `anymail+postmark`, or '' for a route of our own."""
        return self.scheme.removeprefix("anymail+") if self.scheme in providers.schemes() else ""

    @property
    def fingerprint(self):
        return hashlib.sha256(self.url.encode()).hexdigest()

    @property
    def name(self):
        """The URL without its secrets, for people: `smtp://relay.example.org`."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.hostname or parts.path}"


#: More than any relay allows one client.
_MOST_CONNECTIONS = 256


def _smtp(parts, secure):
    query = dict(parse_qsl(parts.query))
    connections = query.get("connections") or str(settings.BULK_CONNECTIONS)
    if not (connections.isdecimal() and 1 <= int(connections) <= _MOST_CONNECTIONS):
        raise BadRoute(f"connections={connections}? It is how many connections to keep open, 1 to {_MOST_CONNECTIONS}.")
    return {
        "host": parts.hostname,
        "port": parts.port or (465 if secure else 587 if parts.username else 25),
        "username": unquote(parts.username or ""),
        "password": unquote(parts.password or ""),
        "use_ssl": secure,
        "use_tls": not secure and (query.get("tls", "1" if parts.username else "0") == "1"),
        "timeout": settings.MAIL_SOCKET_TIMEOUT,
        "connections": int(connections),
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
        case "ses":
            return _provider(url, *providers.ses(parts))
        case "django-ses":
            return _provider(url, *providers.django_ses(parts))
        case scheme if scheme.startswith("anymail+"):
            return _provider(url, *providers.anymail(scheme.removeprefix("anymail+"), parts))
    known = ["smtp", "smtps", *providers.schemes(), "file", "memory"]
    raise BadRoute(f"{parts.scheme or 'That'}:// is no route. Known: {', '.join(known)}.")


def _provider(url, backend, options, can):
    return Spec(url, backend, options, can=can, outcome_of=functools.partial(api_outcomes.of_exception, idempotent=can.idempotent))


def spec(stream):
    return parse(settings.MAIL_BULK if stream == "bulk" else settings.MAIL_TRANSACTIONAL)


_connections = {}


def connection(stream):
    """This process's own connection of that stream: opened once, kept, and never shared with a forked child."""
    key = (os.getpid(), stream, spec(stream).url)
    if key not in _connections:
        chosen = spec(stream)
        _connections[key] = get_connection(chosen.backend, **copy.deepcopy(chosen.options))  # anymail takes its own out of them
    return _connections[key]


def hand_over(stream, message):
    """Give one letter to the route. Returns its Outcome; raises nothing. What concerns the whole route is noted on its row."""
    outcome = attempt(stream, message)
    note(stream, outcome)
    return outcome


def attempt(stream, message):
    """`hand_over`, with nothing noted of it."""
    chosen = spec(stream)
    backend = None
    try:
        backend = connection(stream)
        letter = fit(message, chosen.can)
        if chosen.provider:
            backend.open()  # anymail would otherwise make a session, and a TLS handshake, for every letter
        sent = backend.send_messages([letter])
    except Exception as error:  # noqa: BLE001  every route raises its own; its table decides
        _close(backend)
        return chosen.outcome_of(error)
    if not sent:
        return Outcome(Verdict.FAILED, "refused", "The route took no letter and gave no reason.")
    return _receipt(letter)


def _receipt(letter):
    """What a route that raised nothing says of the letter: the provider's id for it, where there is one."""
    status = getattr(letter, "anymail_status", None)
    if status is None:
        return Outcome(Verdict.SENT, provider_id=str(letter.extra_headers.get("message_id") or ""))  # django-ses puts it there
    if getattr(status.esp_response, "status_code", 200) >= 400:
        return api_outcomes.of_status(status.esp_response.status_code, status.esp_response.text)  # Postmark's 422, which anymail lets pass
    recipient = next(iter(status.recipients.values()), None)
    if recipient and recipient.status in {"failed", "invalid", "rejected"}:
        return Outcome(Verdict.FAILED, "refused", f"The provider says: {recipient.status}.")
    return Outcome(Verdict.SENT, provider_id=str((recipient and recipient.message_id) or ""))


def _close(backend):
    if backend is None:
        return
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
    return is_open(row(stream), now)


def is_open(route, now):
    return route.paused_at is None and (route.probe_at is None or route.probe_at <= now)


def note(stream, outcome):
    """Keep the route's row: a success clears its failures, bad credentials pause it, an outage lets it rest, longer each time. After
    an answer that asks for time it goes on at half its rate for a while."""
    failures = row(stream).failures + 1
    route = Route.objects.filter(stream=stream)
    now = timezone.now()
    if outcome.verdict is Verdict.PAUSE:
        route.filter(paused_at=None).update(paused_at=now, paused_because=outcome.detail)
    elif outcome.verdict in {Verdict.LATER, Verdict.UNCERTAIN}:
        rest = outcome.wait or _REST[min(failures, len(_REST)) - 1]
        route.update(failures=F("failures") + 1, probe_at=now + rest)
        if outcome.verdict is Verdict.LATER and outcome.reason != "connection-broken":  # it answered, and asked for time
            pace.slow(stream, now + rest + pace.SLOWED)
    else:
        route.exclude(failures=0, probe_at=None).update(failures=0, probe_at=None)


def pause(stream, because):
    """A person stops the route: nothing leaves by it until it is resumed."""
    row(stream)
    Route.objects.filter(stream=stream, paused_at=None).update(paused_at=timezone.now(), paused_because=because[:300])


def resume(stream):
    """A person says the route works again."""
    Route.objects.filter(stream=stream).update(paused_at=None, paused_because="", failures=0, probe_at=None)


def message_id_domain():
    """The right side of our Message-IDs: the domain letters come from."""
    return parseaddr(settings.DEFAULT_FROM_EMAIL)[1].rpartition("@")[2] or "localhost"
