"""Every kind of letter there is, in both languages, as a mail server takes it that can do no more than seven bits."""

import base64
import html
import re
from email import message_from_bytes, policy

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.contrib.auth.models import User
from django.utils import timezone

from newsletter import campaign_letters
from newsletter.models import Campaign
from project.mail import carriers, kinds, routes
from project.mail.models import Message
from seminars.changes import call_off
from seminars.registration import cancel

from .mail.relays import handed_on_in_seven_bits, without_8bitmime
from .newsletter.conftest import make_campaign, make_launched, make_packet, make_readers, packet, topic
from .newsletter.test_confirming import ask
from .seminars.conftest import make_seminar, register, seminar, venue
from .seminars.test_changes import move

__all__ = ["make_campaign", "make_launched", "make_packet", "make_readers", "make_seminar", "packet", "register", "seminar", "topic", "venue"]

pytestmark = pytest.mark.django_db

LANGUAGES = ["en", "es"]

BODY = """# ¡Noticias! 👋

Dear [[first_name|friend]], see [Tampa](https://example.org/tampa) or [what you get]([[preferences_url]]), or [call](tel:+18135550100).
"""


@pytest.fixture(scope="module")
def kept():
    return []


@pytest.fixture
def letters(request, kept):
    """All letters of the story, raw bytes. It is told once: it takes seconds."""
    if not kept:
        kept += request.getfixturevalue("story")
    return kept


@pytest.fixture
def story(settings, practice, make_seminar, register, packet, make_readers, make_launched, deliver):  # noqa: F811
    """The letters that left while everything happened to somebody, in each language."""
    practice.name = "Clínica Columna & Más"
    practice.save()
    with without_8bitmime() as (port, taken):
        settings.MAIL_TRANSACTIONAL = settings.MAIL_BULK = f"smtp://127.0.0.1:{port}"
        for language in LANGUAGES:
            make_readers(1, language, "José 👋")
            _happen(make_seminar, register, packet, deliver, language)
        campaign = make_launched(*LANGUAGES, body=BODY)
        owner = User.objects.create_superuser("owner", "owner@example.org")
        for language in LANGUAGES:
            campaign_letters.post_test(Campaign.objects.get(pk=campaign.pk), language, owner, at=timezone.now())
        deliver()
        for kept in (routes.connection("transactional"), routes.connection("bulk"), carriers.of("bulk")):
            kept.close()
    told = Message.objects.filter(state=Message.State.SENT)
    assert {(letter.kind, letter.language) for letter in told} == {(kind, language) for kind in kinds._kinds for language in LANGUAGES}
    assert len(taken) == told.count() + len(LANGUAGES)
    return taken


def _happen(make_seminar, register, packet, deliver, language):  # noqa: F811
    room = make_seminar(capacity=1)
    online = make_seminar(capacity=1, format="online", venue=None, zone="America/Chicago")
    people = [register(room, f"{name}-{language}", last_name="Peña", language=language) for name in ("Ana", "Ben", "Cleo", "Dora")]
    remote = register(online, f"Eva-{language}", language=language)
    register(room, f"Ana-{language}", last_name="Peña", language=language)
    spare = make_seminar(capacity=9)
    for name in ("Hugo", "Iris", "Jon"):
        register(spare, f"{name}-{language}", email=f"family-{language}@example.org", language=language)
    ask(f"fay-{language}@example.org", packet=packet, language=language)
    ask(f"gil-{language}@example.org", newsletter=True, language=language)
    deliver()
    move(room)
    move(online)
    deliver()
    for person in (people[0], people[-1], remote):
        cancel(person)
    deliver()
    call_off(room)
    deliver()


def read(raw):
    return message_from_bytes(raw, policy=policy.default.clone(raise_on_defect=True))


def head_of(raw):
    return raw.partition(b"\r\n\r\n")[0].decode("ascii")


def bodies(letter):
    return [letter.get_body([kind]).get_content() for kind in ("plain", "html")]


def test_every_line_is_ascii_and_short(letters):
    for raw in letters:
        parts = [part for part in read(raw).walk() if not part.is_multipart()]
        encodings = {part.get_content_type(): part["Content-Transfer-Encoding"] for part in parts}

        assert raw.isascii()
        assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 78
        assert encodings.pop("text/calendar", "base64") == encodings.pop("application/ics", "base64") == "base64"
        assert encodings == {"text/plain": "quoted-printable", "text/html": "quoted-printable"}


def test_a_signature_outlasts_a_server_that_takes_seven_bits_only(letters):
    key = rsa.generate_private_key(65537, 2048)
    public = key.public_key().public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption())
    record = b"v=DKIM1; k=rsa; p=" + base64.b64encode(public)

    for raw in letters:
        signed = dkim.sign(raw, b"post", b"practice.example.org", private) + raw

        assert dkim.verify(handed_on_in_seven_bits(signed), dnsfunc=lambda name, timeout=5: record), read(raw)["Subject"]


def test_the_words_are_whole(letters):
    for raw in letters:
        for body in bodies(read(raw)):
            words = html.unescape(body)

            assert "Clínica Columna & Más" in words
            assert not re.search(r"Ã|�|=C3|&amp;amp;", words)


def test_no_header_begins_on_its_second_line(letters):
    for raw in letters:
        head = head_of(raw)

        assert re.findall(r"^\S+:[ \t]*\r$", head, re.MULTILINE) == []
        assert [line for line in head.split("\r\n") if len(line) > 78 and line.count(" ") > 1] == []
        assert read(raw)["Subject"] == message_from_bytes(raw, policy=policy.default)["Subject"].strip()


def test_both_parts_name_the_same_links(letters):
    for raw in letters:
        text, markup = bodies(read(raw))

        in_markup = sorted(html.unescape(link) for link in re.findall(r'<a [^>]*href="([^"]+)"', markup))
        assert sorted(re.findall(r"(?:https?://|tel:)[^\s<>()]+", text)) == in_markup
        assert "tel:+18135550100" in in_markup


def test_nothing_is_written_in_tiny_letters(letters):
    for raw in letters:
        _text, markup = bodies(read(raw))

        sizes = re.findall(r"font-size:\s*([^;\"]+)", markup)
        assert sizes
        assert [size for size in sizes if not size.endswith("px") or int(size.removesuffix("px")) < 12] == []


def test_outlook_finds_a_sheet_of_600_pixels(letters):
    for raw in letters:
        _text, markup = bodies(read(raw))

        ghost = r"<!--\[if mso\]><table [^>]*width=\"600\"[^>]*><tr><td><!\[endif\]-->\s*<table [^>]*max-width:\s*600px.*</table>\s*"
        assert re.search(ghost + r"<!--\[if mso\]></td></tr></table><!\[endif\]-->", markup, re.DOTALL)
