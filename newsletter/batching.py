"""A campaign in a provider's own words: one message for many readers, whose fields the provider fills in.

Each provider has a dialect for the places of fields. Two promises hold in all of them. What a reader is called is escaped by us, once, for the
part it stands in, and the provider is told to leave it as it is. And nothing a coordinator writes or a reader is called can be taken for a
marker, even by a provider that reads a finished letter again: in HTML a character reference stands for the character that would begin one; in
plain text and subjects, which know no escape, an invisible word joiner (U+2060) parts it from the next. `merge.clean` lets no reader bring one.
"""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from django.core.mail import EmailMultiAlternatives
from django.utils.translation import override

from project.mail.batches import Recipient

from . import campaign_letters, content, links, merge

WORD_JOINER = "\u2060"

#: Stands for a letter's name while its headers are cut: nobody else's.
_NAME = "0name0of0the0letter0"

_PRACTICE = {"practice_name", "practice_phone"}


@dataclass(frozen=True)
class Dialect:
    """`html`, `text`: what stands in the place of the field `{}`, in the provider's raw form (text: plain parts and subjects).

    `begins`: the character that, where it stands, would begin one of the provider's markers. `whole_headers`: a reader's headers stand in
    the place of everybody's, so they are given whole. `message_id`: it keeps ours.
    """

    html: str
    text: str
    begins: re.Pattern
    whole_headers: bool = False
    message_id: bool = False
    extra: dict | None = None


# `{{`, `{%`, `{#`; also where one of ours could follow or stand before.
_BRACES = r"\{(?=[{%#]|\Z)|\A\}"

_SENDGRID = {"merge_field_format": "-lectern.{}-"}

#: By capabilities.Can.dialect. Sources: Mailgun “Batch sending”, Brevo “Disable auto-escaping”, Mailjet “Template language”, SparkPost
#: “Template language”, SendGrid “Substitution tags”, SES “Advanced email personalization” (“SES doesn’t escape HTML content”).
DIALECTS = {
    "mailgun": Dialect("%recipient.{}%", "%recipient.{}%", re.compile(r"%(?=recipient|unsubscribe_|tag_unsubscribe_|mailing_list_|\Z)")),
    "brevo": Dialect(
        "{{% autoescape off %}}{{{{ params.{} }}}}{{% endautoescape %}}",
        "{{% autoescape off %}}{{{{ params.{} }}}}{{% endautoescape %}}",
        re.compile(_BRACES),
        whole_headers=True,
    ),
    "mailjet": Dialect(
        "{{{{var:{}}}}}",
        "{{{{var:{}}}}}",
        re.compile(_BRACES + r"|\[(?=\[|\Z)"),
        whole_headers=True,
        extra={"Globals": {"TemplateLanguage": True}},
    ),
    "sparkpost": Dialect("{{{{{{{}}}}}}}", "{{{{{}}}}}", re.compile(_BRACES)),
    # Any word may be a tag there, so ours are words that nobody else writes.
    "sendgrid": Dialect(
        "-lectern.{}-", "-lectern.{}-", re.compile(r"-(?=lectern\.)|<(?=%)|\[(?=(?i:unsubscribe|weblink|sender_))"), True, True, _SENDGRID
    ),
    "ses": Dialect("{{{{{}}}}}", "{{{{{}}}}}", re.compile(_BRACES)),
}


def plain(dialect, text):
    """Plain text that begins none of the provider's markers."""
    return dialect.begins.sub(lambda match: WORD_JOINER + match[0] if match[0] == "}" else match[0] + WORD_JOINER, text)


def marked_up(dialect, html):
    """HTML that begins none of the provider's markers; to a mail program the same."""
    return dialect.begins.sub(lambda match: f"&#{ord(match[0])};", html)


@dataclass(frozen=True, slots=True)
class _Variable:
    """`put`: how its value is escaped; None for a link's token, which nothing needs to escape."""

    key: str
    name: str
    default: str
    put: Callable | None


