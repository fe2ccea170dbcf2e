"""Bells as files: none is ever read half, and a power cut breaks nothing for good."""

import os
from contextlib import closing
from queue import Empty

import pytest
from django.conf import settings
from kombu import Connection

from project.mail import bell_files

OURS, KOMBUS = "project.mail.bell_files:Transport", "filesystem"


@pytest.fixture
def broker(tmp_path):
    """`broker()`: a connection to a broker under `tmp_path`, as a process that starts now would open it."""
    for folder in ("in", "control"):
        (tmp_path / folder).mkdir()
    folders = {"data_folder_in": str(tmp_path / "in"), "data_folder_out": str(tmp_path / "in"), "control_folder": str(tmp_path / "control")}
    return lambda transport=OURS: Connection("filesystem://localhost", transport=transport, transport_options=folders)


def ring_and_hear(connection):
    with connection, closing(connection.SimpleQueue("bulk")) as queue:
        queue.put("campaigns")
        return queue.get(timeout=5).payload


def power_cut(folder):
    """What is left of two files that were created and never filled."""
    (folder / "control" / "bulk.exchange").touch()
    (folder / "in" / "1_half.bulk.msg").touch()


def test_it_is_the_broker_where_none_is_named():
    if settings.CELERY_BROKER_URL.startswith("filesystem"):
        assert settings.CELERY_BROKER_TRANSPORT == OURS


def test_after_a_power_cut_bells_are_rung_and_heard(broker, tmp_path):
    power_cut(tmp_path)

    assert ring_and_hear(broker()) == "campaigns"


def test_kombus_own_would_never_ring_again(broker, tmp_path):
    power_cut(tmp_path)

    for _start in range(2):
        with pytest.raises(ValueError, match="Expecting value"):
            ring_and_hear(broker(KOMBUS))


def test_a_bell_is_not_to_be_seen_before_it_is_whole(broker, monkeypatch):
    seen = []
    with broker() as connection:
        channel = connection.default_channel

        def replace(beside, path):
            with pytest.raises(Empty):
                seen.append(channel._get("bulk"))
            os.rename(beside, path)

        monkeypatch.setattr(bell_files.os, "replace", replace)
        channel._put("bulk", {"body": "campaigns"})

        assert (seen, channel._get("bulk")) == ([], {"body": "campaigns"})


def test_every_process_that_binds_a_queue_keeps_its_line(broker):
    with broker() as one, broker() as other:
        for connection, queue in ((one, "bulk"), (other, "transactional"), (other, "bulk")):
            connection.default_channel._queue_bind("bells", queue, "", queue)

        assert {row.queue for row in one.default_channel.get_table("bells")} == {"bulk", "transactional"}
        assert len(one.default_channel.get_table("bells")) == 2
