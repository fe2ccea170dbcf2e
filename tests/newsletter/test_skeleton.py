"""A campaign's letters from prepared bytes: each reads as Django's would, and can go to a server as it is."""

import base64
import re
import time
import uuid
from datetime import timedelta
from email import policy
from email.header import decode_header, make_header
from email.parser import BytesParser
from email.utils import parseaddr

import pytest
from django.core import mail, signing
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.crypto import salted_hmac
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter import campaign_letters, campaigns, content, links, quoted, sending, skeleton, skeleton_check, writing
from newsletter.models import Campaign, CampaignText
from newsletter.models.campaigns import public_id
from newsletter.skeleton import SkeletonDiffers
from newsletter.windows import Letter, Reader
from project.mail import headers, tokens
from project.mail.addresses import address_hash, parse_address
from project.practice.links import absolute
from project.practice.models import Practice
from tests.mail import servers

pytestmark = pytest.mark.usefixtures("practice")

BODY = """# News

Dear [[first_name|friend]] [[last_name|]],

[[first_name|.]] at the beginning, [[first_name|x]][[last_name|y]] side by side. Call [[practice_name]] at [[practice_phone|the desk]].

[Your page]([[preferences_url]]), or [[unsubscribe_url]] – año, “quotes”, 3 = 3.

.dots at the beginning
"""


@pytest.fixture
def write(topic):
    """`write("Dear [[first_name|friend]]")` → a skeleton's parts, ready to be made or checked."""

    def written(body=BODY, subject="News for [[first_name|you]]", language="en"):
        text = CampaignText(language=language, subject=subject, preheader="[[first_name|Friend]], look", body=body)
        practice = Practice.current()
        return content.compiled(text, practice), practice, topic

    return written


def letter_to(first_name="Ana", last_name="Gil", address="ana@example.org"):
    return Letter(7, 0, Reader(7, uuid.UUID(int=7), address, address_hash(address), first_name, last_name))


def read(wire):
    return BytesParser(policy=policy.default).parsebytes(wire)


def raw_header(wire, name):
    return re.search(rf"^{name}: (.*(?:\r\n[ \t].*)*)\r\n".encode(), wire, re.MULTILINE)[1].decode()


def text_of(letter):
    return letter.get_body(["plain"]).get_content().replace("\r\n", "\n")


def html_of(letter):
    return letter.get_body(["html"]).get_content().replace("\r\n", "\n")


# -- A letter ------------------------------------------------------------------------------------------------------------------------------


