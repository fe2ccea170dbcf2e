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

#: Percent-encoded, as it stands in an address or in a form's body: NUL, numbers too large, what looks like a digit, half a surrogate …
JUNK = [
    "a%00b",
    "9" * 40,
    "%C2%B2",  # a digit to str.isdigit, and no number
    "%ED%A0%80",
    "a" * 10_000,
    "-1",
    "%0D%0ABcc:%20x@example.org",
    "",
    "%FF%FE",
    "%E2%80%AE",
    "%D9%A1",  # a digit, in Arabic
    "0",
    "1e400",
    "NaN",
    "9223372036854775808",
    "0x1F",
    "true",
    "9999-12-31",
    "0001-01-01",
    "2026-02-30",
    "%25s%25(x)s%7B%7B7*7%7D%7D",
    "%27%22%3E%3Cscript%3E",
    "..%2F..%2Fetc%2Fpasswd",
]

#: Query parameters the code reads by name, beside the lists' own filters.
READ = ["q", "o", "p", "page", "all", "e", "next", "language", "reader", "state", "packet", "saved", "back", "zip", "format", "miles"]
READ += ["seminar__id__exact", "_popup", "_to_field", "_changelist_filters", "kind", "reads", "when", "status__exact", "id__in", "pk__gt"]

#: How long one test may go on. Let it go on for longer by hand after a change of many pages.
SECONDS = 14


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


def try_all(requests_with):
    """Tries `requests_with(junk)`, each `(client, method, path, body)`, for one kind of junk after the other, the worst first, until the time
    is over; returns the answers that are server errors."""
    chance = random.Random(20261124)  # noqa: S311  not for secrets
    end, failed = time.monotonic() + SECONDS, []
    for junk in JUNK:
        requests = list(requests_with(junk))
        chance.shuffle(requests)
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


def examples():
    """Two addresses of every pattern; signing out would end the trial, and who signs in is tried elsewhere."""
    left_out = ("logout/", "login/", "webhooks/")
    with translation.override("en"):
        table = [pattern for pattern in patterns() if not any(part in pattern for part in left_out)]
    return [path for pattern in table for path in itertools.islice(filled(pattern), 2)]


def broken(junk):
    """Every address that has parameters, with junk in the place of one of them."""
    with translation.override("en"):
        table = [re.sub(r"\^?\(\?P<(\w+)>.*?\)(?=/|\$|$)", r"<\1>", pattern).removesuffix("$") for pattern in patterns()]
    for pattern in table:
        pieces = re.split(r"<[^>]+>", pattern)
        for place in range(len(pieces) - 1):
            filling = [junk if at == place else "1" for at in range(len(pieces) - 1)]
            yield "/" + "".join(itertools.chain(*itertools.zip_longest(pieces, filling, fillvalue="")))


def test_no_filter_of_a_list_breaks(world):
    owner = roles()["owner"]
    places = list(lists())

    failed = try_all(lambda junk: ((owner, "GET", f"{address}?{name}={junk}", "") for address, name in places))

    assert failed == []


def test_no_query_breaks_a_page(world):
    clients, pages = roles().values(), examples()

    failed = try_all(
        lambda junk: ((client, "GET", f"{page}?{name}={junk}", "") for client, page, name in itertools.product(clients, pages, READ))
    )

    assert failed == []


def test_no_piece_of_an_address_breaks_a_page(world):
    clients = roles().values()

    failed = try_all(lambda junk: ((client, "GET", path, "") for client, path in itertools.product(clients, broken(junk))))

    assert failed == []


def test_no_form_breaks(world):
    """Its fields one by one, then all together, beside what lists and buttons send."""
    clients = roles()
    forms = {path: fields(clients["owner"], path) for path in examples()}
    buttons = dict.fromkeys(["action", "_selected_action", "select_across", "language", "state", "confirm", "topics", "stop", "request"], "1")

    def requests(junk):
        for path, shown in forms.items():
            everything = [dict.fromkeys([*shown, *buttons], junk)]
            for typed in everything + [buttons | shown | {name: junk} for name in shown]:
                body = "&".join(f"{name}={value}" for name, value in typed.items())
                yield from ((client, "POST", path, body) for client in clients.values())

    failed = try_all(requests)

    assert failed == []
