"""The Spanish catalogue is whole: every text the code and the templates ask for is in it, translated, with its placeholders and tags.

`makemessages` needs xgettext, which a machine that only runs the tests may lack; so the texts are found here the way it would find them.
"""

import ast
import re
from pathlib import Path

import django
import polib
import pytest
from django.utils.translation.template import templatize

from .conftest import ROOT

#: Which arguments of a call are what: the context, the text and its plural.
CALLS = {
    **dict.fromkeys(("_", "gettext", "gettext_lazy", "gettext_noop"), ("text",)),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), ("text", "plural")),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), ("context", "text")),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), ("context", "text", "plural")),
}
LITERAL = r"""u?(?:'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
IN_TEMPLATE = re.compile(rf"(?<!\w)({'|'.join(CALLS)})\(\s*({LITERAL}(?:\s*,\s*{LITERAL})*)")
PLACEHOLDER_OR_TAG = re.compile(r"%\(\w+\)[a-z]|%[sd]|</?\w+>|\[\[|\]\]|https?://")


def entry(name, strings):
    found = dict(zip(CALLS[name], strings, strict=False))
    return found.get("context"), found["text"], found.get("plural")


def texts_in_code(source):
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name not in CALLS:
            continue
        strings = [argument.value for argument in node.args if isinstance(argument, ast.Constant) and isinstance(argument.value, str)]
        if len(strings) >= len(CALLS[name]):
            yield entry(name, strings)


def texts_in_template(source):
    for name, arguments in IN_TEMPLATE.findall(templatize(source)):
        yield entry(name, [ast.literal_eval(literal) for literal in re.findall(LITERAL, arguments)])


def used():
    for package in ("project", "seminars", "newsletter"):
        for file in (ROOT / package).rglob("*.py"):
            yield from texts_in_code(file.read_text())
    for file in (ROOT / "templates").rglob("*.*"):
        if file.suffix in {".html", ".txt"}:
            yield from texts_in_template(file.read_text())


def forms(entry):
    """(English, Spanish) of an entry, one pair for each number."""
    if not entry.msgid_plural:
        return [(entry.msgid, entry.msgstr)]
    return [(entry.msgid, entry.msgstr_plural[0]), (entry.msgid_plural, entry.msgstr_plural[1])]


def test_the_finder_finds_every_kind_of_call():
    assert list(texts_in_code('_("a" "b")\nngettext("c", "d", 2)\npgettext_lazy("e", "f")\n_(g)')) == [
        (None, "ab", None),
        (None, "c", "d"),
        ("e", "f", None),
    ]
    template = (
        '{% load i18n %}{% translate "Don’t \'a\'" %}{% translate "b" context "c" %}{% if _("d") %}{% endif %}{{ x|default:_("e") }}'
        "{% blocktranslate trimmed count n=x %}{{ n }}\n f{% plural %}{{ n }} g{% endblocktranslate %}"
    )
    assert list(texts_in_template(template)) == [
        (None, "Don’t 'a'", None),
        ("c", "b", None),
        (None, "d", None),
        (None, "e", None),
        (None, "%(n)s f", "%(n)s g"),
    ]


def test_the_catalogue_holds_what_is_used_and_nothing_else(catalogue):
    held = {(entry.msgctxt, entry.msgid, entry.msgid_plural or None) for entry in catalogue if not entry.obsolete}
    # A text used with a plural and without is one entry.
    plurals = {(context, text): plural for context, text, plural in held}
    wanted = {(context, text, plural or plurals.get((context, text))) for context, text, plural in used() if text}

    assert sorted(map(str, wanted - held)) == []
    assert sorted(map(str, held - wanted)) == []


def test_everything_is_translated(catalogue):
    assert [entry.msgid for entry in catalogue.untranslated_entries()] == []
    assert [entry.msgid for entry in catalogue.fuzzy_entries()] == []
    assert [entry.msgid for entry in catalogue.obsolete_entries()] == []


def test_placeholders_and_tags_are_kept(catalogue):
    odd = [
        (english, spanish)
        for entry in catalogue
        for english, spanish in forms(entry)
        if sorted(PLACEHOLDER_OR_TAG.findall(english)) != sorted(PLACEHOLDER_OR_TAG.findall(spanish))
    ]

    assert odd == []


def test_spanish_marks_open_as_they_close(catalogue):
    odd = [
        spanish
        for entry in catalogue
        for _english, spanish in forms(entry)
        if spanish.count("¿") != spanish.count("?") or spanish.count("¡") != spanish.count("!") or re.search("[“”–]", spanish)
    ]

    assert odd == []


@pytest.mark.parametrize("word", ["tú", "tu", "tus", "ti", "contigo", "vosotros", "vuestro", "os"])
def test_nobody_is_addressed_too_familiarly(catalogue, word):
    assert [spanish for entry in catalogue for _english, spanish in forms(entry) if re.search(rf"\b{word}\b", spanish, re.I)] == []


def test_djangos_own_words_are_left_alone(catalogue):
    """Our catalogue comes before Django's: “All” as “En total” would stand in every filter of the front desk."""
    ours = {(entry.msgctxt, entry.msgid): entry.msgstr for entry in catalogue}
    changed = {
        entry.msgid
        for file in Path(django.__file__).parent.glob("contrib/*/locale/es/LC_MESSAGES/django.po")
        for entry in polib.pofile(str(file))
        if entry.msgstr != ours.get((entry.msgctxt, entry.msgid), entry.msgstr)
    }

    assert changed == {"last name"}  # one apellido is enough for us


def test_the_header_names_nobody(catalogue):
    assert catalogue.metadata["Plural-Forms"] == "nplurals=2; plural=(n != 1);"
    assert catalogue.metadata["Content-Type"] == "text/plain; charset=UTF-8"
    assert {"Last-Translator", "Language-Team"}.isdisjoint(catalogue.metadata)
    assert not any(entry.occurrences for entry in catalogue)
