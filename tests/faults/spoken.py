"""Processes that a test talks to by lines of JSON."""

import json
import subprocess
import sys

from . import reckoning


class Spoken:
    """A process that answers every line with a line of JSON."""

    def __init__(self, *command, environment=None):
        self.process = subprocess.Popen(
            [sys.executable, "-m", *map(str, command)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )

    def hear(self):
        return json.loads(self.process.stdout.readline() or "null")

    def say(self, words):
        self.process.stdin.write(json.dumps(words) + "\n")
        self.process.stdin.flush()
        return self.hear()

    def end(self):
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(10)
        self.process.stdout.close()


class Oracle:
    """A mail server or provider in a process of its own; what it accepted outlives it."""

    def __init__(self, module, record, *options):
        self.record, self.module = record, module
        self.start(*options)

    def start(self, *options):
        self.process = Spoken(f"tests.faults.{self.module}", self.record, *options)
        self.port = self.process.hear()

    def killed(self, *options):
        """`kill -9`, and another one in its place."""
        self.process.process.kill()
        self.process.end()
        self.start("--port", self.port, *options)

    def script(self, *rules):
        """These rules from now on; how often those before applied."""
        return self.process.say(list(rules))

    def accepted(self):
        return reckoning.read(self.record)

    def end(self):
        self.process.end()
