import html
import re

import pytest
from django.utils.html import escape, strip_tags
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from newsletter import content, merge
from newsletter.models import CampaignText, Subscriber
from project.practice.models import Practice


def text_of(body="Hello", subject="News", preheader=""):
    return CampaignText(language="en", subject=subject, preheader=preheader, body=body)


def letter_of(body="Hello", subject="News", preheader="", **reader):
    reader = Subscriber(**{"first_name": "Ana", "last_name": "García", "address": "ana@example.org", **reader})
    practice = Practice.current()
    return content.compiled(text_of(body, subject, preheader), practice).filled(content.values_for(reader, practice, "en"))


pytestmark = pytest.mark.usefixtures("practice")


def test_a_reader_is_addressed_in_subject_preheader_and_body():
    letter = letter_of("Dear [[first_name|friend]] [[last_name|]],", subject="For [[first_name|you]]", preheader="[[first_name|Friend]], look")

    assert letter.subject == "For Ana"
    assert "Dear Ana García," in letter.text
    assert "Dear Ana García," in letter.html
    assert ">Ana, look<" in letter.html


def test_a_reader_without_a_name_gets_the_words_for_that():
    letter = letter_of("Dear [[first_name|friend]],", subject="For [[ first_name | you ]]", first_name="")

    assert letter.subject == "For you"
    assert "Dear friend," in letter.text
    assert "Dear friend," in letter.html


@pytest.mark.parametrize("name", ["[[email]]", "[[first_name|x]]", "{{ settings.SECRET_KEY }}", "{% load x %}", "%s {0}", r"\1 \g<0>", "$HOME"])
def test_a_name_is_never_read_as_anything_but_a_name(name):
    letter = letter_of("Dear [[first_name|friend]],", subject="For [[first_name|you]]", first_name=name)

    assert letter.subject == f"For {name}"
    assert f"Dear {name}," in letter.text
    assert f"Dear {escape(name).replace('{', '&#123;')}," in letter.html


def test_a_name_is_escaped_and_loses_control_characters():
    letter = letter_of("Dear [[first_name|friend]],", subject="[[first_name|you]]", first_name='<img src="x">\r\nBcc: a@b\u202e')

    assert "&lt;img src=&quot;x&quot;&gt; Bcc: a@b," in letter.html
    assert letter.subject == '<img src="x"> Bcc: a@b'


def test_template_syntax_and_merge_markers_in_a_text_stay_as_they_are():
    letter = letter_of("{{ recipient.password }} {% debug %} %recipient.name% {name}")

    assert "{{ recipient.password }} {% debug %} %recipient.name% {name}" in letter.text
    assert "&#123;&#123; recipient.password }}" in letter.html
    assert "{{" not in letter.html


def test_html_in_a_text_is_shown_not_obeyed():
    letter = letter_of("<script>alert(1)</script> <img src=x onerror=alert(1)>\n\n[x](javascript:alert(1)) [y](<data:text/html,hi>)")

    assert "<script" not in letter.html
    assert "<img" not in letter.html
    assert 'href="javascript' not in letter.html
    assert 'href="data' not in letter.html


def test_the_sanitiser_alone_would_hold_too():
    dirty = (
        '<p style="x" onclick="y">a<a href="//e.example.org">b</a><img src="https://t.example.org/p.gif"><svg/><a href="javascript:x">c</a></p>'
    )

    assert content._sanitised(dirty) == "<p>a<a>b</a><img><a>c</a></p>"


def test_every_letter_says_who_writes_and_how_to_stop_it():
    letter = letter_of()

    for part in (letter.text, letter.html):
        assert "100 Sample Street, Tampa, FL 33607" in part
        assert "http://testserver/newsletter/unsubscribe/" in part
        assert "http://testserver/newsletter/preferences/" in part


def test_nothing_in_a_letter_is_loaded_from_elsewhere():
    letter = letter_of("![Our house](/static/house.png) [us](/seminars/)")

    assert 'src="http://testserver/static/house.png"' in letter.html
    assert 'href="http://testserver/seminars/"' in letter.html
    assert letter.html.count("src=") == 1
    assert "<link" not in letter.html
    assert "url(" not in letter.html


