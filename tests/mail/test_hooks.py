"""What every provider tells, as it tells it: posted to its hook with its own signature, and what follows from it."""

import json

import pytest
import time_machine
from django.db import DataError, OperationalError, connection
from django.test import Client

from project.mail import events, sending
from project.mail.models import Event, Message, Suppression
from project.mail.outcomes import Outcome, Verdict

from . import hooks

pytestmark = [pytest.mark.django_db, pytest.mark.filterwarnings("ignore:django-anymail has dropped official support for SendGrid")]

#: Somebody's public key on the curve SendGrid signs with.
EC_KEY = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE8cEGWZOVIrRN/7oHDrTWPvFoDl2jnGd/X5o5GrY5uN0WEqslEvUq4NXxaWaLM/YHq9WIzRIMA2a+1fvS6LaGWw=="

_EVENTS = {
    "delivered": ("delivered", False),
    "hard": ("bounced", True),
    "soft": ("bounced", False),
    "complaint": ("complained", False),
    "unsubscribe": ("unsubscribed", False),
}

#: (provider, what its payload is called): the event's type and whether it is hard.
TOLD = {
    **{(provider, what): _EVENTS[what] for provider, what in hooks.TOLD},
    **{(provider, "soft"): ("deferred", False) for provider in hooks.TRY_ON},
    ("brevo", "blocked"): ("rejected", False),
    ("mailgun", "known_dead"): ("bounced", True),
    ("mailgun", "gave_up"): ("bounced", False),
    ("mailgun", "refused"): ("rejected", False),
    ("mailjet", "known_dead"): ("rejected", True),
    ("mailjet", "over_quota"): ("rejected", False),
    ("mandrill", "sent"): ("sent", False),
    ("postal", "hard"): ("failed", True),
    ("postal", "not_from_us"): ("failed", False),
    ("postal", "on_its_list"): ("rejected", False),
    ("postal", "came_back"): ("bounced", False),
    ("postmark", "known_dead"): ("bounced", True),
    ("resend", "hard_without_type"): ("bounced", True),
    ("resend", "on_its_list"): ("rejected", False),
    ("resend", "failed"): ("failed", False),
    ("sendgrid", "known_dead"): ("rejected", True),
    ("ses", "not_spam"): ("unknown", False),
    ("sparkpost", "came_back"): ("bounced", True),
    ("unisender-go", "refused"): ("bounced", False),
}


@pytest.fixture(autouse=True)
def _hooks(settings, monkeypatch):
    hooks.configure(settings, monkeypatch)
    with time_machine.travel(hooks.NOW, tick=True):
        yield


@pytest.fixture
def letter(greetings):
    """One to Ana that left, and that its provider calls p-1."""
    greetings.post()
    letter = sending.claim(greetings.letter().pk, hooks.NOW)
    sending.record(letter, Outcome(Verdict.SENT, provider_id="p-1"))
    return letter


def of(letter):
    """How a provider speaks of it."""
    return {"letter": letter.public_id, "message_id": f"{letter.public_id}@practice.example.org"}


def suppressed():
    return list(Suppression.objects.values_list("scope", flat=True))


@pytest.mark.parametrize(("provider", "what"), TOLD)
def test_what_a_provider_tells_is_understood_and_followed(letter, provider, what):
    event_type, hard = TOLD[provider, what]
    told = hooks.payload(provider, what, **of(letter))

    assert [hooks.post(provider, told), hooks.post(provider, told)] == [200, 200]

    event = Event.objects.get()
    assert (event.provider, event.type, event.hard) == (provider, event_type, hard)
    assert event.letter == ("" if provider == "mailersend" else letter.public_id)
    assert suppressed() == (["all"] if hard else ["marketing"] if event_type == "complained" else [])
    letter.refresh_from_db()
    returned = event_type in events.RETURNED
    assert (letter.state, letter.reason) == (("failed", "bounced") if returned else ("sent", ""))


@pytest.mark.parametrize("provider", hooks.PROVIDERS)
def test_a_letter_in_doubt_that_was_delivered_is_sent(letter, provider):
    Message.objects.update(state=Message.State.UNCERTAIN)

    assert hooks.post(provider, hooks.payload(provider, "delivered", **of(letter))) == 200

    letter.refresh_from_db()
    assert letter.state == "sent"


@pytest.mark.parametrize("provider", hooks.PROVIDERS)
def test_when_it_happened_is_what_the_provider_says(letter, provider):
    hooks.post(provider, hooks.payload(provider, "hard", **of(letter)))

    assert 0 <= (hooks.NOW - Event.objects.get().occurred_at).total_seconds() <= 60


