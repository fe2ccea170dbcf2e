"""One call for many letters: every dialect against anymail's own payloads and a provider that fills in; then everything that fails.

The provider's record is the oracle: whatever the carrier says, nobody is in it twice.
"""

import base64
import functools
import html
import json
import subprocess
import sys
import warnings
from dataclasses import dataclass
from datetime import timedelta
from types import SimpleNamespace
from uuid import UUID

import pytest
from django.core.mail import EmailMessage
from django.utils import timezone

from newsletter import batching, content, links
from newsletter.models import Topic
from project.mail import routes
from project.mail.batches import BatchCarrier
from project.mail.outcomes import Verdict

from . import esps, servers
from .esps import DROP, GARBAGE, LOST, SLOW, Answer

KINDS = ["mailgun", "brevo", "mailjet", "sparkpost", "sendgrid", "ses"]
SENT, FAILED, UNCERTAIN, LATER, PAUSE, UNTRIED, RETRY = (
    Verdict(word) for word in ("sent", "failed", "uncertain", "later", "pause", "untried", "retry")
)


@dataclass(frozen=True)
class Letter:
    """As windows.Letter."""

    name: str
    reader: object

    @property
    def address(self):
        return self.reader.address


def letter(number=1, first_name="Ana", last_name="Gil", address=""):
    reader = SimpleNamespace(
        pk=number, public_id=UUID(int=number), address=address or f"reader{number}@example.org", first_name=first_name, last_name=last_name
    )
    return Letter(f"{number:032x}", reader)


def letters(count):
    return [letter(number) for number in range(1, count + 1)]


class Words:
    """A Writer of one campaign. `written`: how many letters each call was for."""

    def __init__(self, practice, topic, can, **changes):
        given = {
            "subject": "Hello [[first_name|friend]] , from [[practice_name]]",
            "html": ["<p>Dear ", ("first_name", "friend"), " ", ("last_name", ""), ", <a href='", ("unsubscribe_url", None), "'>out</a></p>"],
            "text": ["Dear ", ("first_name", "friend"), ",\n", ("practice_phone", "-"), "\n", ("unsubscribe_url", None), "\n"],
        } | changes
        self.compiled = content.Compiled(language="en", **given)
        self.practice = practice
        self.sheet = batching.Sheet(self.compiled, practice, topic, can)
        self.written = []

    def batch(self, some, can):
        self.written.append(len(some))
        return self.sheet.message(some)

    def filled(self, one):
        return self.compiled.filled(content.values_for(one.reader, self.practice, "en"))


@pytest.fixture
def carrier():
    """`carrier(esp)`: a BatchCarrier whose route ends at that provider."""
    made = []

    def make(esp):
        made.append(BatchCarrier(routes.parse(esp.route)))
        return made[-1]

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # anymail no longer tests SendGrid, and says so
        yield make
    for one in made:
        one._close()


@pytest.fixture
def words(practice, db, monkeypatch):
    """`words(carrier, …)`: a Writer for its route."""
    real = links.tokens_of
    once = functools.cache(lambda public_id: real(SimpleNamespace(public_id=public_id)))
    # A link holds the second it was made in; here, always the same.
    monkeypatch.setattr(links, "tokens_of", lambda reader: once(reader.public_id))
    topic = Topic.objects.get_or_create(standard=True, defaults={"slug": "newsletter"})[0]
    return lambda carrier, **changes: Words(practice, topic, carrier.spec.can, **changes)


def hand_over(carrier, writer, some, seconds=90):
    """`{letter's name: Verdict}`; each letter has exactly one, and afterwards none is under way."""
    settled = carrier.hand_over(writer, some, timezone.now() + timedelta(seconds=seconds))

    assert sorted(one.name for one, _outcome in settled) == sorted(one.name for one in some)
    assert carrier.under_way == 0
    return {one.name: outcome for one, outcome in settled}


def verdicts(outcomes):
    return [outcomes[name].verdict for name in sorted(outcomes)]


