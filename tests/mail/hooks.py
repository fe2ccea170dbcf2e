"""Providers as their handbooks show them: what they tell of a letter (payloads/), and how each proves that it is the one.

In the payloads ADDRESS, LETTER, PROVIDER_ID and MESSAGE_ID stand for a letter's own; all happen at noon of the 20th of November 2026, UTC.
"""

import base64
import hashlib
import hmac
import json
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path

import requests
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.test import Client

from project.mail import sns
from project.mail.provider_views import VIEWS

#: A moment after all the payloads tell of.
NOW = datetime(2026, 11, 20, 12, 1, tzinfo=UTC)

SECRET = "hook:Zx4-long-enough-for-nobody-to-guess"
KEY = "a-key-only-for-these-tests"
TOPIC = "arn:aws:sns:us-east-1:123456789012:ses-events"
CERTIFICATE = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"

PROVIDERS = sorted([*VIEWS, "ses"])

#: Who tells of no complaint, and of nobody who unsubscribed.
_NEVER_TOLD = {"complaint": {"postal"}, "unsubscribe": {"postal", "resend", "ses"}}

#: What each can tell: (provider, what its payload is called). Some have more payloads.
TOLD = [
    (provider, what)
    for what in ("delivered", "hard", "soft", "complaint", "unsubscribe")
    for provider in PROVIDERS
    if provider not in _NEVER_TOLD.get(what, ())
]

#: These try on after a soft bounce, and say so.
TRY_ON = {"mailgun", "mailtrap", "postal", "unisender-go"}

_PAYLOADS = Path(__file__).with_name("payloads")


@cache
def private_key():
    """Postal's, and Amazon's."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def configure(settings, monkeypatch):
    """A site that every provider may tell."""
    public = private_key().public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    settings.WEBHOOK_PROVIDERS = list(VIEWS)
    settings.WEBHOOK_SECRET = SECRET
    settings.SNS_TOPIC_ARNS = [TOPIC]
    settings.DEFAULT_FROM_EMAIL = "seminars@practice.example.org"
    settings.ANYMAIL = {
        "WEBHOOK_SECRET": [SECRET],
        "MAILERSEND_SIGNING_SECRET": KEY,
        "MAILGUN_WEBHOOK_SIGNING_KEY": KEY,
        "MANDRILL_WEBHOOK_KEY": KEY,
        "POSTAL_WEBHOOK_KEY": "".join(public.decode().split("\n")[1:-2]),
        "UNISENDER_GO_API_KEY": KEY,
    }
    answer = requests.Response()
    answer.status_code, answer._content = 200, certificate()
    monkeypatch.setattr(sns.requests, "get", lambda url, **options: answer)
    monkeypatch.setattr(sns, "_certificates", {})


@cache
def certificate():
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    key = private_key()
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = builder.not_valid_before(NOW - timedelta(days=365)).not_valid_after(NOW + timedelta(days=3650)).sign(key, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM)


def payload(provider, what, *, address="ana@example.org", letter="", provider_id="p-1", message_id="theirs@example.org"):
    """What a provider tells of that letter."""
    text = (_PAYLOADS / f"{provider}.json").read_text()
    for place, said in {"ADDRESS": address, "LETTER": letter, "PROVIDER_ID": provider_id, "MESSAGE_ID": message_id}.items():
        text = text.replace(place, said)
    return json.loads(text)[what]


def post(provider, told, *, secret=SECRET, key=KEY):
    """The status a provider gets for telling that, signed as it signs."""
    data, content_type, headers = _SIGNED.get(provider, _unsigned)(told, key)
    if secret and provider != "ses":
        headers |= {"authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post(f"/webhooks/{provider}/", data, content_type=content_type, headers=headers).status_code


def _unsigned(told, key):
    return json.dumps(told), "application/json", {}


def _mac(key, text, digest=hashlib.sha256):
    return hmac.new(key.encode(), text.encode(), digest)


def _mailersend(told, key):
    data = json.dumps(told)
    return data, "application/json", {"Signature": _mac(key, data).hexdigest()}


def signed_by_mailgun(told, key=KEY, *, at=None, token="06c96bafc3f42a66b9edd546347a2fe18dc23461fe80dc52f0"):
    timestamp = str(int(time.time())) if at is None else at
    return told | {"signature": {"token": token, "timestamp": timestamp, "signature": _mac(key, f"{timestamp}{token}").hexdigest()}}


def _mailgun(told, key):
    already = told["signature"]["signature"]
    return _unsigned(told if already else signed_by_mailgun(told, key), key)


def _mandrill(told, key):
    data = {"mandrill_events": json.dumps(told)}
    signed = f"http://{SECRET}@testserver/webhooks/mandrill/mandrill_events{data['mandrill_events']}"
    form = "&".join(f"{name}={requests.utils.quote(value)}" for name, value in data.items())
    signature = base64.b64encode(_mac(key, signed, hashlib.sha1).digest()).decode()
    return form, "application/x-www-form-urlencoded", {"X-Mandrill-Signature": signature}


def _postal(told, key):
    data = json.dumps(told)
    signature = private_key().sign(data.encode(), padding.PKCS1v15(), hashes.SHA1())
    return data, "application/json", {"X-Postal-Signature": base64.b64encode(signature).decode()}


def _unisender_go(told, key):
    """Signed with the key in the place of the signature."""
    data = json.dumps(told | {"auth": "PLACE"})
    return data.replace("PLACE", hashlib.md5(data.replace("PLACE", key).encode()).hexdigest()), "application/json", {}


def _ses(told, key):
    message = {
        "Type": "Notification",
        "MessageId": "19ba9823-d7f2-53c1-860e-cb10e0d13dfc",
        "TopicArn": TOPIC,
        "Subject": "Amazon SES Email Event Notification",
        "Message": json.dumps(told) + "\n",
        "Timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
        "SignatureVersion": "1",
        "SigningCertURL": CERTIFICATE,
        "UnsubscribeURL": "https://sns.us-east-1.amazonaws.com/?Action=Unsubscribe&SubscriptionArn=arn:aws:sns:us-east-1:123456789012:ses-events:1",
    }
    signed = "".join(f"{name}\n{message[name]}\n" for name in ("Message", "MessageId", "Subject", "Timestamp", "TopicArn", "Type"))
    message["Signature"] = base64.b64encode(private_key().sign(signed.encode(), padding.PKCS1v15(), hashes.SHA1())).decode()
    return json.dumps(message), "text/plain; charset=UTF-8", {"x-amz-sns-message-type": "Notification"}


_SIGNED = {
    "mailersend": _mailersend,
    "mailgun": _mailgun,
    "mandrill": _mandrill,
    "postal": _postal,
    "ses": _ses,
    "unisender-go": _unisender_go,
}