def test_a_letter_holds_the_readers_own_words_and_links(write, settings):
    wire = skeleton.of(*write()).wire(letter_to("Ana", "Gil"))

    letter = read(wire)
    [unsubscribe] = re.findall(r"<(http://testserver/newsletter/unsubscribe/\S+/)>", letter["List-Unsubscribe"])
    assert letter["Subject"] == "News for Ana"
    assert letter["To"] == "Ana Gil <ana@example.org>"
    assert letter["Message-ID"] == f"<{public_id(7)}@{settings.DEFAULT_FROM_EMAIL.rpartition('@')[2]}>"
    assert letter["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert tokens.read("unsubscribe", unsubscribe.rstrip("/").rpartition("/")[2]) == uuid.UUID(int=7).hex
    for part in (text_of(letter), html_of(letter)):
        assert "Dear Ana Gil," in part
        assert "Ana at the beginning, AnaGil side by side." in part
        assert unsubscribe in part


def test_a_reader_without_a_name_is_called_by_what_the_text_says(write):
    letter = read(skeleton.of(*write()).wire(letter_to("", "")))

    assert letter["Subject"] == "News for you"
    assert letter["To"] == "ana@example.org"
    assert "Dear friend ," in text_of(letter)
    assert ". at the beginning, xy side by side." in text_of(letter)


def test_its_letters_are_those_of_djangos_api(write):
    compiled, practice, topic = write(language="es", subject="¡Noticias, [[first_name|tú]]!")
    made = skeleton.make(compiled, practice, topic)

    assert [name for name in skeleton_check._NASTY if skeleton_check.difference(made, letter_to(name), compiled, practice, topic)] == []
    assert [name for name in skeleton_check._NASTY if skeleton_check.difference(made, letter_to("Ana", name), compiled, practice, topic)] == []


def test_no_line_is_too_long_or_begins_with_a_dot(write):
    for name in skeleton_check._NASTY:
        lines = skeleton.of(*write()).wire(letter_to(name)).split(b"\r\n")

        assert lines.pop() == b""
        assert [line for line in lines if line.startswith(b".") or b"\n" in line or b"\r" in line] == []
        assert [line for line in lines if len(line) > 78 and not line.startswith((b"List-Unsubscribe: ", b"From: "))] == []
        assert [line for line in lines[lines.index(b"") :] if len(line) > 76] == []


@pytest.mark.parametrize(
    ("first", "last", "written"),
    [
        ("Ana", "Gil", "Ana Gil <ana@example.org>"),
        ("", "Gil", "Gil <ana@example.org>"),
        ("Gil,", "Ana", '"Gil, Ana" <ana@example.org>'),
        ("Dr. Ana", "", '"Dr. Ana" <ana@example.org>'),
        ('a"b', "c\\d", '"a\\"b c\\\\d" <ana@example.org>'),
        ("=?utf-8?q?x?=", "", "=?utf-8?b?PT91dGYtOD9xP3g/PQ==?= <ana@example.org>"),
        ("José", "", "=?utf-8?b?Sm9zw6k=?= <ana@example.org>"),
        ("A\r\nBcc: x", "\x00", '"A Bcc: x" <ana@example.org>'),
        ("N" * 30, "M" * 29, f"{'N' * 30} {'M' * 29}\r\n <ana@example.org>"),
        ("N" * 39, "M" * 29, f"=?utf-8?b?{'Tk5O' * 13}?=\r\n =?utf-8?b?IE1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1NTU1N?=\r\n <ana@example.org>"),
    ],
)
def test_how_a_name_is_written_in_to(write, first, last, written):
    assert raw_header(skeleton.of(*write()).wire(letter_to(first, last)), "To") == written


@pytest.mark.parametrize("name", ["ñ" * 200, "é" + "abc " * 40, "👩🏽‍⚕️" * 12, "a" * 200])
def test_a_long_name_is_split_between_characters_and_nothing_is_put_in_between(write, name):
    raw = raw_header(skeleton.of(*write()).wire(letter_to(name, "")), "To")

    words = re.findall(r"=\?utf-8\?b\?\S+\?=", raw)
    assert len(words) > 1
    assert max(map(len, words)) <= 75
    for word in words:
        assert str(make_header(decode_header(word)))  # whole characters
    assert str(make_header(decode_header(parseaddr(raw.replace("\r\n", ""))[0]))) == " ".join(name.replace("\u200d", "").split())


@pytest.mark.parametrize(
    "address", ["ana@example.org\r\nBcc: x@example.org", "ana", "a b@example.org", "ana@example.org>", "añа@example.org", ""]
)
def test_an_address_that_could_break_the_head_is_refused(write, address):
    with pytest.raises(ValueError, match="address"):
        skeleton.of(*write()).wire(letter_to(address=address))


@pytest.mark.parametrize(
    ("subject", "first", "shown"),
    [
        ("Plain", "Ana", "Plain"),
        ("For [[first_name|you]]", "José", "For José"),
        ("[[first_name|You]]: =?utf-8?q?x?=", "", "You: =?utf-8?q?x?="),
        ("Para [[first_name|ti]] mañana", "Ana", "Para Ana mañana"),
        ("A very long subject " * 5, "Ana", ("A very long subject " * 5).strip()),
        ("[[last_name|]] [[first_name|x]] from [[practice_name]]", "Ana", "Gil Ana from Sample Spine Practice"),
        ("[[first_name|x]] " * 6, "Ñandú" * 12, " ".join(["Ñandú" * 12] * 6)),
    ],
)
def test_how_a_subject_reads(write, subject, first, shown):
    compiled, practice, topic = write(subject=subject)
    practice.name = "Sample Spine Practice"
    wire = skeleton.make(compiled, practice, topic).wire(letter_to(first))

    assert read(wire)["Subject"] == shown
    assert max(map(len, f"Subject: {raw_header(wire, 'Subject')}".split("\r\n"))) <= 78


def test_the_date_is_that_of_each_letter(write, monkeypatch):
    made = skeleton.of(*write())
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.9)
    first = read(made.wire(letter_to()))["Date"].datetime
    monkeypatch.setattr("time.time", lambda: 1_800_000_001.1)
    second = read(made.wire(letter_to()))["Date"].datetime

    assert second - first == timedelta(seconds=1)