def test_plain_text_reads_well():
    letter = letter_of(
        "# Title\n\nOne *two* **three**\nfour [here](https://example.org/a).\n\n1. first\n2. second\n   more\n\n> said\n\n---\n\n- a\n\n- b\n\n"
        "<https://example.org/b> [call](tel:+18135550100)"
    )

    assert letter.text.split("\n--\n")[0].strip() == (
        "Title\n=====\n\n"
        "One _two_ *three* four here (https://example.org/a).\n\n1. first\n2. second more\n\n> said\n\n----------\n\n- a\n\n- b\n\n"
        "https://example.org/b call (tel:+18135550100)"
    )


def test_a_bare_link_field_becomes_a_link():
    letter = letter_of("Change it: [[preferences_url]]")

    assert letter.html.count('<a href="http://testserver/newsletter/preferences/') == 2
    assert "Change it: http://testserver/newsletter/preferences/" in letter.text


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        (text_of("Hi\n\nDear [[nickname|x]]"), "body", "Line 3: “[[nickname|x]]” is not a field we know."),
        (text_of("Hi [[first_name]]"), "body", "Line 1: “[[first_name]]” can be empty."),
        (text_of("a\nb [[first_name|x"), "body", "Line 2: There is a “[[” without its “]]”."),
        (text_of("[x](http://example.org)"), "body", "Line 1: “http://example.org”: links must begin with https://"),
        (text_of("[x](//example.org/x)"), "body", "Line 1: “//example.org/x”: links must begin with https://"),
        (text_of("a\n\n![x](https://example.org/p.gif)"), "body", "Line 3: “https://example.org/p.gif”: pictures must come from our own site"),
        (text_of("[x](https://example.org/?n=[[first_name|x]])"), "body", "Line 1: “https://example.org/?n=[[first_name]]”: only the fields"),
        (text_of("  "), "body", "There is no text yet."),
        (text_of(subject="[[adress|x]]"), "subject", "“[[adress|x]]” is not a field we know."),
        (text_of(subject="[[unsubscribe_url]]"), "subject", "A link can’t stand in a subject."),
        (text_of(preheader="[[last_name]]"), "preheader", "“[[last_name]]” can be empty."),
    ],
)
def test_what_could_not_be_sent_is_refused_with_a_sentence(text, field, words):
    problems = content.problems(text)

    assert list(problems) == [field]
    assert problems[field][0].startswith(words)


def test_the_sentence_lists_the_fields_there_are():
    [sentence] = content.problems(text_of("[[x]]"))["body"]

    assert all(f"[[{name}]]" in sentence for name in merge.FIELDS)


def test_a_letter_that_mailboxes_would_cut_off_is_refused():
    assert content.problems(text_of("word " * 15_000)) == {}

    [sentence] = content.problems(text_of("word " * 19_000))["body"]

    assert "weighs" in sentence


def test_a_spanish_text_has_its_links_under_spanish():
    practice = Practice.current()
    text = CampaignText(language="es", subject="Hola", body="Hola")

    letter = content.compiled(text, practice).filled(content.values_for(content.sample_reader("es"), practice, "es"))

    assert '<html lang="es">' in letter.html
    assert "http://testserver/es/newsletter/unsubscribe/" in letter.html


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(body=st.text(alphabet=st.sampled_from("ab \n#*_`[]()<>|!-1.{}%&\"'\\/:=yx\t"), max_size=80), name=st.text(max_size=20))
@example(body="```", name="¡")
def test_whatever_is_written_nothing_runs_and_nothing_breaks(body, name):
    """Markup soup: it is refused with a sentence, or it is a letter without anything that runs or loads from elsewhere."""
    text = text_of(f"{body} [[first_name|x]]")
    if content.problems(text):
        return

    letter = letter_of(text.body, first_name=name)

    shown = letter.html.partition("<body")[2].lower()
    assert re.findall(r"<(?:script|svg|iframe|object|form|style|link|meta|base)", shown) == []
    assert re.findall(r"<[^>]*\son\w+=", shown) == []
    assert re.findall(r'(?:src|href)="(?!https://|http://testserver/|mailto:|tel:)', shown) == []
    # What a fence of code says of its language is shown in neither part.
    assert merge.clean(name) in letter.text or merge.clean(name).lower() not in html.unescape(strip_tags(shown))
