"""SMTP as campaigns take it: several connections, pipelined, each letter with exactly one outcome, whatever the server does."""

import asyncio
import contextlib
import datetime
import getpass
import ipaddress
import re
import shutil
import smtplib
import ssl
import subprocess
import time
from dataclasses import dataclass

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.core.mail import EmailMessage, get_connection
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from project.mail import routes
from project.mail.outcomes import NotSent, Verdict
from project.mail.smtp import SmtpCarrier
from project.mail.smtp.replies import Replies
from tests.processes import eventually, free_port

from . import servers
from .servers import DRIP, DROP, HANG
from .test_outcomes import SMTP

SENT, RETRY, FAILED, BOUNCED = Verdict.SENT, Verdict.RETRY, Verdict.FAILED, Verdict.BOUNCED
PAUSE, LATER, UNCERTAIN = Verdict.PAUSE, Verdict.LATER, Verdict.UNCERTAIN

STEP, CHAIN, CHUNK = (), ("PIPELINING",), ("PIPELINING", "CHUNKING")
WAYS = pytest.mark.parametrize("offers", [STEP, CHAIN, CHUNK], ids=["step", "chain", "chunk"])


@dataclass(frozen=True)
class Letter:
    number: int

    @property
    def address(self):
        return f"reader{self.number}@example.org"


class Writer:
    sender = "news@example.org"

    def __init__(self, size=500):
        self.size = size

    def parts(self, letter):
        return [self.wire(letter)]

    def wire(self, letter):
        return b"To: %b\r\nSubject: News\r\n\r\n" % letter.address.encode() + b"Seventy bytes or so of what there is to say this month.\r\n" * (
            self.size // 56
        )


@pytest.fixture
def carriers(settings):
    """`carriers(port, …)`: a carrier of that route; closed after the test."""
    settings.MAIL_SOCKET_TIMEOUT = 10
    with contextlib.ExitStack() as stack:

        def make(port, query="tls=0", login="user:password@", scheme="smtp"):
            carrier = SmtpCarrier(routes.parse(f"{scheme}://{login}127.0.0.1:{port}?{query}").options)
            stack.callback(carrier.close)
            return carrier

        yield make


def deliver(carrier, letters, writer=None, seconds=60):
    """As a worker does: window by window, to the end or to the first LATER or PAUSE. `{letter: Outcome}`; each has one at most."""
    writer, until = writer or Writer(), timezone.now() + datetime.timedelta(seconds=seconds)
    found, left = {}, list(letters)
    if refusal := carrier.ready():
        return dict.fromkeys(left, refusal)
    while True:
        room = carrier.window - carrier.under_way
        for letter, outcome in carrier.hand_over(writer, now := left[:room], until):
            assert letter not in found
            found[letter] = outcome
        assert carrier.under_way <= carrier.window
        left = left[room:]
        stopped = any(outcome.verdict in {LATER, PAUSE, Verdict.UNTRIED} for outcome in found.values())
        assert not (stopped and carrier.under_way)
        if stopped or not now:
            assert not carrier.under_way
            return found


def verdicts(found):
    return [found[letter].verdict for letter in sorted(found, key=lambda letter: letter.number)]


def addresses(taken):
    return [content.split(b"\r\n")[0].removeprefix(b"To: ").decode() for content in taken]


def letters(count):
    return [Letter(number) for number in range(count)]


# -- Every answer at every step ----------------------------------------------------------------------------------------------------------

DRIPS = [({"HELLO": DRIP}, LATER), ({"AUTH": DRIP}, LATER), ({"MAIL": DRIP}, LATER), ({"RCPT": DRIP}, RETRY), ({"DOT": DRIP}, UNCERTAIN)]
ODD = [
    ({"MAIL": "354 what"}, LATER),
    ({"MAIL": "garbage"}, LATER),
    ({"RCPT": "garbage"}, RETRY),
    ({"DOT": "garbage"}, UNCERTAIN),
    ({"DOT": "354 what"}, UNCERTAIN),
    ({"DOT": f"250 {9000 * '.'}"}, UNCERTAIN),
    ({"EHLO": "garbage"}, LATER),
    ({"HELLO": "garbage"}, LATER),
    ({"MAIL": ("421 4.3.2 closing", DROP)}, LATER),
    ({"RCPT": ("421 4.3.2 closing", DROP)}, RETRY),
    ({"DATA": ("421 4.3.2 closing", DROP)}, RETRY),
    ({"DOT": ("421 4.3.2 closing", DROP)}, RETRY),
    ({"RCPT": "251-will\r\n251 forward"}, SENT),
    ({"RCPT": "550-5.1.1 no\r\n550 5.1.1 such person"}, BOUNCED),
]
EVERYTHING = [(offers, *row) for offers in (STEP, CHAIN, CHUNK) for row in SMTP + DRIPS + ODD if offers is not CHUNK or "DATA" not in row[0]]