def test_the_boundary_is_new_each_time_and_not_in_any_body(write):
    boundaries = [read(skeleton.make(*write()).wire(letter_to()))["Content-Type"].params["boundary"] for _time in range(2)]

    assert boundaries[0] != boundaries[1]
    assert all(re.fullmatch(r"=_[0-9a-f]{32}", boundary) for boundary in boundaries)


_names = st.one_of(st.text(max_size=80), st.sampled_from(skeleton_check._NASTY), st.text(alphabet=" .=?-_\"\\,<>&{'éñ", max_size=60))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(first=_names, last=_names, local=st.from_regex(r"[a-z0-9!#$%&'*+/=?^_`{|}~.-]{1,40}", fullmatch=True))
@example(first="", last="", local="a=?b")
def test_whoever_we_may_write_to_gets_djangos_letter(write, first, last, local):
    try:
        address = parse_address(f"{local}@Bücher.example.org")
    except ValidationError:
        address = "ana@example.org"
    compiled, practice, topic = write()
    made = skeleton.of(compiled, practice, topic)

    assert skeleton_check.difference(made, letter_to(first, last, address), compiled, practice, topic) == ""


@settings(max_examples=200, deadline=None)
@given(texts=st.lists(st.one_of(st.text(max_size=120), st.text(alphabet=".= \t\r\nF~éa", max_size=200)), min_size=1, max_size=6))
def test_pieces_side_by_side_decode_to_their_texts(texts):
    encoded = b"".join([*map(quoted.piece, texts[:-1]), quoted.last_piece(texts[-1])])

    decoded = BytesParser(policy=policy.default).parsebytes(b"Content-Transfer-Encoding: quoted-printable\r\n\r\n" + encoded)
    lines = encoded.split(b"\r\n")
    expected = "".join(re.sub(r"\r\n|\r|\n", "\r\n", text) for text in texts)
    assert decoded.get_payload(decode=True) == expected.encode()
    assert [line for line in lines if len(line) > 76 or line.startswith((b".", b"From ")) or line.endswith((b" ", b"\t"))] == []


_lines = st.one_of(st.text(max_size=100), st.text(alphabet=" .=?-_\"\\\\,<>&{'éñ[]|*#\r\n\t\x0b\x0c\x85\u2028", max_size=100))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(subject=_lines, body=st.lists(_lines, max_size=4).map("\n".join), last=_names)
@example(subject="=?utf-8?q?x?= [[first_name|=?]]", body="[[first_name|a\rb]]", last="")
@example(subject="[[first_name| ]]", body="a\r\n.\r\n. [[last_name|.]]\r\n\r\n", last=".")
def test_no_words_of_a_coordinator_are_held_back_for_nothing(write, subject, body, last):
    known = re.compile(r"\[\[ *(first_name|last_name) *[|\]]")
    body, subject = ("" if "[[" in known.sub("", words) else words for words in (body, subject))
    compiled, practice, topic = write(body=body, subject=subject)

    made = skeleton.make(compiled, practice, topic)

    assert skeleton_check.difference(made, letter_to("", last), compiled, practice, topic) == ""


# -- The check -----------------------------------------------------------------------------------------------------------------------------


def not_fenced(monkeypatch):
    monkeypatch.setattr(quoted, "piece", lambda text: quoted.last_piece(text))


def dots_left_alone(monkeypatch):
    piece = quoted.piece
    monkeypatch.setattr(quoted, "piece", lambda text: text.encode() + b"=\r\n" if text.startswith(".") else piece(text))


def names_not_escaped(monkeypatch):
    named = skeleton._name
    monkeypatch.setattr(skeleton, "_name", lambda name, default, escaped: named(name, default, str))


