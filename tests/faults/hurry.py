"""Seconds for minutes, in a process of its own: rests and retries come round while a test waits."""

from datetime import timedelta

from newsletter import campaigns
from project.mail import backoff, batches, bells, routes


def hurry(chunk=20):
    """`chunk`: how many deliveries a chunk has, so that a few readers are some."""
    campaigns.CHUNK = chunk
    backoff._STEPS = [timedelta(seconds=0.2)]
    routes._REST = [timedelta(seconds=0.1)]
    bells.SILENCE = 1
    batches._CONNECT = 0.5
