"""The providers a route may name: how their credentials are written in its URL, and what each can carry.

    anymail+postmark://SERVER_TOKEN@              anymail+mailgun://API_KEY@mg.example.org
    anymail+mailjet://API_KEY:SECRET_KEY@         anymail+resend://API_KEY@
    ses://KEY_ID:SECRET@?region=us-east-1         django-ses://?region=us-east-1   (credentials as boto3 finds them)

The user's, password's and host's place hold what the table says; the query takes the provider's other options, percent-encoded.
"""

from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import parse_qsl, unquote

from botocore.config import Config
from django.conf import settings

from .capabilities import MIME, Can


class BadRoute(ValueError):
    """The URL names no route we know, or lacks something. The sentence holds none of its secrets."""


@dataclass(frozen=True)
class Provider:
    """`user`, `password`, `host`: the names of the backend's arguments that stand in those places. A host for `api_url` is an https origin."""

    can: Can
    user: str = "api_key"
    password: str = ""
    host: str = ""
    options: tuple[str, ...] = ()
    backend: str = ""
    needs: tuple[str, ...] = ()


#: By the name after `anymail+`. Facts of anymail 15.2; tests/mail/test_providers.py runs every payload builder against them.
PROVIDERS = {
    "brevo": Provider(
        Can(own_headers=True, merge=True, idempotent_for=timedelta(minutes=30), batch=1000, dialect="brevo"),
        backend="project.mail.backends.BrevoBackend",
    ),
    "mailersend": Provider(Can(metadata=False, merge=True, batch=500), user="api_token", options=("batch_send_mode",)),
    "mailgun": Provider(Can(own_headers=True, merge=True, batch=1000, dialect="mailgun"), host="sender_domain"),
    "mailjet": Provider(Can(own_headers=True, merge=True, batch=50, dialect="mailjet"), password="secret_key", needs=("secret_key",)),
    # Its batch call fills fields only into a template stored there, though anymail's builder would take them.
    "mailtrap": Provider(Can(own_headers=True, batch=500), user="api_token", options=("sandbox_id",)),
    "mandrill": Provider(Can(merge=True, batch=1000)),
    "postal": Provider(Can(metadata=False), host="api_url", needs=("api_url",)),
    "postmark": Provider(Can(own_headers=True, batch=500), user="server_token", options=("message_stream",)),
    # Resend silently drops an attachment whose type is not what its file name promises.
    "resend": Provider(
        Can(invite="text/calendar", own_headers=True, idempotent_for=timedelta(hours=24), batch=100),
        backend="project.mail.backends.ResendBackend",
    ),
    "scaleway": Provider(Can(), user="secret_key", password="project_id", options=("region",), needs=("project_id",)),
    "sendgrid": Provider(Can(calendar="text", own_headers=True, merge=True, batch=1000, dialect="sendgrid")),
    "sparkpost": Provider(Can(own_headers=True, merge=True, batch=1000, dialect="sparkpost"), options=("subaccount",)),
    # No dialect: only List-Unsubscribe may differ from reader to reader, and it isn't told whether it escapes what it fills in.
    "unisender-go": Provider(Can(own_headers=True, merge=True, batch=500), needs=("api_url",)),
}

#: Options every provider has: another address of its API, as for its European servers.
_COMMON = ("api_url",)


def schemes():
    return [*(f"anymail+{name}" for name in PROVIDERS), "ses", "django-ses"]


def anymail(name, parts):
    """(backend path, its arguments, Can) of an `anymail+…://` URL. Raises BadRoute with a sentence."""
    provider = PROVIDERS.get(name)
    if provider is None:
        raise BadRoute(f"anymail+{name}:// names no provider. Known: {', '.join(PROVIDERS)}.")
    given = dict(parse_qsl(parts.query))
    unknown = set(given) - {*provider.options, *_COMMON}
    if unknown:
        raise BadRoute(f"anymail+{name}:// has no option {', '.join(sorted(unknown))}.")
    if provider.host and parts.hostname:
        given.setdefault(provider.host, f"https://{parts.netloc.rpartition('@')[2]}/" if provider.host == "api_url" else parts.hostname)
    given[provider.user] = unquote(parts.username or "")
    if provider.password:
        given[provider.password] = unquote(parts.password or "")
    missing = [field for field in (provider.user, *provider.needs) if not given.get(field)]
    if missing:
        raise BadRoute(f"anymail+{name}:// lacks {', '.join(missing)}. {_shape(name, provider)}")
    given["requests_timeout"] = (5, settings.MAIL_SOCKET_TIMEOUT)
    return provider.backend or f"anymail.backends.{name.replace('-', '_')}.EmailBackend", given, provider.can


def _shape(name, provider):
    password = f":{provider.password.upper()}" if provider.password else ""
    host = "your-server.example.org" if provider.host else ""
    query = "?api_url=https%3A%2F%2F…" if "api_url" in provider.needs and not provider.host else ""
    return f"Write anymail+{name}://{provider.user.upper()}{password}@{host}{query}, each part percent-encoded."


def _aws(parts):
    given = dict(parse_qsl(parts.query))
    unknown = set(given) - {"region", "endpoint", "configuration_set"}
    if unknown:
        raise BadRoute(f"{parts.scheme}:// has no option {', '.join(sorted(unknown))}. Known: region, endpoint, configuration_set.")
    if bool(parts.username) != bool(parts.password):
        raise BadRoute(f"{parts.scheme}:// needs both the key's id and its secret, or neither.")
    return given


#: SES takes one letter as MIME; many in one call only as an inline template, in a call of its own (batches.py).
_SES = replace(MIME, batch=50, dialect="ses")

# boto3 would send a letter up to three times by itself when the answer is late.
_ONCE = {"retries": {"total_max_attempts": 1}, "connect_timeout": 5}


def ses(parts):
    """anymail's SES backend (API v2), as for `anymail`."""
    given = _aws(parts)
    client = {
        "region_name": given.get("region"),
        "endpoint_url": given.get("endpoint"),
        "aws_access_key_id": unquote(parts.username or "") or None,
        "aws_secret_access_key": unquote(parts.password or "") or None,
        # anymail writes each call; looking at every field of it once more costs as much as all the rest.
        "config": _ONCE | {"read_timeout": settings.MAIL_SOCKET_TIMEOUT, "parameter_validation": False},
    }
    client = {name: value for name, value in client.items() if value is not None}
    options = {"client_params": client, "configuration_set_name": given.get("configuration_set")}
    return "anymail.backends.amazon_ses.EmailBackend", options, _SES


def django_ses(parts):
    """django-ses's backend on API v2, as for `anymail`. Its block list and its throttle (a guess per process) stay off in the settings."""
    given = _aws(parts)
    options = {
        "aws_access_key": unquote(parts.username or "") or None,
        "aws_secret_key": unquote(parts.password or "") or None,
        "aws_region_name": given.get("region"),
        "aws_region_endpoint": given.get("endpoint"),
        "aws_config": Config(**_ONCE, read_timeout=settings.MAIL_SOCKET_TIMEOUT),
        "use_ses_v2": True,
    }
    return "django_ses.SESBackend", options, MIME
