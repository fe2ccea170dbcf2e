"""One campaign launched in a process of its own: `python -m tests.benchmarks._one_launch TOPIC` prints its seconds, and MB before and after."""

import os
import sys
import time

import django

from tests import environment  # noqa: F401  it must be read before Django's settings are
from tests.benchmarks import _machine


def main(slug):
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "project.settings")
    django.setup()
    from newsletter.models import Topic  # noqa: PLC0415  readable only now

    from . import _newsletter  # noqa: PLC0415  as above

    topic = Topic.objects.get(slug=slug)
    campaign = _newsletter.draft(topic)
    before = _machine.memory(os.getpid())[0]
    began = time.perf_counter()
    _newsletter.begin(campaign)
    print(time.perf_counter() - began, before, _machine.memory(os.getpid())[1])


if __name__ == "__main__":
    main(sys.argv[1])
