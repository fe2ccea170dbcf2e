import importlib

import pytest
from django.core.mail import EmailMultiAlternatives
from django.urls import clear_url_caches, reverse

import project.urls
from project.mail.backends import FileBackend
from tests.documentation import production
from tests.processes import environment, manage

pytestmark = pytest.mark.django_db

INVITE = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nEND:VCALENDAR\r\n"


@pytest.fixture
def folder(settings, tmp_path):
    settings.LOCAL = True
    settings.MAIL_TRANSACTIONAL = f"file://{tmp_path}"
    # The addresses are read once, and pytest-django turns DEBUG off: whichever test comes first decides, unless they are read again.
    importlib.reload(project.urls)
    clear_url_caches()
    return tmp_path


def send(
    folder,
    subject="Your seat",
    html="<html><head></head><body><p style='color:red'>Hello <a href='https://x.example.org'>there</a></p></body></html>",
):
    message = EmailMultiAlternatives(subject, "Hello at https://x.example.org/ there", "desk@example.org", ["ana@example.org"])
    message.attach_alternative(html, "text/html")
    message.attach("invite.ics", INVITE, "text/calendar; method=REQUEST")
    before = set(folder.glob("*.eml"))
    FileBackend(folder).send_messages([message])
    return (set(folder.glob("*.eml")) - before).pop().stem


def test_the_list_shows_the_newest_first(client, folder):
    send(folder, "First")
    send(folder, "Second <b>")

    page = client.get("/demo/letters/").content.decode()

    assert page.index("Second &lt;b&gt;") < page.index("First")
    assert "ana@example.org" in page


def test_an_empty_mailbox_says_how_to_fill_it(client, folder):
    assert "No letter has come yet" in client.get("/demo/letters/").content.decode()


def test_a_letter_shows_its_headers_text_and_invite(client, folder):
    page = client.get(reverse("demo-letter", args=[send(folder)])).content.decode()

    assert "<dt>From</dt><dd>desk@example.org</dd>" in page
    assert '<a href="https://x.example.org/" rel="nofollow">' in page
    assert "METHOD:REQUEST" in page
    assert "invite.ics" in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page


def test_the_html_part_stands_in_a_sandbox_of_its_own(client, folder):
    answer = client.get(reverse("demo-letter-html", args=[send(folder)]))

    rules = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in rules
    assert "sandbox allow-popups" in rules
    assert "script" not in rules
    assert answer.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert b'<base target="_blank">' in answer.content
    assert b"style='color:red'" in answer.content or b'style="color:red"' in answer.content


def test_source_download_and_attachment(client, folder):
    name = send(folder)

    source = client.get(reverse("demo-letter-source", args=[name]))
    saved = client.get(reverse("demo-letter-download", args=[name]))
    invite = client.get(reverse("demo-letter-attachment", args=[name, 0]))

    assert source.content == saved.content == (folder / f"{name}.eml").read_bytes()
    assert source.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert saved.headers["Content-Disposition"] == f'attachment; filename="{name}.eml"'
    assert invite.content.decode().splitlines() == INVITE.splitlines()
    assert invite.headers["Content-Disposition"] == 'attachment; filename="invite.ics"'


def test_what_is_not_there_is_not_found(client, folder):
    name = send(folder)

    assert client.get("/demo/letters/nothing/").status_code == 404
    assert client.get(reverse("demo-letter-attachment", args=[name, 9])).status_code == 404
    assert client.get("/demo/letters/..%2Fsecret/").status_code == 404


@pytest.mark.parametrize(("debug", "route"), [(False, "file:///tmp"), (True, "memory://"), (True, "smtp://localhost")])
def test_only_the_demo_has_it(client, settings, debug, route):
    settings.LOCAL, settings.MAIL_TRANSACTIONAL = debug, route

    assert client.get("/demo/letters/").status_code == 404


def test_the_address_itself_is_absent_in_production(tmp_path):
    code = "from django.urls import NoReverseMatch, reverse\ntry: print(reverse('demo-letters'))\nexcept NoReverseMatch: print('absent')"

    ended = manage("shell", "--no-imports", "-v", "0", "-c", code, env=environment(tmp_path, **production() | {"LECTERN_VAR": str(tmp_path)}))

    assert ended.stdout == "absent\n"
