"""Mail servers as a letter meets them on its way: one that takes seven bits only, and one that hands on to such a server."""

import contextlib
import socket
from email import message_from_bytes, policy
from email.charset import QP, Charset

from aiosmtpd.controller import Controller

_QUOTED = Charset("utf-8")
_QUOTED.body_encoding = QP

#: Writes what was read, line for line.
_AS_IT_CAME = policy.compat32.clone(max_line_length=None, linesep="\r\n")


class _Handler:
    def __init__(self):
        self.taken = []

    async def handle_EHLO(self, server, session, envelope, hostname, responses):
        session.host_name = hostname
        return [line for line in responses if "8BITMIME" not in line]

    async def handle_DATA(self, server, session, envelope):
        self.taken.append(envelope.content)
        return "250 taken"


@contextlib.contextmanager
def without_8bitmime():
    """A server that offers no 8BITMIME. Yields its port and the letters it took."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(_Handler(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield port, controller.handler.taken
    finally:
        controller.stop()


def handed_on_in_seven_bits(letter):
    """The letter as a server hands it on to one without 8BITMIME: what is in eight bits is encoded anew (RFC 6152 §3), the rest untouched."""
    message = message_from_bytes(letter)
    eight = [part for part in message.walk() if part["Content-Transfer-Encoding"] == "8bit"]
    for part in eight:
        words = part.get_payload(decode=True).decode()
        del part["Content-Transfer-Encoding"]
        part.set_payload(words, _QUOTED)
    return message.as_bytes(policy=_AS_IT_CAME) if eight else letter
