"""Campaigns one after the other, while faults are drawn at random: what `./run bench soak` runs, in a process whose servers it may break."""

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.db import DatabaseError, connection
from django.utils import timezone

from newsletter import audience, campaigns, subscribing
from newsletter.models import Campaign, Chunk, Consent, Subscriber, Topic
from project.mail import events, ledger, routes
from project.mail.models import Route
from project.practice.models import Practice
from tests.newsletter.campaigns_fixtures import BODY, subscribe_readers
from tests.processes import below

from . import reckoning
from .spoken import Oracle

#: For how long one campaign is bad weather, and how long it may then take to end in good.
WEATHER, CALM = 30, 90

#: After an unsubscribe a letter may still come from the window that was being handed over: as long as a lease, and a server's delays.
STILL_UNDER_WAY = 15

STEPS = ["claimed", "before-mark", "marked", "handing", "accepted", "recorded"]

#: What a mail server may do at any moment, and how probable it is then.
MOODS = [
    ("HELLO", "421 4.3.2 too many connections", 0.3),
    ("HELLO", "drop", 0.3),
    ("EHLO", "hang", 0.1),
    ("MAIL", "421 4.3.2 enough for now", 0.02),
    ("MAIL", "451 4.3.0 local trouble", 0.02),
    ("MAIL", "drop", 0.01),
    ("RCPT", "450 4.2.0 mailbox busy", 0.05),
    ("RCPT", "452 4.2.2 mailbox full", 0.05),
    ("RCPT", "421 4.3.2 going down", 0.01),
    ("RCPT", "550 5.1.1 no such user", 0.001),
    ("RCPT", "hang", 0.005),
    ("DATA", "451 4.3.0 local trouble", 0.02),
    ("DATA", "drop", 0.01),
    ("LETTER", "drop", 0.01),
    ("DOT", "451 4.3.0 disk trouble", 0.05),
    ("DOT", "554 5.6.0 no", 0.01),
    ("DOT", "421 4.3.2 going down", 0.01),
    ("DOT", "drop", 0.01),
    ("DOT", "keep-drop", 0.01),
    ("DOT", "hang", 0.003),
    ("DOT", "keep-hang", 0.003),
]

OFFERS = [[], ["PIPELINING"], ["PIPELINING", "CHUNKING"]]

#: So that a campaign lasts for as long as its weather does.
UNHURRIED = {"at": "DOT", "say": "slow:0.03 250 2.0.0 taken"}


def say(words):
    sys.stdout.write(f"{time.strftime('%H:%M:%S')}  {words}\n")
    sys.stdout.flush()


class Part:
    """A Celery process with its children, which can be killed whole and started again."""

    def __init__(self, name, *words):
        self.name, self.words = name, words
        self.process = None

    def start(self, crash=""):
        command = [sys.executable, "-m", "celery", "--quiet", "-A", "tests.faults.hurried_campaigns", *self.words]
        with (Path(os.environ["LECTERN_VAR"]) / f"{self.name}.log").open("ab") as log:
            environment = os.environ | {"LECTERN_CRASH": crash}
            self.process = subprocess.Popen(command, env=environment, start_new_session=True, stdout=log, stderr=log)

    def kill(self):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGCONT)
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(10)

    @property
    def running(self):
        return self.process.poll() is None


def worker(name):
    quiet = ["--without-gossip", "--without-mingle", "--without-heartbeat", "-l", "WARNING"]
    return Part(name, "worker", "-n", f"{name}@storm", "-Q", "transactional,bulk", "-c", "2", *quiet)


def beat(name):
    return Part(name, "beat", "-s", f"{os.environ['LECTERN_VAR']}/{name}", "--pidfile=", "-l", "WARNING")


