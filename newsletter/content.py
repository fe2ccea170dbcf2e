"""A campaign's words, from Markdown to the letter: checked when they are saved, rendered once per language, filled per reader.

markdown-it without raw HTML, then nh3 with a tight allow-list, then the e-mail shell with its styles inlined. The plain text comes from the
same source. Merge fields are taken out before Markdown sees them and put back, escaped, by one pass over the finished letter, so neither what
a coordinator writes nor what a reader calls herself is ever read as markup, as a template or as another field.
"""

import hashlib
import json
import re
import secrets
from dataclasses import dataclass

import css_inline
import nh3
from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.html import escape
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from project.practice.models import Practice
from project.practice.phones import phone_words

from . import links, merge, plain
from .models import Subscriber

#: Gmail cuts a letter off at about 102 kB, and with it the way to unsubscribe.
HEAVIEST = 90_000

_markdown = MarkdownIt("commonmark", {"html": False})
_inliner = css_inline.CSSInliner(load_remote_stylesheets=False)

_TAGS = {"p", "br", "hr", "h1", "h2", "h3", "h4", "strong", "em", "ul", "ol", "li", "blockquote", "a", "img", "code", "pre"}
_ATTRIBUTES = {"a": {"href", "title"}, "img": {"src", "alt", "title"}, "ol": {"start"}}


@dataclass(frozen=True)
class Filled:
    """One reader's letter, ready for a message."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Compiled:
    """A campaign in one language: the subject as it was written; HTML and text cut into literals and fields, `str` and `(name, default)`."""

    language: str
    subject: str
    html: tuple
    text: tuple

    def filled(self, values):
        """The letter with a reader's `values` (see `values_for`) in it."""
        return Filled(
            subject=merge.clean(merge.fill(self.subject, values)),
            html=_join(self.html, values, as_html),
            text=_join(self.text, values, str),
        )


def _join(parts, values, escaped):
    return "".join(part if isinstance(part, str) else escaped(merge.value_of(*part, values)) for part in parts)


def as_html(value):
    """A plain value as HTML. `{{ name }}` is a merge marker to some providers, even in a finished letter; as character references it is only
    text."""
    if value.isalnum():  # nearly every name, at a hundredth of the price
        return value
    return str(escape(value)).replace("{", "&#123;")


def values_for(subscriber, practice, language):
    """What each merge field is for this reader: plain strings, cleaned."""
    return {
        "first_name": merge.clean(subscriber.first_name),
        "last_name": merge.clean(subscriber.last_name),
        "practice_name": merge.clean(practice.name),
        "practice_phone": merge.clean(phone_words(practice.phone)) if practice.phone else "",
        "preferences_url": links.preferences_url(subscriber, language),
        "unsubscribe_url": links.unsubscribe_url(subscriber, language),
    }


def sample_reader(language):
    """Somebody made up, for a preview before there are subscribers."""
    names = {name: field.sample for name, field in merge.FIELDS.items() if name in {"first_name", "last_name"}}
    return Subscriber(address="ana@example.org", language=language, **names)


# -- Checking ----------------------------------------------------------------------------------------------------------------------------


def problems(text):
    """What keeps a CampaignText from being sent: `{field name: [sentence, …]}`, each with its line where it has one; empty when all is well."""
    found = {name: [sentence for _line, sentence in merge.problems(getattr(text, name))] for name in ("subject", "preheader")}
    found["subject"] += [_("A link can’t stand in a subject.")] if _holds_url(text.subject) else []
    found["preheader"] += [_("A link can’t stand in a preheader.")] if _holds_url(text.preheader) else []
    lines = sorted(merge.problems(text.body) + _link_problems(text.body))
    found["body"] = [_("Line %(line)d: %(sentence)s") % {"line": line, "sentence": sentence} for line, sentence in lines]
    if not text.body.strip():
        found["body"].append(_("There is no text yet."))
    if not any(found.values()):
        found["body"] += _weight_problems(text)
    return {name: sentences for name, sentences in found.items() if sentences}


def _holds_url(line):
    return any((field := merge.FIELDS.get(match[1].strip())) and field.is_url for match in merge.TAG.finditer(line))


def _link_problems(body):
    slots = _Slots()
    found = []
    for token in _markdown.parse(slots.hide(body)):
        for child in token.children or []:
            address = child.attrs.get("href") or child.attrs.get("src")
            if address is None:
                continue
            line = token.map[0] + 1
            shown = slots.show(str(address))
            if slots.word.search(str(address)):
                found.append((line, _("“%(url)s”: only the fields that are links can stand in a link’s address.") % {"url": shown}))
            elif child.type == "image" and not _our_own(str(address)):
                found.append(
                    (line, _("“%(url)s”: pictures must come from our own site, so that no one else learns who reads.") % {"url": shown})
                )
            elif child.type == "link_open" and not _may_link(str(address)):
                found.append((line, _("“%(url)s”: links must begin with https://, mailto: or tel:.") % {"url": shown}))
    return found


