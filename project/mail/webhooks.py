"""Where providers tell us of our letters: anymail's views for all but SES, which comes through SNS and is verified by us."""

import json
import logging

from anymail.exceptions import AnymailError
from anymail.webhooks import (
    amazon_ses,
    brevo,
    mailersend,
    mailgun,
    mailjet,
    mailtrap,
    mandrill,
    postal,
    postmark,
    resend,
    sendgrid,
    sparkpost,
    unisender_go,
)
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError
from django.http import Http404, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from . import events, routes, sns

logger = logging.getLogger(__name__)

_VIEWS = {
    "brevo": brevo.BrevoTrackingWebhookView,
    "mailersend": mailersend.MailerSendTrackingWebhookView,
    "mailgun": mailgun.MailgunTrackingWebhookView,
    "mailjet": mailjet.MailjetTrackingWebhookView,
    "mailtrap": mailtrap.MailtrapTrackingWebhookView,
    "mandrill": mandrill.MandrillCombinedWebhookView,
    "postal": postal.PostalTrackingWebhookView,
    "postmark": postmark.PostmarkTrackingWebhookView,
    "resend": resend.ResendTrackingWebhookView,
    "sendgrid": sendgrid.SendGridTrackingWebhookView,
    "sparkpost": sparkpost.SparkPostTrackingWebhookView,
    "unisender-go": unisender_go.UnisenderGoTrackingWebhookView,
}


def take_tracking(sender, event, esp_name, **kwargs):
    """anymail's tracking signal."""
    events.take(esp_name.lower().replace(" ", "-"), event)


@csrf_exempt
def provider(request, name):
    """200 once the events are stored; 400 for what is not from the provider; 503 when it should tell again."""
    if name not in _VIEWS or not settings.WEBHOOK_SECRET:
        raise Http404
    try:
        return _VIEWS[name].as_view()(request)
    except DatabaseError:
        logger.exception("An event could not be stored; the provider will tell it again.")
    except ImproperlyConfigured as error:
        logger.error("Events of %s are refused until its key is set: %s", name, error)
    except (AnymailError, LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        # anymail's own refusals are SuspiciousOperations; these are payloads it can't read.
        logger.warning("A message to /webhooks/%s/ could not be read (%s).", name, type(error).__name__)
        return HttpResponse(status=400)
    return HttpResponse(status=503)


@csrf_exempt
@require_POST
def ses(request):
    """SES's events by SNS: 200 once stored, 403 for what we don't believe, 503 when it should be told again (SNS does so for an hour)."""
    try:
        message = sns.read(request.body)
        _take_sns(message)
    except sns.Refused as refused:
        logger.warning("An SNS message was refused: %s.", refused)
        return HttpResponse(status=403)
    except (sns.Unavailable, DatabaseError) as unavailable:
        logger.warning("An SNS message must be told again: %s.", unavailable)
        return HttpResponse(status=503)
    return HttpResponse()


def _take_sns(message):
    match message["Type"]:
        case "SubscriptionConfirmation":
            sns.confirm(message, _credentials())
        case "Notification":
            for event in _ses_events(message):
                events.take("ses", event)
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
        logger.warning("An SES event could not be read (%s).", type(error).__name__)
        return []


def _credentials():
    """Those of the SES route, where its URL holds any."""
    for stream in ("transactional", "bulk"):
        client = routes.spec(stream).options.get("client_params", {})
        if "aws_access_key_id" in client:
            return {name: client[name] for name in ("aws_access_key_id", "aws_secret_access_key")}
    return {}