class Sheet:
    """A Compiled campaign in the dialect of a route (`can.dialect`), written once; `message` adds the readers."""

    def __init__(self, compiled, practice, topic, can):
        self._dialect = dialect = DIALECTS[can.dialect]
        self._ses = can.dialect == "ses"
        self._language = compiled.language
        self._variables = {}
        sample = content.sample_reader(compiled.language)
        self._same_for_all = content.values_for(sample, practice, compiled.language)
        self._html = self._written(compiled.html, "html", dialect.html, content.as_html, partial(marked_up, dialect))
        self._text = self._written(compiled.text, "text", dialect.text, str, partial(plain, dialect))
        self._subject_parts = [_kept(part) if isinstance(part, str) else part for part in merge.cut(compiled.subject)]
        self._own_subject = not all(isinstance(part, str) or part[0] in _PRACTICE for part in self._subject_parts)
        subject = dialect.text.format("subject") if self._own_subject else self._subject({})
        self._take_headers(compiled, sample, practice, topic)
        self._common = self._common_of(subject)

    # -- Written once --------------------------------------------------------------------------------------------------------------------

    def _written(self, parts, kind, marker, escaped, safe):
        """One part of the letter with markers in it. What is the same for every reader is written out; of a link only its token is a field."""
        written, run = [], ""
        for part in parts:
            if isinstance(part, str):
                run += part
            elif part[0] in _PRACTICE:
                run += escaped(merge.value_of(*part, self._same_for_all))
            elif merge.FIELDS[part[0]].is_url:
                before, after = links.around(part[0], self._language)
                written += [safe(run + escaped(before)), marker.format(self._key("link", part[0], None, None))]
                run = escaped(after)
            else:
                written += [safe(run), marker.format(self._key(kind, *part, lambda value: safe(escaped(value))))]
                run = ""
        return "".join([*written, safe(run)])

    def _key(self, kind, name, default, put):
        default = (default or "").strip()
        return self._variables.setdefault((kind, name, default), _Variable(f"f{len(self._variables)}", name, default, put)).key

    def _take_headers(self, compiled, sample, practice, topic):
        """The headers of a letter that goes alone, without those that name its reader."""
        with override(compiled.language):
            alone = campaign_letters.message(compiled, sample, practice, topic, letter=_NAME)
        self._from, self._reply_to = plain(self._dialect, alone.from_email), alone.reply_to
        self._shared = {name: str(value) for name, value in alone.extra_headers.items()}
        message_id = self._shared.pop("Message-ID")
        del self._shared["List-Unsubscribe"]
        self._message_id = message_id.split(_NAME) if self._dialect.message_id else None

    def _common_of(self, subject):
        if not self._ses:
            return {"subject": subject, "body": self._text, "headers": {} if self._dialect.whole_headers else self._shared}
        template = {
            "TemplateContent": {"Subject": subject, "Html": self._html, "Text": self._text},
            "TemplateData": json.dumps({}),
            "Headers": [{"Name": name, "Value": value} for name, value in self._shared.items()],
        }
        self._ses_extra = {"DefaultContent": {"Template": template}}
        return {"subject": "", "body": "", "headers": {}}

    # -- Per call ------------------------------------------------------------------------------------------------------------------------

    def message(self, letters):
        """One EmailMessage for all these letters, no address twice among them; anymail never shows one reader another's address."""
        built = EmailMultiAlternatives(from_email=self._from, reply_to=self._reply_to, **self._common)
        if self._ses:
            built.template_id = "inline"  # what makes anymail choose the bulk call; DefaultContent replaces it
            built.esp_extra = self._ses_extra
        else:
            built.attach_alternative(self._html, "text/html")
            if self._dialect.extra:
                built.esp_extra = self._dialect.extra
        built.merge_data, built.merge_headers, built.merge_metadata = {}, {}, {}
        before, after = links.around("unsubscribe_url", self._language)
        for letter in letters:
            values = self._values(letter.reader)
            address = letter.address
            built.to.append(self._recipient(address, values))
            built.merge_data[address] = self._merged(values)
            built.merge_headers[address] = self._headers(letter.name, f"<{before}{values['unsubscribe_url']}{after}>")
            built.merge_metadata[address] = {"letter": letter.name}
        return built

    def _values(self, reader):
        """What is this reader's own; of a link, its token."""
        names = {"first_name": merge.clean(reader.first_name), "last_name": merge.clean(reader.last_name)}
        return names | links.tokens_of(reader)

    def _recipient(self, address, values):
        name = f"{values['first_name']} {values['last_name']}".strip()
        return Recipient("" if self._dialect.begins.search(name) else name, address)

    def _merged(self, values):
        merged = {}
        for variable in self._variables.values():
            value = values[variable.name]
            merged[variable.key] = value if variable.put is None else variable.put(value or variable.default)
        if self._own_subject:
            merged["subject"] = self._subject(values)
        return merged

    def _subject(self, values):
        """As Compiled.filled has it: its white space is made single only once the fields are in."""
        known = self._same_for_all | values
        parts = (part if isinstance(part, str) else merge.value_of(*part, known) for part in self._subject_parts)
        return plain(self._dialect, " ".join("".join(parts).split()))

    def _headers(self, name, unsubscribe):
        own = {"List-Unsubscribe": unsubscribe}
        if self._dialect.whole_headers:
            own = self._shared | own
        if self._message_id:
            own["Message-ID"] = name.join(self._message_id)
        return own


def _kept(literal):
    """A subject's literal without what `merge.clean` would take out of the whole, with the blanks at both ends."""
    return merge.clean(f"-{literal}-")[1:-1]