class Storm:
    """Everything that runs, and what can be done to it. Every fault is a method named in FAULTS with how often it is drawn."""

    FAULTS = {
        "kill_a_worker": 4,
        "kill_a_child": 5,
        "stop_a_child_for_longer_than_its_lease": 2,
        "kill_a_beat": 1,
        "empty_the_broker": 2,
        "black_hole_the_broker": 1,
        "restart_the_database": 2,
        "sour_the_mail_server": 8,
        "kill_the_mail_server": 1,
        "refuse_the_route": 1,
        "pause_and_resume": 4,
        "some_unsubscribe": 4,
        "webhooks": 5,
        "cancel_for_good": 0.2,
    }

    def __init__(self, chance, postgresql, redis, oracle):
        self.chance, self.postgresql, self.redis, self.oracle = chance, postgresql, redis, oracle
        self.nodes = [worker("nodeA"), worker("nodeB")]
        self.beats = [beat("beat1"), beat("beat2")]
        self.later = []  # (when, what): faults that end by themselves
        self.done, self.audiences, self.left, self.told = Counter(), {}, {}, 0

    # -- Time ------------------------------------------------------------------------------------------------------------------------------

    def start(self):
        for part in self.nodes + self.beats:
            part.start()
        self.oracle.script(UNHURRIED)

    def stop(self):
        self.clear()
        for part in self.nodes + self.beats:
            part.kill()

    def after(self, seconds, what):
        self.later.append((time.monotonic() + seconds, what))

    def look_after(self, everything=False):
        """End the faults whose time is over, and put back what a person or a service manager would."""
        due = [entry for entry in self.later if everything or entry[0] <= time.monotonic()]
        self.later = [entry for entry in self.later if entry not in due]
        for _when, what in due:
            what()
        for part in self.nodes + self.beats:
            if not part.running and not self.later:
                part.start()
        surely(mend)

    def clear(self):
        self.look_after(everything=True)
        self.oracle.script(UNHURRIED)

    def fault(self, campaign):
        name = self.chance.choices(list(self.faults), list(self.faults.values()))[0]
        self.done[name.replace("_", " ")] += 1
        getattr(self, name)(campaign)

    # -- Machines --------------------------------------------------------------------------------------------------------------------------

    def kill_a_worker(self, campaign):
        node = self.chance.choice(self.nodes)
        node.kill()
        crash = f"{self.chance.choice(STEPS)}:{self.chance.randrange(5, 60)}" if self.chance.random() < 0.5 else ""
        self.after(self.chance.uniform(0, 2), lambda: node.running or node.start(crash))

    def _child(self):
        node = self.chance.choice(self.nodes)
        children = sorted(below(node.process.pid)) if node.running else []
        return self.chance.choice(children) if children else None

    def _signal(self, pid, number):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, number)

    def kill_a_child(self, campaign):
        child = self._child()
        if child:
            self._signal(child, signal.SIGKILL)

    def stop_a_child_for_longer_than_its_lease(self, campaign):
        child = self._child()
        if child:
            self._signal(child, signal.SIGSTOP)
            self.after(8, lambda: self._signal(child, signal.SIGCONT))

    def kill_a_beat(self, campaign):
        part = self.chance.choice(self.beats)
        part.kill()
        self.after(self.chance.uniform(1, 4), lambda: part.running or part.start())

    def empty_the_broker(self, campaign):
        self.redis.restart()

    def black_hole_the_broker(self, campaign):
        self.redis.stand_still()
        self.after(self.chance.uniform(1, 5), self.redis.go_on)

    def restart_the_database(self, campaign):
        self.postgresql.restart()

    # -- Mail servers ----------------------------------------------------------------------------------------------------------------------

    def sour_the_mail_server(self, campaign):
        moods = [{"at": at, "say": words, "chance": p} for at, words, p in self.chance.sample(MOODS, self.chance.randrange(1, 6))]
        self.oracle.script({"seed": self.chance.randrange(1 << 30)}, *moods, UNHURRIED)
        self.after(self.chance.uniform(1, 4), lambda: self.oracle.script(UNHURRIED))

    def kill_the_mail_server(self, campaign):
        self.oracle.killed("--offers", *self.chance.choice(OFFERS))
        self.oracle.script(UNHURRIED)

    def refuse_the_route(self, campaign):
        self.oracle.script({"at": "HELLO", "say": "554 5.3.2 not you", "times": 1}, UNHURRIED)

    # -- People ----------------------------------------------------------------------------------------------------------------------------

    def pause_and_resume(self, campaign):
        if refused(campaigns.pause, campaign):
            return
        self.after(self.chance.uniform(0, 2), lambda: refused(campaigns.resume, campaign))

    def cancel_for_good(self, campaign):
        refused(campaigns.cancel, campaign)

    def some_unsubscribe(self, campaign):
        for reader in self.chance.sample(self.readers, 5):
            surely(
                lambda reader=reader: subscribing.unsubscribe(Subscriber.objects.get(address=reader), Consent.Method.ONE_CLICK, form="storm")
            )
            self.left.setdefault(reader, time.time())

    def webhooks(self, campaign):
        """What a provider would tell of the last letters it accepted: shuffled, doubled, and before the worker has written them down."""
        lines = self.oracle.accepted()[self.told :]
        self.told += len(lines)
        lines = self.chance.sample(lines, min(len(lines), 40))
        told = [(line, "delivered") for line in lines]
        told += [(line, "bounced") for line in lines if self.chance.random() < 0.02]
        told *= 2
        self.chance.shuffle(told)
        for line, kind in told:
            surely(lambda line=line, kind=kind: events.take("mailgun", tracking(line, kind)))


def tracking(line, kind):
    return AnymailTrackingEvent(
        event_type=kind,
        recipient=line["to"],
        metadata={"letter": line["letter"]},
        message_id=None,
        event_id=f"{line['letter']}/{kind}",
        timestamp=timezone.now(),
        esp_event={"event": kind},
    )


def surely(step):
    """A step of the database's, again for as long as it is away."""
    deadline = time.monotonic() + 30
    while True:
        try:
            return step()
        except DatabaseError:
            connection.close()
            if time.monotonic() > deadline:
                raise
            time.sleep(0.2)


def refused(verb, campaign):
    try:
        surely(lambda: verb(campaign))
    except campaigns.CampaignRefused:
        return True
    return False


