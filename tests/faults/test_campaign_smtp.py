"""Every answer and every silence a mail server has, at every verb, through the whole engine into the deliveries' rows."""

import pytest

from newsletter.models import Chunk, Delivery
from project.mail import routes
from project.mail.models import Route, Suppression
from tests.processes import eventually

from .conftest import over

pytestmark = pytest.mark.django_db(transaction=True)
State = Delivery.State

EVERY_OFFER = pytest.mark.parametrize("smtp", ["", "PIPELINING", "PIPELINING CHUNKING"], ids=["plain", "pipelining", "chunking"], indirect=True)

#: What the server does to one reader's letter, and what becomes of it: (place, answer, how often, state, reason).
LETTERS = [
    ("RCPT", "550 5.1.1 no such user", 9, State.FAILED, "no-such-address"),
    ("RCPT", "550 relaying denied", 9, State.FAILED, "refused"),
    ("RCPT", "450 4.2.0 mailbox busy", 1, State.SENT, ""),
    ("RCPT", "451 4.3.0 local trouble", 1, State.SENT, ""),
    ("RCPT", "452 4.2.2 mailbox full", 99, State.FAILED, "gave-up"),
    ("RCPT", "421 4.3.2 going down", 1, State.SENT, ""),
    ("DOT", "450 4.7.1 greylisted", 1, State.SENT, ""),
    ("DOT", "451 4.3.0 disk trouble", 1, State.SENT, ""),
    ("DOT", "452 4.3.1 disk full", 1, State.SENT, ""),
    ("DOT", "550 5.7.1 looks like spam", 9, State.FAILED, "refused"),
    ("DOT", "552 5.3.4 too big", 9, State.FAILED, "refused"),
    ("DOT", "554 5.6.0 no", 9, State.FAILED, "refused"),
    ("DOT", "421 4.3.2 going down", 1, State.SENT, ""),
    ("DOT", "slow:0.2 250 2.0.0 taken", 1, State.SENT, ""),
]

#: The connection breaks, in one or the other way, over one reader's letter. A small letter has wholly left when it breaks amid it.
BREAKS = [
    ("RCPT", "drop", 1, State.SENT, ""),
    ("RCPT", "hang", 1, State.SENT, ""),
    ("LETTER", "drop", 1, State.UNCERTAIN, "connection-broken"),
    ("DOT", "drop", 1, State.UNCERTAIN, "connection-broken"),
    ("DOT", "keep-drop", 1, State.UNCERTAIN, "connection-broken"),
    ("DOT", "hang", 1, State.UNCERTAIN, "connection-broken"),
    ("DOT", "keep-hang", 1, State.UNCERTAIN, "connection-broken"),
]

#: The same at DATA, which a server that takes BDAT never hears.
DATA = [
    ("DATA", "451 4.3.0 local trouble", 1, State.SENT, ""),
    ("DATA", "554 5.7.1 no", 9, State.FAILED, "refused"),
    ("DATA", "421 4.3.2 going down", 1, State.SENT, ""),
    ("DATA", "drop", 1, State.SENT, ""),
    ("DATA", "hang", 1, State.SENT, ""),
]

#: What the server does to whoever comes, and then no more: nobody's letter may suffer by it.
CONNECTIONS = [
    ("HELLO", "421 4.3.2 too many", 2),
    ("HELLO", "drop", 2),
    ("HELLO", "hang", 1),
    ("EHLO", "421 4.3.2 too many", 2),
    ("EHLO", "drop", 2),
    ("EHLO", "hang", 1),
    ("MAIL", "421 4.3.2 too much", 2),
    ("MAIL", "450 4.3.2 slowly", 2),
    ("MAIL", "451 4.3.0 local trouble", 2),
    ("MAIL", "452 4.3.1 disk full", 2),
    ("MAIL", "drop", 2),
    ("MAIL", "hang", 1),
]


def reader(number):
    return f"reader{number}@example.org"


