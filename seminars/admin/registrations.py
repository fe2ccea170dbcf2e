"""Who comes: found by name whatever the accents, corrected, cancelled."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Case, Value, When
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.practice.phones import phone_words

from .. import correcting
from .. import registration as verbs
from ..models import Registration, Seminar
from ..refusals import Refused, RegistrationClosed
from .forms import AddressForm

#: So many registrations are cancelled by one press: the page that asks names them all.
MOST_AT_ONCE = 200


def call_link(e164):
    """A number to tap, or a dash."""
    return format_html('<a href="tel:{}">{}</a>', e164, phone_words(e164)) if e164 else "–"


class PlaceFilter(admin.SimpleListFilter):
    """Those who came from the same place as one registration, whose id is in the address: Today leads here when they are many."""

    title = _("where they registered")
    parameter_name = "same_place"

    def lookups(self, request, model_admin):
        chosen = request.GET.get(self.parameter_name, "")
        return [(chosen, _("from one place"))] if chosen else []

    def queryset(self, request, queryset):
        chosen = self.value() or ""
        if not (chosen.isascii() and chosen.isdigit()):
            return None
        one = Registration.objects.filter(pk=int(chosen[:9])).exclude(place_hash="").first()
        return queryset.filter(seminar=one.seminar_id, place_hash=one.place_hash) if one else queryset.none()


@admin.register(Registration)
class RegistrationAdmin(admin.ModelAdmin):
    list_display = ["name", "call", "email", "party_size", "status", "mode"]
    list_filter = ["status", "language", ("seminar", admin.RelatedOnlyFieldListFilter), PlaceFilter]
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
    actions = ["cancel_these"]

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

    @admin.action(description=_("Cancel these registrations"), permissions=["change"])
    def cancel_these(self, request, queryset):
        """Asked once more, with their names; then each by itself as `cancel_view` does it."""
        people = _in_order_to_cancel(queryset)
        if len(people) > MOST_AT_ONCE:
            messages.error(request, _("Please choose at most %(most)d registrations at once.") % {"most": MOST_AT_ONCE})
        elif not people:
            messages.error(request, _("All of these are cancelled already."))
        elif "confirm" in request.POST:
            self._cancel_all(request, people)
        else:
            now = timezone.now()
            title = ngettext("Cancel %(n)d registration", "Cancel %(n)d registrations", len(people)) % {"n": len(people)}
            rows = [{"person": person, "name": self.name(person), "is_over": person.seminar.ends_at <= now} for person in people]
            context = {**self.admin_site.each_context(request), "opts": self.opts, "title": title, "rows": rows}
            return render(request, "admin/seminars/registration/cancel_these.html", context)
        return None

    def _cancel_all(self, request, people):
        over = 0
        for person in people:
            try:
                verbs.cancel(person, by=Registration.CancelledBy.FRONT_DESK)
            except RegistrationClosed:
                over += 1
            else:
                self.log_change(request, person, "Cancelled.")
        if done := len(people) - over:
            sentence = ngettext(
                "%(n)d registration is cancelled, and its seats are free.", "%(n)d registrations are cancelled, and their seats are free.", done
            )
            messages.success(request, sentence % {"n": done})
        if over:
            sentence = ngettext(
                "%(n)d registration stays as it is: the seminar is over.", "%(n)d registrations stay as they are: the seminar is over.", over
            )
            messages.warning(request, sentence % {"n": over})

    def _page(self, request, person, template, **context):
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "original": person}
        return render(request, f"admin/seminars/registration/{template}.html", context)


def _in_order_to_cancel(queryset):
    """Those who wait come first: else seats that become free would go to somebody who is cancelled a moment later."""
    waiting_first = Case(When(status=Registration.Status.WAITLISTED, then=Value(0)), default=Value(1))
    active = queryset.active().select_related("seminar").order_by(waiting_first, "folded_name", "pk")
    return list(active[: MOST_AT_ONCE + 1])
