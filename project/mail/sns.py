"""Amazon SNS messages: which to believe. Signature versions 1 and 2, our own topics only, nothing fetched but Amazon's certificate.

https://docs.aws.amazon.com/sns/latest/dg/sns-verify-signature-of-message.html
"""

import base64
import binascii
import json
import re
import time
from datetime import timedelta

import boto3
import requests
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from django.conf import settings
from django.utils import timezone
from django.utils.dateparse import parse_datetime

LARGEST = 256 * 1024
#: SNS tries again for at most an hour; what is older, or from the future, was kept by somebody to be played again.
WINDOW = timedelta(hours=1)
_CERTIFICATE_FOR = 24 * 3600  # seconds
_CERTIFICATE_URL = re.compile(r"https://sns\.[a-z0-9-]+\.amazonaws\.com(\.cn)?/SimpleNotificationService-[a-f0-9]+\.pem", re.ASCII)
_HASHES = {"1": hashes.SHA1, "2": hashes.SHA256}
_CONFIRMATION = ("Message", "MessageId", "SubscribeURL", "Timestamp", "Token", "TopicArn", "Type")
_SIGNED = {
    "Notification": ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"),
    "SubscriptionConfirmation": _CONFIRMATION,
    "UnsubscribeConfirmation": _CONFIRMATION,
}

_certificates = {}  # url: (certificate, when to fetch it again). Successes only: a failure must not outlive its cause.


class Refused(Exception):
    """Not from our topic, not signed by Amazon, or not an SNS message: telling again would not help."""


class Unavailable(Exception):
    """It may be genuine, but we can't tell now: please tell again."""


def read(body):
    """The message as a dict of strings, believed. Raises Refused or Unavailable."""
    if len(body) > LARGEST:
        raise Refused("too large")
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused("no JSON") from None
    if not isinstance(message, dict) or not isinstance(message.get("Type"), str) or message["Type"] not in _SIGNED:
        raise Refused("no SNS message")
    fields = [name for name in _SIGNED[message["Type"]] if name != "Subject"]
    if not all(isinstance(message.get(name), str) for name in [*fields, "Signature", "SignatureVersion", "SigningCertURL"]):
        raise Refused("a field is missing")
    if message["TopicArn"] not in settings.SNS_TOPIC_ARNS:
        raise Refused("not a topic of ours")
    _check_time(message["Timestamp"])
    _check_signature(message)
    return message


def _check_time(text):
    try:
        moment = parse_datetime(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None or abs(timezone.now() - moment) > WINDOW:
        raise Refused("not of this hour")


def _check_signature(message):
    algorithm = _HASHES.get(message["SignatureVersion"])
    if algorithm is None or not _CERTIFICATE_URL.fullmatch(message["SigningCertURL"]):
        raise Refused("not signed by Amazon")
    key = _certificate(message["SigningCertURL"]).public_key()
    names = [name for name in _SIGNED[message["Type"]] if isinstance(message.get(name), str)]
    signed = "".join(f"{name}\n{message[name]}\n" for name in names).encode(errors="surrogatepass")
    try:
        key.verify(base64.b64decode(message["Signature"], validate=True), signed, padding.PKCS1v15(), algorithm())
    except (InvalidSignature, binascii.Error, ValueError, TypeError, AttributeError):
        raise Refused("the signature does not match") from None


def _certificate(url):
    known, until = _certificates.get(url, (None, 0))
    if known is None or time.monotonic() > until:
        known = _fetch(url)
        _certificates[url] = (known, time.monotonic() + _CERTIFICATE_FOR)
    if not known.not_valid_before_utc <= timezone.now() <= known.not_valid_after_utc:
        raise Refused("the certificate has expired")
    return known


def _fetch(url):
    try:
        answer = requests.get(url, timeout=(3, 5), allow_redirects=False)
        if answer.status_code != 200:
            raise Unavailable(f"the certificate's server answers {answer.status_code}")
        return x509.load_pem_x509_certificate(answer.content)
    except (requests.RequestException, ValueError) as error:
        raise Unavailable("the certificate can't be fetched") from error


def confirm(message, credentials):
    """Accept a subscription to one of our topics through Amazon's API: the address in the message is never opened. Raises Unavailable."""
    arn = message["TopicArn"]
    try:
        client = boto3.session.Session(**credentials).client("sns", region_name=arn.split(":")[3])
        client.confirm_subscription(TopicArn=arn, Token=message["Token"])
    except (BotoCoreError, ClientError) as error:
        raise Unavailable("the subscription can't be confirmed") from error
