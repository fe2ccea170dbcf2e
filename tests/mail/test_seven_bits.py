"""Letters in seven bits: the same words come out, every header begins on its first line, and no server has to touch them."""

import re
from email import message_from_bytes, policy

import pytest
from django.core import mail
from django.core.mail import EmailMessage, EmailMultiAlternatives, get_connection, send_mail

from project.mail.backends import FileBackend
from project.mail.letters import Button, Heading, Letter, Paragraph
from project.mail.seven_bits import in_seven_bits

from .relays import without_8bitmime

pytestmark = pytest.mark.django_db

NASTY_SUBJECTS = [
    "Su lugar está reservado para el jueves 3 de diciembre de 2026, a las seis de la tarde, hora del Este",
    "Tome nota del cambio: ahora miércoles, 30 de septiembre",
    "Your seat is reserved for Wednesday, September 30, and for everybody you bring with you to the Bayside Hall",
    "Ñ" * 200,
    "👩🏽‍⚕️" * 30,
    "L" * 200,
    "short then " + "L" * 200,
    "á " * 100,
    "=?utf-8?q?not_encoded?= by anybody",
    "two  blanks, and long enough to be folded somewhere near  the  next  two  blanks",
    "é" + " x" * 90,
    "",
]

NASTY_WORDS = [
    "Línea con acentos: corazón, niño, ¿cómo está?",
    "Emoji 👩🏽‍⚕️ and e\u0301 and محمد",
    "ñ" * 3000,
    "https://practice.example.org/" + "a/b-c_d?e=f&" * 120,
    ".a dot first",
    "From here",
    "= =3D =\n=20",
    "--",
]


def letter(subject="Hola", words=NASTY_WORDS):
    url = "https://practice.example.org/registrations/" + "x" * 300 + "/"
    message = Letter(subject, "Línea 👋", [Heading("¡Hola, José!"), *map(Paragraph, words), Button("Ver su inscripción", url)]).message()
    message.to = ["ana@example.org"]
    return message


def written(message):
    return message.message().as_bytes(linesep="\r\n")


def sent(message):
    """What a server that takes seven bits only has got of it."""
    with without_8bitmime() as (port, taken):
        backend = get_connection("project.mail.backends.SmtpBackend", host="127.0.0.1", port=port)
        assert backend.send_messages([message]) == 1
        backend.close()
    [raw] = taken
    return raw


def read(raw):
    return message_from_bytes(raw, policy=policy.default.clone(raise_on_defect=True))


def head_of(raw):
    return raw.partition(b"\r\n\r\n")[0].decode("ascii")


def test_the_same_words_come_out(practice):
    message = letter()

    mail = read(sent(message))

    assert mail.get_body(["plain"]).get_content().replace("\r\n", "\n") == message.body
    assert mail.get_body(["html"]).get_content().replace("\r\n", "\n") == message.alternatives[0].content


@pytest.mark.parametrize("words", [NASTY_WORDS, ["Corazón"]], ids=["nasty", "short"])
def test_every_part_is_ascii_in_short_lines(practice, words):
    raw = sent(letter(words=words))

    assert raw.isascii()
    assert max(map(len, raw.partition(b"\r\n\r\n")[2].split(b"\r\n"))) <= 76
    assert [part["Content-Transfer-Encoding"] for part in read(raw).walk() if not part.is_multipart()] == ["quoted-printable"] * 2


@pytest.mark.parametrize("subject", NASTY_SUBJECTS)
def test_a_subject_arrives_word_for_word_and_begins_on_its_first_line(practice, subject):
    raw = written(letter(subject, ["Hola"]))

    assert read(raw)["Subject"] == " ".join(subject.split())
    [lines] = re.findall(r"^(Subject:.*(?:\r\n[ \t].*)*)", head_of(raw), re.MULTILINE)
    first, *more = lines.split("\r\n")
    assert first.removeprefix("Subject:").strip() or not subject
    assert all(line.strip() for line in more)
    assert max(map(len, (first, *more))) <= 78


def test_a_subject_of_djangos_own_keeps_its_blanks(practice):
    raw = written(in_seven_bits(EmailMessage(NASTY_SUBJECTS[-3], "Hello", "desk@practice.example.org", ["ana@example.org"])))

    assert read(raw)["Subject"] == NASTY_SUBJECTS[-3]


def test_a_word_too_long_for_its_line_still_begins_on_the_first(practice):
    message = letter()
    message.extra_headers["Message-ID"] = "<" + "1" * 60 + "@practice-with-a-long-name.example.org>"

    raw = written(message)

    [line] = re.findall(r"^Message-ID:.*", head_of(raw), re.MULTILINE)
    assert line.rstrip("\r") == f"Message-ID: {message.extra_headers['Message-ID']}"


def test_the_practices_name_arrives_whatever_it_is(practice):
    practice.name = "Clínica de la Columna Vertebral y la Rehabilitación de la Costa del Golfo de México"
    practice.save()

    raw = written(letter())

    [person] = read(raw)["From"].addresses
    assert person.addr_spec == "seminars@practice.example.org"
    assert max(map(len, head_of(raw).split("\r\n"))) <= 78
    assert "From: \r\n" not in head_of(raw)


def test_a_file_holds_the_same_as_the_wire(practice, tmp_path):
    FileBackend(tmp_path).send_messages([letter()])

    [file] = tmp_path.glob("*.eml")
    assert file.read_bytes().isascii()


def test_djangos_own_mail_travels_so_too(settings):
    settings.EMAIL_BACKEND = "project.mail.backends.TransactionalBackend"

    send_mail(NASTY_SUBJECTS[0], "Restablezca su contraseña", "a@example.org", ["ana@example.org"], html_message="<p>contraseña</p>")

    [taken] = mail.outbox
    raw = written(taken)
    assert raw.isascii()
    assert read(raw)["Subject"] == NASTY_SUBJECTS[0]
    assert "Subject: \r\n" not in head_of(raw)
    assert read(raw).get_body(["plain"]).get_content() == "Restablezca su contraseña"
    assert read(raw).get_body(["html"]).get_content() == "<p>contraseña</p>"


def test_a_message_of_djangos_own_keeps_all_it_holds():
    own = EmailMultiAlternatives(
        "Hi", "Words", "a@example.org", ["b@example.org"], cc=["c@example.org"], bcc=["d@example.org"], headers={"X-Own": "1"}
    )
    own.attach_alternative("<p>Words</p>", "text/html")
    own.attach("note.txt", "año", "text/plain")

    raw = written(in_seven_bits(own))

    read_back = read(raw)
    assert in_seven_bits(own).recipients() == own.recipients()
    assert (read_back["Cc"], read_back["X-Own"]) == ("c@example.org", "1")
    assert [part.get_content_type() for part in read_back.walk()][1:] == ["multipart/alternative", "text/plain", "text/html", "text/plain"]
    assert raw.isascii()
    assert [attachment.get_content() for attachment in read_back.iter_attachments()] == ["año"]
