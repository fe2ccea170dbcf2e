"""Where providers tell us of our letters: anymail's views for all but SES, which comes through SNS and is verified by us.

A provider has a hook here only where letters leave by it.
"""

import json
import logging

from anymail.exceptions import AnymailError
from anymail.webhooks import amazon_ses
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured, SuspiciousOperation
from django.http import Http404, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import provider_views, routes, sns

logger = logging.getLogger(__name__)


def providers():
    """Who may tell us of letters: those of both routes, and those WEBHOOK_PROVIDERS names because letters leave by their SMTP."""
    return {routes.spec(stream).provider for stream in ("transactional", "bulk")} - {""} | set(settings.WEBHOOK_PROVIDERS)


#: How providers ask whether somebody is there before they tell anything: HEAD, and one of them GET.
_GREETINGS = {"unisender-go": {"HEAD", "GET"}}


@csrf_exempt
def provider(request, name):
    """200 once the events are stored; 400 for who is not the provider; 503 when it should tell again; 404 for a provider we don't use."""
    if not settings.WEBHOOK_SECRET or name not in provider_views.VIEWS or name not in providers():
        raise Http404
    if request.method in _GREETINGS.get(name, {"HEAD"}):
        return HttpResponse()
    try:
        return _take(request, name)
    except SuspiciousOperation as refused:
        logger.warning("A message to /webhooks/%s/ was refused: %s", name, refused)
        return HttpResponse(status=400)
    except ImproperlyConfigured as error:
        logger.error("Events of %s are refused: %s", name, error)
        return HttpResponse(status=503)


@require_POST
def _take(request, name):
    provider_views.check_secret(request)
    if key := provider_views.missing_key(name):
        raise ImproperlyConfigured(f"{key} is not set.")
    return provider_views.VIEWS[name].as_view()(request)


@csrf_exempt
@require_POST
def ses(request):
    """SES's events by SNS: 200 once stored, 403 for what we don't believe, 503 when it should be told again (SNS does so for an hour), 404
    where no topic is ours."""
    if not settings.SNS_TOPIC_ARNS:
        raise Http404
    try:
        message = sns.read(request.body)
        _take_sns(message)
    except sns.Refused as refused:
        logger.warning("An SNS message was refused: %s.", refused)
        return HttpResponse(status=403)
    except sns.Unavailable as unavailable:
        logger.warning("An SNS message must be told again: %s.", unavailable)
        return HttpResponse(status=503)
    return HttpResponse()


def _take_sns(message):
    match message["Type"]:
        case "SubscriptionConfirmation":
            sns.confirm(message, _credentials())
        case "Notification":
            if not provider_views.take_each("ses", _ses_events(message)):
                raise sns.Unavailable("not every event could be stored")
        case "UnsubscribeConfirmation":
            logger.error("SNS topic %s no longer tells us of bounces.", message["TopicArn"])


def _ses_events(message):
    """anymail's reading of a notification; nothing for one that is not an event, such as SES's greeting to a new topic."""
    try:
        told = json.loads(message["Message"])
    except (ValueError, RecursionError):
        return []
    if not isinstance(told, dict):
        return []
    # Its own check of the sender is not used: the signature has been verified.
    view = amazon_ses.AmazonSESTrackingWebhookView(webhook_secret=["verified:by signature"])
    try:
        return view.esp_to_anymail_events(told, message)
    except (AnymailError, ImproperlyConfigured, KeyError, TypeError, ValueError, AttributeError) as error:
        provider_views.passed_over("ses", error)
        return []


def _credentials():
    """Those of the SES route, where its URL holds any."""
    for stream in ("transactional", "bulk"):
        client = routes.spec(stream).options.get("client_params", {})
        if "aws_access_key_id" in client:
            return {name: client[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    return {}
