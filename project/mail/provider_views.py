"""anymail's webhook views as we use them: a batch is taken event by event.

Each of anymail's own hands on all events of a request or none, so that one it stumbles over, or that the database refuses, loses the rest
of its batch; and the provider would tell that batch again and again until it gives up on us.
"""

import json
import logging
import time
from datetime import timedelta

from anymail.exceptions import AnymailError
from anymail.signals import AnymailTrackingEvent
from anymail.utils import get_request_basic_auth
from anymail.webhooks import (
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
from django.core.exceptions import ImproperlyConfigured, RequestDataTooBig, SuspiciousOperation
from django.db import DataError, InterfaceError, OperationalError
from django.http import HttpResponse
from django.utils.crypto import constant_time_compare

from . import events
from .event_words import Unreadable

logger = logging.getLogger(__name__)

#: How old a signature may be that covers nothing else but its own time.
FRESH = timedelta(minutes=15)

#: Bytes. SparkPost tells thousands of events at once, more than Django lets a stranger's form hold.
LARGEST = 20 * 1024 * 1024

#: What is raised for a payload that anymail can't make sense of. Its own refusals are SuspiciousOperations.
_UNREADABLE = (AnymailError, LookupError, TypeError, ValueError, AttributeError, AssertionError, OverflowError, RecursionError)


def check_secret(request):
    """Raise SuspiciousOperation unless the request shows a WEBHOOK_SECRET. It looks at one header, and not at the body."""
    shown = get_request_basic_auth(request)
    if not any(constant_time_compare(shown, secret) for secret in settings.ANYMAIL["WEBHOOK_SECRET"]):
        raise SuspiciousOperation("It does not show our WEBHOOK_SECRET.")


def take_each(provider, told):
    """Store the events of one request, each for itself. False when it should be told again: some could not be stored now, but may be later.

    What was stored is known when it is told again. What can't be read, or can't be stored whenever it comes, is passed over: to ask for it
    again would help nobody, and providers close a hook that asks too often.
    """
    stored = True
    for event in told:
        try:
            if isinstance(event, AnymailTrackingEvent):
                events.take(provider, event)
        except (Unreadable, DataError) as error:
            passed_over(provider, error)
        except (OperationalError, InterfaceError):
            logger.exception("The database took no event of %s; it will be told again.", provider)
            return False  # nor would it take the next
        except Exception:
            logger.exception("An event of %s could not be stored; it will be told again.", provider)
            stored = False
    return stored


def passed_over(provider, error):
    logger.warning("An event of %s could not be read and is passed over (%s).", provider, type(error).__name__)


class EachByItself:
    """Beside one of anymail's views: the same, but event by event, for who has shown the secret. `provider`: as events know it."""

    provider = ""

    def post(self, request, *args, **kwargs):
        """200 once stored, or where nothing could ever be; 503 when it should be told again. Raises SuspiciousOperation for a stranger."""
        read_body(request)
        try:
            self.run_validators(request)
        except _UNREADABLE as error:
            # anymail's own sentence would be logged, and Mandrill's holds the hook's address with the secret in it.
            raise SuspiciousOperation("It is not signed as its provider signs.") from error
        try:
            told = self.parse_events(request)
        except (ImproperlyConfigured, *_UNREADABLE) as error:  # the former: letters that came in, told at this address by mistake
            passed_over(self.provider, error)
            return HttpResponse()
        return HttpResponse(status=200 if take_each(self.provider, told) else 503)

    def esp_to_anymail_event(self, *event):
        """What anymail's view does with each event of a batch; None for one it can't read."""
        try:
            return super().esp_to_anymail_event(*event)
        except _UNREADABLE as error:
            passed_over(self.provider, error)
            return None


def read_body(request):
    """The body of somebody who has shown the secret, as large as providers' batches are."""
    request._body = request.read(LARGEST + 1)
    if len(request._body) > LARGEST:
        raise RequestDataTooBig("It is more than a provider tells at once.")


class Brevo(brevo.BrevoTrackingWebhookView):
    """Also with its option to tell many events at once, as an array."""

    def parse_events(self, request):
        told = json.loads(request.body)
        return [self.esp_to_anymail_event(event) for event in told] if isinstance(told, list) else super().parse_events(request)


class Mailgun(mailgun.MailgunTrackingWebhookView):
    """Refuses a signature that is not of these minutes.

    Mailgun signs a time and a token, not what it tells; whoever has seen one signature could tell anything by it, had they the secret as well.
    The same event told twice changes nothing, so tokens are not kept. Its handbook does not say whether a repetition (after 5, 10 and 15
    minutes, then 1, 2 and 4 hours) is signed anew, and others report that it is not: then what it tells while this site is away for longer
    than a quarter of an hour is not believed afterwards. An address that is dead tells so again with the next letter.
    """

    def validate_request(self, request):
        signature = json.loads(request.body)["signature"] if request.content_type == "application/json" else request.POST
        if not abs(time.time() - float(signature["timestamp"])) <= FRESH.total_seconds():  # so that NaN is refused too
            raise SuspiciousOperation("Its signature is not of these minutes. Is our clock right?")


class SparkPost(sparkpost.SparkPostTrackingWebhookView):
    """Takes an envelope without an event for the empty one SparkPost asks with whether we are there."""

    def unwrap_event(self, raw_event):
        try:
            return super().unwrap_event(raw_event)
        except _UNREADABLE as error:
            passed_over("sparkpost", error)
            return None, None, raw_event


#: By the name in the hook's address and in a route's.
VIEWS = {
    name: type(view.__name__, (EachByItself, view), {"provider": name})
    for name, view in {
        "brevo": Brevo,
        "mailersend": mailersend.MailerSendTrackingWebhookView,
        "mailgun": Mailgun,
        "mailjet": mailjet.MailjetTrackingWebhookView,
        "mailtrap": mailtrap.MailtrapTrackingWebhookView,
        "mandrill": mandrill.MandrillCombinedWebhookView,
        "postal": postal.PostalTrackingWebhookView,
        "postmark": postmark.PostmarkTrackingWebhookView,
        "resend": resend.ResendTrackingWebhookView,
        "sendgrid": sendgrid.SendGridTrackingWebhookView,
        "sparkpost": SparkPost,
        "unisender-go": unisender_go.UnisenderGoTrackingWebhookView,
    }.items()
}

#: Of those that sign what they tell: anymail's setting that holds the key. In the environment its name has ANYMAIL_ before it.
SIGNING_KEYS = {
    "mailersend": "MAILERSEND_SIGNING_SECRET",
    "mailgun": "MAILGUN_WEBHOOK_SIGNING_KEY",
    "mandrill": "MANDRILL_WEBHOOK_KEY",
    "postal": "POSTAL_WEBHOOK_KEY",
    "unisender-go": "UNISENDER_GO_API_KEY",
}


def missing_key(provider):
    """The name of the environment's variable that lacks the provider's key; '' where nothing is missing."""
    name = SIGNING_KEYS.get(provider)
    return f"ANYMAIL_{name}" if name and not settings.ANYMAIL.get(name) else ""
