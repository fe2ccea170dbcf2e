"""What became of a letter, read from everything a server or a provider may answer, or not answer."""

from datetime import UTC, datetime, timedelta

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Mailbox
from django.core.mail import EmailMessage

from project.mail import api_outcomes, outcomes, routes
from project.mail.outcomes import Verdict
from tests.processes import free_port

from . import servers
from .servers import DROP, HANG

pytestmark = pytest.mark.django_db

SENT, RETRY, FAILED, BOUNCED = Verdict.SENT, Verdict.RETRY, Verdict.FAILED, Verdict.BOUNCED
PAUSE, LATER, UNCERTAIN = Verdict.PAUSE, Verdict.LATER, Verdict.UNCERTAIN


def letter():
    message = EmailMessage("Subject", "A line.\n" * 50, "a@example.org", ["ana@example.org"])
    message.metadata = {"letter": "0" * 32}
    return message


@pytest.fixture
def hand_over(settings, monkeypatch):
    """`hand_over(url)`: one letter's Outcome by that route."""
    settings.MAIL_SOCKET_TIMEOUT = 0.5
    monkeypatch.setattr(routes, "_connections", {})

    def hand_over(url):
        settings.MAIL_TRANSACTIONAL = url
        return routes.hand_over("transactional", letter())

    yield hand_over
    for connection in routes._connections.values():
        connection.close()


# -- SMTP --------------------------------------------------------------------------------------------------------------------------------

SMTP = [
    ({}, SENT),
    ({"HELLO": "421 closing"}, LATER),
    ({"HELLO": "554 no service"}, PAUSE),
    ({"HELLO": DROP}, LATER),
    ({"HELLO": HANG}, LATER),
    ({"EHLO": DROP}, LATER),
    ({"EHLO": HANG}, LATER),
    ({"AUTH": "535 5.7.8 wrong"}, PAUSE),
    ({"AUTH": "454 4.7.0 not now"}, LATER),
    ({"AUTH": DROP}, LATER),
    ({"MAIL": "421 closing"}, LATER),
    ({"MAIL": "450 not now"}, LATER),
    ({"MAIL": "451 not now"}, LATER),
    ({"MAIL": "452 full"}, LATER),
    ({"MAIL": "550 5.7.1 not from you"}, PAUSE),
    ({"MAIL": "554 no"}, PAUSE),
    ({"MAIL": "552 5.3.4 too large"}, FAILED),
    ({"MAIL": DROP}, LATER),
    ({"MAIL": HANG}, LATER),
    ({"RCPT": "421 closing"}, RETRY),
    ({"RCPT": "450 4.2.0 greylisted"}, RETRY),
    ({"RCPT": "451 4.7.1 not now"}, RETRY),
    ({"RCPT": "452 4.2.2 mailbox full"}, RETRY),
    ({"RCPT": "550 5.1.1 no such person"}, BOUNCED),
    ({"RCPT": "550 5.1.10 null MX"}, BOUNCED),
    ({"RCPT": "550 5.7.1 relaying denied"}, FAILED),
    ({"RCPT": "550 relaying denied"}, FAILED),
    ({"RCPT": "554 5.7.1 blocked"}, FAILED),
    ({"RCPT": DROP}, RETRY),
    ({"RCPT": HANG}, RETRY),
    ({"DATA": "421 closing"}, RETRY),
    ({"DATA": "451 not now"}, RETRY),
    ({"DATA": "554 no"}, FAILED),
    ({"DATA": DROP}, RETRY),
    ({"DATA": HANG}, RETRY),
    ({"LETTER": DROP}, UNCERTAIN),  # it was all on the wire: we can't know how much was read
    ({"DOT": "421 closing"}, RETRY),
    ({"DOT": "450 not now"}, RETRY),
    ({"DOT": "451 not now"}, RETRY),
    ({"DOT": "452 full"}, RETRY),
    ({"DOT": "550 5.7.1 spam"}, FAILED),
    ({"DOT": "552 too large"}, FAILED),
    ({"DOT": "554 5.6.0 no"}, FAILED),
    ({"DOT": DROP}, UNCERTAIN),
    ({"DOT": HANG}, UNCERTAIN),
]


@pytest.mark.parametrize(("script", "verdict"), SMTP, ids=lambda value: str(getattr(value, "name", value)))
def test_every_answer_of_a_mail_server(hand_over, script, verdict):
    with servers.smtp(**script) as (port, taken):
        outcome = hand_over(f"smtp://user:password@127.0.0.1:{port}?tls=0")

    assert outcome.verdict is verdict
    # What a server took is never called untaken, nor the other way round.
    assert verdict in {SENT, UNCERTAIN} if taken else verdict is not SENT