def nobody_twice(esp):
    names = [one.letter for one in esp.taken]
    assert len(names) == len(set(names))
    return names


# -- Dialects ----------------------------------------------------------------------------------------------------------------------------

NASTY = [
    ("Ana", "García Núñez"),
    ("", ""),
    ("%recipient.subject%", "%unsubscribe_url%"),
    ("{{unsubscribe}}", "{% if 1 %}"),
    ("{{{f0}}}", "{{f1}}"),
    ("{", "}}"),
    ("{{params.f0}}", "[[data:name]]"),
    ("-lectern.f0-", "<%asm_group_unsubscribe_url%>"),
    ("[unsubscribe]", "[["),
    ("<b>Bo</b>", '& "Co", \'x\' \\ \\"'),
    ("O’Hara, Jr.", "(comment) <x@example.net>"),
    ("=?utf-8?q?no?=", "日本語の名前" * 12),
    ("a\\nb", "$1 \\g<1> %s %(x)s {0}"),
]


def seen(text):
    """As a person sees it: without the invisible joiner, which parts what must not be read as a marker."""
    return text.replace(batching.WORD_JOINER, "")


@pytest.mark.parametrize("kind", KINDS)
def test_every_reader_gets_the_letter_that_was_written(kind, carrier, words):
    some = [letter(number, *name) for number, name in enumerate(NASTY, start=1)]
    with esps.provider(kind) as esp:
        route = carrier(esp)
        writer = words(route)
        outcomes = hand_over(route, writer, some)

    assert set(verdicts(outcomes)) == {SENT}
    assert all(outcome.provider_id for outcome in outcomes.values())
    assert [one.letter for one in esp.taken] == [one.name for one in some]
    for taken, one in zip(esp.taken, some, strict=True):
        filled = writer.filled(one)
        link = content.values_for(one.reader, writer.practice, "en")["unsubscribe_url"]
        assert taken.address == one.address
        assert seen(taken.subject) == filled.subject
        assert seen(taken.text) == filled.text
        assert html.unescape(taken.html) == html.unescape(filled.html)
        assert "<b>" not in taken.html
        assert taken.headers["list-unsubscribe"] == f"<{link}>"
        assert taken.headers["list-unsubscribe-post"] == "List-Unsubscribe=One-Click"
        assert taken.headers["list-id"].endswith(".newsletter.example.org>") or "newsletter" in taken.headers["list-id"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_coordinator_writes_is_never_a_marker(kind, carrier, words):
    odd = "100% {{x}} {% y %} {#z#} %recipient.f0% %unsubscribe_url% [[a -lectern.f0- <%x%> [unsubscribe] {"
    changes = {
        "subject": odd.replace("[[a ", ""),
        "html": [html.escape(odd), ("first_name", "x"), "} {", ("last_name", ""), "}"],
        "text": [odd, ("first_name", "x"), "} {", ("last_name", ""), "}"],
    }
    with esps.provider(kind) as esp:
        route = carrier(esp)
        writer = words(route, **changes)
        hand_over(route, writer, letters(1))

    (taken,) = esp.taken
    assert seen(taken.subject) == writer.filled(letter()).subject
    assert seen(taken.text) == writer.filled(letter()).text
    assert html.unescape(taken.html) == html.unescape(writer.filled(letter()).html)


def test_a_provider_that_reads_letters_again_finds_nothing_in_them():
    """The negative control: unprotected, the provider here would have read on."""
    assert esps._fill("%recipient.a%", r"%recipient\.(\w+)%", lambda match: "%recipient.b%", r"%recipient") == "HIJACKED.b%"


@pytest.mark.parametrize("kind", KINDS)
def test_no_reader_is_shown_another(kind, carrier, words):
    with esps.provider(kind) as esp:
        route = carrier(esp)
        message = words(route).batch(letters(3), route.spec.can)
        hand_over(route, words(route), letters(3))

    assert message.merge_data.keys() == message.merge_headers.keys() == {one.address for one in letters(3)}
    for taken in esp.taken:
        others = {one.address for one in letters(3)} - {taken.address}
        assert not any(other in repr(taken) for other in others)


@pytest.mark.parametrize(("kind", "expected"), [("mailgun", "Ana Gil"), ("sparkpost", "Ana Gil"), ("brevo", "Ana Gil"), ("mailjet", "Ana Gil")])
def test_a_reader_is_addressed_by_name(kind, expected, carrier, words):
    with esps.provider(kind) as esp:
        route = carrier(esp)
        hand_over(route, words(route), letters(1))

    assert esp.taken[0].to == expected


def test_a_name_that_looks_like_a_marker_is_left_out_of_to(carrier, words):
    with esps.provider("mailgun") as esp:
        route = carrier(esp)
        hand_over(route, words(route), [letter(1, "%recipient.x%", "")])

    assert esp.taken[0].to == ""


def test_an_address_as_odd_as_we_accept_keeps_its_fields(carrier, words):
    odd = "o'hara+news=x!#$%&*/?^_`{|}~.b@xn--bcher-kva.example.org"
    for kind in KINDS:
        with esps.provider(kind) as esp:
            route = carrier(esp)
            outcomes = hand_over(route, words(route), [letter(1, address=odd)])

        assert (kind, verdicts(outcomes)) == (kind, [SENT])
        assert (kind, esp.taken[0].address) == (kind, odd)


@pytest.mark.parametrize("kind", KINDS)
def test_the_provider_that_only_counts_counts_the_same(kind, carrier, words):
    some = [letter(1, "María", 'O’Hara, "Jr."'), *letters(4)[1:]]
    with esps.provider(kind, render=False) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), some)

    assert set(verdicts(outcomes)) == {SENT}
    assert esp.count == 4


