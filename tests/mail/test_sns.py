"""SES's events by SNS: believed only when Amazon signed them, for a topic of ours, within the hour."""

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest
import requests
from botocore.exceptions import EndpointConnectionError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509.oid import NameOID
from django.utils import timezone

from project.mail import sns
from project.mail.models import Event, Suppression

pytestmark = pytest.mark.django_db

TOPIC = "arn:aws:sns:us-east-1:123456789012:ses-events"
URL = "https://sns.us-east-1.amazonaws.com/SimpleNotificationService-0123abcd.pem"
BOUNCE = {
    "eventType": "Bounce",
    "bounce": {"bounceType": "Permanent", "bounceSubType": "General", "bouncedRecipients": [{"emailAddress": "ana@example.org"}]},
    "mail": {"messageId": "ses-1", "destination": ["ana@example.org"], "headers": [{"name": "X-Metadata", "value": '{"letter": "d-77"}'}]},
}


@pytest.fixture(scope="module")
def amazon():
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def certificate(key, *, until=timedelta(days=1)):
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "sns.amazonaws.com")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(1)
    built = builder.not_valid_before(now - timedelta(days=2)).not_valid_after(now + until).sign(key, hashes.SHA256())
    return built.public_bytes(serialization.Encoding.PEM)


class Web:
    """Where certificates come from: `answer` is a (status, content) or an exception; counts what was fetched."""

    def __init__(self, answer):
        self.answer, self.fetched = answer, []

    def get(self, url, **options):
        self.fetched.append(url)
        if isinstance(self.answer, Exception):
            raise self.answer
        response = requests.Response()
        response.status_code, response._content = self.answer
        return response


@pytest.fixture(autouse=True)
def web(amazon, monkeypatch, settings):
    settings.SNS_TOPIC_ARNS = [TOPIC]
    web = Web((200, certificate(amazon)))
    monkeypatch.setattr(sns.requests, "get", web.get)
    monkeypatch.setattr(sns, "_certificates", {})
    return web


@pytest.fixture
def tell(client, amazon):
    """`tell(**changes)`: posts a signed SNS message; `after` changes it once signed. Returns the status."""

    def tell(message=BOUNCE, version="2", key=amazon, after=None, **changes):
        told = {
            "Type": "Notification",
            "MessageId": "m-1",
            "TopicArn": TOPIC,
            "Message": json.dumps(message),
            "Timestamp": timezone.now().strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "SignatureVersion": version,
            "SigningCertURL": URL,
        } | changes
        names = [name for name in sns._SIGNED.get(told["Type"], ()) if name in told]
        algorithm = {"1": hashes.SHA1(), "2": hashes.SHA256()}.get(version, hashes.SHA256())
        text = "".join(f"{name}\n{told[name]}\n" for name in names).encode()
        told["Signature"] = base64.b64encode(key.sign(text, padding.PKCS1v15(), algorithm)).decode()
        return client.post("/webhooks/ses/", json.dumps(told | (after or {})), content_type="text/plain").status_code

    return tell


@pytest.mark.parametrize("version", ["1", "2"])
def test_a_hard_bounce_is_stored_and_suppresses(tell, version):
    assert [tell(version=version), tell(version=version)] == [200, 200]

    event = Event.objects.get()
    assert (event.provider, event.type, event.hard, event.letter, event.provider_id) == ("ses", "bounced", True, "d-77", "ses-1")
    assert Suppression.objects.get().scope == "all"


def test_a_subject_is_signed_too(tell):
    assert tell(Subject="Amazon SES") == 200
    assert tell(Subject="Amazon SES", after={"Subject": "other"}) == 403


@pytest.mark.parametrize(
    "after",
    [
        {"Message": "{}"},
        {"MessageId": "other"},
        {"Signature": "AAAA"},
        {"Signature": "no base64"},
        {"Signature": 5},
        {"SignatureVersion": "3"},
        {"SigningCertURL": "https://sns.us-east-1.amazonaws.com.evil.example/SimpleNotificationService-0.pem"},
        {"SigningCertURL": "https://bucket.s3.amazonaws.com/SimpleNotificationService-0.pem"},
        {"SigningCertURL": "http://sns.us-east-1.amazonaws.com/SimpleNotificationService-0.pem"},
        {"SigningCertURL": URL + "\n"},
        {"TopicArn": "arn:aws:sns:us-east-1:999999999999:theirs"},
        {"Message": "\ud800"},
        {"Type": "Surprise"},
        {"Type": ["Notification"]},
    ],
    ids=str,
)
def test_what_was_altered_is_refused(tell, after):
    assert tell(after=after) == 403
    assert not Event.objects.exists()


