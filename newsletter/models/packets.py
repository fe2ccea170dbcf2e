"""The free info packet: a PDF per language, and who asked for it."""

import uuid
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import FileExtensionValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from project.practice import texts

LARGEST = 20 * 1024 * 1024


class InfoPacketQuerySet(models.QuerySet):
    def offered(self, language):
        """Those a reader of that language can have: offered, and with words and a file in it."""
        return self.filter(offered=True, texts__language=language).prefetch_related("texts")


class InfoPacket(models.Model):
    slug = models.SlugField(_("slug"), unique=True)
    offered = models.BooleanField(_("offered"), default=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)

    objects = InfoPacketQuerySet.as_manager()

    class Meta:
        verbose_name = _("info packet")
        verbose_name_plural = _("info packets")
        ordering = ["position", "pk"]

    def __str__(self):
        return self.slug

    def text(self, language=None):
        """The packet's words and file in a language, the active one by default; None where there are none."""
        return texts.in_language(self.texts, language)


def validate_pdf(file):
    """A PDF by its first bytes, not by its name, and small enough to open on a phone. One that is stored was looked at when it came."""
    if getattr(file, "_committed", False):
        return  # else every save of its page would open the file and leave it open
    file.seek(0)
    if file.read(5) != b"%PDF-":
        raise ValidationError(_("This file is not a PDF. Please save it as PDF and try again."))
    file.seek(0)
    if file.size > LARGEST:
        raise ValidationError(_("This PDF is larger than 20 MB. Please make it smaller: people open it on their phones."))


class InfoPacketText(models.Model):
    packet = models.ForeignKey(InfoPacket, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("summary"), max_length=600)
    pdf = models.FileField(_("PDF"), upload_to="packets/", validators=[FileExtensionValidator(["pdf"]), validate_pdf])

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["packet", "language"], name="packet_text_once_per_language")]

    def __str__(self):
        return self.title


class PacketRequestQuerySet(models.QuerySet):
    def open(self, now):
        """Waiting for its address to be confirmed, and not too old for that."""
        return self.filter(confirmed_at=None, requested_at__gt=now - PacketRequest.OPEN_FOR)

    def readable(self, now):
        """Confirmed lately enough that its packet still opens by the letter's link."""
        return self.filter(packet__isnull=False, confirmed_at__gt=now - PacketRequest.READABLE_FOR)


class PacketRequest(models.Model):
    """Somebody asked for a packet, or only for the newsletter (`packet` is then empty). Nothing follows until the address is confirmed."""

    OPEN_FOR = timedelta(days=7)
    READABLE_FOR = timedelta(days=90)

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    packet = models.ForeignKey(InfoPacket, models.PROTECT, null=True, related_name="requests", verbose_name=_("packet"))
    address = models.EmailField(_("address"))
    address_hash = models.CharField(max_length=64, db_index=True)
    first_name = models.CharField(_("first name"), max_length=60, blank=True)
    last_name = models.CharField(_("last name"), max_length=60, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    newsletter = models.BooleanField(_("newsletter"), default=False)  # the box was ticked
    wording = models.ForeignKey("newsletter.ConsentWording", models.PROTECT, null=True, verbose_name=_("wording"))  # the words beside that box
    form = models.CharField(_("form"), max_length=60)
    requested_at = models.DateTimeField(_("requested"))
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)

    objects = PacketRequestQuerySet.as_manager()

    class Meta:
        verbose_name = _("packet request")
        verbose_name_plural = _("packet requests")
        ordering = ["-pk"]
        # Who still has to confirm, for Today: few, and each leaves it with the one change the row ever has.
        indexes = [models.Index(fields=["requested_at"], condition=Q(confirmed_at=None), name="packet_request_waiting")]

    def __str__(self):
        return f"packet request {self.pk}"