def test_a_provider_in_a_process_of_its_own_keeps_a_record(carrier, words, tmp_path, settings):
    record = tmp_path / "taken"
    command = [sys.executable, "-m", "tests.mail.esps", "ses", "0", "--record", str(record)]
    process = subprocess.Popen(command, cwd=settings.BASE_DIR, stdout=subprocess.PIPE, text=True)
    try:
        route = carrier(SimpleNamespace(route=process.stdout.readline().strip()))
        hand_over(route, words(route), letters(3))
    finally:
        process.kill()
        process.communicate()

    assert record.read_text().splitlines() == [f"{one.name} {one.address}" for one in letters(3)]


# -- Size of calls -----------------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "window"), [("mailgun", 500), ("brevo", 500), ("mailjet", 50), ("sparkpost", 500), ("sendgrid", 500), ("ses", 50)]
)
def test_a_call_is_as_large_as_the_provider_and_a_chunk_allow(kind, window, carrier, words):
    with esps.provider(kind) as esp:
        route = carrier(esp)

        assert route.window == window
        if window == 50:
            hand_over(route, words(route), letters(120))
            assert [len(call) for call in esp.calls] == [50, 50, 20]


def test_two_letters_to_one_address_go_in_two_calls(carrier, words):
    with esps.provider("brevo") as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), [letter(1, address="ana@example.org"), letter(2, address="Ana@example.org"), letter(3)])

    assert set(verdicts(outcomes)) == {SENT}
    assert [len(call) for call in esp.calls] == [2, 1]


def test_one_session_serves_many_calls(carrier, words):
    for kind in ("mailgun", "ses"):
        with esps.provider(kind) as esp:
            route = carrier(esp)
            assert route.ready() is None
            session = getattr(route._backend, "session", None) or route._backend.client
            for number in (1, 2):
                hand_over(route, words(route), [letter(number)])

            assert session is (getattr(route._backend, "session", None) or route._backend.client)


def test_a_connection_that_lay_idle_is_not_trusted_with_a_call(carrier, words, monkeypatch):
    monkeypatch.setattr("project.mail.batches._IDLE", -1)
    with esps.provider("mailgun") as esp:
        route = carrier(esp)
        hand_over(route, words(route), letters(1))
        session = route._backend.session

        assert route.ready() is None
        assert route._backend.session is not session


