"""Our own backends: a folder of letters, and the transactional route behind Django's `send_mail`."""

import email
from email import policy

from django.core import mail
from django.core.mail import EmailMessage, send_mail

from project.mail.backends import FileBackend


def test_a_letter_is_a_file_as_a_mail_server_would_receive_it(tmp_path):
    letter = EmailMessage("¡Hola!", "Línea uno\nLínea dos", "a@example.org", ["ana@example.org"])

    assert FileBackend(tmp_path / "mail").send_messages([letter]) == 1

    (file,) = (tmp_path / "mail").iterdir()
    content = file.read_bytes()
    assert file.suffix == ".eml"
    assert content.count(b"\n") == content.count(b"\r\n")
    parsed = email.message_from_bytes(content, policy=policy.default)
    assert (parsed["Subject"], parsed.get_content().split()) == ("¡Hola!", ["Línea", "uno", "Línea", "dos"])


def test_djangos_own_mail_takes_the_transactional_route(settings):
    settings.EMAIL_BACKEND = "project.mail.backends.TransactionalBackend"

    send_mail("Reset your password", "…", "a@example.org", ["ana@example.org"])

    assert [letter.subject for letter in mail.outbox] == ["Reset your password"]