def test_another_key_is_refused(tell):
    assert tell(key=rsa.generate_private_key(public_exponent=65537, key_size=2048)) == 403


def test_a_topic_that_is_not_ours_is_refused_though_amazon_signed(tell, web):
    assert tell(TopicArn="arn:aws:sns:us-east-1:999999999999:theirs") == 403
    assert web.fetched == []


def test_without_a_topic_of_ours_there_is_no_hook(tell, settings):
    settings.SNS_TOPIC_ARNS = []

    assert tell() == 404


@pytest.mark.parametrize("when", ["2020-01-01T00:00:00.000Z", "2099-01-01T00:00:00.000Z", "yesterday", "2026-99-01T00:00:00Z"])
def test_what_is_not_of_this_hour_is_refused(tell, when):
    assert tell(Timestamp=when) == 403


@pytest.mark.parametrize(
    "body",
    [b"[]", b"1", b"null", b"\xff", b"{", b"{}", b"[" * 100_000, b'{"Type": {}}', b" " * (256 * 1024 + 1)],
    ids=lambda body: repr(body[:8]),
)
def test_nonsense_is_refused(client, body):
    assert client.post("/webhooks/ses/", body, content_type="text/plain").status_code == 403


@pytest.mark.parametrize("answer", [requests.ConnectionError(), requests.Timeout(), (500, b""), (200, b"no certificate")], ids=repr)
def test_a_certificate_that_cannot_be_fetched_makes_it_told_again_and_is_not_remembered(tell, web, answer):
    good, web.answer = web.answer, answer
    assert tell() == 503

    web.answer = good
    assert tell() == 200


def test_a_certificate_is_fetched_once_a_day(tell, web, monkeypatch):
    tell(MessageId="1")
    tell(MessageId="2")
    assert len(web.fetched) == 1

    monkeypatch.setattr(sns, "_certificates", {url: (known, 0) for url, (known, _until) in sns._certificates.items()})
    tell(MessageId="3")
    assert len(web.fetched) == 2


def test_an_expired_certificate_is_refused(tell, web, amazon):
    web.answer = (200, certificate(amazon, until=timedelta(days=-1)))

    assert tell() == 403


class Amazon:
    """boto3's place: notes which subscriptions were confirmed."""

    def __init__(self, error=None):
        self.error, self.confirmed = error, []
        self.session = self

    def Session(self, **credentials):
        return self

    def client(self, service, region_name):
        self.region = region_name
        return self

    def confirm_subscription(self, **arguments):
        if self.error:
            raise self.error
        self.confirmed.append(arguments)


CONFIRM = {"Type": "SubscriptionConfirmation", "Token": "t-1", "SubscribeURL": "https://evil.example/"}


def test_a_subscription_is_confirmed_through_amazons_api_and_no_address_in_it_is_opened(tell, web, monkeypatch):
    boto3 = Amazon()
    monkeypatch.setattr(sns, "boto3", boto3)

    assert tell(**CONFIRM) == 200

    assert (boto3.confirmed, boto3.region) == ([{"TopicArn": TOPIC, "Token": "t-1"}], "us-east-1")
    assert web.fetched == [URL]


def test_a_subscription_that_cannot_be_confirmed_now_is_told_again(tell, monkeypatch):
    monkeypatch.setattr(sns, "boto3", Amazon(EndpointConnectionError(endpoint_url="https://sns")))

    assert tell(**CONFIRM) == 503


def test_a_subscription_to_a_topic_not_ours_is_not_confirmed(tell, monkeypatch):
    boto3 = Amazon()
    monkeypatch.setattr(sns, "boto3", boto3)

    assert tell(**CONFIRM, TopicArn="arn:aws:sns:us-east-1:999999999999:theirs") == 403
    assert boto3.confirmed == []


@pytest.mark.parametrize("message", [[], 1, {}, {"eventType": "Bounce"}, {"eventType": "Surprise", "mail": {"destination": []}}], ids=str)
def test_a_signed_message_we_cannot_read_is_no_error_of_ours(tell, message):
    assert tell(message) == 200