def test_nothing_to_hand_over_calls_nobody(carrier, words):
    with esps.provider("mailgun") as esp:
        route = carrier(esp)

        assert route.hand_over(words(route), [], timezone.now()) == []
        assert esp.calls == []


def test_nothing_is_begun_past_the_lease(carrier, words):
    with esps.provider("ses") as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(60), seconds=-1)

    assert set(verdicts(outcomes)) == {UNTRIED}
    assert esp.calls == []


def test_ses_still_takes_one_letter_as_mime(settings):
    """boto3 no longer looks at what anymail wrote; it must still write it down as before."""
    answer = (200, {}, '{"MessageId": "1"}')
    with servers.http(answer) as (port, requests):
        settings.MAIL_BULK = f"ses://KEY:OTHER@?region=us-east-1&endpoint=http%3A%2F%2F127.0.0.1%3A{port}"
        message = EmailMessage("Subject", "Text", "a@example.org", ["ana@example.org"])
        outcome = routes.attempt("bulk", message)
        routes._close(routes.connection("bulk"))

    assert (outcome.verdict, outcome.provider_id) == (SENT, "1")
    (call,) = [json.loads(body) for _path, _headers, body in requests]
    assert b"Subject: Subject" in base64.b64decode(call["Content"]["Raw"]["Data"])


# -- What fails as a whole ---------------------------------------------------------------------------------------------------------------

AWS_BUSY = '{"__type": "TooManyRequestsException", "message": "slow down"}'
AWS_BAD_KEY = '{"__type": "AccessDeniedException", "message": "no"}'


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("fate", "verdict", "taken"),
    [
        (Answer(429, {"Retry-After": "7"}, AWS_BUSY), LATER, 0),
        (Answer(401, body=AWS_BAD_KEY), PAUSE, 0),
        (Answer(403, body=AWS_BAD_KEY), PAUSE, 0),
        (Answer(500), UNCERTAIN, 0),
        (Answer(503), UNCERTAIN, 0),
        (DROP, UNCERTAIN, 0),
        (LOST, UNCERTAIN, 3),
        (GARBAGE, UNCERTAIN, 3),
    ],
    ids=["429", "401", "403", "500", "503", "drop", "lost", "garbage"],
)
def test_what_fails_is_called_by_its_name_and_made_once(kind, fate, verdict, taken, carrier, words):
    with esps.provider(kind, fate, fate, fate) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(3))

    assert set(verdicts(outcomes)) == ({SENT} if kind == "brevo" and fate in (LOST, GARBAGE) else {verdict})
    assert len(nobody_twice(esp)) == taken
    if kind != "brevo" or verdict is not UNCERTAIN:
        assert len(esp.calls) == 1  # neither requests nor boto3 has tried again by itself
    if verdict is LATER:
        assert {outcome.wait for outcome in outcomes.values()} == {timedelta(seconds=7)}


@pytest.mark.parametrize("kind", ["mailjet", "ses"])
@pytest.mark.parametrize("fate", [Answer(429, body=AWS_BUSY), Answer(401, body=AWS_BAD_KEY), LOST], ids=["429", "401", "lost"])
def test_after_a_call_that_failed_no_other_is_begun(kind, fate, carrier, words):
    with esps.provider(kind, "take", fate) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(120))

    assert [len(call) for call in esp.calls] == [50, 50]
    assert verdicts(outcomes)[:50] == [SENT] * 50
    assert verdicts(outcomes)[100:] == [UNTRIED] * 20
    nobody_twice(esp)