def _our_own(address):
    return address.startswith(f"{settings.SITE_URL}/") or (address.startswith("/") and not address.startswith(("//", "/\\")))


def _may_link(address):
    return address.startswith(("https://", "mailto:", "tel:")) or _our_own(address)


def _weight_problems(text):
    practice = Practice.current()
    with translation.override(text.language):
        filled = compiled(text, practice).filled(values_for(sample_reader(text.language), practice, text.language))
    weight = len(filled.html.encode())
    if weight <= HEAVIEST:
        return []
    return [
        _("This letter weighs %(weight)d kB. Above %(most)d kB mailboxes cut off its end, with the unsubscribe link. Please shorten it.")
        % {"weight": weight // 1000, "most": HEAVIEST // 1000}
    ]


def content_hash(texts):
    """A fingerprint of all texts of a campaign: what was launched is what every chunk must still find."""
    words = sorted((text.language, text.subject, text.preheader, text.body) for text in texts)
    return hashlib.sha256(json.dumps(words).encode()).hexdigest()


# -- Rendering ---------------------------------------------------------------------------------------------------------------------------


class _Slots:
    """Stand-ins for merge fields that pass through Markdown, nh3 and css-inline unchanged; nobody can guess them, so nobody can write one."""

    def __init__(self):
        self.nonce = secrets.token_hex(8)
        self.fields = []
        self.word = re.compile(rf"x(\d+)x{self.nonce}")
        self._any = re.compile(rf"https://y(\d+)y{self.nonce}\.invalid/?|x(\d+)x{self.nonce}")
        self.brace = f"brace{self.nonce}"

    def hide(self, markdown):
        """The Markdown with stand-ins; a field that is a link becomes one wherever it doesn't already stand as a link's address."""

        def stand_in(match):
            field = merge.FIELDS.get(match[1].strip())
            if field is None:
                return match[0]
            slot = self.slot(field.name, match[2])
            if not field.is_url:
                return slot
            return slot if markdown[: match.start()].endswith(("](", "](<", "<")) else f"<{slot}>"

        return merge.TAG.sub(stand_in, markdown)

    def slot(self, name, default=None):
        self.fields.append((name, default))
        number = len(self.fields) - 1
        return f"https://y{number}y{self.nonce}.invalid/" if merge.FIELDS[name].is_url else f"x{number}x{self.nonce}"

    def hide_line(self, line):
        """A plain line, such as the preheader, with stand-ins."""
        return merge.TAG.sub(lambda match: self.slot(match[1].strip(), match[2]), line)

    def show(self, address):
        """What the coordinator wrote, for a sentence about it."""
        return self._any.sub(lambda match: f"[[{self.fields[int(match[1] or match[2])][0]}]]", address)

    def cut(self, rendered):
        """`(literal, (name, default), literal, …)`"""
        parts, at = [], 0
        for match in self._any.finditer(rendered):
            parts += [rendered[at : match.start()], self.fields[int(match[1] or match[2])]]
            at = match.end()
        return (*parts, rendered[at:])


def compiled(text, practice):
    """The CampaignText rendered, in its own language, once for all its readers."""
    slots = _Slots()
    tokens = _markdown.parse(slots.hide(text.body))
    _make_absolute(tokens)
    with translation.override(text.language):
        context = {
            "language": text.language,
            "practice": practice,
            "practice_phone": phone_words(practice.phone) if practice.phone else "",
            "preferences_url": slots.slot("preferences_url"),
            "unsubscribe_url": slots.slot("unsubscribe_url"),
        }
        preheader = slots.hide_line(text.preheader)
        body = _sanitised(_markdown.renderer.render(tokens, _markdown.options, {}))
        html = _inliner.inline(
            render_to_string(
                "mail/campaign.html",
                {
                    **context,
                    "preheader": mark_safe(escape(preheader).replace("{", slots.brace)),  # noqa: S308  escaped here
                    "body": mark_safe(body.replace("{", slots.brace)),  # noqa: S308  nh3's allow-list has passed it
                },
            )
        )
        plain_text = render_to_string("mail/campaign.txt", {**context, "body": plain.render(SyntaxTreeNode(tokens))})
    return Compiled(text.language, text.subject, slots.cut(html.replace(slots.brace, "&#123;")), slots.cut(plain_text))


def _make_absolute(tokens):
    """`/seminars/` in a letter means a page of ours."""
    for token in tokens:
        for child in token.children or []:
            for name in ("href", "src"):
                address = child.attrs.get(name)
                if address and _our_own(str(address)) and str(address).startswith("/"):
                    child.attrs[name] = settings.SITE_URL + str(address)


def _sanitised(html):
    return nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        attribute_filter=_allowed,
        url_schemes={"https", "http", "mailto", "tel"},
        link_rel=None,
    )


def _allowed(tag, name, value):
    """nh3 keeps `//elsewhere` and any https picture; we don't."""
    if (tag, name) == ("img", "src"):
        return value if _our_own(value) else None
    if (tag, name) == ("a", "href"):
        return value if _may_link(value) else None
    return value
