"""The whole product as a person meets it: `demo` running for real (web, two workers, beat), a phone's browser without JavaScript,
and a mailbox.

Nothing here imports the product: a journey sees pages and letters only.
"""

import contextlib
import email
import email.policy
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from playwright.sync_api import sync_playwright

from tests.processes import ROOT, free_port

STRICT = email.policy.SMTP.clone(raise_on_defect=True)
CHROMIUM = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
CHROMIUM += ["--disable-component-update", "--disable-sync"]


@dataclass
class Mailbox:
    folder: Path

    def letters(self, address):
        """The letters to an address so far, oldest first."""
        found = []
        for path in sorted(self.folder.glob("*.eml"), key=lambda path: path.stat().st_mtime_ns):
            letter = email.message_from_bytes(path.read_bytes(), policy=STRICT)
            if address in letter["To"]:
                found.append(letter)
        return found

    def wait_for(self, address, count=1, seconds=45):
        """The newest letter to an address once `count` have come. A letter that never comes ends the test."""
        deadline = time.monotonic() + seconds
        while len(found := self.letters(address)) < count:
            assert time.monotonic() < deadline, f"{len(found)} of {count} letters came in {seconds} s."
            time.sleep(0.2)
        return found[count - 1]


@dataclass
class Site:
    url: str
    mailbox: Mailbox
    process: subprocess.Popen
    log: Path

    def check(self):
        """Every part still runs; else what they said last."""
        assert self.process.poll() is None, f"The demo has ended by itself:\n{self.log.read_text()[-5000:]}"


def text_of(letter):
    return letter.get_body(("plain",)).get_content()


def link_in(letter, part):
    """The address in a letter's plain text that holds `part`."""
    return re.search(rf"https?://\S*{part}\S*", text_of(letter))[0]


def calendar_of(letter):
    """The invite a mail program acts on, as text: the last alternative."""
    parts = [part for part in letter.walk() if part.get_content_type() == "text/calendar"]
    assert len(parts) == 1
    return parts[0].get_content()


def follow(locator):
    """Press what leads to another page, and wait until that page, redirects and all, is there."""
    with locator.page.expect_navigation():
        locator.click()


@contextlib.contextmanager
def _database():
    """A database of the journeys' own: a file, or a fresh one beside the suite's on its server."""
    server = os.environ.get("DATABASE_URL")
    if not server:
        yield {}
        return
    name = f"journeys_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
        try:
            yield {"DATABASE_URL": re.sub(r"(//[^/]*)/[^?]*", rf"\1/{name}", server)}
        finally:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """The demo, seeded and running on a free port, stopped at the end."""
    var = tmp_path_factory.mktemp("journeys")
    port = free_port()
    outside = {name: value for name, value in os.environ.items() if not name.startswith(("MAIL_", "SITE_URL", "ALLOWED_HOSTS", "CELERY_"))}
    with _database() as database, (var / "log").open("wb") as log:
        environment = outside | database | {"DEBUG": "1", "LECTERN_VAR": str(var)}
        demo = subprocess.Popen(
            [sys.executable, "manage.py", "demo", "--port", str(port)], cwd=ROOT, env=environment, stdout=log, stderr=subprocess.STDOUT
        )
        try:
            _await(f"http://127.0.0.1:{port}/health/ready", demo, var / "log")
            site = Site(f"http://127.0.0.1:{port}", Mailbox(var / "mail"), demo, var / "log")
            yield site
            site.check()
        finally:
            demo.send_signal(signal.SIGINT)
            try:
                demo.wait(30)
            except subprocess.TimeoutExpired:
                demo.kill()


def _await(url, process, log):
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(urllib.error.URLError, ConnectionError, TimeoutError), urllib.request.urlopen(url, timeout=2):
            return
        time.sleep(0.2)
    raise RuntimeError(f"The demo did not start:\n{log.read_text()[-3000:]}")


@pytest.fixture(scope="session")
def browser():
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM)
        yield chromium
        chromium.close()


@pytest.fixture
def phone(browser, site):
    """A page on a phone, 390 px wide, JavaScript off, in which a request to any other place fails the test."""
    site.check()
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False, base_url=site.url)
    strangers = []
    context.on("request", lambda request: None if request.url.startswith((site.url, "data:", "about:")) else strangers.append(request.url))
    page = context.new_page()
    page.set_default_timeout(15_000)
    yield page
    context.close()
    assert strangers == []


@pytest.fixture
def address():
    """A mailbox nobody else uses."""
    return f"journey-{uuid.uuid4().hex[:10]}@example.org"