@pytest.mark.parametrize(("offers", "script", "verdict"), EVERYTHING, ids=lambda value: str(value)[:60])
def test_every_answer_at_every_step(carriers, settings, offers, script, verdict):
    settings.MAIL_SOCKET_TIMEOUT = 0.3 if set(script.values()) & {HANG, DRIP} else 10
    with servers.smtp(offers=offers, **script) as (port, taken):
        outcome = deliver(carriers(port), [Letter(1)])[Letter(1)]

    silent = next(iter(script.values()), "") in {DROP, HANG, DRIP, "354 what", "garbage"}
    if offers is CHUNK and silent and set(script) & {"MAIL", "RCPT"}:
        verdict = UNCERTAIN  # the whole letter had left before the server had said a word
    assert outcome.verdict is verdict
    assert verdict in {SENT, UNCERTAIN} if taken else verdict is not SENT


@WAYS
def test_a_server_that_drips_is_waited_for_no_longer_than_one_that_is_silent(carriers, settings, offers):
    settings.MAIL_SOCKET_TIMEOUT = 0.3
    with servers.smtp(offers=offers, DOT=DRIP) as (port, _taken):
        carrier = carriers(port)
        carrier.ready()
        begun = time.monotonic()
        found = deliver(carrier, [Letter(1)])

    assert verdicts(found) == [UNCERTAIN]
    assert time.monotonic() - begun < 1


# -- Many letters ------------------------------------------------------------------------------------------------------------------------


@WAYS
@pytest.mark.parametrize("wire", [{}, {"pieces": True}, {"ends": "\n"}], ids=["whole", "bytewise", "bare-lf"])
def test_every_letter_arrives_once_as_it_was_written(carriers, offers, wire):
    with servers.smtp(offers=offers, **wire) as (port, taken):
        found = deliver(carriers(port), letters(200))

    assert verdicts(found) == [SENT] * 200
    assert sorted(taken) == sorted(map(Writer().wire, letters(200)))


@WAYS
def test_letters_larger_than_any_buffer_arrive_whole(carriers, offers):
    with servers.smtp(offers=offers) as (port, taken):
        found = deliver(carriers(port, "tls=0&connections=2"), letters(6), Writer(3_000_000))

    assert verdicts(found) == [SENT] * 6
    assert sorted(taken) == sorted(map(Writer(3_000_000).wire, letters(6)))


REFUSED = {
    1: "550 5.1.1 nobody",
    2: "550 5.1.1 nobody",
    5: "450 4.2.1 not now",
    8: "554 5.7.1 blocked",
    9: "550 5.1.1 nobody",
    19: "452 4.2.2 full",
}


@WAYS
@pytest.mark.parametrize("lenient", [False, True], ids=["strict", "says-354"])
def test_refused_recipients_among_others_change_nothing_for_those(carriers, offers, lenient):
    def rcpt(_nth, address):
        return REFUSED.get(int(address.removeprefix("reader").partition("@")[0]))

    with servers.smtp(offers=offers, lenient=lenient, RCPT=rcpt) as (port, taken):
        found = deliver(carriers(port, "tls=0&connections=2"), letters(20))

    expected = {1: BOUNCED, 2: BOUNCED, 5: RETRY, 8: FAILED, 9: BOUNCED, 19: RETRY}
    assert verdicts(found) == [expected.get(number, SENT) for number in range(20)]
    assert sorted(addresses(taken)) == sorted(letter.address for letter, outcome in found.items() if outcome.verdict is SENT)


@WAYS
def test_a_letter_refused_after_its_last_byte_changes_nothing_for_the_others(carriers, offers):
    with servers.smtp(offers=offers, DOT=lambda nth, _address: "554 5.6.0 no" if nth % 3 == 1 else None) as (port, taken):
        found = deliver(carriers(port, "tls=0&connections=1"), letters(30))

    assert verdicts(found) == [FAILED if number % 3 == 1 else SENT for number in range(30)]
    assert len(taken) == 20