def test_every_provider_has_its_payloads():
    assert {path.stem for path in hooks._PAYLOADS.iterdir()} == set(hooks.PROVIDERS)
    said = {(path.stem, what) for path in hooks._PAYLOADS.iterdir() for what in json.loads(path.read_text())}
    assert said == {*TOLD, ("mailgun", "by_smtp")}


# -- Odd payloads --------------------------------------------------------------------------------------------------------------------------


def test_a_letter_that_left_by_a_providers_smtp_is_known_by_its_message_id(letter):
    Message.objects.update(state=Message.State.UNCERTAIN, provider_id="")

    assert hooks.post("mailgun", hooks.payload("mailgun", "by_smtp", **of(letter))) == 200

    letter.refresh_from_db()
    assert letter.state == "sent"


def test_a_message_id_of_another_house_is_no_name_of_ours(letter):
    told = hooks.payload("mailgun", "by_smtp", message_id=f"{letter.public_id}@elsewhere.example.org")

    assert hooks.post("mailgun", told) == 200

    assert Event.objects.get().letter == ""


@pytest.mark.parametrize("recipient", ["Ana@Example.ORG", "Ana Gil <ana@example.org>", '"Gil, Ana" <ANA@example.org>', " ana@example.org "])
def test_an_address_is_known_however_it_is_written(letter, recipient):
    told = hooks.payload("ses", "hard", **of(letter))
    told["bounce"]["bouncedRecipients"][0]["emailAddress"] = recipient

    assert hooks.post("ses", told) == 200

    letter.refresh_from_db()
    assert letter.state == "failed"


def test_mailgun_telling_an_event_again_under_another_signature_tells_nothing_new(letter):
    told = hooks.payload("mailgun", "hard", **of(letter))

    assert [hooks.post("mailgun", hooks.signed_by_mailgun(told, token=token * 50)) for token in "ab"] == [200, 200]

    assert Event.objects.count() == 1


@pytest.mark.parametrize("moment", [1795176000, 0, 4102444800000])
def test_a_moment_that_cannot_be_is_now(moment):
    """Brevo has told seconds where its handbook says milliseconds: fifty years ago, every reader's consent would be newer."""
    told = hooks.payload("brevo", "unsubscribe") | {"ts_epoch": moment}

    assert hooks.post("brevo", told) == 200

    assert abs((Event.objects.get().occurred_at - hooks.NOW).total_seconds()) < 60


@pytest.mark.parametrize("metadata", ["5", "[]", '"letter"', "null", '{"letter": null}', '{"letter": ["x"]}'])
def test_metadata_of_somebody_else_is_passed_by(metadata):
    [told] = hooks.payload("mailjet", "hard")

    assert hooks.post("mailjet", [told | {"Payload": metadata}]) == 200

    assert suppressed() == ["all"]


def test_brevo_may_tell_many_at_once():
    told = [hooks.payload("brevo", "hard", address=f"reader{number}@example.org") for number in range(3)]

    assert hooks.post("brevo", told) == 200

    assert suppressed() == ["all"] * 3


# -- What no database keeps ------------------------------------------------------------------------------------------------------------------

UNKEEPABLE = ["550 no such user\0", "550 \ud83d", "\udc00", float("nan"), float("inf"), float("-inf"), {"\0": ["\0"]}, 10**400]


@pytest.mark.parametrize("odd", UNKEEPABLE, ids=ascii)
def test_an_event_with_what_no_database_keeps_is_kept_all_the_same(odd):
    told = hooks.payload("postmark", "hard") | {"Details": odd}

    assert [hooks.post("postmark", told), hooks.post("postmark", told)] == [200, 200]

    assert suppressed() == ["all"]
    assert Event.objects.get().raw["Details"] != ""


@pytest.mark.parametrize("field", ["email", "sg_event_id", "anymail_id", "letter"])
def test_nor_does_it_matter_where_that_stands(field):
    [told] = hooks.payload("sendgrid", "hard")

    assert hooks.post("sendgrid", [told | {field: "a\0b\ud800@example.org"}]) == 200

    assert suppressed() == ["all"]