def befall(crew, smtp, scheduled, reckon, table):
    """A campaign to one reader for each line of the table, and to ten more; the table as it came out."""
    campaign = scheduled(len(table) + 10)
    smtp.script(*({"at": at, "say": say, "to": reader(n), "times": times} for n, (at, say, times, *_rest) in enumerate(table)))

    crew.run(seconds=25)

    assert over(campaign)
    reckon(smtp)
    rows = {row.subscriber.address: row for row in Delivery.objects.select_related("subscriber")}
    found = [rows[reader(n)] for n in range(len(table))]
    suppressed = [row.subscriber.address_hash for row in found if row.reason == "no-such-address"]
    assert list(Suppression.objects.values_list("address_hash", flat=True)) == suppressed
    return [(at, say, times, row.state, row.reason) for (at, say, times, *_rest), row in zip(table, found, strict=True)]


@pytest.mark.parametrize("smtp", ["", "PIPELINING"], ids=["plain", "pipelining"], indirect=True)
def test_whatever_befalls_a_letter_its_delivery_says_so(crew, smtp, scheduled, reckon):
    table = [*LETTERS, *BREAKS, *DATA]

    assert befall(crew, smtp, scheduled, reckon, table) == table


def test_with_chunking_too_whatever_befalls_a_letter_its_delivery_says_so(crew, smtp, scheduled, reckon):
    assert befall(crew, smtp, scheduled, reckon, LETTERS) == LETTERS


def test_with_chunking_a_letter_has_left_before_anything_is_said_of_it_so_every_break_leaves_it_in_doubt(crew, smtp, scheduled, reckon):
    befallen = befall(crew, smtp, scheduled, reckon, BREAKS)

    assert {(state, reason) for *_what, state, reason in befallen} == {(State.UNCERTAIN, "connection-broken")}


@pytest.mark.parametrize("smtp", ["PIPELINING"], indirect=True)
@pytest.mark.parametrize(("at", "say", "times"), CONNECTIONS)
def test_whatever_befalls_a_connection_nobody_s_letter_suffers_by_it(crew, smtp, scheduled, reckon, at, say, times):
    campaign = scheduled(12)
    smtp.script({"at": at, "say": say, "times": times})

    crew.run()

    assert smtp.script() == times
    assert over(campaign)
    assert reckon(smtp).states == {State.SENT: 12}


@pytest.mark.parametrize(
    ("at", "say"),
    [
        ("HELLO", "554 5.3.2 not you"),
        ("EHLO", "550 5.7.1 who are you"),
        ("AUTH", "535 5.7.8 wrong password"),
        ("MAIL", "550 5.7.1 not that sender"),
    ],
)
def test_what_only_a_person_can_mend_pauses_the_route_with_nothing_consumed(crew, smtp, scheduled, reckon, at, say):
    campaign = scheduled(12)
    crew.settings["MAIL_BULK"] = f"smtp://user:password@127.0.0.1:{smtp.port}/?tls=0"
    smtp.script({"at": at, "say": say})

    worker = crew.start()
    eventually(lambda: Route.objects.filter(stream="bulk", paused_at__isnull=False).exists())
    eventually(lambda: not Chunk.objects.filter(state=Chunk.State.HELD).exists())
    worker.kill()
    assert say in Route.objects.get(stream="bulk").paused_because
    assert set(Delivery.objects.values_list("state", "attempts")) == {(State.PENDING, 0)}
    smtp.script()
    routes.resume("bulk")
    crew.run()

    assert over(campaign)
    assert reckon(smtp).states == {State.SENT: 12}


def test_a_letter_too_large_for_the_server_is_that_letter_s_own_failure(crew, smtp, scheduled, reckon):
    scheduled(12)
    smtp.script({"at": "MAIL", "say": "552 5.3.4 too large", "times": 1})

    crew.run()

    assert reckon(smtp).states == {State.SENT: 11, State.FAILED: 1}
    assert Delivery.objects.get(state=State.FAILED).reason == "too-large"


@EVERY_OFFER
def test_control_were_a_silence_after_the_final_dot_taken_for_a_no_somebody_would_get_it_twice(crew, smtp, scheduled, reckon):
    scheduled(12)
    smtp.script({"at": "DOT", "say": "keep-drop", "to": reader(3), "times": 1})

    crew.run(careless="final dot")

    assert "doubled" in reckon(smtp, but={"doubled"}).off
