"""No Spanish page and no Spanish letter holds an English sentence of the catalogue."""

import html
import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import get_resolver, reverse
from django.utils import timezone, translation

from newsletter import links, subscribing
from newsletter.campaign_letters import TEST
from project.mail import kinds
from project.mail.models import Message
from seminars.changes import call_off, reschedule
from seminars.links import registration_token
from seminars.models import Seminar
from seminars.registration import cancel

from .test_catalogue import forms

pytestmark = pytest.mark.django_db

#: Shorter texts and single words, like “Online” or “registrations”, may stand in a name or a web address.
SENTENCE = 12
DAY = timedelta(days=1)
PLACEHOLDER = re.compile(r"%\(\w+\)[a-z]|%[sd]")


def pattern(sentence):
    """What finds a sentence of the catalogue in a text, whatever stands at its placeholders."""
    return re.compile(r"(?<!\w)" + ".{1,80}?".join(map(re.escape, PLACEHOLDER.split(sentence))))


@pytest.fixture(scope="session")
def english(catalogue):
    """`english(text)`: the English sentences of the catalogue that a page or a letter holds."""
    sentences = {
        source: pattern(source)
        for entry in catalogue
        for source, spanish in forms(entry)
        if source != spanish and " " in source and len(PLACEHOLDER.sub("", source)) >= SENTENCE
    }

    def found(text):
        text = " ".join(html.unescape(text).split())
        return [source for source, pattern in sentences.items() if pattern.search(text)]

    return found


@pytest.fixture(autouse=True)
def _in_spanish():
    with translation.override("es"):
        yield


def ask(address, *, packet=None):
    return subscribing.ask(
        address,
        first_name="Ana",
        last_name="Gil",
        language="es",
        form="subscribe",
        wording=subscribing.current_wording("newsletter", "es"),
        packet=packet,
        newsletter=True,
    )


def move(seminar):
    seminar = Seminar.objects.get(pk=seminar.pk)
    reschedule(seminar, seminar.starts_at + DAY, seminar.ends_at + DAY)


def page(response):
    assert response.status_code in {200, 400, 403, 404, 410, 422}
    text = response.content.decode()
    assert '<html lang="es"' in text
    return text


def read(client, english, paths):
    """The English found on each of these pages, by its path."""
    return {path: held for path in paths for held in [english(page(client.get(path)))] if held}


def test_the_finder_finds_english(english):
    assert english("<p>You are number 7 in\n line.</p>") == ["You are number %(place)d in line."]
    assert english("<p>Su turno en la lista es el número 7.</p>") == []


def test_pages_for_everybody(client, make_seminar, packet, english):
    upcoming, full, hybrid = make_seminar(), make_seminar(capacity=0), make_seminar(format=Seminar.Format.HYBRID, slug="hybrid")
    off = make_seminar(status=Seminar.Status.CANCELLED, slug="off")
    begun = make_seminar(starts_at=timezone.now() - timedelta(minutes=5), slug="begun")
    paths = [reverse(name) for name in ("home", "seminar-list", "info-packet", "info-packet-asked", "newsletter-subscribe", "newsletter-asked")]
    paths += [reverse("seminar-list") + query for query in ("?zip=33607", "?zip=00000", "?language=xx&format=xx")]
    paths += [
        reverse(name, args=[seminar.slug])
        for seminar in (upcoming, full, hybrid, off, begun)
        for name in ("seminar", "seminar-register", "seminar-registered")
    ]
    paths += [reverse(name, args=["altered"]) for name in ("registration", "registration-cancel", "info-packet-open", "newsletter-confirm")]
    paths += [reverse(name, args=["altered"]) for name in ("newsletter-preferences", "newsletter-unsubscribe", "seminar")]

    assert read(client, english, [path for path in paths if client.get(path).status_code != 302]) == {}


@pytest.mark.parametrize("name", ["seminar-register", "info-packet", "newsletter-subscribe"])
@pytest.mark.parametrize(
    "typed",
    [
        {},
        {
            "email": "no address",
            "first_name": "https://x.example.org",
            "phone": "12",
            "party_size": "9",
            "mode": "x",
            "language": "x",
            "packet": "x",
        },
        {"newsletter": "on", "first_name": "%" * 4, "last_name": "A" * 80},
    ],
)
def test_what_a_form_asks_to_mend(client, make_seminar, packet, english, name, typed):
    path = reverse(name, args=[make_seminar().slug] if name == "seminar-register" else [])

    assert english(page(client.post(path, typed))) == []


