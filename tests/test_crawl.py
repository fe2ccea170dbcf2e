"""Every address of the site, called in every way: no answer is a server error, nothing changes unasked, nobody gets in who may not.

The addresses come from the URL table itself, so a new page is crawled from the day it stands there.
"""

import itertools
import re
from datetime import timedelta
from urllib.parse import quote

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import get_resolver
from django.utils import timezone, translation

from newsletter import subscribing
from newsletter.models import PacketRequest, Subscriber
from project.mail import ledger, routes, tokens
from project.mail.addresses import address_hash
from project.mail.models import Message, Suppression
from seminars.models import Callback, Registration, Seminar

from .newsletter.conftest import make_campaign, make_launched, make_packet, make_readers, make_subscriber, subscriber, topic
from .seminars.conftest import make_seminar, register, venue

__all__ = ["make_campaign", "make_launched", "make_packet", "make_readers", "make_seminar", "make_subscriber"]
__all__ += ["register", "subscriber", "topic", "venue"]

pytestmark = pytest.mark.django_db

#: Tables that may change whenever anybody looks: who is signed in, and the ledger's pulse.
_PULSE = {"sessions.Session", "mail.Ledger"}

#: What stands for a token of no purpose: altered, cut short, not one at all.
_NO_TOKENS = ["a:b:c", "%00%FF" + quote("🦴")]

GARBAGE = {
    "first_name": "http://evil.example\r\nBcc: x@example.org",
    "last_name": "a" * 300,
    "email": '"a b"@[127.0.0.1], b@example.org\r\n',
    "phone": "\0" * 50,
    "party_size": "900",
    "language": "\u202e",
    "mode": "🦴",
    "packet": "\0",
    "newsletter": "\ud800".encode("utf-8", "surrogatepass"),
    "wording": "9" * 400,
    "nonce": "\0",
    "topics": ["\0", "x" * 5000],
    "request": ["\0", "x"],
    "action": "delete_selected",
    "_selected_action": ["999999999"],
    "date": "9999-12-31",
    "starts": "23:59",
    "starts_0": "abc",
    "ends": "23:59",
    "time": "00:00",
    "zone": "Mars/Olympus",
    "confirm": "9" * 40,
    "state": "\0",
    "reason": "\0",
}


@pytest.fixture(autouse=True)
def _speaks_english_afterwards():
    """The last page's language stays with the thread."""
    with translation.override("en"):
        yield


@pytest.fixture
def world(request, practice):
    """One of everything: seminars to come, over, called off and in draft; people with a seat, waiting, gone; readers, packets, campaigns."""
    ledger.release()
    make_seminar, register = request.getfixturevalue("make_seminar"), request.getfixturevalue("register")
    to_come = make_seminar(1)
    register(to_come, "Ana")
    register(to_come, "Bea")
    gone = register(to_come, "Gil")
    Registration.objects.filter(pk=gone.pk).update(status=Registration.Status.CANCELLED, waiting_since=None, cancelled_at=timezone.now())
    over = make_seminar()
    register(over, "Eva", phone="+18135550123", email="")
    Seminar.objects.filter(pk=over.pk).update(starts_at=timezone.now() - timedelta(days=9), ends_at=timezone.now() - timedelta(days=8))
    make_seminar(status=Seminar.Status.CANCELLED)
    make_seminar(status=Seminar.Status.DRAFT)
    make_packet = request.getfixturevalue("make_packet")
    reader = request.getfixturevalue("subscriber")
    words = subscribing.current_wording("newsletter", "en")
    for address in ("open@example.org", "done@example.org"):
        asked = subscribing.ask(
            address,
            first_name="Ana",
            last_name="",
            language="en",
            form="info-packet",
            wording=words,
            packet=make_packet(address[:4]),
            newsletter=True,
        )
    subscribing.confirm(asked)
    request.getfixturevalue("make_launched")("en", "es")
    request.getfixturevalue("make_campaign")("en", "es", slug="draft")
    Callback.objects.create(registration=over.registrations.get(), reason=Callback.Reason.MOVED, sequence=9, created_at=timezone.now())
    Suppression.objects.create(address_hash=address_hash("gone@example.org"), scope="all", reason=Suppression.Reason.BY_HAND)
    for stream in ("transactional", "bulk"):
        routes.row(stream)
    return reader


def letters_tokens():
    """Every token a letter of this world may carry."""
    found = [("registration", Registration.objects.filter(status=status).first().public_id) for status in ("confirmed", "cancelled")]
    found += [("confirm", row.public_id) for row in PacketRequest.objects.all()]
    found += [(purpose, row.public_id) for row in Subscriber.objects.all()[:1] for purpose in ("preferences", "unsubscribe")]
    return [tokens.make(purpose, public_id.hex) for purpose, public_id in found]


