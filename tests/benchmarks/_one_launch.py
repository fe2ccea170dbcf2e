"""A campaign launched in a process of its own: `python -m tests.benchmarks._one_launch SMALL LARGE`, two topics.

Prints the seconds of the large one, and the most MB held before and after it. The small one goes first, so that what a first campaign loads is
not taken for what a large one needs.
"""

import os
import sys
import time

import django

from tests import environment  # noqa: F401  it must be read before Django's settings are
from tests.benchmarks import _machine


def main(small, large):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from newsletter.models import Topic  # noqa: PLC0415  readable only now

    from . import _newsletter  # noqa: PLC0415  as above

    _newsletter.launch(Topic.objects.get(slug=small))
    campaign = _newsletter.scheduled(Topic.objects.get(slug=large))
    before = _machine.memory(os.getpid())[1]
    began = time.perf_counter()
    _newsletter.begin(campaign)
    print(time.perf_counter() - began, before, _machine.memory(os.getpid())[1])


if __name__ == "__main__":
    main(*sys.argv[1:])