#: What each code means at each step. LATER and PAUSE are about the route, the others about the letter alone.
CODES = [
    ["connect", "auth", "sender", "recipient", "data"],
    (421, [LATER, LATER, LATER, RETRY, RETRY]),
    (450, [LATER, LATER, LATER, RETRY, RETRY]),
    (451, [LATER, LATER, LATER, RETRY, RETRY]),
    (452, [LATER, LATER, LATER, RETRY, RETRY]),
    (454, [LATER, LATER, LATER, RETRY, RETRY]),
    (530, [PAUSE, PAUSE, PAUSE, FAILED, FAILED]),
    (535, [PAUSE, PAUSE, PAUSE, FAILED, FAILED]),
    (550, [PAUSE, PAUSE, PAUSE, FAILED, FAILED]),
    (552, [PAUSE, PAUSE, FAILED, FAILED, FAILED]),
    (554, [PAUSE, PAUSE, PAUSE, FAILED, FAILED]),
]


@pytest.mark.parametrize(
    ("code", "phase", "verdict"), [(code, phase, verdict) for code, row in CODES[1:] for phase, verdict in zip(CODES[0], row, strict=True)]
)
def test_what_a_code_means_at_each_step(code, phase, verdict):
    outcome = outcomes.of_reply(code, b"no", phase=phase)

    assert (outcome.verdict, outcome.detail) == (verdict, f"{code} no")


@pytest.mark.parametrize("status", ["5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.4.4"])
def test_only_a_recipients_own_status_says_that_an_address_is_dead(status):
    verdicts = [outcomes.of_reply(550, f"{status} no", phase=phase).verdict for phase in CODES[0]]

    assert verdicts == [PAUSE, PAUSE, PAUSE, BOUNCED, FAILED]
    assert outcomes.of_reply(450, f"{status.replace('5', '4', 1)} no", phase="recipient").verdict is RETRY


def test_a_mail_server_that_is_not_there(hand_over):
    assert hand_over(f"smtp://127.0.0.1:{free_port()}").verdict is LATER


def test_a_mail_server_without_the_encryption_we_insist_on_is_not_used(hand_over):
    with servers.smtp() as (port, taken):
        outcome = hand_over(f"smtp://user:password@127.0.0.1:{port}")

    assert (outcome.verdict, outcome.reason, taken) == (PAUSE, "not-secure", [])


def test_a_connection_is_kept_and_one_that_was_closed_meanwhile_is_opened_again(hand_over):
    with servers.smtp() as (port, taken):
        url = f"smtp://127.0.0.1:{port}"
        assert hand_over(url).verdict is SENT
        kept = routes.connection("transactional").connection
        assert hand_over(url).verdict is SENT
        assert routes.connection("transactional").connection is kept
        kept.sock.close()
        assert hand_over(url).verdict is SENT

    assert len(taken) == 3


def test_after_a_letter_arrived_a_server_gone_is_no_doubt(hand_over):
    with servers.smtp() as (port, _taken):
        assert hand_over(f"smtp://127.0.0.1:{port}").verdict is SENT
    routes.connection("transactional").close()

    assert hand_over(f"smtp://127.0.0.1:{port}").verdict is LATER


def test_a_real_mail_server_takes_the_letter_as_it_was_written(hand_over, tmp_path):
    controller = Controller(Mailbox(tmp_path / "box"), hostname="127.0.0.1", port=free_port())
    controller.start()
    try:
        assert hand_over(f"smtp://127.0.0.1:{controller.port}").verdict is SENT
    finally:
        controller.stop()

    (file,) = (tmp_path / "box" / "new").iterdir()
    assert "To: ana@example.org" in file.read_text()


# -- Providers' APIs ---------------------------------------------------------------------------------------------------------------------

POSTMARK = '{"ErrorCode": 0, "MessageID": "pm-1", "Message": "OK", "To": "ana@example.org", "SubmittedAt": "2026-01-01T00:00:00Z"}'
INACTIVE = '{"ErrorCode": 406, "Message": "inactive recipient ana@example.org"}'
API = [
    ("postmark", (200, {}, POSTMARK), SENT),
    ("mailgun", (200, {}, '{"id": "<mg-1@mg.example.org>", "message": "Queued. Thank you."}'), SENT),
    ("resend", (200, {}, '{"id": "re-1"}'), SENT),
    ("postmark", (422, {}, INACTIVE), FAILED),
    ("resend", (409, {}, '{"name": "concurrent_idempotent_requests"}'), RETRY),
    *[
        (provider, answer, verdict)
        for provider in ("postmark", "mailgun", "resend")
        for answer, verdict in [
            ((400, {}, "{}"), FAILED),
            ((401, {}, "{}"), PAUSE),
            ((403, {}, "{}"), PAUSE),
            ((404, {}, "{}"), PAUSE),
            ((413, {}, "{}"), FAILED),
            ((429, {"Retry-After": "120"}, "{}"), LATER),
            ((500, {}, "{}"), UNCERTAIN),
            ((503, {}, "{}"), UNCERTAIN),
            ((200, {}, "<html>not what we expected"), UNCERTAIN),
            (DROP, UNCERTAIN),
            (HANG, UNCERTAIN),
        ]
    ],
]