def test_pages_of_ones_own(client, make_seminar, register, subscriber, packet, english):
    room = make_seminar(capacity=1)
    online = make_seminar(format=Seminar.Format.ONLINE, venue=None, zone="America/New_York", join_url="https://meet.example.org/a")
    seated, waiting, remote, gone = register(room), register(room, "Ben"), register(online, "Cleo"), register(online, "Dora")
    cancel(gone)
    paths = [
        reverse(name, args=[registration_token(registration)])
        for registration in (seated, waiting, remote)
        for name in ("registration", "registration-cancel")
    ]
    paths.append(reverse("registration", args=[registration_token(gone)]))
    paths.append(reverse("newsletter-preferences", args=[links.preferences_url(subscriber, "es").rstrip("/").rsplit("/", 1)[-1]]))
    unsubscribe = reverse("newsletter-unsubscribe", args=[links.unsubscribe_url(subscriber, "es").rstrip("/").rsplit("/", 1)[-1]])
    confirm = [
        reverse("info-packet-open", args=[links.confirm_token(ask("eva@example.org", packet=packet))]),
        reverse("newsletter-confirm", args=[links.confirm_token(ask("fay@example.org"))]),
    ]

    assert read(client, english, [*paths, unsubscribe, *confirm]) == {}
    for path in confirm:
        waiting = client.get(path).context["page"].waiting
        assert english(page(client.post(path, {"request": [one.public_id.hex for one in waiting]}, follow=True))) == []
    for pressed in ({"stop": "1"}, {"undo": "1"}, {"stop": "1"}):
        assert english(page(client.post(unsubscribe, pressed, follow=True))) == []
    assert english(page(client.get(unsubscribe))) == []


def test_pages_that_say_sorry(client, practice, english):
    strict = Client(enforce_csrf_checks=True)

    assert english(page(client.get("/es/nothing/"))) == []
    assert english(page(strict.post(reverse("newsletter-subscribe"), {}))) == []


def test_every_public_page_is_read_here():
    """A page that is added must be read too: name it in a test above, and here."""
    own = {"registration", "registration-cancel", "newsletter-preferences", "newsletter-unsubscribe", "info-packet-open", "newsletter-confirm"}
    open_to_all = {"home", "seminar-list", "seminar", "seminar-register", "seminar-registered"}
    open_to_all |= {"info-packet", "info-packet-asked", "newsletter-subscribe", "newsletter-asked"}
    files = {"seminars-calendar", "seminar-calendar", "registration-calendar", "info-packet-file"}
    names = {name for name in get_resolver().reverse_dict if isinstance(name, str)}

    of_the_site = {name for name in names if name.startswith(("home", "seminar", "registration", "info-packet", "newsletter"))}
    assert of_the_site == own | open_to_all | files


def words_of(letter):
    """Everything a person meets of a letter: subject, text, HTML and the calendar’s words."""
    parts = [letter.subject, letter.body, *(content for content, _type in letter.alternatives if isinstance(content, str))]
    return " ".join([*parts, *(str(attachment.content).replace("\r\n ", "") for attachment in letter.attachments)])


def test_every_letter(make_seminar, register, packet, deliver, english):
    room, other = make_seminar(capacity=1), make_seminar(capacity=5, format=Seminar.Format.ONLINE, venue=None, zone="America/Chicago")
    ana, _ben, _cleo = (register(room, name, language="es") for name in ("Ana", "Ben", "Cleo"))
    remote = register(other, "Dora", language="es")
    for name in ("Ana", "Ben"):  # once more
        register(room, name)
    for name in ("Gil", "Hugo", "Inés"):  # more than one mailbox gets
        register(other, name, email="home@example.org", language="es", party_size=2)
    ask("eva@example.org", packet=packet)
    ask("fay@example.org")
    letters = deliver()
    move(room)
    letters += deliver()
    cancel(ana)
    cancel(remote)
    letters += deliver()
    call_off(room)
    letters += deliver()

    assert {letter.subject: held for letter in letters for held in [english(words_of(letter))] if held} == {}
    assert len({letter.subject for letter in letters}) >= 6
    sent = Message.objects.filter(state=Message.State.SENT)
    assert set(sent.values_list("kind", flat=True)) | {TEST} == set(kinds._kinds)  # TEST: a newsletter to oneself


def test_the_newsletter(make_launched, make_subscriber, deliver, english):
    make_subscriber(language="es")
    make_launched("es", body="Hola, [[first_name|amigo lector]]:\n\nbuenas noticias.")

    [letter] = deliver()

    assert english(words_of(letter)) == []
    assert "Darse de baja" in letter.body
