"""The newsletter's transactional letters: one function per letter, named as its event."""

from zoneinfo import ZoneInfo

from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext as _

from project.mail import outbox, suppressions
from project.mail.kinds import Skip
from project.mail.letters import Button, Letter, Paragraph, Small
from project.mail.models import Message, Stream
from project.practice.models import Practice
from project.practice.names import parse_name

from . import links
from .models import PacketRequest

CONFIRM_ADDRESS = "newsletter.confirm_address"


def confirm_address(request):
    """“Is this your address?” – once a day per address, however often and by whichever form somebody asks."""
    outbox.post(
        CONFIRM_ADDRESS,
        {"request": request.pk},
        key=f"optin/{request.address_hash}/{_day(request.requested_at)}",
        address=request.address,
        language=request.language,
    )


def confirm_address_letter(ref, language):
    """The letter, or why it need not go: everything was confirmed meanwhile, or waited too long.

    Of what was typed into the form only a first name that passes `parse_name` is repeated: the address may be a stranger's.
    """
    request = PacketRequest.objects.filter(pk=ref["request"]).first()
    if request is None:
        return Skip(Message.Reason.GONE)
    waiting = PacketRequest.objects.open(timezone.now()).filter(address_hash=request.address_hash)
    if not waiting.exists():
        return Skip(Message.Reason.SUPERSEDED if request.confirmed_at else Message.Reason.EXPIRED)
    packet = waiting.filter(packet__isnull=False).exists()
    if not packet and suppressions.blocks(request.address_hash, Stream.BULK):
        return Skip(Message.Reason.SUPPRESSED)  # who reported our newsletter is not asked whether they want it
    practice = Practice.current().name
    asked = (
        _("Somebody, we think it was you, asked for free information from %(practice)s with this e-mail address.")
        if packet
        else _("Somebody, we think it was you, asked for the e-mail newsletter of %(practice)s with this address.")
    ) % {"practice": practice}
    return Letter(
        subject=_("Please confirm your e-mail address"),
        preheader=_("One press of a button and it opens.") if packet else _("One press of a button and you are done."),
        blocks=[
            Paragraph(_greeting(request)),
            Paragraph(asked),
            Paragraph(_("Please press the button below. It opens a page with one more button, so that we know it is really you.")),
            Button(_("Confirm my address"), links.confirm_url(request, language, packet=packet)),
            Small(_("The link works for 7 days. If you did not ask for this, you don’t need to do anything: we will not write again.")),
        ],
    ).message()


def _greeting(request):
    try:
        name = parse_name(request.first_name)
    except ValidationError:
        name = ""
    return _("Hello %(name)s,") % {"name": name} if name else _("Hello,")


def _day(moment):
    """The practice's calendar day, which “once a day” is counted by."""
    return moment.astimezone(ZoneInfo(Practice.current().zone)).date().isoformat()
