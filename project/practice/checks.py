"""System checks: with DEBUG=0 a setting that can't be right stops the start, with a hint.

Those tagged `security` stop it as warnings too (project/start.py).
"""

from email.utils import parseaddr
from ipaddress import ip_address
from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import connections
from django.http.request import validate_host

#: As Django asks of SECRET_KEY (security.W009). ADDRESS_KEY can't be changed once it is in use, so what was enough for it stays enough.
_SHORTEST = {"SECRET_KEY": 50, "ADDRESS_KEY": 40}


@checks.register(checks.Tags.security)
def secrets(app_configs, **kwargs):
    """E001–E003: a default or short secret, and `*` as host, are refused outside DEBUG."""
    if settings.LOCAL:
        return []
    found = []
    for number, (name, shortest) in enumerate(_SHORTEST.items(), start=1):
        value = getattr(settings, name)
        if value == getattr(settings, f"DEFAULT_{name}") or len(value) < shortest:
            found.append(
                checks.Error(
                    f"{name} is the default, or shorter than {shortest} characters.",
                    hint=f'Set {name} in the environment: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
                    id=f"practice.E00{number}",
                )
            )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(checks.Error("ALLOWED_HOSTS lets any host name in.", hint="List the site's own names.", id="practice.E003"))
    return found


@checks.register(checks.Tags.security)
def site_url(app_configs, **kwargs):
    """E004, E008, E009: every link in a letter starts with SITE_URL, so it must be given, be a bare origin, and be https for the outside."""
    if not settings.SITE_URL:
        return [
            checks.Error(
                "SITE_URL is not set, so every link in a letter would lead nowhere.",
                hint="Set it to the address people open, like https://seminars.example.org.",
                id="practice.E008",
            )
        ]
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        return [
            checks.Error(
                "SITE_URL is not an address like https://seminars.example.org.", hint="No path, no slash at the end.", id="practice.E004"
            )
        ]
    if parts.scheme == "http" and not settings.LOCAL and not _is_this_machine(parts.hostname):
        return [
            checks.Error(
                "SITE_URL is plain http, so names, addresses and passwords would cross the net for everybody to read.",
                hint="Have the web server in front speak https, and set SITE_URL=https://… (plain http will do for 127.0.0.1 only).",
                id="practice.E009",
            )
        ]
    return []


def _is_this_machine(host):
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


@checks.register(checks.Tags.security)
def reachable(app_configs, **kwargs):
    """E006, W007: outside DEBUG, the site must answer by the name its letters link to, and know that the visitor came by https."""
    parts = urlsplit(settings.SITE_URL)
    if settings.LOCAL or not parts.hostname:
        return []
    found = []
    # ALLOWED_HOSTS holds an IPv6 address in brackets, as it stands in a URL.
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    if not validate_host(host, settings.ALLOWED_HOSTS):
        found.append(checks.Error(f"ALLOWED_HOSTS does not hold {host}, the host of SITE_URL.", hint="Add it there.", id="practice.E006"))
    if parts.scheme == "https" and not settings.TRUSTED_PROXIES:
        found.append(
            checks.Warning(
                "SITE_URL is https and TRUSTED_PROXIES is 0, so every request looks like plain http and is redirected for ever.",
                hint="Set TRUSTED_PROXIES=1 when a web server of yours in front speaks https and sends X-Forwarded-Proto.",
                id="practice.W007",
            )
        )
    return found


@checks.register
def sender(app_configs, **kwargs):
    """E010: until the practice's own mailbox is entered, letters come from DEFAULT_FROM_EMAIL; a made-up one is refused or called spam."""
    try:
        validate_email(parseaddr(settings.DEFAULT_FROM_EMAIL)[1])
    except ValidationError:
        return [
            checks.Error(
                "DEFAULT_FROM_EMAIL is not set, or is no e-mail address.",
                hint="Set it to a mailbox of the practice that a person reads, like seminars@example.org.",
                id="practice.E010",
            )
        ]
    return []


@checks.register(checks.Tags.database)
def isolation(app_configs, databases=None, **kwargs):
    """E005: seats are sold by a conditional UPDATE that must see what others committed; REPEATABLE READ would answer buyers with errors."""
    found = []
    for alias in databases or []:
        connection = connections[alias]
        if connection.vendor != "postgresql":
            continue
        with connection.cursor() as cursor:
            cursor.execute("SHOW transaction_isolation")
            level = cursor.fetchone()[0]
        if level not in {"read committed", "read uncommitted"}:
            found.append(
                checks.Error(
                    f"The database's transactions run at {level.upper()}.",
                    hint="Use READ COMMITTED: take the option out of DATABASE_URL, or ALTER DATABASE … SET default_transaction_isolation.",
                    id="practice.E005",
                )
            )
    return found
