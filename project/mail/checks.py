"""System checks of both routes: what can't work is refused at start, what will disappoint is said, each with a hint."""

from django.conf import settings
from django.core import checks

from . import provider_views, routes
from .providers import BadRoute

_SETTING = {"transactional": "MAIL_TRANSACTIONAL", "bulk": "MAIL_BULK"}

#: Providers for whose events anymail has no webhook.
_NO_EVENTS = {"scaleway"}

_SES = {"ses", "django-ses"}

#: Letters of a password nobody guesses: as many as `secrets.token_urlsafe(18)` has.
_LONG_ENOUGH = 24

_KEY = "The provider shows it beside its webhook (docs/operations.md says where); until the webhook is there, any word will do."

_MAKE_A_SECRET = "Make one by: python3 -c \"import secrets; print('hook:' + secrets.token_urlsafe(24))\""


@checks.register
def mail_routes(app_configs, **kwargs):
    """E001–E005, E011, E012, W001–W003."""
    found = []
    specs = {}
    for stream, setting in _SETTING.items():
        try:
            specs[stream] = routes.spec(stream)
        except (BadRoute, ValueError) as error:
            found.append(checks.Error(f"{setting}: {error}", hint="docs/operations.md lists the routes.", id="mail.E001"))
    for stream, spec in specs.items():
        found += _of_route(_SETTING[stream], spec)
    return [*found, *_of_events({spec.provider for spec in specs.values()} - {""} | set(settings.WEBHOOK_PROVIDERS))]


def _of_route(setting, spec):
    if not spec.for_real and not settings.LOCAL:
        hint = "Name a real route, such as smtp://user:password@relay.example.org; file:// and memory:// are for the demo and the tests."
        yield checks.Error(f"{setting} is {spec.scheme}://: no letter would reach anybody.", hint=hint, id="mail.E002")
    if setting == "MAIL_TRANSACTIONAL" and not spec.can.calendar:
        yield checks.Warning(
            f"{spec.name} can't carry an invite that mail programs act on: invites go as a file to open.",
            hint="SMTP, SES and SendGrid can. Many providers also take SMTP: smtps://user:password@their-host.",
            id="mail.W001",
        )
    if setting == "MAIL_BULK" and spec.provider and not spec.can.metadata:
        yield checks.Warning(
            f"{spec.name} doesn't tell our own id back, so bounces are matched by the provider's id alone.",
            hint="A letter whose answer was lost stays in doubt until a person looks.",
            id="mail.W002",
        )


def _of_events(providers):
    if providers & _SES and not settings.SNS_TOPIC_ARNS:
        yield _unless_debug(
            "SNS_TOPIC_ARNS is empty: bounces and complaints from SES would be refused, and SES suspends who ignores them.",
            hint="Publish SES events to an SNS topic, subscribe SITE_URL/webhooks/ses/ to it, and name the topic's ARN here.",
            id="mail.E003",
        )
    if providers & provider_views.VIEWS.keys() and not settings.WEBHOOK_SECRET:
        yield _unless_debug(
            "WEBHOOK_SECRET is empty: no provider could tell this site that an address bounced.",
            hint=f"{_MAKE_A_SECRET}, and give the provider https://hook:that-password@…/webhooks/<provider>/.",
            id="mail.E004",
        )
    yield from _of_secret(settings.ANYMAIL["WEBHOOK_SECRET"])
    for provider in sorted(providers & _NO_EVENTS):
        yield checks.Warning(f"{provider} tells us of no bounce.", hint="Look at its console for addresses that bounce.", id="mail.W003")
    for key, provider in sorted((provider_views.missing_key(provider), provider) for provider in providers):
        if key:
            yield _unless_debug(
                f"{key} is empty: {provider} signs what it tells, and nothing of it could be believed.", hint=_KEY, id="mail.E011"
            )
    for provider in sorted(set(settings.WEBHOOK_PROVIDERS) - provider_views.VIEWS.keys() - _SES):
        known = ", ".join(sorted(provider_views.VIEWS))
        yield checks.Error(f"WEBHOOK_PROVIDERS: {provider} has no webhook here.", hint=f"Known: {known}.", id="mail.E012")


def _of_secret(secrets):
    """Whoever guesses it can have every address suppressed."""
    if any(":" not in secret for secret in secrets):
        yield _unless_debug("WEBHOOK_SECRET is not user:password.", hint=_MAKE_A_SECRET, id="mail.E005")
    elif any(len(secret.partition(":")[2]) < _LONG_ENOUGH for secret in secrets):
        short = f"WEBHOOK_SECRET has a password of less than {_LONG_ENOUGH} characters: it can be guessed."
        yield _unless_debug(short, hint=_MAKE_A_SECRET, id="mail.E005")


def _unless_debug(message, **kwargs):
    return (checks.Warning if settings.LOCAL else checks.Error)(message, **kwargs)