def mend():
    """What a coordinator does who reads Today: the route and whatever stopped by itself go on."""
    if Route.objects.filter(stream="bulk", paused_at__isnull=False).exists():
        routes.resume("bulk")
    for campaign in Campaign.objects.filter(status=Campaign.Status.PAUSED).exclude(stopped_because=""):
        refused(campaigns.resume, campaign)


def status(campaign):
    return surely(lambda: Campaign.objects.values_list("status", flat=True).get(pk=campaign.pk))


def new_campaign(storm, topic, number):
    """One whose time has come, and which a worker has begun."""

    def make():
        campaign = Campaign.objects.create(name=f"Storm {number}", slug=f"storm-{number}", topic=topic)
        campaign.texts.create(language="en", subject="News for [[first_name|you]]", preheader="What is new", body=BODY)
        campaigns.schedule(campaign, timezone.now())
        storm.audiences[campaign.pk] = audience.readers(topic).count()
        return campaign

    campaign = surely(make)
    wait_for(storm, lambda: status(campaign) != Campaign.Status.SCHEDULED, CALM)
    return campaign


def wait_for(storm, condition, seconds):
    """True once it holds, False when it has not within so many seconds."""
    deadline = time.monotonic() + seconds
    while not condition():
        storm.look_after()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.2)
    return True


def over(campaign):
    """It has ended, and no worker has any of it in hand."""
    held = Chunk.objects.filter(campaign=campaign, state=Chunk.State.HELD)
    return status(campaign) in {Campaign.Status.SENT, Campaign.Status.CANCELLED} and not surely(held.exists)


def one_campaign(storm, topic, number, end):
    """True when it came to its end."""
    campaign = new_campaign(storm, topic, number)
    before = storm.done.copy()
    now = time.monotonic()
    bad_until = now + max(min(WEATHER, end - now), 6)
    while not over(campaign) and time.monotonic() < bad_until:
        storm.fault(campaign)
        deadline = time.monotonic() + storm.chance.uniform(0.1, 1.2)
        while time.monotonic() < deadline:
            storm.look_after()
            time.sleep(0.1)
    storm.clear()
    refused(campaigns.resume, campaign)
    ended = wait_for(storm, lambda: over(campaign), CALM)
    audience_of = {campaign.pk: storm.audiences[campaign.pk]}
    found = surely(lambda: reckoning.reckon(storm.oracle.accepted(), audience_of, campaign=campaign.pk))
    say(f"campaign {number}: {status(campaign)}; {', '.join(f'{n} × {name}' for name, n in (storm.done - before).items()) or 'no fault'}")
    for line in str(found).splitlines():
        say(f"    {line}")
    return ended


def too_late(storm):
    """Letters to people who had left so long before that no window of then was still being handed over."""
    return [line for line in storm.oracle.accepted() if line["at"] > storm.left.get(line["to"], line["at"]) + STILL_UNDER_WAY]


def main(given, postgresql, redis):
    """The exit code. `given`: storm_start's arguments; `postgresql`, `redis`: this process's and all its workers' servers (tests.services)."""
    port = settings.MAIL_BULK.rpartition(":")[2]
    with contextlib.ExitStack() as stack:
        oracle = Oracle("oracle_smtp", settings.VAR / "accepted.jsonl", "--port", port)
        stack.callback(oracle.end)
        storm = Storm(random.Random(given.seed), postgresql, redis, oracle)
        storm.faults = {name: often for name, often in storm.FAULTS.items() if name in given.only or not given.only}
        topic = people(storm, given.readers)
        stack.callback(storm.stop)
        storm.start()
        say(f"{given.readers} readers, two nodes of two workers, two beats; {given.minutes:g} minutes, seed {given.seed}")
        return through(storm, topic, time.monotonic() + given.minutes * 60)


def through(storm, topic, end):
    """Campaign after campaign until the time is over; the process's exit code."""
    number, ended = 0, True
    while time.monotonic() < end and ended:
        number += 1
        ended = one_campaign(storm, topic, number, end)
    late = too_late(storm)
    found = surely(lambda: reckoning.reckon(storm.oracle.accepted(), storm.audiences))
    say(f"{number} campaigns; {', '.join(f'{n} × {name}' for name, n in sorted(storm.done.items()))}")
    for line in str(found).splitlines():
        say(line)
    say(f"in doubt: {', '.join(map(str, found.doubt)) or 'nobody'}")
    say(f"written to after they had left: {len(late)} of {len(storm.left)}")
    off = found.off | ({"late": late} if late else {}) | ({} if ended else {"unended": [number]})
    for name, what in off.items():
        say(f"OFF  {name}: {str(what)[:2000]}")
    say("Something is off." if off else "Everybody is accounted for.")
    return int(bool(off))


def people(storm, count):
    practice = Practice.current()
    practice.street, practice.city, practice.state, practice.postal_code = "100 Sample Street", "Tampa", "FL", "33607"
    practice.save()
    ledger.release()
    topic = Topic.objects.get(standard=True)
    storm.readers = [reader.address for reader in subscribe_readers(topic, count)]
    return topic
