"""Merge fields: the few words of a campaign that differ from reader to reader, `[[first_name|friend]]`.

A closed list, looked up in a dict of plain strings. No template language ever sees a coordinator's text, and no value is ever read again for
fields: a reader called `[[email]]` is greeted just so.
"""

import re
import unicodedata
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy


@dataclass(frozen=True)
class Field:
    """`may_be_empty`: a text that uses it must say what stands there instead. `is_url`: it may stand as a link's address."""

    name: str
    meaning: Promise
    sample: str
    may_be_empty: bool = False
    is_url: bool = False


FIELDS = {
    field.name: field
    for field in [
        Field("first_name", gettext_lazy("the reader’s first name"), "Ana", may_be_empty=True),
        Field("last_name", gettext_lazy("the reader’s last name"), "García", may_be_empty=True),
        Field("practice_name", gettext_lazy("the practice’s name"), ""),
        Field("practice_phone", gettext_lazy("the practice’s phone number"), "", may_be_empty=True),
        Field("preferences_url", gettext_lazy("link to the reader’s own preferences page"), "", is_url=True),
        Field("unsubscribe_url", gettext_lazy("link to unsubscribe"), "", is_url=True),
    ]
}

#: `[[name]]` or `[[name|what stands there when it is empty]]`, on one line. Anything between double brackets is taken for a field.
TAG = re.compile(r"\[\[([^\[\]\n|]*)(?:\|([^\[\]\n]*))?\]\]")


def known():
    return ", ".join(f"[[{name}]]" for name in FIELDS)


def problems(text):
    """`[(line, sentence)]` for every field in the text that could not be filled; lines count from 1."""
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        for match in TAG.finditer(line):
            name, default = match[1].strip(), match[2]
            field = FIELDS.get(name)
            if field is None:
                found.append(
                    (number, _("“%(tag)s” is not a field we know. These are: %(known)s.") % {"tag": match[0], "known": known()}),
                )
            elif field.may_be_empty and default is None:
                found.append(
                    (
                        number,
                        _("“%(tag)s” can be empty. Say what stands there then, for example [[%(name)s|friend]].")
                        % {"tag": match[0], "name": name},
                    )
                )
        if "[[" in TAG.sub("", line):
            found.append((number, _("There is a “[[” without its “]]”. Write fields like [[first_name|friend]].")))
    return found


def clean(value):
    """A value as it may enter a letter: without control and invisible direction characters, its white space single."""
    if value.isprintable():  # nothing of the kind in it, and no white space but blanks: nearly every name
        return " ".join(value.split())
    kept = (" " if char.isspace() else char for char in value)
    return " ".join("".join(char for char in kept if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Co"}).split())


def value_of(name, default, values):
    """What stands in the place of one field. `values`: plain strings, cleaned."""
    return values[name] or (default or "").strip()


def cut(text):
    """A plain one-line text, such as a subject, as `[words, (name, default), words, …]`."""
    parts = TAG.split(text)  # words, name, default, words …
    fields = [(name.strip(), default) for name, default in zip(parts[1::3], parts[2::3], strict=True)]
    return [part for pair in zip(parts[::3], [*fields, ""], strict=True) for part in pair]


def fill(text, values):
    """The same with its fields filled, in one pass."""
    return TAG.sub(lambda match: value_of(match[1].strip(), match[2], values), text)