@WAYS
def test_a_server_that_ends_every_connection_after_some_letters_gets_them_all(carriers, offers):
    with servers.smtp(offers=offers, most=7) as (port, taken):
        found = deliver(carriers(port), letters(100))

    assert set(verdicts(found)) <= {SENT, UNCERTAIN}
    assert verdicts(found).count(SENT) + sum(offers is CHUNK and outcome.verdict is UNCERTAIN for outcome in found.values()) == 100
    assert len(set(taken)) == len(taken)


@WAYS
def test_what_a_lost_connection_leaves_goes_by_one_that_has_nothing_to_do(carriers, offers):
    def mail(nth, _address):
        return ("421 4.3.2 closing", DROP) if nth == 11 else None

    with servers.smtp(offers=offers, MAIL=mail, HELLO=lambda nth, _address: "421 4.7.0 no more" if nth >= 2 else None) as (port, taken):
        found = deliver(carriers(port, "tls=0&connections=2"), letters(12))

    assert (verdicts(found), len(taken)) == ([SENT] * 12, 12)


@WAYS
def test_when_the_sender_is_not_wanted_nothing_is_consumed(carriers, offers):
    with servers.smtp(offers=offers, MAIL="550 5.7.1 not from you") as (port, taken):
        found = deliver(carriers(port), letters(40))

    assert (verdicts(found), taken) == ([PAUSE] * 40, [])


@WAYS
def test_when_the_server_has_had_enough_what_was_begun_ends_and_the_rest_waits(carriers, offers):
    with servers.smtp(offers=offers, MAIL=lambda nth, _address: "451 4.7.1 slow down" if nth >= 10 else None) as (port, taken):
        found = deliver(carriers(port), letters(48))

    assert verdicts(found).count(SENT) == len(taken) == 10
    assert verdicts(found).count(LATER) == 38


def test_wrong_credentials_and_missing_encryption_stop_the_route_before_anything_is_begun(carriers):
    with servers.smtp(AUTH="535 5.7.8 wrong") as (port, _taken):
        assert carriers(port).ready().verdict is PAUSE
    with servers.smtp() as (port, _taken):
        outcome = carriers(port, "tls=1").ready()
    assert (outcome.verdict, outcome.reason) == (PAUSE, "not-secure")
    assert carriers(free_port()).ready().verdict is LATER


def test_a_server_that_takes_only_some_connections_gets_everything_on_those(carriers):
    with servers.smtp(offers=CHAIN, HELLO=lambda nth, _address: "421 4.7.0 too many connections" if nth >= 2 else None) as (port, taken):
        found = deliver(carriers(port, "tls=0&connections=8"), letters(100))

    assert (verdicts(found), len(taken)) == ([SENT] * 100, 100)


@WAYS
def test_a_connection_closed_while_it_rested_is_noticed_before_anything_is_begun(carriers, offers, monkeypatch):
    monkeypatch.setattr("project.mail.smtp.carrier._IDLE", 0)
    with servers.smtp(offers=offers, NOOP=("421 4.4.2 you slept", DROP)) as (port, taken):
        carrier = carriers(port)
        for _times in range(3):
            assert set(verdicts(deliver(carrier, letters(5)))) == {SENT}

    assert len(taken) == 15


def test_a_server_that_went_away_while_we_rested(carriers):
    with servers.smtp(offers=CHAIN) as (port, _taken):
        carrier = carriers(port)
        assert set(verdicts(deliver(carrier, letters(5)))) == {SENT}
        for lane in carrier._exchange.lanes:
            lane.sock.shutdown(2)
    assert carrier.ready().verdict is LATER


def test_a_letter_that_cannot_be_written_fails_alone(carriers):
    class Clumsy(Writer):
        def wire(self, letter):
            if letter.number == 3:
                raise KeyError("first_name")
            return super().wire(letter)

    with servers.smtp(offers=CHAIN) as (port, taken):
        found = deliver(carriers(port), letters(6), Clumsy())

    assert verdicts(found) == [SENT] * 3 + [FAILED] + [SENT] * 2
    assert (found[Letter(3)].reason, len(taken)) == ("defect", 5)


@WAYS
def test_past_its_time_nothing_is_begun(carriers, offers):
    with servers.smtp(offers=offers) as (port, taken):
        found = deliver(carriers(port), letters(20), seconds=-1)

    assert (verdicts(found), taken) == ([Verdict.UNTRIED] * 20, [])


