"""How much anybody may hand in, and what every answer says beside what it holds."""

import pytest

pytestmark = pytest.mark.django_db

MEGABYTE = 1_000_000


class Body:
    """A request's body that tells when it is asked for."""

    def read(self, *_size):
        raise AssertionError("It was read.")

    readline = read


def post(client, path, size, **meta):
    """The answer to a form with a file of that size, of which nothing has been sent yet."""
    told = {"CONTENT_LENGTH": str(size), "CONTENT_TYPE": "multipart/form-data; boundary=x", "wsgi.input": Body()}
    return client.generic("POST", path, **told | meta)


@pytest.mark.parametrize("path", ["/newsletter/subscribe/", "/admin/login/", "/admin/newsletter/infopacket/add/", "/nowhere/"])
def test_a_stranger_uploads_nothing_anywhere(client, practice, path):
    answer = post(client, path, 3 * MEGABYTE)

    assert answer.status_code == 413
    assert "We can’t take that much at once." in answer.content.decode()


def test_a_stranger_at_a_providers_address_is_sent_away_unread(client, practice, settings):
    settings.WEBHOOK_SECRET, settings.WEBHOOK_PROVIDERS = "hook:" + "x" * 30, ["postmark"]

    assert post(client, "/webhooks/postmark/", 20 * MEGABYTE).status_code == 400
    assert post(client, "/webhooks/postmark/", 26 * MEGABYTE).status_code == 413


def test_the_front_desk_uploads_packets_and_no_films(admin_client, practice):
    assert post(admin_client, "/admin/newsletter/infopacket/add/", 26 * MEGABYTE).status_code == 413
    with pytest.raises(AssertionError, match="It was read"):
        post(admin_client, "/admin/newsletter/infopacket/add/", 21 * MEGABYTE)


def test_what_fits_in_memory_reaches_the_page(client, practice):
    with pytest.raises(AssertionError, match="It was read"):
        post(client, "/newsletter/subscribe/", 2 * MEGABYTE)


def test_a_body_of_untold_length_is_refused(client, practice):
    assert post(client, "/newsletter/subscribe/", "", HTTP_TRANSFER_ENCODING="chunked").status_code == 411


@pytest.mark.parametrize("length", ["many", "-5", ""])
def test_a_length_that_is_none_is_taken_for_nothing(client, practice, length):
    assert post(client, "/webhooks/nowhere/", length).status_code == 404


@pytest.mark.parametrize("path", ["/", "/es/", "/nowhere/", "/admin/login/", "/health/live"])
def test_no_page_may_use_what_nobody_here_needs(client, practice, path):
    assert "geolocation=()" in client.get(path).headers["Permissions-Policy"]


def test_the_front_desk_is_in_no_search_engine(client, practice):
    for path in ("/admin/", "/admin/login/", "/es/admin/login/"):
        assert client.get(path).headers["X-Robots-Tag"] == "noindex"
    for path in ("/", "/es/", "/seminars/"):
        assert "X-Robots-Tag" not in client.get(path).headers
