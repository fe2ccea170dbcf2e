"""System checks: with DEBUG=0 a setting that can't be right stops the start, with a hint."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core import checks
from django.db import connections
from django.http.request import validate_host


@checks.register(checks.Tags.security)
def secrets(app_configs, **kwargs):
    """E001–E003: a default or short secret, and `*` as host, are refused outside DEBUG."""
    if settings.LOCAL:
        return []
    found = []
    for number, name in enumerate(("SECRET_KEY", "ADDRESS_KEY"), start=1):
        value = getattr(settings, name)
        if value == getattr(settings, f"DEFAULT_{name}") or len(value) < 40:
            found.append(
                checks.Error(
                    f"{name} is the default, or shorter than 40 characters.",
                    hint=f'Set {name} in the environment: python3 -c "import secrets; print(secrets.token_urlsafe(48))"',
                    id=f"practice.E00{number}",
                )
            )
    if "*" in settings.ALLOWED_HOSTS:
        found.append(checks.Error("ALLOWED_HOSTS lets any host name in.", hint="List the site's own names.", id="practice.E003"))
    return found


@checks.register
def site_url(app_configs, **kwargs):
    """E004: every link in a letter starts with SITE_URL, so it must be a bare origin."""
    parts = urlsplit(settings.SITE_URL)
    if parts.scheme in {"http", "https"} and parts.hostname and not parts.path and not parts.query:
        return []
    return [
        checks.Error("SITE_URL is not an address like https://seminars.example.org.", hint="No path, no slash at the end.", id="practice.E004")
    ]


@checks.register
def reachable(app_configs, **kwargs):
    """E006, W007: outside DEBUG, the site must answer by the name its letters link to, and know that the visitor came by https."""
    parts = urlsplit(settings.SITE_URL)
    if settings.LOCAL or not parts.hostname:
        return []
    found = []
    if not validate_host(parts.hostname, settings.ALLOWED_HOSTS):
        found.append(
            checks.Error(f"ALLOWED_HOSTS does not hold {parts.hostname}, the host of SITE_URL.", hint="Add it there.", id="practice.E006")
        )
    if parts.scheme == "https" and not settings.TRUSTED_PROXIES:
        found.append(
            checks.Warning(
                "SITE_URL is https and TRUSTED_PROXIES is 0, so every request looks like plain http and is redirected for ever.",
                hint="Set TRUSTED_PROXIES=1 when a web server of yours in front speaks https and sends X-Forwarded-Proto.",
                id="practice.W007",
            )
        )
    return found


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
