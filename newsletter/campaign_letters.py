"""A campaign's letter to one reader, with the headers mailboxes ask of newsletters (RFC 2369, 2919, 8058)."""

from email.header import Header
from email.utils import formataddr, parseaddr

from django.contrib.auth import get_user_model
from django.utils.translation import gettext as _

from project.mail import kinds, outbox, routes
from project.mail.letters import sender
from project.mail.models import Message, Stream
from project.mail.seven_bits import SevenBitMessage
from project.practice.models import Practice

from . import content, merge
from .models import Campaign

TEST = "newsletter.test"


def message(compiled, subscriber, practice, topic, *, letter):
    """The EmailMessage of a Compiled campaign for one reader. `letter`: the delivery's public id, opaque and the same at every try."""
    values = content.values_for(subscriber, practice, compiled.language)
    return assembled(
        compiled.filled(values),
        to=_recipient(subscriber),
        letter=letter,
        unsubscribe_url=values["unsubscribe_url"],
        language=compiled.language,
        practice=practice,
        topic=topic,
    )


def assembled(filled, *, to, letter, unsubscribe_url, language, practice, topic):
    """The EmailMessage around finished words.

    List-Unsubscribe carries its https address alone: we read no mailbox, and a `mailto:` nobody answers is worse than none. Not
    Auto-Submitted, which asks mailboxes to treat it as a robot's answer, and no Precedence, which no standard knows.
    """
    built = CampaignMessage(
        subject=filled.subject,
        body=filled.text,
        from_email=sender(practice),
        to=[to],
        reply_to=[practice.reply_mailbox] if practice.reply_mailbox else None,
        headers={
            "Message-ID": f"<{letter}@{routes.message_id_domain()}>",
            "List-Id": f"<{topic.slug}.newsletter.{routes.message_id_domain()}>",
            "List-Unsubscribe": f"<{unsubscribe_url}>",
            "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
            "Content-Language": language,
        },
    )
    built.attach_alternative(filled.html, "text/html")
    # Opaque, for a provider's webhook to tell us back; anymail reads it, other routes pass it by.
    built.metadata = {"letter": letter}
    built.idempotency_key = letter
    return built


class CampaignMessage(SevenBitMessage):
    """Django sends an ASCII `=?utf-8?q?x?=` as it is, and the reader's program shows “x”: a name must read as it was written."""

    def recipients(self):
        """Addresses alone: django-ses gives these to the SES API as they are, which takes nothing but ASCII."""
        return [parseaddr(person)[1] for person in self.to]

    def message(self):
        built = super().message()
        name, address = parseaddr(self.to[0]) if self.to else ("", "")
        if name.isascii() and "=?" in name:
            built.replace_header("To", f"{Header(name, 'utf-8', header_name='To').encode()} <{address}>")
        return built


def name_of(subscriber):
    """How a letter's To calls a reader; empty when we know no name."""
    return merge.clean(f"{subscriber.first_name} {subscriber.last_name}")


def _recipient(subscriber):
    """`Name <address>` in plain characters: Django and anymail encode them, each as its way out wants them."""
    name = name_of(subscriber)
    if not name:
        return subscriber.address
    if name.isascii():
        return formataddr((name, subscriber.address))
    quoted = name.replace("\\", r"\\").replace('"', r"\"")
    return f'"{quoted}" <{subscriber.address}>'


# -- A test to oneself -------------------------------------------------------------------------------------------------------------------


def post_test(campaign, language, user, *, at):
    """Send a coordinator the campaign in one language, by the newsletter's route, with sample fields. The same second's second press sends
    nothing more."""
    return outbox.post(
        TEST,
        {"campaign": campaign.pk, "user": user.pk},
        key=f"campaign/{campaign.pk}/test/{language}/{user.pk}/{at:%Y%m%d%H%M%S}",
        address=user.email,
        language=language,
        stream=Stream.BULK,
    )


def build_test(ref, language):
    campaign = Campaign.objects.filter(pk=ref["campaign"]).select_related("topic").first()
    user = get_user_model().objects.filter(pk=ref["user"]).first()
    text = campaign and campaign.texts.filter(language=language).first()
    if not text or not user:
        return kinds.Skip(Message.Reason.GONE)
    practice = Practice.current()
    reader = content.sample_reader(language)
    reader.first_name, reader.last_name = user.first_name or reader.first_name, user.last_name or reader.last_name
    built = message(content.compiled(text, practice), reader, practice, campaign.topic, letter="test")
    built.subject = _("[Test]") + " " + built.subject
    # Its links belong to a made-up reader, so no mailbox may offer them, and the ledger gives it the Message-ID.
    for header in ("Message-ID", "List-Unsubscribe", "List-Unsubscribe-Post"):
        del built.extra_headers[header]
    return built