def lookalikes_left_alone(monkeypatch):
    monkeypatch.setattr(headers, "_is_plain", lambda words: words.isascii())


def words_apart(monkeypatch):
    apart = headers.encoded_words
    monkeypatch.setattr(headers, "encoded_words", lambda words: " x ".join(apart(words)).split())


def cut_inside_characters(monkeypatch):
    def cut(words):
        data = words.encode()
        return [f"=?utf-8?b?{base64.b64encode(data[at : at + 39]).decode()}?=" for at in range(0, len(data), 39)]

    monkeypatch.setattr(headers, "encoded_words", cut)


def quotes_forgotten(monkeypatch):
    monkeypatch.setattr(headers, "_ATOMS", lambda name: True)


def a_header_lost(monkeypatch):
    frame = skeleton._frame

    def less(*about):
        raw, mark = frame(*about)
        return raw.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""), mark

    monkeypatch.setattr(skeleton, "_frame", less)


@pytest.mark.parametrize(
    ("broken", "part"),
    [
        (not_fenced, "form"),
        (dots_left_alone, "form"),
        (names_not_escaped, "html"),
        (lookalikes_left_alone, "subject"),
        (words_apart, "to"),
        (cut_inside_characters, "form"),
        (quotes_forgotten, "head"),
        (a_header_lost, "head"),
    ],
)
def test_a_defect_in_the_encoding_is_noticed(write, monkeypatch, broken, part):
    compiled, practice, topic = write()
    broken(monkeypatch)
    monkeypatch.setattr(skeleton, "_written", skeleton._written.__wrapped__)

    with pytest.raises(SkeletonDiffers) as differs:
        skeleton_check.check(skeleton.make(compiled, practice, topic), compiled, practice, topic, thorough=False)

    assert differs.value.part == part


def test_a_skeleton_is_made_once_for_the_same_words_and_anew_for_others(write, monkeypatch):
    compiled, practice, topic = write()
    first = skeleton.of(compiled, practice, topic)

    assert skeleton.of(*write()) is first
    assert skeleton.of(*write(subject="Other")) is not first
    practice.reply_mailbox = "desk@example.org"
    assert read(skeleton.of(compiled, practice, topic).wire(letter_to()))["Reply-To"] == "desk@example.org"


@pytest.fixture
def differing(monkeypatch):
    """Every letter turns out differently."""
    skeleton._checked.cache_clear()
    monkeypatch.setattr(skeleton_check, "difference", lambda *letter: "html")
    yield
    skeleton._checked.cache_clear()


SENTENCE = (
    "English: It was not sent because its formatted text would not reach readers as you wrote it. Please change that part a little. "
    "If that doesn’t help, tell the person who looks after this site."
)


def test_a_campaign_that_would_read_differently_is_not_scheduled(make_campaign, make_readers, differing):
    make_readers(1)

    with pytest.raises(campaigns.CampaignRefused) as refusal:
        campaigns.schedule(make_campaign("en"), timezone.now())

    assert str(refusal.value) == SENTENCE


def test_one_that_was_scheduled_is_not_launched(make_campaign, make_readers, request):
    make_readers(1)
    campaign, now = make_campaign("en"), timezone.now()
    campaigns.schedule(campaign, now)
    request.getfixturevalue("differing")

    assert campaigns.launch(campaign, now) is False
    campaign.refresh_from_db()
    assert (campaign.status, campaign.stopped_because) == (Campaign.Status.DRAFT, SENTENCE)
    assert not campaign.deliveries.exists()


def test_one_whose_letters_come_out_differently_in_the_worker_is_paused(make_launched, make_readers, request):
    make_readers(1)
    campaign = make_launched("en")
    writing._kept.cache_clear()
    request.getfixturevalue("differing")

    sending.drain(time.monotonic() + 5)

    campaign.refresh_from_db()
    assert (campaign.status, campaign.stopped_because) == (Campaign.Status.PAUSED, SENTENCE.removeprefix("English: "))
    assert not mail.outbox