def patterns(resolver=None, prefix=""):
    for entry in (resolver or get_resolver()).url_patterns:
        whole = prefix + str(entry.pattern)
        if hasattr(entry, "url_patterns"):
            yield from patterns(entry, whole)
        else:
            yield whole


def values(parameter, pattern):
    """What stands in a pattern's place: things that exist, and one that does not."""
    match parameter:
        case "token":
            return [*letters_tokens(), *_NO_TOKENS]
        case "slug":
            return [*Seminar.objects.values_list("slug", flat=True), "nothing"]
        case "pk" | "object_id" if pattern.startswith("admin/") and pattern.count("/") > 4:
            rows = apps.get_model(*pattern.split("/")[1:3])._base_manager.order_by("pk").values_list("pk", flat=True)[:2]
            return [*rows, "999999999"] + (["abc", "9" * 30, "_5F", "%00"] if parameter == "object_id" else [])
    return {
        "language": ["en", "xx"],
        "stream": ["transactional", "nothing"],
        "name": ["postmark", "nothing"],
        "url": ["nothing/"],
        "app_label": ["seminars"],
    }.get(parameter, ["1", "999999999"])


def filled(pattern):
    pattern = re.sub(r"\^?\(\?P<(\w+)>.*?\)(?=/|\$|$)", r"<\1>", pattern).removesuffix("$").replace("/$", "/")
    parameters = re.findall(r"<(?:\w+:)?(\w+)>", pattern)
    for chosen in itertools.product(*(values(parameter, pattern) for parameter in parameters)):
        pieces = iter(chosen)
        yield "/" + re.sub(r"<[^>]+>", lambda _match: str(next(pieces)), pattern)  # noqa: B023  used at once


def addresses(*, admin):
    """Every address: the front desk's, or the public ones in both languages."""
    found = []
    with translation.override("en"):  # the table reads otherwise in Spanish
        table = list(patterns())
    for pattern in table:
        if pattern.startswith("admin/") == admin:
            one_language = pattern.startswith(("admin/", "health/", "webhooks/", "sitemap", "robots", "demo/"))
            found += [prefix + path for path in filled(pattern) for prefix in ([""] if one_language else ["", "/es"])]
    return found


def snapshot():
    """Every row of every table, but for the pulse."""
    models = [model for model in apps.get_models(include_auto_created=True) if model._meta.label not in _PULSE and model._meta.managed]
    return {model._meta.label: sorted(map(repr, model._base_manager.values_list())) for model in models}


def changed(before):
    after = snapshot()
    return {label: (set(before[label]) ^ set(rows)) for label, rows in after.items() if before[label] != rows}


def browser(user=None, *, csrf=False):
    client = Client(raise_request_exception=False, enforce_csrf_checks=csrf)
    if user:
        client.force_login(user)
    return client


def staff(name, **fields):
    return User.objects.create_user(name, f"{name}@example.org", is_staff=True, **fields)


def closed(answer):
    """The answer, its file closed: its own close() would end the test's transaction too."""
    for close in answer._resource_closers:
        close()
    return answer


def must_be_whole(answer, path):
    """What holds for every answer whatever was asked."""
    for_machines = path.startswith(("/health/", "/webhooks/"))  # which read the status
    assert answer.status_code < 500 or (answer.status_code == 503 and path.startswith("/webhooks/")), (path, answer.status_code)
    closed(answer)
    if answer.headers.get("Content-Type") != "application/pdf":  # which browsers show with a page of their own
        assert answer.headers.get("Content-Security-Policy"), path
    is_page = answer.headers.get("Content-Type", "").startswith("text/html") and answer.request["REQUEST_METHOD"] != "HEAD"
    if answer.status_code >= 400 and is_page and not for_machines:
        page = answer.content.decode()
        assert f'<html lang="{"es" if path.startswith("/es/") else "en"}"' in page, path
        assert re.search(r"<h1>[^<]{10,}</h1>", page), path


def test_looking_changes_nothing_for_anybody(world):
    owner = User.objects.create_superuser("owner", "owner@example.org")
    everything = [path for path in addresses(admin=False) + addresses(admin=True) if "/logout/" not in path]
    callers = [(browser(owner), ["GET", "HEAD"]), (browser(), ["GET"])]
    before = snapshot()

    for client, methods in callers:
        for path, method in itertools.product(everything, methods):
            must_be_whole(client.generic(method, path), path)

    assert changed(before).keys() <= {"admin.LogEntry"}
    # Who took a list of people away stays in the front desk's log (RFC 9110 §9.2.1: a log is no change of what is asked for).
    assert not LogEntry.objects.exclude(change_message__startswith="Exported").exists()