def test_one_call_in_doubt_is_enough_until_the_route_is_looked_at_again(carrier, words):
    with esps.provider("ses", Answer(500)) as esp:
        route = carrier(esp)
        first = hand_over(route, words(route), [letter(1)])
        held_back = hand_over(route, words(route), [letter(2), letter(3)])
        assert route.ready() is None
        third = hand_over(route, words(route), [letter(2), letter(3)])

    assert [verdicts(outcomes) for outcomes in (first, held_back, third)] == [[UNCERTAIN], [LATER, UNTRIED], [SENT, SENT]]
    assert [len(call) for call in esp.calls] == [1, 2]


def test_boto_would_call_again_by_itself_if_it_were_let(carrier, words):
    """The negative control: the provider here would have noticed."""
    with esps.provider("ses", DROP, DROP) as esp:
        route = carrier(esp)
        route.spec.options["client_params"]["config"]["retries"] = {"total_max_attempts": 2}
        hand_over(route, words(route), letters(1))

    assert len(esp.calls) == 2


@pytest.mark.parametrize("kind", KINDS)
def test_where_nobody_listens_nothing_has_left(kind, carrier, words):
    with esps.provider(kind) as esp:
        pass
    route = carrier(esp)
    outcomes = hand_over(route, words(route), letters(2))

    assert set(verdicts(outcomes)) == {LATER}


@pytest.mark.parametrize("kind", ["mailgun", "ses"])
def test_an_answer_that_trickles_is_not_waited_for_forever(kind, carrier, words, settings, monkeypatch):
    monkeypatch.setattr("project.mail.batches._longest", lambda: 0.5)
    with esps.provider(kind, SLOW) as esp:
        route = carrier(esp)
        began = timezone.now()
        outcomes = hand_over(route, words(route), letters(2))

        assert timezone.now() - began < timedelta(seconds=3)
        assert set(verdicts(outcomes)) == {UNCERTAIN}
        assert route.ready() is None
        assert set(verdicts(hand_over(route, words(route), [letter(9)]))) == {SENT}  # on a connection of its own
    nobody_twice(esp)


def test_a_route_without_credentials_is_paused_before_anything_is_marked(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_DEFAULT_REGION", "AWS_REGION"):
        monkeypatch.delenv(name, raising=False)
    outcome = BatchCarrier(routes.parse("ses://KEY:SECRET@")).ready()

    assert outcome.verdict is PAUSE


def test_a_letter_that_cannot_be_written_stops_no_other(carrier, words):
    with esps.provider("mailgun") as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), [*letters(3), letter(4, first_name=None)])

    assert verdicts(outcomes) == [SENT, SENT, SENT, FAILED]
    assert len(nobody_twice(esp)) == 3


# -- What fails for some -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["mailgun", "brevo", "sendgrid"])
def test_one_bad_address_stops_no_other_where_it_spoils_the_call(kind, carrier, words):
    with esps.provider(kind, refused={"reader7@example.org", "reader30@example.org"}) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(40))

    assert [number for number, verdict in enumerate(verdicts(outcomes), start=1) if verdict is not SENT] == [7, 30]
    assert {outcomes[letter(number).name].verdict for number in (7, 30)} == {FAILED}
    assert len(nobody_twice(esp)) == 38
    assert len(esp.calls) < 25


def test_a_provider_that_refuses_everything_is_not_asked_for_everybody(carrier, words):
    everybody = {one.address for one in letters(60)}
    with esps.provider("mailgun", refused=everybody) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(60))

    assert verdicts(outcomes).count(FAILED) == 10
    assert verdicts(outcomes).count(PAUSE) == 1
    assert verdicts(outcomes).count(UNTRIED) == 49
    assert esp.taken == []


def test_halves_stop_at_a_provider_that_has_had_enough(carrier, words):
    with esps.provider("mailgun", "take", "take", Answer(429), refused={"reader1@example.org"}) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(8))

    assert set(verdicts(outcomes)) == {LATER, UNTRIED}
    assert esp.taken == []


def test_mailjet_tells_of_each(carrier, words):
    with esps.provider("mailjet", refused={"reader2@example.org"}) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(3))

    assert verdicts(outcomes) == [SENT, FAILED, SENT]
    assert outcomes[letter(3).name].provider_id == f"id-{letter(3).name}"
    assert len(esp.calls) == 1


