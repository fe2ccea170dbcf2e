"""System checks of both routes: what can't work is refused at start, what will disappoint is said, each with a hint."""

from django.conf import settings
from django.core import checks

from . import routes
from .providers import BadRoute

_SETTING = {"transactional": "MAIL_TRANSACTIONAL", "bulk": "MAIL_BULK"}

#: Providers for whose events anymail has no webhook.
_NO_EVENTS = {"scaleway"}


@checks.register
def mail_routes(app_configs, **kwargs):
    """E001–E005, W001–W003."""
    found = []
    specs = {}
    for stream, setting in _SETTING.items():
        try:
            specs[stream] = routes.spec(stream)
        except (BadRoute, ValueError) as error:
            found.append(checks.Error(f"{setting}: {error}", hint="docs/operations.md lists the routes.", id="mail.E001"))
    for stream, spec in specs.items():
        found += _of_route(_SETTING[stream], spec)
    return [*found, *_of_events({spec.provider for spec in specs.values()} - {""})]


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
    ses = providers & {"ses", "django-ses"}
    if ses and not settings.SNS_TOPIC_ARNS:
        yield _unless_debug(
            "SNS_TOPIC_ARNS is empty: bounces and complaints from SES would be refused, and SES suspends who ignores them.",
            hint="Publish SES events to an SNS topic, subscribe SITE_URL/webhooks/ses/ to it, and name the topic's ARN here.",
            id="mail.E003",
        )
    if providers - ses - _NO_EVENTS and not settings.WEBHOOK_SECRET:
        yield _unless_debug(
            "WEBHOOK_SECRET is empty: anybody could tell this site that an address bounced.",
            hint="Set WEBHOOK_SECRET=user:long-random-password, and give the provider https://user:long-random-password@…/webhooks/<provider>/.",
            id="mail.E004",
        )
    if any(":" not in secret for secret in settings.ANYMAIL["WEBHOOK_SECRET"]):
        yield checks.Error("WEBHOOK_SECRET is not user:password.", hint="Two words with a colon between them.", id="mail.E005")
    for provider in sorted(providers & _NO_EVENTS):
        yield checks.Warning(f"{provider} tells us of no bounce.", hint="Look at its console for addresses that bounce.", id="mail.W003")


def _unless_debug(message, **kwargs):
    return (checks.Warning if settings.LOCAL else checks.Error)(message, **kwargs)