def batch(provider, odd):
    """Three hard bounces told at once, with an odd one in their midst."""
    bounces = [hooks.payload(provider, "hard", address=f"reader{number}@example.org") for number in range(3)]
    match provider:
        case "mailtrap":
            return {"events": [bounces[0]["events"][0], odd, bounces[1]["events"][0], bounces[2]["events"][0]]}
        case "unisender-go":
            first, second, third = (bounce["events_by_user"][0]["events"][0] for bounce in bounces)
            strange = {"event_name": "transactional_email_status", "event_data": odd}
            return bounces[0] | {"events_by_user": [{"events": [first, strange, second, third]}]}
        case "brevo":
            return [bounces[0], odd, *bounces[1:]]
    return [bounces[0][0], odd, bounces[1][0], bounces[2][0]]


ODD = [
    {},
    None,
    5,
    {"msys": None},
    {"msys": {"message_event": {"type": "bounce", "bounce_class": []}}},
    {"event": [], "status": {}, "email": {}},
]


@pytest.mark.parametrize("provider", ["brevo", "mailjet", "mailtrap", "mandrill", "sendgrid", "sparkpost", "unisender-go"])
@pytest.mark.parametrize("odd", ODD, ids=str)
def test_an_event_nobody_can_read_takes_none_of_its_batch_along_and_is_not_asked_for_again(provider, odd):
    assert hooks.post(provider, batch(provider, odd)) == 200

    assert suppressed() == ["all"] * 3


def test_where_a_listener_stumbles_over_one_event_the_others_stay_and_all_are_told_again(monkeypatch):
    stumbling = True

    def listen(event):
        if stumbling and event.letter == "stumble":
            raise ZeroDivisionError

    monkeypatch.setattr(events, "_listeners", [listen])
    [odd] = hooks.payload("sendgrid", "hard", address="odd@example.org", letter="stumble")

    assert hooks.post("sendgrid", batch("sendgrid", odd)) == 503
    assert suppressed() == ["all"] * 3

    stumbling = False
    assert hooks.post("sendgrid", batch("sendgrid", odd)) == 200
    assert suppressed() == ["all"] * 4


def test_while_the_database_is_away_the_provider_tells_again():
    asked = []

    def away(execute, sql, *arguments):
        asked.append(sql)
        raise OperationalError("server closed the connection unexpectedly")

    told = batch("sendgrid", None)
    with connection.execute_wrapper(away):
        assert hooks.post("sendgrid", told) == 503

    assert len(asked) == 1  # a thousand events in vain would keep a thread for an hour
    assert hooks.post("sendgrid", told) == 200
    assert suppressed() == ["all"] * 3


def test_what_the_database_will_never_take_is_not_asked_for_again():
    def refuse(execute, sql, parameters, many, context):
        if "odd" in str(parameters):
            raise DataError("unsupported Unicode escape sequence")
        return execute(sql, parameters, many, context)

    [odd] = hooks.payload("sendgrid", "hard", letter="odd")
    with connection.execute_wrapper(refuse):
        assert hooks.post("sendgrid", batch("sendgrid", odd)) == 200

    assert suppressed() == ["all"] * 3


# -- Who is believed -------------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("provider", sorted(set(hooks.PROVIDERS) - {"ses"}))
@pytest.mark.parametrize("secret", ["hook:wrong", "", None])
def test_without_the_secret_nobody_is_believed(provider, secret):
    assert hooks.post(provider, hooks.payload(provider, "hard"), secret=secret) == 400

    assert not Event.objects.exists()
    assert suppressed() == []


@pytest.mark.parametrize("provider", ["mailersend", "mailgun", "mandrill", "unisender-go"])
def test_nor_with_a_wrong_signature(provider):
    assert hooks.post(provider, hooks.payload(provider, "hard"), key="another-key") == 400

    assert not Event.objects.exists()


@pytest.mark.parametrize(
    ("provider", "key"),
    [("mailtrap", {"MAILTRAP_TRACKING_SECRET": hooks.KEY}), ("sendgrid", {"SENDGRID_TRACKING_WEBHOOK_VERIFICATION_KEY": EC_KEY})],
)
def test_nor_without_a_signature_where_a_provider_may_sign_and_its_key_is_set(settings, provider, key):
    settings.ANYMAIL = settings.ANYMAIL | key

    assert hooks.post(provider, hooks.payload(provider, "hard")) == 400

    assert not Event.objects.exists()


def test_the_secret_stays_out_of_the_log(caplog):
    hooks.post("mandrill", hooks.payload("mandrill", "hard"), key="another-key")

    assert "refused" in caplog.text
    assert hooks.SECRET not in caplog.text