@WAYS
def test_a_letter_the_server_chokes_on_waits_while_the_others_go(carriers, offers):
    with servers.smtp(offers=offers, RCPT=lambda _nth, address: DROP if address == Letter(30).address else None) as (port, taken):
        found = deliver(carriers(port), letters(60))

    assert found[Letter(30)].verdict in ({RETRY} if offers is not CHUNK else {RETRY, UNCERTAIN})
    sent, doubtful = verdicts(found).count(SENT), verdicts(found).count(UNCERTAIN)
    assert sent >= (59 if offers is not CHUNK else 40)
    # With letters behind each other, the server's hanging up may swallow its answer to one it has taken: that one is in doubt.
    assert sent <= len(taken) <= sent + (doubtful if offers is CHUNK else 0)


def test_it_comes_back_for_more_before_a_connection_has_nothing_to_do(carriers):
    with servers.smtp(offers=CHAIN) as (port, _taken):
        carrier = carriers(port)
        carrier.ready()
        until = timezone.now() + datetime.timedelta(seconds=60)
        done = carrier.hand_over(Writer(), letters(48), until)
        assert 1 <= carrier.under_way <= 2 * 4
        assert len(done) + carrier.under_way == 48
        rest = carrier.hand_over(Writer(), [], until)

    assert (len(done + rest), carrier.under_way) == (48, 0)


def test_it_holds_as_many_connections_as_the_route_says(carriers):
    with servers.smtp(offers=CHAIN) as (port, _taken):
        for connections in (1, 6):
            carrier = carriers(port, f"tls=0&connections={connections}")
            deliver(carrier, letters(100))
            assert len(carrier._exchange.lanes) == connections

    with pytest.raises(routes.BadRoute):
        routes.parse("smtp://relay.example.org?connections=many")


# -- Whatever the server does ------------------------------------------------------------------------------------------------------------

FAULTS = [
    "421 4.3.2 closing",
    ("421 4.3.2 closing", DROP),
    "450 4.2.0 not now",
    "550 5.1.1 nobody",
    "554 5.7.1 no",
    DROP,
    "garbage",
    "354 what",
]


WORDS = ["HELLO", "MAIL", "RCPT", "DATA", "DOT", "RSET"]


def _fault(faults, word):
    return lambda nth, _address: faults.get((word, nth))


@given(
    offers=st.sampled_from([STEP, CHAIN, CHUNK]),
    lenient=st.booleans(),
    most=st.sampled_from([None, 1, 5]),
    connections=st.integers(1, 4),
    faults=st.dictionaries(st.tuples(st.sampled_from(WORDS), st.integers(0, 20)), st.sampled_from(FAULTS), max_size=6),
)
@hypothesis_settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_what_was_taken_is_what_we_say_was_sent_or_may_have_been(offers, lenient, most, connections, faults):
    script = {word: _fault(faults, word) for word in WORDS}
    with servers.smtp(offers=offers, lenient=lenient, most=most, **script) as (port, taken):
        carrier = SmtpCarrier(routes.parse(f"smtp://127.0.0.1:{port}?connections={connections}").options)
        found = deliver(carrier, letters(24))
        carrier.close()

    accepted = addresses(taken)
    said = {verdict: {letter.address for letter, outcome in found.items() if outcome.verdict is verdict} for verdict in Verdict}
    assert len(found) == 24
    assert len(accepted) == len(set(accepted))
    assert said[SENT] <= set(accepted) <= said[SENT] | said[UNCERTAIN]


# -- Replies -----------------------------------------------------------------------------------------------------------------------------

CONVERSATION = b"250 yes\r\n250-two\r\n250 lines\n354\r\n550 5.1.1 nobody\r\n"
SAID = [(250, b"yes"), (250, b"two\nlines"), (354, b""), (550, b"5.1.1 nobody")]


@given(st.lists(st.integers(1, len(CONVERSATION) - 1), max_size=20).map(sorted))
def test_replies_are_the_same_however_they_were_cut(cuts):
    replies, found = Replies(), []
    for begin, end in zip([0, *cuts], [*cuts, len(CONVERSATION)], strict=True):
        found += replies.feed(CONVERSATION[begin:end])

    assert [(code, text.strip()) for code, text in found] == SAID
    assert not replies.garbage
    assert not replies.unfinished


