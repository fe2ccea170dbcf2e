"""Benchmarks prove nothing by a wrong sink: what `./run bench` measures with must count every letter, however its bytes arrive."""

import smtplib
import threading

import pytest

from tests.benchmarks import __main__ as benchmarks
from tests.benchmarks._sink import Sink


@pytest.fixture
def sink(tmp_path):
    """A sink of our own, with everything it can; its record is read after it has been stopped."""
    path = tmp_path / "accepted"
    with path.open("wb") as record:
        sink = Sink("127.0.0.1", 0, chunking=True, delay=0.001, record=record)
        sink.port = sink.listener.getsockname()[1]
        thread = threading.Thread(target=sink.run)
        thread.start()

        def accepted():
            sink.stop()
            thread.join(10)
            record.flush()
            return path.read_text().split()

        sink.accepted = accepted
        yield sink
        accepted()


def _say(connection, data, replies):
    """Send bytes, and read so many replies' last lines."""
    connection.sock.sendall(data)
    return [connection.getreply()[0] for _reply in range(replies)]


def test_a_sink_takes_what_smtplib_sends(sink):
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as connection:
        for name in ("ana", "jose"):
            connection.sendmail("news@example.org", f"{name}@example.org", "Subject: News\r\n\r\n.\r\nHello\r\n")
        assert connection.has_extn("pipelining")

    assert sink.accepted() == ["ana@example.org", "jose@example.org"]


def test_a_letter_ends_at_its_lone_dot_wherever_the_bytes_are_cut(sink):
    letter = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\nDATA\r\nHello\r\n..\r\nthere\r\n.\r\n"
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as connection:
        connection.ehlo()
        answers = []
        for cut in range(58, len(letter)):  # behind DATA, which is answered before the letter comes
            connection.sock.sendall(letter[:cut])
            answers += [connection.getreply()[0] for _reply in range(3)]
            answers += _say(connection, letter[cut:], 1)

    assert set(answers) == {250, 354}
    assert len(sink.accepted()) == len(letter) - 58


def test_a_chain_and_chunks_are_counted_like_letters_one_by_one(sink):
    envelope = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<b@example.org>\r\n"
    with smtplib.SMTP("127.0.0.1", sink.port, timeout=10) as connection:
        connection.ehlo()
        chain = _say(connection, envelope + b"DATA\r\n", 3)
        chain += _say(connection, b".\r\n" + envelope + b"DATA\r\n", 4)
        chain += _say(connection, b"Hello\r\n.\r\n" + envelope + b"BDAT 3\r\n.\r\nBDAT 7 LAST\r\n\r\n.\r\nab", 5)

    assert chain == [250, 250, 354, 250, 250, 250, 354, 250, 250, 250, 250, 250]
    assert len(sink.accepted()) == 3


def test_every_benchmark_says_what_it_measures(capsys):
    assert benchmarks.main([]) == 0

    told = capsys.readouterr().out
    assert all(name in told for name in benchmarks.known())
    assert benchmarks.main(["nothing-like-it"]) == 1
