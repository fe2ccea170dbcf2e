"""The web servers that docs/operations.md recommends, with the very text it gives, against those who would stop the site."""

from random import randrange

import pytest

from tests import documentation

from .attackers import MEGABYTE, send_file, slow_bodies, slowest
from .conftest import PASSWORD

pytestmark = pytest.mark.once

CADDY, NGINX = "/etc/caddy/Caddyfile", "/etc/nginx/sites-available/lectern"

WEB_SERVERS = [pytest.param("caddy", marks=pytest.mark.caddy), pytest.param("nginx", marks=pytest.mark.nginx)]

#: A page takes far less than a second; other work on the same machine may make it late.
SOON = 3


@pytest.fixture(params=WEB_SERVERS)
def documented(request, site):
    """The site behind the documented web server."""
    place = {"caddy": CADDY, "nginx": NGINX}[request.param]
    request.getfixturevalue(request.param)(documentation.example(place))
    return site


def test_pages_go_on_answering_under_slow_bodies(documented):
    with slow_bodies(documented.port, 40):
        assert slowest(documented.get) < SOON


@pytest.mark.caddy
def test_without_its_lines_about_bodies_the_site_would_stand_still(site, caddy):
    caddy("seminars.example.org {\n    reverse_proxy 127.0.0.1:8000\n}\n")

    with slow_bodies(site.port, 40), pytest.raises(TimeoutError):
        slowest(lambda: site.get(timeout=SOON))


@pytest.mark.parametrize("chunked", [False, True], ids=["told length", "chunked"])
@pytest.mark.parametrize("path", ["/newsletter/subscribe/", "/admin/login/"])
def test_a_file_without_end_is_cut_off_and_fills_no_disk(documented, path, chunked):
    status, sent = send_file(documented.port, path, 400, chunked=chunked)

    assert status in {411, 413, 502, None}, "told so, or hung up on"
    assert sent < 60 * MEGABYTE
    assert documented.spooled() < MEGABYTE


def test_gunicorn_itself_reads_no_file_of_a_strangers(site):
    status, _sent = send_file(site.inside, "/newsletter/subscribe/", 400, tls=False)

    assert status in {413, None}
    assert site.spooled() < MEGABYTE


def test_what_a_public_form_may_send_passes(documented):
    status, _sent = send_file(documented.port, "/newsletter/subscribe/", 1)

    assert status == 403, "it reached Django, which misses the form's token"


@pytest.mark.nginx
def test_nginx_counts_a_body_of_untold_length(site, nginx):
    nginx(documentation.example(NGINX))

    status, _sent = send_file(site.port, "/newsletter/subscribe/", 1, chunked=True)

    assert status == 403


@pytest.mark.caddy
def test_caddy_hands_a_body_of_untold_length_on_and_it_is_refused(site, caddy):
    caddy(documentation.example(CADDY))

    status, _sent = send_file(site.port, "/newsletter/subscribe/", 1, chunked=True)

    assert status == 411


def test_the_site_is_told_where_a_visitor_really_is(documented):
    """Whoever guesses passwords is shut out, whatever he says of himself; who sits elsewhere signs in, on a page that came by https."""
    guesser, desk = f"127.0.0.{randrange(2, 120)}", f"127.0.0.{randrange(120, 250)}"

    answers = [documented.sign_in("wrong", source=guesser, claims=f"203.0.113.{number}") for number in range(9)]

    assert (answers[0], answers[8]) == (200, 429)
    assert documented.sign_in(PASSWORD, source=guesser, claims=desk) == 429
    assert documented.sign_in(PASSWORD, source=desk) == 302