def api_url(provider, port):
    host = "mg.example.org" if provider == "mailgun" else ""
    return f"anymail+{provider}://KEY@{host}?api_url=http%3A%2F%2F127.0.0.1%3A{port}%2F"


@pytest.mark.parametrize(("provider", "answer", "verdict"), API, ids=str)
def test_every_answer_of_a_provider(hand_over, provider, answer, verdict):
    with servers.http(answer) as (port, requests):
        outcome = hand_over(api_url(provider, port))

    # Resend knows a repeated call by its key, so nothing is in doubt there: it is tried again.
    assert outcome.verdict is (RETRY if verdict is UNCERTAIN and provider == "resend" else verdict)
    assert len(requests) == 1
    assert "A line." not in outcome.detail


@pytest.mark.parametrize("provider", ["postmark", "mailgun", "resend"])
def test_a_provider_that_is_not_there(hand_over, provider):
    assert hand_over(api_url(provider, free_port())).verdict is LATER


@pytest.mark.parametrize(
    ("provider", "answer", "known_as"), [(*row[:2], name) for row, name in zip(API, ["pm-1", "<mg-1@mg.example.org>", "re-1"], strict=False)]
)
def test_the_providers_id_is_kept(hand_over, provider, answer, known_as):
    with servers.http(answer) as (port, _requests):
        assert hand_over(api_url(provider, port)).provider_id == known_as


def test_resend_is_told_our_key_in_a_header(hand_over):
    with servers.http((200, {}, '{"id": "re-1"}')) as (port, requests):
        hand_over(api_url("resend", port))

    assert requests[0][1]["Idempotency-Key"] == "0" * 32


def test_a_busy_provider_is_left_alone_as_long_as_it_asks(hand_over):
    with servers.http((429, {"Retry-After": "120"}, "{}")) as (port, _requests):
        outcome = hand_over(api_url("postmark", port))

    assert outcome.wait == timedelta(seconds=120)
    assert routes.row("transactional").probe_at - datetime.now(UTC) > timedelta(seconds=110)


@pytest.mark.parametrize(
    ("told", "wait"),
    [
        ("30", timedelta(seconds=30)),
        ("Sun, 01 Nov 2026 12:01:00 GMT", timedelta(minutes=1)),
        ("86400", timedelta(hours=1)),
        ("-5", timedelta(0)),
        ("soon", None),
        ("", None),
    ],
)
def test_retry_after(told, wait):
    outcome = api_outcomes.of_status(429, "", retry_after=told, now=datetime(2026, 11, 1, 12, tzinfo=UTC))

    assert outcome.wait == wait


# -- SES ---------------------------------------------------------------------------------------------------------------------------------


def aws_error(status, code):
    return status, {"x-amzn-ErrorType": code}, '{"message": "no"}'


SES = [
    ((200, {"x-amzn-RequestId": "1"}, '{"MessageId": "ses-1"}'), SENT),
    ((200, {}, '{"Surprise": 1}'), UNCERTAIN),
    (aws_error(429, "TooManyRequestsException"), LATER),
    (aws_error(400, "LimitExceededException"), LATER),
    (aws_error(400, "MessageRejected"), FAILED),
    (aws_error(400, "BadRequestException"), FAILED),
    (aws_error(400, "SendingPausedException"), PAUSE),
    (aws_error(403, "InvalidClientTokenId"), PAUSE),
    (aws_error(403, "SignatureDoesNotMatch"), PAUSE),
    (aws_error(500, "InternalFailure"), UNCERTAIN),
    (aws_error(503, "ServiceUnavailable"), UNCERTAIN),
    (DROP, UNCERTAIN),
    (HANG, UNCERTAIN),
]


@pytest.mark.parametrize("scheme", ["ses", "django-ses"])
@pytest.mark.parametrize(("answer", "verdict"), SES, ids=str)
def test_every_answer_of_ses_asked_once(hand_over, scheme, answer, verdict):
    with servers.http(answer) as (port, requests):
        outcome = hand_over(f"{scheme}://KEY:SECRET@?region=us-east-1&endpoint=http%3A%2F%2F127.0.0.1%3A{port}")

    assert outcome.verdict is verdict
    assert outcome.provider_id == ("ses-1" if verdict is SENT else "")
    assert len(requests) == 1


@pytest.mark.parametrize("scheme", ["ses", "django-ses"])
def test_ses_not_there(hand_over, scheme):
    assert hand_over(f"{scheme}://K:S@?region=us-east-1&endpoint=http%3A%2F%2F127.0.0.1%3A{free_port()}").verdict is LATER
