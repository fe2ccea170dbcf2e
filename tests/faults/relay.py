"""A relay between a process and its broker, which can fall silent without a word to either."""

import contextlib
import socket
import threading


class Relay:
    """Hands on what it hears, both ways, on `port`."""

    def __init__(self, to):
        self.to, self.mute = to, threading.Event()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._take, daemon=True).start()

    def swallow(self):
        """The connections of now stay open, and whatever is said on them from now on is lost; new ones are as before."""
        self.mute.set()
        self.mute = threading.Event()

    def end(self):
        self.mute.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _take(self):
        with contextlib.suppress(OSError):
            while True:
                near, far = self.listener.accept()[0], socket.create_connection(("127.0.0.1", self.to))
                for source, sink in ((near, far), (far, near)):
                    threading.Thread(target=_hand_on, args=(source, sink, self.mute), daemon=True).start()


def _hand_on(source, sink, mute):
    with contextlib.suppress(OSError), source:
        while words := source.recv(4096):
            if not mute.is_set():
                sink.sendall(words)
    if not mute.is_set():
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_RDWR)
