"""The call list: whom no letter reaches, oldest first, and what came of each call."""

from django.contrib import admin
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from ..models import Callback
from .registrations import call_link


class OpenFilter(admin.SimpleListFilter):
    title = _("state")
    parameter_name = "state"

    def lookups(self, request, model_admin):
        return [("done", _("done")), ("all", _("all"))]

    def choices(self, changelist):
        choices = list(super().choices(changelist))
        choices[0]["display"] = _("to make")
        return choices

    def queryset(self, request, queryset):
        match self.value():
            case "done":
                return queryset.exclude(done_at=None)
            case "all":
                return queryset
        return queryset.filter(done_at=None)


@admin.register(Callback)
class CallbackAdmin(admin.ModelAdmin):
    list_display_links = None  # the name leads to the person's registration
    list_display = ["person", "call", "reason", "seminar", "created_at", "outcome", "done_by"]
    list_filter = [OpenFilter, "reason"]
    list_select_related = ["registration__seminar", "done_by"]
    actions = ["reached", "left_message", "wrong_number", "not_needed", "reopen"]

    @admin.display(description=_("name"))
    def person(self, callback):
        person = callback.registration
        page = reverse("admin:seminars_registration_change", args=[person.pk])
        return format_html('<a href="{}">{}, {}</a>', page, person.last_name, person.first_name)

    @admin.display(description=_("phone"))
    def call(self, callback):
        return call_link(callback.registration.phone)

    @admin.display(description=_("seminar"))
    def seminar(self, callback):
        return callback.registration.seminar

    def has_add_permission(self, request):
        return False

    def has_delete_permission(self, request, obj=None):
        return False

    def has_change_permission(self, request, obj=None):
        """Rows are only looked at; the actions change them."""
        return obj is None and super().has_change_permission(request)

    def _done(self, request, queryset, outcome):
        count = queryset.filter(done_at=None).update(outcome=outcome, done_at=timezone.now(), done_by=request.user)
        self.message_user(request, ngettext("%d call is off the list.", "%d calls are off the list.", count) % count)

    @admin.action(description=_("We reached them"), permissions=["change"])
    def reached(self, request, queryset):
        self._done(request, queryset, Callback.Outcome.REACHED)

    @admin.action(description=_("We left a message"), permissions=["change"])
    def left_message(self, request, queryset):
        self._done(request, queryset, Callback.Outcome.LEFT_MESSAGE)

    @admin.action(description=_("The number is wrong"), permissions=["change"])
    def wrong_number(self, request, queryset):
        self._done(request, queryset, Callback.Outcome.WRONG_NUMBER)

    @admin.action(description=_("No call is needed any more"), permissions=["change"])
    def not_needed(self, request, queryset):
        self._done(request, queryset, Callback.Outcome.NOT_NEEDED)

    @admin.action(description=_("Put back on the list"), permissions=["change"])
    def reopen(self, request, queryset):
        count = queryset.exclude(done_at=None).update(outcome="", done_at=None, done_by=None)
        self.message_user(request, ngettext("%d call is back on the list.", "%d calls are back on the list.", count) % count)
