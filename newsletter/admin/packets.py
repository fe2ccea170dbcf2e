"""Info packets, their files, and who asked for them."""

from django import forms
from django.contrib import admin
from django.db import models
from django.http import Http404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from project.practice.exports import pdf_response
from project.practice.long_lists import LongList
from project.practice.look_only import LookOnly
from project.practice.pages import read_only
from project.practice.text_inlines import TextInline, TextsAdmin

from ..models import InfoPacket, InfoPacketText, PacketRequest


class InfoPacketTextInline(TextInline):
    model = InfoPacketText
    fields = ["language", "title", "summary", "pdf", "file_now"]
    readonly_fields = ["file_now"]
    # Files lie where no address reaches them, so the usual widget's link would lead nowhere.
    formfield_overrides = {models.FileField: {"widget": forms.FileInput(attrs={"accept": "application/pdf"})}}

    @admin.display(description=_("the file now"))
    def file_now(self, text):
        if not text.pk:
            return "–"
        return format_html('<a href="{}">{}</a>', reverse("admin:newsletter_infopacket_file", args=[text.pk]), _("Open the PDF"))


class InfoPacketForm(forms.ModelForm):
    class Meta:
        model = InfoPacket
        fields = ["slug", "offered", "position"]
        labels = {"slug": _("Web address")}
        help_texts = {
            "slug": _("Its last part, like before-you-decide. Small letters and dashes."),
            "offered": _("Visitors can ask for it."),
            "position": _("The smallest number comes first."),
        }


@admin.register(InfoPacket)
class InfoPacketAdmin(TextsAdmin):
    form = InfoPacketForm
    list_display = ["title", "offered", "languages", "position"]
    list_editable = ["position"]
    inlines = [InfoPacketTextInline]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("texts")

    def get_urls(self):
        return [
            path("file/<int:text_id>/", self.admin_site.admin_view(read_only(self.file)), name="newsletter_infopacket_file"),
            *super().get_urls(),
        ]

    def file(self, request, text_id):
        """The PDF as a reader gets it."""
        text = InfoPacketText.objects.filter(pk=text_id).first() if self.has_view_permission(request) else None
        if text is None or not text.pdf.storage.exists(text.pdf.name):
            raise Http404
        return pdf_response(text.pdf.open("rb"), f"{text.packet.slug}-{text.language}.pdf")

    @admin.display(description=_("title"))
    def title(self, packet):
        return str(packet.text() or packet)

    @admin.display(description=_("languages"))
    def languages(self, packet):
        return ", ".join(text.get_language_display() for text in packet.texts.all()) or "–"


@admin.register(PacketRequest)
class PacketRequestAdmin(LongList, LookOnly, admin.ModelAdmin):
    list_display = ["requested_at", "address", "packet", "language", "newsletter", "form", "confirmed_at"]
    # No date hierarchy: to know the years there are, it would read every row.
    list_filter = [("requested_at", admin.DateFieldListFilter), ("confirmed_at", admin.EmptyFieldListFilter), "newsletter", "language", "form"]
    list_select_related = ["packet"]
    search_fields = ["address", "first_name", "last_name"]
    fields = [
        "requested_at", "first_name", "last_name", "address", "packet", "language", "newsletter", "wording", "form", "confirmed_at",
    ]  # fmt: skip
