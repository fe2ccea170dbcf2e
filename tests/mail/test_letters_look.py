"""Letters as they arrive: the same words in both parts, nothing a person wrote taken for markup, and parts that programs understand."""

import html
import re
from email import message_from_bytes, policy

import pytest
from django.utils import translation

from project.mail.letters import Button, Calendar, Facts, Heading, Letter, Links, Paragraph, Small

pytestmark = pytest.mark.django_db

INVITE = "BEGIN:VCALENDAR\r\nMETHOD:REQUEST\r\nSUMMARY:Charla — espalda\r\nEND:VCALENDAR\r\n".encode()


@pytest.fixture
def letter(practice):
    return Letter(
        subject="Your seat is reserved",
        preheader="Thursday at 6",
        blocks=[
            Heading("Your seat is reserved"),
            Paragraph("Dear Ana,\nwe look forward to it."),
            Facts([("When", "Thursday, December 3, 2026, at 6:00 p.m. Eastern Time"), ("Where", "Harbor Library\n200 Sample Road\nTampa")]),
            Button("See your registration", "https://practice.example.org/registrations/abc/?a=1&b=2"),
            Links([("Google Calendar", "https://calendar.example.org/?x=1&y=2"), ("Outlook", "https://outlook.example.org/")]),
            Small("You get this letter because you registered."),
        ],
    )


def parse(message):
    """As a mail program would, by Python's strict policy: a defect raises."""
    message.to = ["ana@example.org"]
    return message_from_bytes(message.message().as_bytes(), policy=policy.default.clone(raise_on_defect=True))


def words_of(markup):
    """What a reader of the HTML sees, without the hidden preheader."""
    body = re.sub(r"<div [^>]*display:none.*?</div>", " ", markup[markup.index("<body") :], flags=re.DOTALL)
    return html.unescape(re.sub(r"<[^>]+>", " ", body)).replace("\xa0", " ").split()


def test_both_parts_say_the_same_words_in_the_same_order(letter):
    message = letter.message()

    plain = re.sub(r"https://\S+|<tel:\S+>", " ", message.body)
    plain = plain.replace("\n--\n", "\n").split()
    assert [word.rstrip(":") for word in plain] == [word.rstrip(":") for word in words_of(message.alternatives[0].content)]


def test_the_text_is_well_set(letter):
    body = letter.message().body

    assert body == (
        "Gulf Coast Spine\n\n"
        "Your seat is reserved\n\n"
        "Dear Ana,\nwe look forward to it.\n\n"
        "When: Thursday, December 3, 2026, at 6:00 p.m. Eastern Time\n"
        "Where: Harbor Library\n  200 Sample Road\n  Tampa\n\n"
        "See your registration:\nhttps://practice.example.org/registrations/abc/?a=1&b=2\n\n"
        "Google Calendar: https://calendar.example.org/?x=1&y=2\nOutlook: https://outlook.example.org/\n\n"
        "You get this letter because you registered.\n\n"
        "--\nGulf Coast Spine\n100 Sample Street, Tampa, FL 33607\n(813) 555-0100 <tel:+18135550100>\n"
    )


def test_what_people_wrote_is_never_markup(practice):
    name = "<b>Ana</b> & “Co”"
    blocks = [Heading(name), Paragraph(name), Facts([(name, name)]), Button(name, "https://practice.example.org/?a=1&b=2"), Small(name)]
    blocks.append(Links([(name, "https://practice.example.org/")]))
    practice.name = name
    practice.save()

    message = Letter(name, name, blocks).message()

    markup = message.alternatives[0].content
    assert "<b>Ana" not in markup
    assert "&lt;b&gt;Ana&lt;/b&gt; &amp; “Co”" in markup
    assert 'href="https://practice.example.org/?a=1&amp;b=2"' in markup
    assert "<b>Ana</b> & “Co”" in message.body
    assert "&amp;" not in message.body


def test_the_markup_asks_nobody_for_anything(letter):
    markup = letter.message().alternatives[0].content

    assert not re.search(r"<(img|script|link|style|iframe|form)\b", markup)
    assert "url(" not in markup
    assert "@import" not in markup
    assert len(markup.encode()) < 20_000  # far below the 102 KB at which Gmail cuts a letter off


def test_the_whole_button_can_be_pressed_and_outlook_pads_its_cell(letter):
    markup = letter.message().alternatives[0].content

    [(cell, link)] = re.findall(r'<td style="([^"]*)"><a href="[^"]*" style="([^"]*)">See your registration</a></td>', markup)
    assert "mso-padding-alt:13px 26px" in cell
    assert "padding:13px 26px; mso-padding-alt:0" in link
    assert "display:inline-block" in link


def test_a_telephone_number_is_never_broken(practice):
    markup = Letter("", "", [Small("Questions? Call us at (813) 555-0100.")]).message().alternatives[0].content

    assert '<span style="white-space:nowrap;">(813) 555-0100</span>.' in markup
    assert re.search(r'<a href="tel:\+18135550100" style="[^"]*white-space:nowrap;[^"]*">\(813\) 555-0100</a>', markup)


def test_the_preheader_is_hidden_from_readers_and_outlook(letter):
    markup = letter.message().alternatives[0].content

    [style] = re.findall(r'<div style="([^"]*)">Thursday at 6</div>', markup)
    assert {"display:none", "mso-hide:all", "max-height:0", "overflow:hidden"} <= {rule.strip() for rule in style.split(";")}
    assert "font-size" not in style


def test_every_layout_table_says_that_it_is_none(letter):
    tables = re.findall(r"<table[^>]*>", letter.message().alternatives[0].content)

    assert tables
    assert all('role="presentation"' in table for table in tables)


def test_a_letter_names_its_language(practice):
    with translation.override("es"):
        markup = Letter("Su lugar", "", [Paragraph("Hola")]).message().alternatives[0].content

    assert '<html lang="es"' in markup


def test_an_invite_travels_as_the_last_alternative_and_as_a_file(letter):
    mail = parse(letter.message(calendar=Calendar("REQUEST", INVITE)))

    alternative, attachment = mail.iter_parts()
    assert mail.get_content_type() == "multipart/mixed"
    assert [part.get_content_type() for part in alternative.iter_parts()] == ["text/plain", "text/html", "text/calendar"]
    invite = list(alternative.iter_parts())[-1]
    assert dict(invite["Content-Type"].params) == {"charset": "utf-8", "method": "REQUEST"}
    assert [invite["Content-Transfer-Encoding"], attachment["Content-Transfer-Encoding"]] == ["base64", "base64"]
    assert (attachment.get_content_type(), attachment.get_filename()) == ("application/ics", "invite.ics")
    assert invite.get_payload(decode=True) == attachment.get_payload(decode=True) == INVITE


def test_a_letter_without_an_invite_has_two_parts(letter):
    mail = parse(letter.message())

    assert [part.get_content_type() for part in mail.iter_parts()] == ["text/plain", "text/html"]


def test_a_line_end_in_a_subject_is_a_space(practice):
    mail = parse(Letter("Your seat\r\nBcc: eve@example.org", "", [Paragraph("Hello")]).message())

    assert mail["Subject"] == "Your seat Bcc: eve@example.org"
    assert mail["Bcc"] is None