def test_sparkpost_tells_only_how_many(carrier, words):
    with esps.provider("sparkpost", refused={"reader2@example.org"}) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(3))
        after = hand_over(route, words(route), [letter(4)])  # it answers, so nothing need wait

    assert set(verdicts(after)) == {SENT}
    assert set(verdicts(outcomes)) == {UNCERTAIN}
    assert "2 of 3" in outcomes[letter(1).name].detail


@pytest.mark.parametrize(
    ("status", "verdict"),
    [
        ("MESSAGE_REJECTED", FAILED),
        ("INVALID_PARAMETER", FAILED),
        ("FAILED", FAILED),
        ("TRANSIENT_FAILURE", RETRY),
        ("ACCOUNT_THROTTLED", LATER),
        ("ACCOUNT_DAILY_QUOTA_EXCEEDED", LATER),
        ("ACCOUNT_SUSPENDED", PAUSE),
        ("MAIL_FROM_DOMAIN_NOT_VERIFIED", PAUSE),
        ("CONFIGURATION_SET_NOT_FOUND", PAUSE),
        ("SOMETHING_NEW", UNCERTAIN),
    ],
)
@pytest.mark.parametrize("all_of_them", [False, True])
def test_ses_tells_of_each_by_its_own_words(status, verdict, all_of_them, carrier, words):
    statuses = {one.address: status for one in letters(3) if all_of_them or one.name.endswith("2")}
    with esps.provider("ses", refused=statuses) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(3))

    assert verdicts(outcomes) == ([verdict] * 3 if all_of_them else [SENT, verdict, SENT])
    assert len(esp.calls) == 1


# -- Brevo knows a call again ------------------------------------------------------------------------------------------------------------


def test_a_call_whose_answer_was_lost_is_made_again_with_its_key(carrier, words):
    with esps.provider("brevo", LOST, DROP) as esp:
        route = carrier(esp)
        outcomes = hand_over(route, words(route), letters(3))

    assert set(verdicts(outcomes)) == {SENT}
    assert [len(call) for call in esp.calls] == [3, 3, 3]
    assert len(esp.keys) == 1
    assert len(nobody_twice(esp)) == 3


def test_it_is_made_again_only_so_often_and_then_in_doubt(carrier, words):
    with esps.provider("brevo", *[LOST] * 9) as esp:
        route = carrier(esp)
        esp.keys = _Forgetful()
        outcomes = hand_over(route, words(route), letters(2))

    assert set(verdicts(outcomes)) == {UNCERTAIN}
    assert len(esp.calls) == 3


class _Forgetful(dict):
    """Keys whose repeated calls are lost too."""

    def __contains__(self, key):
        return False


def test_a_refusal_of_the_repetition_says_nothing_of_the_first(carrier, words):
    for answer in (Answer(400), Answer(429), Answer(401)):
        with esps.provider("brevo", LOST, answer) as esp:
            route = carrier(esp)
            outcomes = hand_over(route, words(route), letters(2))

        assert set(verdicts(outcomes)) == {UNCERTAIN}
        assert len(nobody_twice(esp)) == 2


def test_all_its_repetitions_together_take_no_longer_than_one_call_elsewhere(carrier, words, monkeypatch):
    monkeypatch.setattr("project.mail.batches._longest", lambda: 1.2)
    with esps.provider("brevo", *[SLOW] * 9) as esp:
        route = carrier(esp)
        esp.keys = _Forgetful()
        began = timezone.now()
        outcomes = hand_over(route, words(route), letters(2))

    assert timezone.now() - began < timedelta(seconds=3)
    assert set(verdicts(outcomes)) == {UNCERTAIN}
    assert len(esp.calls) == 3


def test_another_call_has_another_key(carrier, words):
    with esps.provider("brevo") as esp:
        route = carrier(esp)
        for _twice in range(2):
            hand_over(route, words(route), letters(1))

    assert len(esp.keys) == 2
