"""Every provider's route: its URL, and what its backend really builds of a letter with an invite."""

import warnings

import pytest
from django.core.mail import get_connection

from project.mail import providers, routes
from project.mail.capabilities import fit
from project.mail.letters import LetterMessage
from project.mail.providers import BadRoute

URLS = {
    "brevo": "anymail+brevo://KEY@",
    "mailersend": "anymail+mailersend://KEY@",
    "mailgun": "anymail+mailgun://KEY@mg.example.org",
    "mailjet": "anymail+mailjet://KEY:OTHER@",
    "mailtrap": "anymail+mailtrap://KEY@",
    "mandrill": "anymail+mandrill://KEY@",
    "postal": "anymail+postal://KEY@postal.example.org",
    "postmark": "anymail+postmark://KEY@?message_stream=outbound",
    "resend": "anymail+resend://KEY@",
    "scaleway": "anymail+scaleway://KEY:PROJECT@?region=nl-ams",
    "sendgrid": "anymail+sendgrid://KEY@",
    "sparkpost": "anymail+sparkpost://KEY@?api_url=https%3A%2F%2Fapi.eu.sparkpost.com%2Fapi%2Fv1",
    "unisender-go": "anymail+unisender-go://KEY@?api_url=https%3A%2F%2Fgo1.unisender.ru%2Fen%2Ftransactional%2Fapi%2Fv1%2F",
    "ses": "ses://KEY:OTHER@?region=us-east-1",
}
INVITE = b"BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"
PERSON = "ana@example.org"


def letter(**attributes):
    message = LetterMessage("Subject", "text", "Practice <a@example.org>", [PERSON], headers={"Message-ID": "<x@example.org>"})
    message.attach_alternative("<p>html</p>", "text/html")
    message.metadata = {"letter": "0123456789abcdef0123456789abcdef"}
    for name, value in attributes.items():
        setattr(message, name, value)
    return message


def with_invite():
    message = letter()
    message.attach_alternative(INVITE, "text/calendar; method=REQUEST")
    message.attach("invite.ics", INVITE, "application/ics")
    return message


@pytest.fixture(params=URLS)
def route(request):
    """A route's Spec, and `built(message)`: everything its backend would send, as text. Raises what the backend raises."""
    spec = routes.parse(URLS[request.param])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anymail no longer tests SendGrid, and says so
        backend = get_connection(spec.backend, **spec.options)
    backend.open()

    def built(message):
        payload = backend.build_message_payload(message, {})
        if hasattr(payload, "finalize_payload"):
            payload.finalize_payload()
            return payload.params["Content"]["Raw"]["Data"].decode()
        return repr(payload.get_request_params(getattr(backend, "api_url", "https://api.example.org/")))

    spec.__dict__["built"] = built
    yield spec
    backend.close()


def carries(route, message):
    try:
        route.built(message)
    except Exception:  # noqa: BLE001  anymail's own refusals, and a JSON that can't hold bytes
        return False
    return True


def test_there_is_a_url_for_every_provider():
    assert {"anymail+" + name for name in URLS if name != "ses"} | {"ses", "django-ses"} == set(providers.schemes())


def test_the_key_is_in_the_call_and_not_in_the_name(route):
    assert "KEY" not in route.name


def test_an_invite_never_keeps_a_letter_from_leaving(route):
    built = route.built(fit(with_invite(), route.can))

    assert "invite.ics" in built


def test_the_invite_is_an_alternative_exactly_where_the_table_says(route):
    bare = letter()
    bare.attach_alternative(INVITE.decode() if route.can.calendar == "text" else INVITE, "text/calendar; method=REQUEST")

    assert carries(route, bare) is bool(route.can.calendar)


def test_our_id_is_told_exactly_where_the_table_says(route):
    assert carries(route, letter()) is route.can.metadata
    assert route.provider == "ses" or not route.can.metadata or letter().metadata["letter"] in route.built(fit(letter(), route.can))


def test_headers_of_ones_own_exactly_where_the_table_says(route):
    message = fit(letter(merge_headers={PERSON: {"List-Unsubscribe": "<https://example.org/u/1>"}}), route.can)

    assert carries(route, message) is route.can.own_headers


def test_fields_are_merged_exactly_where_the_table_says(route):
    taken = carries(route, fit(letter(merge_data={PERSON: {"first_name": "Ana"}}), route.can))

    assert taken is (route.can.merge or route.provider == "mailtrap")  # which fills them only into a template stored there


def test_a_call_for_many_is_made_only_where_each_can_have_headers_of_their_own(route):
    can = route.can

    assert not can.dialect or can.batch > 1
    assert not can.dialect or (can.merge and can.own_headers) or route.provider == "ses"  # which merges in a call of its own: test_batches.py
    assert can.dialect in {"", route.provider}


def test_a_key_against_doubles_exactly_where_the_table_says(route):
    built = route.built(fit(letter(), route.can)).lower()

    assert ("idempotency-key" in built or "idempotencykey" in built) is bool(route.can.idempotent_for)


def test_fitting_leaves_the_letter_itself_alone():
    message = with_invite()

    fit(message, providers.PROVIDERS["postal"].can)

    assert [part.mimetype for part in message.alternatives] == ["text/html", "text/calendar; method=REQUEST"]
    assert message.metadata


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        ("anymail+postmark://hunter2", "lacks server_token"),
        ("anymail+mailjet://hunter2@", "lacks secret_key"),
        ("anymail+nobody://hunter2@", "names no provider"),
        ("anymail+postmark://hunter2@?colour=red", "has no option colour"),
        ("ses://hunter2@?region=us-east-1", "needs both"),
        ("ftp://hunter2@example.org", "is no route"),
        ("hunter2", "is no route"),
        ("smtp://", "is no route"),
    ],
)
def test_a_url_that_cannot_work_is_refused_without_telling_its_secret(url, sentence):
    with pytest.raises(BadRoute, match=sentence) as refused:
        routes.parse(url)

    assert "hunter2" not in str(refused.value)


def test_credentials_may_hold_anything_percent_encoded():
    spec = routes.parse("anymail+mailgun://key%40%2F%3A@mg.example.org")

    assert (spec.options["api_key"], spec.options["sender_domain"]) == ("key@/:", "mg.example.org")


def test_boto_never_sends_a_letter_again_by_itself():
    ses, django_ses = routes.parse("ses://?region=us-east-1"), routes.parse("django-ses://?region=us-east-1")

    assert ses.options["client_params"]["config"]["retries"]["total_max_attempts"] == 1
    assert django_ses.options["aws_config"].retries["total_max_attempts"] == 1
