"""A small practice's broker: bells as files under `var/`, by kombu's filesystem transport, written whole or not at all.

kombu's own creates a file under its final name and fills it afterwards. A worker that looks in between reads nothing where a bell should be,
and dies of it; a process killed in between leaves an empty table of queues, and nothing that starts later can ring or hear a bell.
"""

import json
import os
import time
import uuid
from pathlib import Path
from queue import Empty

from kombu.transport import filesystem
from kombu.utils.json import dumps


def _write_whole(path, content):
    beside = path.with_name(f".{uuid.uuid4().hex}.part")
    beside.write_text(content)
    os.replace(beside, path)


class Channel(filesystem.Channel):
    def _put(self, queue, payload, **kwargs):
        name = f"{round(time.monotonic() * 1000)}_{uuid.uuid4()}.{queue}.msg"
        _write_whole(Path(self.data_folder_out) / name, dumps(payload))

    def _get(self, queue):
        try:
            return super()._get(queue)
        except ValueError:  # half a bell, from before a power cut: as good as lost, and `tick` rings again
            raise Empty from None

    def get_table(self, exchange):
        try:
            return [filesystem.exchange_queue_t(*row) for row in json.loads(self._exchange_file(exchange).read_text())]
        except (FileNotFoundError, ValueError):
            return []

    def _queue_bind(self, exchange, routing_key, pattern, queue):
        binding = filesystem.exchange_queue_t(routing_key or "", pattern or "", queue or "")
        self.control_folder.mkdir(exist_ok=True)
        with (self.control_folder / ".lock").open("w") as guard:  # closing it unlocks
            filesystem.lock(guard, filesystem.LOCK_EX)
            table = self.get_table(exchange)
            if binding not in table:
                _write_whole(self._exchange_file(exchange), dumps([binding, *table]))


class Transport(filesystem.Transport):
    Channel = Channel