def test_a_server_gets_the_bytes_as_they_were_made(make_launched, make_readers, settings):
    [first, second] = make_readers(1, first_name=".José") + make_readers(1, first_name="Gil, “Ana”")
    with servers.smtp() as (port, taken):
        settings.MAIL_BULK = f"smtp://127.0.0.1:{port}"
        campaign = make_launched("en", body=".a line with a dot\n\nDear [[first_name|friend]],\n")
        sending.drain(time.monotonic() + 10)

    letters = {read(wire)["To"].addresses[0].addr_spec: wire for wire in taken}
    assert set(campaign.deliveries.values_list("state", flat=True)) == {"sent"}
    assert sorted(letters) == sorted([first.address, second.address])
    assert all(skeleton_check.may_travel(wire) for wire in taken)
    assert "\nDear .José,\n" in text_of(read(letters[first.address]))
    assert "\nDear Gil, “Ana”,\n" in text_of(read(letters[second.address]))
    assert text_of(read(letters[first.address])).startswith(".a line with a dot\n")


# -- The slow way, and cheap links -----------------------------------------------------------------------------------------------------------


def test_djangos_own_letter_does_not_let_a_name_or_subject_pass_for_an_encoded_word(write):
    compiled, practice, topic = write()
    message = campaign_letters.message(compiled, letter_to("=?utf-8?q?x?=", "").reader, practice, topic, letter="d1-0")

    letter = read(message.message().as_bytes())
    assert letter["Subject"] == "News for =?utf-8?q?x?="
    assert letter["To"].addresses[0].display_name == "=?utf-8?q?x?="
    assert message.subject == "News for =?utf-8?q?x?="


def test_a_long_name_of_the_practice_keeps_lines_short(write):
    compiled, practice, topic = write()
    practice.name = "Consultorio Médico de la Columna Vertebral y Rehabilitación de Tampa y Alrededores"
    wire = skeleton.make(compiled, practice, topic).wire(letter_to())

    assert max(map(len, f"From: {raw_header(wire, 'From')}".split("\r\n"))) <= 78
    assert str(make_header(decode_header(parseaddr(raw_header(wire, "From").replace("\r\n", ""))[0]))) == practice.name
    assert skeleton_check.difference(skeleton.make(compiled, practice, topic), letter_to(), compiled, practice, topic) == ""


def test_a_route_is_given_addresses_alone(write):
    compiled, practice, topic = write()
    message = campaign_letters.message(compiled, letter_to("José, el “Pepe”", 'a"b').reader, practice, topic, letter="d1-0")

    assert message.to == ['"José, el “Pepe” a\\"b" <ana@example.org>']
    assert message.recipients() == ["ana@example.org"]


@pytest.mark.parametrize("value", [uuid.UUID(int=7).hex, "é\"x'", 12])
def test_a_token_is_what_djangos_signing_makes(monkeypatch, value):
    monkeypatch.setattr("time.time", lambda: 1_800_000_000.5)

    assert tokens.make("unsubscribe", value) == signing.dumps(value, salt="lectern.unsubscribe", compress=False)
    assert tokens.read("unsubscribe", tokens.make("unsubscribe", value), max_age=timedelta(seconds=1)) == value


def test_a_token_follows_the_secret_key(settings):
    before = tokens.make("unsubscribe", "x")
    settings.SECRET_KEY = "another"

    assert tokens.read("unsubscribe", before) is None
    assert tokens.read("unsubscribe", tokens.make("unsubscribe", "x")) == "x"


def test_a_deliverys_name_is_what_salted_hmac_makes(settings):
    for settings.ADDRESS_KEY in ("one", "two"):
        proof = salted_hmac("lectern.delivery", "7", secret=settings.ADDRESS_KEY, algorithm="sha256").hexdigest()[:20]

        assert public_id(7) == f"d7-{proof}"


def test_links_are_those_of_reverse(settings):
    reader = letter_to().reader
    for settings.SITE_URL in ("http://testserver", "https://practice.example.org"):
        for language in ("en", "es"):
            for url, name, purpose in (
                (links.unsubscribe_url(reader, language), "newsletter-unsubscribe", "unsubscribe"),
                (links.preferences_url(reader, language), "newsletter-preferences", "preferences"),
            ):
                token = url.rstrip("/").rpartition("/")[2]
                assert url == absolute(name, token, language=language)
                assert tokens.read(purpose, token) == reader.public_id.hex
