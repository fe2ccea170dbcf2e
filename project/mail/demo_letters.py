"""`/demo/letters/`: the mailbox of the demo, where every letter lands that leaves by a `file://` route.

Only with DEBUG=1, and only while the transactional route is a folder; otherwise these pages do not exist (project/urls.py, `_folder`).
"""

import email
import mimetypes
from dataclasses import dataclass
from email import policy
from pathlib import Path

from csp.decorators import csp
from django.conf import settings
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.views.decorators.clickjacking import xframe_options_sameorigin

from project.practice.pages import read_only

from . import routes

PER_PAGE = 50

HEADERS = ("From", "To", "Reply-To", "Subject", "Date", "Message-ID", "List-Id", "List-Unsubscribe", "List-Unsubscribe-Post", "Auto-Submitted")

#: What a letter may do in its frame: show itself, and open a link in a window of its own. No scripts, no forms, nothing from elsewhere.
_LETTER_CSP = {
    "default-src": ["'none'"],
    "img-src": ["'self'", "data:"],
    "style-src": ["'unsafe-inline'"],
    "base-uri": ["'none'"],
    "form-action": ["'none'"],
    "frame-ancestors": ["'self'"],
    "sandbox": ["allow-popups", "allow-popups-to-escape-sandbox"],
}


@dataclass(frozen=True)
class Summary:
    """One line of the list."""

    name: str
    to: str
    subject: str
    date: object
    size: int


@dataclass(frozen=True)
class Attachment:
    number: int
    name: str
    type: str
    size: int
    text: str  # what it says, where it is text a person can read


def _folder():
    """Where letters land; 404 outside the demo."""
    spec = routes.spec("transactional")
    if not settings.LOCAL or "folder" not in spec.options:
        raise Http404
    return Path(spec.options["folder"])


def _newest_first(folder):
    files = [(file.stat().st_mtime_ns, file) for file in folder.glob("*.eml")]
    return [file for _time, file in sorted(files, reverse=True)]


def _summary(file):
    with file.open("rb") as content:
        headers = email.parser.BytesHeaderParser(policy=policy.default).parse(content)
    date = headers["date"]
    return Summary(file.stem, headers["to"] or "", headers["subject"] or "", date.datetime if date else None, file.stat().st_size)


def _source(name):
    try:
        return (_folder() / f"{name}.eml").read_bytes()
    except FileNotFoundError:
        raise Http404 from None


def _parse(name):
    return email.message_from_bytes(_source(name), policy=policy.default)


def _body(message, kind):
    part = message.get_body((kind,))
    return part.get_content() if part else ""


def _attachments(message):
    """Every leaf that is not one of the two bodies, in the letter's order."""
    bodies = [message.get_body(("plain",)), message.get_body(("html",))]
    return [part for part in message.walk() if not part.is_multipart() and not any(part is body for body in bodies)]


def _shown(number, part):
    content = part.get_payload(decode=True)
    readable = part.get_content_maintype() == "text"
    text = content.decode(part.get_content_charset() or "utf-8", "replace") if readable else ""
    return Attachment(number, part.get_filename() or "", part.get_content_type(), len(content), text)


@read_only
def letters(request):
    page = Paginator(_newest_first(_folder()), PER_PAGE).get_page(request.GET.get("page"))
    return render(request, "demo/letters.html", {"page": page, "letters": [_summary(file) for file in page]})


@read_only
def letter(request, name):
    message = _parse(name)
    context = {
        "name": name,
        "subject": message["subject"],
        "headers": [(header, message[header]) for header in HEADERS if message[header]],
        "has_html": bool(_body(message, "html")),
        "text": _body(message, "plain"),
        "attachments": [_shown(number, part) for number, part in enumerate(_attachments(message))],
    }
    return render(request, "demo/letter.html", context)


@read_only
@xframe_options_sameorigin
@csp(_LETTER_CSP)
def html(request, name):
    """The HTML part as it stands, for the frame; its links open in a new window."""
    content = _body(_parse(name), "html")
    return HttpResponse(content.replace("<head>", '<head><base target="_blank">', 1))


@read_only
def source(request, name):
    """The letter as it would have crossed the wire."""
    return HttpResponse(_source(name), content_type="text/plain; charset=utf-8")


@read_only
def download(request, name):
    return _saved(_source(name), "message/rfc822", f"{name}.eml")


@read_only
def attachment(request, name, number):
    parts = _attachments(_parse(name))
    if number >= len(parts):
        raise Http404
    part = parts[number]
    type_ = part.get_content_type()
    return _saved(part.get_payload(decode=True), type_, part.get_filename() or f"part-{number}{mimetypes.guess_extension(type_) or ''}")


def _saved(content, content_type, filename):
    response = HttpResponse(content, content_type=content_type)
    response.headers["Content-Disposition"] = f'attachment; filename="{filename.encode("ascii", "replace").decode().replace(chr(34), "")}"'
    return response


urlpatterns = [
    path("", letters, name="demo-letters"),
    path("<slug:name>/", letter, name="demo-letter"),
    path("<slug:name>/html/", html, name="demo-letter-html"),
    path("<slug:name>/source/", source, name="demo-letter-source"),
    path("<slug:name>/download/", download, name="demo-letter-download"),
    path("<slug:name>/attachments/<int:number>/", attachment, name="demo-letter-attachment"),
]
