"""Junk in every place a request has for it, from everybody who may send one: whatever comes, no answer is a server error.

Addresses come from the URL table, form fields from the forms as they are shown, filters from the lists themselves; so a new page, field or
filter is tried from the day it is there.
"""

import itertools
import random
import re
import time
from html.parser import HTMLParser
from urllib.parse import quote

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import transaction
from django.test import RequestFactory
from django.utils import translation

from .test_crawl import (
    addresses,
    browser,
    closed,
    filled,
    make_campaign,
    make_launched,
    make_packet,
    make_readers,
    make_seminar,
    make_subscriber,
    patterns,
    register,
    staff,
    subscriber,
    topic,
    venue,
    world,
)

__all__ = ["make_campaign", "make_launched", "make_packet", "make_readers", "make_seminar", "make_subscriber"]
__all__ += ["register", "subscriber", "topic", "venue", "world"]

pytestmark = pytest.mark.django_db

#: Percent-encoded, as they stand in an address or in a form's body: NUL, controls, half a surrogate, what is no UTF-8, numbers of all kinds.
JUNK = [
    "",
    "%00",
    "a%00b",
    "%0D%0ABcc:%20x@example.org",
    "%ED%A0%80",
    "%FF%FE",
    "%E2%80%AE",
    "%D9%A1",  # a digit, in Arabic
    "%C2%B2",  # a digit to str.isdigit, and no number
    "-1",
    "0",
    "1e400",
    "NaN",
    "9" * 40,
    "9223372036854775808",
    "0x1F",
    "true",
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "%25s%25(x)s%7B%7B7*7%7D%7D",
    "%27%22%3E%3Cscript%3E",
    "..%2F..%2Fetc%2Fpasswd",
    "a" * 10_000,
]

#: Query parameters the code reads by name, beside the lists' own filters.
READ = ["q", "o", "p", "page", "all", "e", "next", "language", "reader", "state", "packet", "saved", "back", "zip", "format", "miles"]
READ += ["seminar__id__exact", "_popup", "_to_field", "_changelist_filters", "kind", "reads", "when", "status__exact", "id__in", "pk__gt"]

#: How long one test may go on; what is tried within it is drawn anew from the same seed, so a failure comes again.
SECONDS = 12


def coordinator():
    user = staff("desk")
    user.groups.add(Group.objects.get(name="Coordinator"))
    return user


def roles():
    return {
        "stranger": browser(),
        "coordinator": browser(coordinator()),
        "owner": browser(User.objects.create_superuser("owner", "o@example.org")),
    }


def lists():
    """`(address, parameter)` for every filter of every list of the front desk."""
    request = RequestFactory().get("/")
    request.user = User.objects.get(username="owner")
    for model, model_admin in admin.site._registry.items():
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        hierarchy = model_admin.date_hierarchy
        names = [f"{hierarchy}__{part}" for part in ("year", "month", "day", "gte", "isnull")] if hierarchy else []
        for chosen in model_admin.get_list_filter(request):
            if isinstance(chosen, type):
                names.append(chosen.parameter_name)
            else:
                field = chosen[0] if isinstance(chosen, tuple) else chosen
                names += [field, *(f"{field}__{lookup}" for lookup in ("exact", "in", "isnull", "isempty", "id__exact", "gte"))]
        yield from ((address, name) for name in [*names, "q", "o", "p", "id__exact"])


def try_all(requests):
    """Each `(client, method, path, body)`, in an order of chance, until the time is over; the answers that are server errors."""
    requests = list(requests)
    random.Random(20261124).shuffle(requests)  # noqa: S311  not for secrets
    end, failed = time.monotonic() + SECONDS, []
    for client, method, path, body in itertools.takewhile(lambda _request: time.monotonic() < end, requests):
        with transaction.atomic():  # whatever it did is taken back, so that the next one finds everything there
            answer = client.generic(method, path, body, "application/x-www-form-urlencoded")
            closed(answer)
            transaction.set_rollback(True)
        if answer.status_code >= 500 and not (answer.status_code == 503 and path.startswith("/webhooks/")):
            failed.append((method, path[:200], body[:300], answer.status_code))
    return failed


class _Fields(HTMLParser):
    """The names of a page's form fields, and what stands in them."""

    def __init__(self):
        super().__init__()
        self.found = {}

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag in {"input", "select", "textarea", "button"} and attributes.get("name"):
            self.found.setdefault(attributes["name"], quote(attributes.get("value") or ""))


def fields(client, path):
    """`{name: value}` of the forms at an address, as they are to be sent."""
    answer = closed(client.get(path))
    page = _Fields()
    if answer.status_code == 200 and answer.headers["Content-Type"].startswith("text/html"):
        page.feed(answer.text)
    page.found.pop("csrfmiddlewaretoken", None)
    return page.found


def sendable():
    """Every address a form may be sent to; signing out would end the trial."""
    return [
        path
        for path in addresses(admin=True) + addresses(admin=False)
        if not any(part in path for part in ("/logout/", "/login/", "/webhooks/"))
    ]


def test_no_filter_of_a_list_breaks_on_junk(world):
    clients = roles()

    failed = try_all(
        (client, "GET", f"{address}?{name}={junk}", "")
        for (address, name), junk, client in itertools.product(lists(), JUNK, [clients["owner"], clients["coordinator"]])
    )

    assert failed == []


def test_no_query_breaks_a_page(world):
    clients = roles()
    pages = {next(iter(filled(pattern))) for pattern in patterns()} - {"/admin/logout/"}
    sites = [prefix + page for page in pages for prefix in ("", "/es")]

    failed = try_all(
        (client, "GET", f"{page}?{name}={junk}", "") for client, page, name, junk in itertools.product(clients.values(), sites, READ, JUNK)
    )

    assert failed == []


def broken():
    """Every address that has parameters, with junk in the place of one of them."""
    with translation.override("en"):
        table = [re.sub(r"\^?\(\?P<(\w+)>.*?\)(?=/|\$|$)", r"<\1>", pattern).removesuffix("$") for pattern in patterns()]
    for pattern in table:
        pieces = re.split(r"<[^>]+>", pattern)
        for place, bad in itertools.product(range(len(pieces) - 1), JUNK):
            filling = [bad if at == place else "1" for at in range(len(pieces) - 1)]
            yield "/" + "".join(itertools.chain(*itertools.zip_longest(pieces, filling, fillvalue="")))


def test_no_piece_of_an_address_breaks_a_page(world):
    clients = roles()

    failed = try_all((client, "GET", path, "") for client, path in itertools.product(clients.values(), broken()))

    assert failed == []


def test_no_form_breaks_on_junk(world):
    clients = roles()
    forms = {path: shown for path in sendable() if (shown := fields(clients["owner"], path))}

    failed = try_all(
        (client, "POST", path, "&".join(f"{name}={junk if name == bad else value}" for name, value in shown.items()))
        for path, shown in forms.items()
        for bad in shown
        for junk in JUNK
        for client in (clients["owner"], clients["coordinator"], clients["stranger"])
    )

    assert failed == []


def test_no_form_breaks_when_everything_is_junk(world):
    clients = roles()
    forms = {path: fields(clients["owner"], path) for path in sendable()}
    always = ["action", "_selected_action", "select_across", "index", "language", "state", "confirm", "reason", "topics", "stop", "request"]

    failed = try_all(
        (client, "POST", path, "&".join(f"{name}={junk}" for name in [*shown, *always]))
        for path, shown in forms.items()
        for junk in JUNK
        for client in clients.values()
    )

    assert failed == []