@pytest.mark.parametrize(
    ("seconds", "status"), [(-14 * 60, 200), (-16 * 60, 400), (-30 * 86400, 400), (14 * 60, 200), (16 * 60, 400), ("nan", 400), ("", 400)]
)
def test_mailguns_signature_is_of_these_minutes(seconds, status):
    at = seconds if isinstance(seconds, str) else str(int(hooks.NOW.timestamp()) + seconds)

    assert hooks.post("mailgun", hooks.signed_by_mailgun(hooks.payload("mailgun", "hard"), at=at)) == status

    assert Event.objects.exists() == (status == 200)


def test_with_no_secret_set_there_is_no_hook(settings):
    settings.WEBHOOK_SECRET, settings.ANYMAIL = "", settings.ANYMAIL | {"WEBHOOK_SECRET": []}

    assert hooks.post("postmark", hooks.payload("postmark", "hard")) == 404


def test_an_unknown_provider_has_none():
    assert hooks.post("pigeon", {}) == 404


@pytest.mark.parametrize("provider", sorted(set(hooks.PROVIDERS) - {"ses"}))
def test_a_provider_no_letter_leaves_by_has_no_hook(settings, provider):
    settings.WEBHOOK_PROVIDERS = []

    assert hooks.post(provider, hooks.payload(provider, "hard")) == 404
    assert Client().head(f"/webhooks/{provider}/").status_code == 404
    assert not Event.objects.exists()


@pytest.mark.parametrize("stream", ["MAIL_TRANSACTIONAL", "MAIL_BULK"])
def test_a_routes_provider_has_its_hook(settings, stream):
    settings.WEBHOOK_PROVIDERS = []
    setattr(settings, stream, "anymail+postmark://KEY@")

    assert hooks.post("postmark", hooks.payload("postmark", "hard")) == 200
    assert hooks.post("mailjet", hooks.payload("mailjet", "hard")) == 404


@pytest.mark.parametrize("provider", ["mailersend", "mailgun", "mandrill", "postal", "unisender-go"])
@pytest.mark.parametrize("key", ["", None])
def test_without_its_key_a_provider_tells_again_and_a_stranger_learns_nothing(settings, provider, key):
    settings.ANYMAIL = {"WEBHOOK_SECRET": [hooks.SECRET]} | (
        {name: "" for name in settings.ANYMAIL if name != "WEBHOOK_SECRET"} if key == "" else {}
    )
    told = hooks.payload(provider, "hard")

    assert hooks.post(provider, told, key="") == 503
    assert hooks.post(provider, told, key="", secret=None) == 400
    assert not Event.objects.exists()


@pytest.mark.parametrize("provider", sorted(set(hooks.PROVIDERS) - {"ses"}))
def test_providers_may_look_whether_somebody_is_there(settings, provider):
    """Mandrill shows its key only once they did."""
    settings.ANYMAIL = {"WEBHOOK_SECRET": [hooks.SECRET]}

    assert Client().head(f"/webhooks/{provider}/").status_code == 200
    assert Client().get(f"/webhooks/{provider}/").status_code == (200 if provider == "unisender-go" else 405)
    assert Client().get("/webhooks/ses/").status_code == 405


def test_thousands_of_events_at_once_are_not_too_many():
    padding = [hooks.payload("sparkpost", "delivered", address=f"reader{number}@example.org")[0] for number in range(20)]
    padding[0]["msys"]["message_event"]["subject"] = "x" * 3_000_000

    assert hooks.post("sparkpost", padding) == 200

    assert Event.objects.count() == 20


def test_more_than_a_provider_tells_at_once_is_refused(monkeypatch):
    monkeypatch.setattr("project.mail.provider_views.LARGEST", 1000)

    assert hooks.post("sparkpost", hooks.payload("sparkpost", "hard") * 3) == 400

    assert not Event.objects.exists()


@pytest.mark.parametrize("provider", hooks.PROVIDERS)
@pytest.mark.parametrize("nonsense", [[], 1, "x", {}, None, {"event": "inbound"}, {"signature": 5}, {"events": 5}])
def test_nonsense_is_no_error_of_ours(provider, nonsense):
    if provider == "mailgun" and not isinstance(nonsense, dict):
        nonsense = {"event-data": nonsense}
    if provider == "mailgun":
        nonsense = hooks.signed_by_mailgun(nonsense)
    if provider == "unisender-go" and not isinstance(nonsense, dict):
        nonsense = {"events_by_user": nonsense}

    assert hooks.post(provider, nonsense) == 200

    assert not Event.objects.exists()