BODIES = [
    (b"", "application/x-www-form-urlencoded"),
    (b"%ff%00&first_name=\xff\xfe&email=%", "application/x-www-form-urlencoded"),
    (b"a=1", "application/x-www-form-urlencoded; charset=utf-16"),
    (b"--x\r\nfoo", "multipart/form-data; boundary=x"),
    (b"x", "multipart/form-data"),
    (b"&".join(b"f%d=1" % n for n in range(2_100)), "application/x-www-form-urlencoded"),
    (b"first_name=" + b"a" * 2_700_000, "application/x-www-form-urlencoded"),
    (b'{"a": NaN', "application/json"),
]


def test_no_body_breaks_a_public_page(world):
    client = browser()
    one_of_each = {next(iter(filled(pattern))) for pattern in patterns() if not pattern.startswith("admin/")}

    for path, (content, content_type) in itertools.product(sorted(one_of_each), BODIES):
        must_be_whole(client.generic("POST", path, content, content_type), path)


def test_no_garbage_breaks_a_page_sends_a_letter_or_registers_anybody(world):
    client = browser()
    people = (Registration.objects.count(), Subscriber.objects.count(), PacketRequest.objects.count(), Message.objects.count())

    for path in addresses(admin=False):
        if "/cancel/" not in path and "/confirm/" not in path:  # whose buttons need no words; pressed below
            must_be_whole(client.post(path, GARBAGE), path)
        for method in ("PUT", "DELETE", "NONSENSE"):
            answer = client.generic(method, path, "x")
            must_be_whole(answer, path)
            assert answer.status_code in {400, 404, 405}, (method, path)

    now = (Registration.objects.count(), Subscriber.objects.count(), PacketRequest.objects.count(), Message.objects.count())
    assert now == people


@pytest.mark.parametrize("method", ["POST", "DELETE"])
def test_without_the_pages_token_nothing_changes(world, method):
    owner = User.objects.create_superuser("owner", "owner@example.org")
    client = browser(owner, csrf=True)
    before = snapshot()

    for path in addresses(admin=False) + addresses(admin=True):
        answer = client.generic(method, path, "stop=1&confirm=1", "application/x-www-form-urlencoded")
        must_be_whole(answer, path)
        assert answer.status_code >= 400 or "/unsubscribe/" in path, path

    assert changed(before) == {}


def test_the_front_desk_survives_garbage(world):
    client = browser(User.objects.create_superuser("owner", "owner@example.org"))
    odd = "?q=%01&p=abc&o=zz.-9&status__exact=%01&seminar__id__exact=abc&when=x&id__exact=99999999999999999999999&page=%01&reader=%D9%A1&e=1"

    for path in addresses(admin=True):
        if "logout" in path or "/auth/user/" in path:
            continue
        assert closed(client.get(path + odd)).status_code < 500, path
        assert client.post(path, GARBAGE).status_code < 500, path


def test_strangers_and_staff_without_rights_get_no_further_than_the_door(world):
    """Pages open to any staff: their own password, the words of the page's scripts, and the list of what they may do."""
    nobody, clerk = browser(), browser(staff("clerk"))
    open_to_staff = re.compile(r"/admin/(login/|logout/|password_change/(done/)?|jsi18n/|)")
    before = snapshot()

    for path in addresses(admin=True):
        if open_to_staff.fullmatch(path):
            continue
        for method in ("get", "post"):
            answer = getattr(nobody, method)(path, GARBAGE if method == "post" else {})
            assert answer.status_code in {302, 405}, (method, path, answer.status_code)
            assert answer.status_code == 405 or "/admin/login/" in answer.url, path
            answer = getattr(clerk, method)(path, GARBAGE if method == "post" else {})
            assert answer.status_code in {302, 403, 404, 405}, (method, path, answer.status_code)

    assert changed(before) == {}


def test_a_coordinator_gets_nowhere_near_logins_and_groups(world):
    coordinator = staff("desk")
    coordinator.groups.add(Group.objects.get(name="Coordinator"))
    client = browser(coordinator)
    before = {label: rows for label, rows in snapshot().items() if label.startswith(("auth.", "axes."))}

    for path in addresses(admin=True):
        if re.match(r"/admin/(auth|axes)/", path):
            assert client.get(path).status_code in {302, 403, 404}, path
            answer = client.post(path, GARBAGE | {"password1": "a long enough sentence", "is_superuser": "on"})
            assert answer.status_code in {302, 403, 404}, path

    after = snapshot()
    assert {label: after[label] for label in before} == before
