"""Who comes: found by name whatever the accents, corrected, cancelled."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from project.practice.phones import phone_words

from .. import correcting
from .. import registration as verbs
from ..models import Registration, Seminar
from ..refusals import Refused
from .forms import AddressForm


def call_link(e164):
    """A number to tap, or a dash."""
    return format_html('<a href="tel:{}">{}</a>', e164, phone_words(e164)) if e164 else "–"


@admin.register(Registration)
class RegistrationAdmin(admin.ModelAdmin):
    list_display = ["name", "call", "email", "party_size", "status", "mode"]
    list_filter = ["status", "language", ("seminar", admin.RelatedOnlyFieldListFilter)]
    search_fields = ["folded_name"]
    search_help_text = _("By name, with or without accents, or by the last digits of the phone number.")
    list_select_related = ["seminar"]
    fields = [
        "seminar_link",
        ("first_name", "last_name"),
        "phone",
        "email",
        "language",
        ("party_size", "mode"),
        "status",
        "source",
        "created_at",
        "waiting_since",
        "cancelled_at",
        "cancelled_by",
    ]
    readonly_fields = [
        "seminar_link",
        "email",
        "party_size",
        "mode",
        "status",
        "source",
        "created_at",
        "waiting_since",
        "cancelled_at",
        "cancelled_by",
    ]
    list_per_page = 100

    @admin.display(description=_("name"), ordering="folded_name")
    def name(self, person):
        return f"{person.last_name}, {person.first_name}"

    @admin.display(description=_("phone"))
    def call(self, person):
        return call_link(person.phone)

    @admin.display(description=_("seminar"))
    def seminar_link(self, person):
        return format_html('<a href="{}">{}</a>', reverse("admin:seminars_seminar_change", args=[person.seminar_id]), person.seminar)

    def has_add_permission(self, request):
        """People are registered from their seminar's page, where the seats are."""
        return False

    def has_delete_permission(self, request, obj=None):
        """A registration is cancelled, so that its seats and its calendar entry go with it."""
        return False

    def save_model(self, request, obj, form, change):
        """Only what was typed: seats, status and sequence belong to the verbs, which may be at work this moment."""
        obj.save(update_fields=[*form.changed_data, "folded_name", "contact_hash"])

    def get_search_results(self, request, queryset, search_term):
        digits = "".join(character for character in search_term if character.isdigit())
        if len(digits) >= 4:
            return queryset.filter(phone__endswith=digits), False
        return queryset.named(search_term), False

    def changelist_view(self, request, extra_context=None):
        """The list of one seminar's people names it, and leads back to it."""
        chosen = request.GET.get("seminar__id__exact", "")
        seminar = Seminar.objects.with_words().filter(pk=int(chosen[:9])).first() if chosen.isascii() and chosen.isdigit() else None
        return super().changelist_view(request, {"seminar": seminar, **(extra_context or {})})

    def get_urls(self):
        cancel = self.admin_site.admin_view(self.cancel_view)
        correct = self.admin_site.admin_view(self.correct_view)
        return [
            path("<int:pk>/cancel/", cancel, name="seminars_registration_cancel"),
            path("<int:pk>/correct/", correct, name="seminars_registration_correct"),
            *super().get_urls(),
        ]

    def correct_view(self, request, pk):
        """A mistyped address: letters and calendar follow to the right one."""
        person = get_object_or_404(Registration.objects.select_related("seminar"), pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        form = AddressForm(request.POST or None, initial={"email": person.email})
        if request.method == "POST" and form.is_valid():
            try:
                stands = correcting.correct_email(person, form.cleaned_data["email"])
            except Refused as refusal:
                form.add_error("email", str(refusal))
            else:
                self.log_change(request, stands, "Corrected the e-mail address.")
                messages.success(request, _("Corrected. Their letter is on its way to the right address."))
                return HttpResponseRedirect(reverse("admin:seminars_registration_change", args=[stands.pk]))
        return self._page(request, person, "correct", form=form, title=_("Correct the e-mail address"))

    def cancel_view(self, request, pk):
        """Asked once more: a slip would give somebody's seat away."""
        person = get_object_or_404(Registration.objects.select_related("seminar"), pk=pk)
        if not self.has_change_permission(request, person):
            raise PermissionDenied
        if request.method != "POST":
            return self._page(request, person, "cancel", name=self.name(person), title=_("Cancel this registration"))
        try:
            verbs.cancel(person, by=Registration.CancelledBy.FRONT_DESK)
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, person, "Cancelled.")
            messages.success(
                request,
                _("Cancelled. Their seats are free, and they are being told.") if person.email else _("Cancelled. Their seats are free."),
            )
        return HttpResponseRedirect(reverse("admin:seminars_registration_change", args=[pk]))

    def _page(self, request, person, template, **context):
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "original": person}
        return render(request, f"admin/seminars/registration/{template}.html", context)
