"""The front desk's view of letters: what left, what did not and why, the two routes, and whom we must not write to. Never a body."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminDateWidget
from django.core.exceptions import PermissionDenied
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from project.practice.long_lists import LongList
from project.practice.look_only import LookOnly
from project.practice.pages import button_only, page_or_button

from . import bells, desk, kinds, ledger, pace, routes, sending
from .addresses import address_hash, parse_address
from .models import Event, Message, Route, Stream, Suppression


def found_by_address(queryset, term):
    """Rows of exactly that address, by its hash; none for anything else."""
    return queryset.filter(address_hash=address_hash(term)) if "@" in term else queryset.none()


class KindFilter(admin.SimpleListFilter):
    title = gettext_lazy("letter")
    parameter_name = "kind"

    def lookups(self, request, model_admin):
        return [(name, kinds.words(name)) for name in kinds.names()]

    def queryset(self, request, queryset):
        return queryset.filter(kind=self.value()) if self.value() in kinds.names() else queryset


@admin.register(Message)
class MessageAdmin(LongList, LookOnly, admin.ModelAdmin):
    list_display = ["what", "address", "state", "why", "due_at", "attempts", "settled_at"]
    list_filter = ["state", KindFilter, "language", ("due_at", admin.DateFieldListFilter)]
    search_fields = ["address_hash"]
    search_help_text = gettext_lazy("Type a whole e-mail address.")
    fields = ["what", "address", "language", "state", "why", "detail", "created_at", "due_at", "attempts", "tried_at", "settled_at"]
    readonly_fields = ["what", "why"]
    change_form_template = "admin/mail/message/change_form.html"
    list_per_page = 50
    actions = ["send_again"]

    @admin.display(description=gettext_lazy("letter"), ordering="kind")
    def what(self, letter):
        return kinds.words(letter.kind)

    @admin.display(description=gettext_lazy("reason"))
    def why(self, letter):
        return dict(Message.Reason.choices).get(letter.reason, letter.reason)

    def get_search_results(self, request, queryset, search_term):
        return (found_by_address(queryset, search_term) if search_term else queryset), False

    def change_view(self, request, object_id, form_url="", extra_context=None):
        may = self.has_resend_permission(request)
        return super().change_view(request, object_id, form_url, {"may_send_again": may, **(extra_context or {})})

    def has_resend_permission(self, request):
        return request.user.has_perm("mail.change_message")

    @admin.action(description=gettext_lazy("Send again"), permissions=["resend"])
    def send_again(self, request, queryset):
        again = sum(sending.send_again(pk) for pk in queryset.values_list("pk", flat=True))
        left = queryset.count() - again
        if again:
            bells.ring("letters")
            text = ngettext("%(count)s letter is sent again.", "%(count)s letters are sent again.", again)
            self.message_user(request, text % {"count": again}, messages.SUCCESS)
        if left:
            text = ngettext(
                "%(count)s letter was neither failed nor in doubt, so it stays as it is.",
                "%(count)s letters were neither failed nor in doubt, so they stay as they are.",
                left,
            )
            self.message_user(request, text % {"count": left}, messages.WARNING)


class LimitsForm(forms.ModelForm):
    class Meta:
        model = Route
        fields = ["per_second", "per_day", "warm_up_from"]
        widgets = {"warm_up_from": AdminDateWidget}


@admin.register(Route)
class RouteAdmin(LookOnly, admin.ModelAdmin):
    list_display = ["stream", "way", "state", "limit", "tested_at"]
    fields = ["stream", "way", "state", "limit", "tested_at", "failures"]
    readonly_fields = ["way", "state", "limit"]
    change_form_template = "admin/mail/route/change_form.html"

    def get_queryset(self, request):
        for stream in Stream:
            routes.row(stream)
        return super().get_queryset(request)

    @admin.display(description=gettext_lazy("by"))
    def way(self, route):
        return routes.spec(route.stream).name

    @admin.display(description=gettext_lazy("state"))
    def state(self, route):
        return desk.state_of(route, timezone.now())

    @admin.display(description=gettext_lazy("how fast"))
    def limit(self, route):
        return " ".join(desk.limits_of(route, timezone.now()))

    def get_urls(self):
        def verb(view):
            return self.admin_site.admin_view(button_only(view))

        limits = self.admin_site.admin_view(page_or_button(self.limits_view))
        own = [
            path("bulk/limits/", limits, name="mail_route_limits"),
            path("<slug:stream>/test/", verb(self.test_view), name="mail_route_test"),
            path("<slug:stream>/pause/", verb(self.pause_view), name="mail_route_pause"),
            path("<slug:stream>/resume/", verb(self.resume_view), name="mail_route_resume"),
            path("release/", verb(self.release_view), name="mail_release"),
        ]
        return own + super().get_urls()

    def change_view(self, request, object_id, form_url="", extra_context=None):
        may = request.user.has_perm("mail.change_route")
        return super().change_view(request, object_id, form_url, {"may_change": may, **(extra_context or {})})

    def limits_view(self, request):
        """How fast newsletters may leave: a form, and the warm-up's table."""
        route = self._route(request, Stream.BULK)
        form = LimitsForm(request.POST or None, instance=route)
        if request.method == "POST" and form.is_valid():
            desk.set_limits(route, form.cleaned_data)
            self.log_change(request, route, f"Limits: {form.cleaned_data}.")
            self.message_user(request, _("Saved. It holds from the next letters on."), messages.SUCCESS)
            return self._back(route)
        context = self.admin_site.each_context(request) | {"title": _("How fast newsletters may leave"), "form": form, "original": route}
        return render(request, "admin/mail/route/limits.html", context | {"opts": self.opts, "warm_up": list(enumerate(pace.WARM_UP, 1))})

    def pause_view(self, request, stream):
        route = self._route(request, stream)
        routes.pause(route.stream, _("somebody at the front desk stopped it"))
        self.log_change(request, route, "Stopped.")
        self.message_user(
            request, _("Nothing leaves this way until you resume it. The few letters already on their way still arrive."), messages.SUCCESS
        )
        return self._back(route)

    def test_view(self, request, stream):
        route = self._route(request, stream)
        if not request.user.email:
            self.message_user(request, _("Your login has no e-mail address. Ask the owner to enter one."), messages.ERROR)
            return self._back(route)
        worked, sentence = desk.test_route(route.stream, request.user.email)
        self.message_user(request, sentence, messages.SUCCESS if worked else messages.ERROR)
        return self._back(route)

    def resume_view(self, request, stream):
        route = self._route(request, stream)
        routes.resume(route.stream)
        self.log_change(request, route, "Resumed.")
        desk.ring(route.stream)
        self.message_user(request, _("Letters leave this way again."), messages.SUCCESS)
        return self._back(route)

    def release_view(self, request):
        if not request.user.has_perm("mail.change_ledger"):
            raise PermissionDenied
        ledger.release()
        self.log_change(request, routes.row(Stream.TRANSACTIONAL), "Released the hold.")
        if ledger.hold():
            text = _("MAIL_HOLD=1 in the server’s settings still holds all mail. Ask whoever runs the server.")
            self.message_user(request, text, messages.WARNING)
        else:
            for stream in Stream:
                desk.ring(stream)
            self.message_user(request, _("Letters leave again."), messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:index"))

    def _route(self, request, stream):
        if not request.user.has_perm("mail.change_route"):
            raise PermissionDenied
        return get_object_or_404(self.get_queryset(request), stream=stream)

    def _back(self, route):
        return HttpResponseRedirect(reverse("admin:mail_route_change", args=[route.pk]))


class SuppressionForm(forms.ModelForm):
    """An address is typed, and only its hash is kept."""

    address = forms.CharField(label=gettext_lazy("E-mail address"), max_length=254)

    class Meta:
        model = Suppression
        fields = ["scope"]

    def clean(self):
        given = super().clean()
        if given.get("address"):
            try:
                self.instance.address_hash = address_hash(parse_address(given["address"]))
            except forms.ValidationError as error:
                self.add_error("address", error)
        if Suppression.objects.filter(address_hash=self.instance.address_hash, scope=given.get("scope")).exists():
            self.add_error("address", _("This address is on the list already."))
        self.instance.reason = Suppression.Reason.BY_HAND
        return given


class LiftForm(forms.Form):
    reason = forms.CharField(label=gettext_lazy("Why may we write to this address again?"), max_length=200)


@admin.register(Suppression)
class SuppressionAdmin(LongList, admin.ModelAdmin):
    form = SuppressionForm
    list_display = ["pk", "scope", "reason", "created_at"]
    list_filter = ["scope", "reason"]
    search_fields = ["address_hash"]
    search_help_text = gettext_lazy("Type a whole e-mail address: only its fingerprint is kept, so no part of it can be found.")
    change_form_template = "admin/mail/suppression/change_form.html"

    def get_fields(self, request, obj=None):
        return ["scope", "reason", "created_at"] if obj else ["address", "scope"]

    def get_search_results(self, request, queryset, search_term):
        return (found_by_address(queryset, search_term) if search_term else queryset), False

    def has_change_permission(self, request, obj=None):
        return False

    def has_delete_permission(self, request, obj=None):
        return False  # lifted, with a reason

    def get_urls(self):
        lift = self.admin_site.admin_view(self.lift_view)
        return [path("<int:pk>/lift/", lift, name="mail_suppression_lift"), *super().get_urls()]

    def change_view(self, request, object_id, form_url="", extra_context=None):
        may = request.user.has_perm("mail.change_suppression")
        return super().change_view(request, object_id, form_url, {"may_lift": may, **(extra_context or {})})

    def lift_view(self, request, pk):
        if not request.user.has_perm("mail.change_suppression"):
            raise PermissionDenied
        suppression = get_object_or_404(Suppression, pk=pk)
        form = LiftForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            desk.lift(suppression, request.user, form.cleaned_data["reason"])
            self.message_user(request, _("We may write to this address again."), messages.SUCCESS)
            return HttpResponseRedirect(reverse("admin:mail_suppression_changelist"))
        context = self.admin_site.each_context(request) | {"title": _("Lift a suppression"), "form": form, "original": suppression}
        return render(request, "admin/mail/suppression/lift.html", context | {"opts": self.opts})


@admin.register(Event)
class EventAdmin(LongList, LookOnly, admin.ModelAdmin):
    list_display = ["occurred_at", "provider", "type", "hard"]
    list_filter = ["provider", "type", "hard"]
    search_fields = ["address_hash"]
    search_help_text = gettext_lazy("Type a whole e-mail address.")
    fields = ["provider", "type", "hard", "occurred_at", "received_at"]

    def get_search_results(self, request, queryset, search_term):
        return (found_by_address(queryset, search_term) if search_term else queryset), False