@given(st.binary(max_size=2000))
def test_no_bytes_upset_the_reader(data):
    replies = Replies()
    found = replies.feed(data)

    assert all(200 <= code < 600 for code, _text in found)


def test_a_reply_without_end_is_garbage():
    endless, many = Replies(), Replies()
    endless.feed(b"2" * 9000)
    many.feed(b"250-more\r\n" * 200)

    assert (endless.garbage, many.garbage) == (True, True)


# -- TLS ---------------------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody but `trusting` trusts; its key is in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    day = datetime.timedelta(days=1)
    built = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), now - day, now + day)
    built = built.add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    unlocked = serialization.NoEncryption()
    path.write_bytes(
        built.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, unlocked)
    )
    return path


@pytest.fixture
def server_tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusting(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


@WAYS
@pytest.mark.parametrize("at_once", [False, True], ids=["starttls", "tls"])
def test_over_tls_every_letter_arrives_whole(carriers, offers, at_once, server_tls, trusting):
    with servers.smtp(offers=offers, tls=server_tls, tls_at_once=at_once) as (port, taken):
        found = deliver(carriers(port, "", scheme="smtps" if at_once else "smtp"), letters(12), Writer(300_000))

    assert verdicts(found) == [SENT] * 12
    assert sorted(taken) == sorted(map(Writer(300_000).wire, letters(12)))


def test_a_certificate_nobody_trusts_stops_the_route(carriers, server_tls):
    with servers.smtp(tls=server_tls) as (port, taken):
        outcome = carriers(port, "").ready()

    assert (outcome.verdict, outcome.reason, taken) == (PAUSE, "not-secure", [])


@pytest.mark.parametrize(("answer", "verdict"), [("454 4.7.0 not now", LATER), ("501 5.5.4 no", PAUSE), (DROP, LATER), (HANG, LATER)], ids=str)
def test_when_tls_does_not_begin_nothing_goes_in_the_clear(carriers, settings, server_tls, trusting, answer, verdict):
    settings.MAIL_SOCKET_TIMEOUT = 0.5 if answer == HANG else 10
    with servers.smtp(tls=server_tls, STARTTLS=answer) as (port, taken):
        found = deliver(carriers(port, ""), letters(3))

    assert (verdicts(found), taken) == ([verdict] * 3, [])


def test_what_was_slipped_in_before_tls_began_is_not_believed(carriers, server_tls, trusting):
    with servers.smtp(tls=server_tls, STARTTLS="220 go ahead\r\n250-here\r\n250 AUTH PLAIN") as (port, _taken):
        assert carriers(port, "").ready().verdict is LATER


# -- Real servers ------------------------------------------------------------------------------------------------------------------------


class Box:
    """aiosmtpd's handler: what it was given. It leaves no connection open behind it."""

    def __init__(self):
        self.taken, self.open = [], set()

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        self.open.add(server.transport)
        return responses

    async def close(self):
        for transport in self.open:
            transport.abort()

    async def handle_DATA(self, server, session, envelope):
        self.taken.append(envelope.rcpt_tos[0])
        return "250 OK"


@contextlib.contextmanager
def aiosmtpd(**options):
    box = Box()
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port, box.taken
    finally:
        asyncio.run_coroutine_threadsafe(box.close(), controller.loop).result(5)
        controller.stop()


def test_aiosmtpd_takes_everything_once(carriers):
    with aiosmtpd() as (port, taken):
        found = deliver(carriers(port, login=""), letters(100))

    assert verdicts(found) == [SENT] * 100
    assert sorted(taken) == sorted(letter.address for letter in found)


def test_aiosmtpd_with_tls_and_login(carriers, server_tls, trusting):
    def allow(server, session, envelope, mechanism, data):
        return AuthResult(success=(data.login, data.password) == (b"user", b"password"), handled=False)

    with aiosmtpd(tls_context=server_tls, require_starttls=True, auth_required=True, authenticator=allow) as (port, taken):
        assert verdicts(deliver(carriers(port, ""), letters(20))) == [SENT] * 20
        assert carriers(port, "", login="user:wrong@").ready().verdict is PAUSE

    assert len(taken) == 20


@pytest.mark.postfix
def test_postfixs_own_sink_takes_everything_once(carriers, tmp_path):
    port = free_port()
    program = [shutil.which("smtp-sink"), "-u", getpass.getuser(), "-d", "letter."]
    sink = subprocess.Popen([*program, f"127.0.0.1:{port}", "64"], cwd=tmp_path)
    try:
        eventually(lambda: carriers(port, login="").ready() is None, 10)
        found = deliver(carriers(port, login=""), letters(100))
    finally:
        sink.terminate()
        sink.wait(5)

    assert verdicts(found) == [SENT] * 100
    arrived = [re.search(r"^X-Rcpt-Args: <(.*)>", path.read_text(), re.MULTILINE)[1] for path in tmp_path.glob("letter.*")]
    assert sorted(arrived) == sorted(letter.address for letter in found)


# -- As Django's backend -----------------------------------------------------------------------------------------------------------------


def message(number=0, to=None, body="Words.\n.\n..dots\nand more.\n"):
    return EmailMessage("Subject", body, "a@example.org", to or [f"reader{number}@example.org"])


@pytest.fixture
def backend(settings):
    """`backend(port, …)`: our backend by Django's own `get_connection`; closed after the test."""
    settings.MAIL_SOCKET_TIMEOUT = 10
    with contextlib.ExitStack() as stack:

        def make(port, **options):
            made = get_connection("project.mail.backends.SmtpBackend", host="127.0.0.1", port=port, **options)
            stack.callback(made.close)
            return made

        yield make


@WAYS
def test_djangos_messages_arrive_as_smtplib_would_send_them(backend, offers):
    with servers.smtp() as (port, plainly):
        client = smtplib.SMTP("127.0.0.1", port)
        for number in range(12):
            content = message(number).message()
            client.sendmail("a@example.org", [f"reader{number}@example.org"], content.as_bytes(linesep="\r\n"))
        client.quit()
    with servers.smtp(offers=offers) as (port, taken):
        assert backend(port).send_messages(message(number) for number in range(12)) == 12

    expected = [letter.partition(b"\r\n\r\n")[2] for letter in plainly]
    if offers is CHUNK:  # which needs no dot before a dot (RFC 3030 §2)
        expected = [body.replace(b"\r\n..", b"\r\n.") for body in expected]
    assert [letter.partition(b"\r\n\r\n")[2] for letter in taken] == expected


@WAYS
def test_all_messages_are_handed_over_and_the_first_refusal_is_raised(backend, offers):
    with servers.smtp(offers=offers, RCPT=lambda nth, _address: "550 5.1.1 nobody" if nth in {1, 3} else None) as (port, taken):
        with pytest.raises(NotSent, match="550 5.1.1 nobody") as raised:
            backend(port).send_messages([message(number) for number in range(5)])
        quiet = backend(port, fail_silently=True)

        assert isinstance(raised.value, smtplib.SMTPException)
        assert raised.value.outcome.verdict is BOUNCED
        assert len(taken) == 3
        assert quiet.send_messages([message(9)]) == 1


@WAYS
def test_several_recipients_of_one_message(backend, offers):
    def rcpt(_nth, address):
        return "550 5.1.1 nobody" if address.startswith("gone") else None

    some, none = message(to=["ana@example.org", "gone@example.org", "bea@example.org"]), message(to=["gone@example.org", "gone2@example.org"])
    with servers.smtp(offers=offers, RCPT=rcpt) as (port, taken):
        found = backend(port).deliver([some, none, message()])

    assert [outcome.verdict for _message, outcome in found] == [SENT, BOUNCED, SENT]
    assert len(taken) == 2
    assert {address: outcome.verdict for address, outcome in some.refusals.items()} == {"gone@example.org": BOUNCED}
    assert set(none.refusals) == {"gone@example.org", "gone2@example.org"}


def test_a_message_that_cannot_be_written_says_why(backend):
    with servers.smtp(offers=CHAIN) as (port, taken):
        with pytest.raises(ValueError, match="newline"):
            backend(port).send_messages([EmailMessage("Two\nlines", "", "a@example.org", ["b@example.org"]), message()])
        assert len(taken) == 1


def test_nobody_to_write_to_is_no_letter(backend):
    with servers.smtp() as (port, taken):
        assert backend(port).send_messages([EmailMessage("Subject", "", "a@example.org", [])]) == 0
        assert backend(port).send_messages([]) == 0
    assert taken == []


def test_no_server_is_silence_only_if_asked_for(backend):
    assert backend(free_port(), fail_silently=True).send_messages([message()]) == 0
    with pytest.raises(OSError, match="refused"):
        backend(free_port()).send_messages([message()])
