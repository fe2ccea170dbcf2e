"""Seminars at the front desk: written, published, moved, called off, and their lists."""

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, Q
from django.http import HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.practice.exports import csv_response
from project.practice.pages import button_only, read_only
from project.practice.phones import phone_words
from project.practice.save_first import SaveFirst
from project.practice.text_inlines import TextInline, TextsAdmin
from project.practice.zones import moment_words, time_words, to_wall

from .. import changes, registration
from ..models import Registration, Seminar, SeminarText
from ..refusals import AlreadyRegistered, Refused
from .forms import CopyForm, MoveForm, PersonForm, SeminarForm


class SeminarTextInline(TextInline):
    model = SeminarText


class WhenFilter(admin.SimpleListFilter):
    title = _("when")
    parameter_name = "when"

    def lookups(self, request, model_admin):
        return [("past", _("over")), ("all", _("all"))]

    def choices(self, changelist):
        choices = list(super().choices(changelist))
        choices[0]["display"] = _("to come")
        return choices

    def queryset(self, request, queryset):
        match self.value():
            case "past":
                return queryset.past(timezone.now())
            case "all":
                return queryset
        return queryset.upcoming(timezone.now())


@admin.register(Seminar)
class SeminarAdmin(SaveFirst, TextsAdmin):
    form = SeminarForm
    inlines = [SeminarTextInline]
    acts = ("publish", "add_person", "move", "call_off", "copy", "look")
    list_display = ["title", "when", "place", "talk_language", "status", "seats"]
    list_filter = [WhenFilter, "status", "format", "talk_language"]
    search_fields = ["texts__title", "slug", "venue__city"]
    ordering = ["starts_at", "pk"]
    fieldsets = [
        (_("When and where"), {"fields": ["format", "venue", "zone", ("date", "starts", "ends")]}),
        (_("Seats"), {"fields": [("seats_in_person", "seats_online")]}),
        (_("The talk"), {"fields": ["talk_language", "speakers"]}),
        (_("Online"), {"fields": ["join_url"], "description": _("Only for online and hybrid seminars.")}),
        (_("More"), {"fields": ["series", "slug"], "classes": ["collapse"]}),
    ]

    def get_queryset(self, request):
        return super().get_queryset(request).with_words()

    @admin.display(description=_("title"))
    def title(self, seminar):
        text = seminar.text() or next(iter(seminar.texts.all()), None)
        return text.title if text else seminar.slug

    @admin.display(description=_("when"), ordering="starts_at")
    def when(self, seminar):
        return moment_words(seminar.starts_at, seminar.zone)

    @admin.display(description=_("place"))
    def place(self, seminar):
        return seminar.venue or seminar.get_format_display()

    @admin.display(description=_("seats"))
    def seats(self, seminar):
        return "; ".join(_seats_words(pool, len(seminar.modes) > 1) for pool in seminar.pools.all())

    def get_fieldsets(self, request, obj=None):
        """Where a published seminar's greyed-out date and place are changed is said beside them. Who may only look reads it in words."""
        if obj is not None and not self.has_change_permission(request, obj):
            return [(None, {"fields": ["status", "when", "place", "seats", "talk_language", "speakers", "join_url", "series"]})]
        if obj is None or obj.status != Seminar.Status.PUBLISHED:
            return self.fieldsets
        (name, first), *rest = self.fieldsets
        return [(name, {**first, "description": _("People rely on these. Press “Move” to change them, and everybody is told.")}), *rest]

    def response_add(self, request, obj, post_url_continue=None):
        """A new draft stays open: the next thing to do with it is to look it over and publish it."""
        if "_save" not in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, _("Saved as a draft, which nobody but you sees. Look it over, then press “Publish”."))
        return self._back(obj)

    def render_change_form(self, request, context, *args, obj=None, **kwargs):
        if obj is not None:
            context["subtitle"] = f"{self.title(obj)} · {self.when(obj)}"
        return super().render_change_form(request, context, *args, obj=obj, **kwargs)

    def has_delete_permission(self, request, obj=None):
        """A seminar people know of is called off, not deleted."""
        if obj is not None and (obj.status != Seminar.Status.DRAFT or obj.registrations.exists()):
            return False
        return super().has_delete_permission(request, obj)

    def get_actions(self, request):
        return {name: action for name, action in super().get_actions(request).items() if name != "delete_selected"}

    def save_model(self, request, obj, form, change):
        """Only what was typed: a page loaded before the seminar was published, moved or called off must not undo that."""
        if not change:
            return super().save_model(request, obj, form, change)
        columns = {field.name for field in Seminar._meta.concrete_fields}
        is_draft = obj.status == Seminar.Status.DRAFT
        typed = {*form.fields, "starts_at", "ends_at"} if is_draft else set(form.changed_data)
        obj.save(update_fields=columns & typed | {"changed_at"})

    def save_related(self, request, form, formsets, change):
        super().save_related(request, form, formsets, change)
        capacities = form.capacities()
        if form.instance.status == Seminar.Status.DRAFT:
            form.instance.pools.exclude(mode__in=capacities).delete()  # the draft has another format now
        for mode, capacity in capacities.items():
            changes.set_capacity(form.instance, mode, capacity)

    # -- What else can be done with one seminar ---------------------------------------------------------------------------------------------

    def offered(self, request, obj):
        """What makes sense for a draft, a published seminar, or one called off; the public page as a preview before it is published."""
        labels = {
            "publish": _("Publish"),
            "add_person": _("Register somebody"),
            "move": _("Move"),
            "call_off": _("Call off"),
            "copy": _("Copy"),
            "look": _("View on the site"),
        }
        match obj and obj.status:
            case None:
                fitting = {"publish", "look"}
            case Seminar.Status.DRAFT:
                fitting = {"publish", "copy", "look"}
            case Seminar.Status.PUBLISHED:
                fitting = labels.keys() - {"publish"}
            case _:
                fitting = {"copy", "look"}
        if not request.user.has_perm("seminars.add_registration"):
            fitting -= {"add_person"}
        if not self.has_change_permission(request, obj):
            fitting &= {"look"}
        return {name: label for name, label in labels.items() if name in fitting}

    def follow(self, request, obj, act):
        match act:
            case "publish":
                return self._publish(request, self._seminar(request, obj.pk))
            case "look":
                return HttpResponseRedirect(reverse("seminar", args=[obj.slug]))
        return HttpResponseRedirect(reverse(f"admin:seminars_seminar_{act}", args=[obj.pk]))

    def get_urls(self):
        def wrap(view, name):
            return path(f"<int:pk>/{name}/", self.admin_site.admin_view(view), name=f"seminars_seminar_{name.replace('-', '_')}")

        own = [
            wrap(self.move_view, "move"),
            wrap(self.call_off_view, "call-off"),
            wrap(button_only(self.unpublish_view), "unpublish"),
            wrap(self.copy_view, "copy"),
            wrap(self.add_person_view, "add-person"),
            wrap(read_only(self.export_view), "export"),
        ]
        return own + super().get_urls()

    def _seminar(self, request, pk):
        seminar = get_object_or_404(Seminar.objects.with_words(), pk=pk)
        if not self.has_change_permission(request, seminar):
            raise PermissionDenied
        return seminar

    def _page(self, request, seminar, template, **context):
        context |= {**self.admin_site.each_context(request), "opts": self.opts, "seminar": seminar, "original": seminar}
        return render(request, f"admin/seminars/seminar/{template}.html", context)

    def _called_off(self, request, seminar):
        """Where a page leads that has no use for a seminar that was called off; None while it is to take place."""
        if request.method == "POST" or seminar.status != Seminar.Status.CANCELLED:
            return None
        messages.error(request, _("This seminar was cancelled. Make a copy of it instead."))
        return self._back(seminar)

    def _back(self, seminar):
        return HttpResponseRedirect(reverse("admin:seminars_seminar_change", args=[seminar.pk]))

    def _do(self, request, seminar, verb, sentence):
        """Carry out a verb and say so; its refusal is the sentence instead."""
        try:
            verb()
        except Refused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, seminar, str(sentence))
            messages.success(request, sentence)
        return self._back(seminar)

    def _publish(self, request, seminar):
        if seminar.status == Seminar.Status.PUBLISHED:
            messages.info(request, _("It is published already."))
            return self._back(seminar)
        return self._do(request, seminar, lambda: changes.publish(seminar), _("Published. People can register now."))

    def move_view(self, request, pk):
        """Date, time or place change: first a preview of who hears of it and how, then the button."""
        seminar = self._seminar(request, pk)
        if gone := self._called_off(request, seminar):
            return gone
        form = MoveForm(request.POST or None, instance=seminar)
        if request.method != "POST" or not form.is_valid():
            return self._page(request, seminar, "move", form=form, title=_("Move this seminar"))
        data = form.cleaned_data
        moved = {name: data[name] for name in ("starts_at", "ends_at", "zone")} | {"venue": data.get("venue")}
        if "confirm" not in request.POST:
            words = {
                "old": moment_words(seminar.starts_at, seminar.zone),
                "old_end": time_words(seminar.ends_at, seminar.zone),
                "new": moment_words(moved["starts_at"], moved["zone"]),
                "new_end": time_words(moved["ends_at"], moved["zone"]),
                "new_venue": moved["venue"],
            }
            who = told(changes.concerned(seminar, **moved))
            return self._page(request, seminar, "move", form=form, preview=words, told=who, title=_("Move this seminar: please check"))
        return self._do(
            request,
            seminar,
            lambda: changes.reschedule(seminar, **moved),
            _("Moved. Everybody it concerns is being told, and their calendars follow."),
        )

    def call_off_view(self, request, pk):
        seminar = self._seminar(request, pk)
        if gone := self._called_off(request, seminar):
            return gone
        if request.method != "POST":
            return self._page(
                request,
                seminar,
                "call_off",
                told=told(seminar.registrations.active()),
                may_unpublish=seminar.status == Seminar.Status.PUBLISHED and not seminar.registrations.exists(),
                title=_("Call this seminar off"),
            )
        return self._do(
            request,
            seminar,
            lambda: changes.call_off(seminar),
            _("Called off. Everybody registered is being told, and their calendar entries are taken out."),
        )

    def unpublish_view(self, request, pk):
        seminar = self._seminar(request, pk)
        return self._do(
            request, seminar, lambda: changes.unpublish(seminar), _("It is a draft again, which nobody but you sees. Nobody was told.")
        )

    def copy_view(self, request, pk):
        """The same seminar on another day, as a draft."""
        seminar = self._seminar(request, pk)
        form = CopyForm(request.POST or None, seminar=seminar)
        if request.method == "POST" and form.is_valid():
            copy = changes.duplicate(seminar, **form.cleaned_data["copy"])
            self.log_addition(request, copy, "Copied.")
            messages.success(request, _("Here is the copy, a draft. Look it over, then publish it."))
            return self._back(copy)
        return self._page(request, seminar, "copy", form=form, title=_("Copy this seminar"))

    def add_person_view(self, request, pk):
        seminar = self._seminar(request, pk)
        if not request.user.has_perm("seminars.add_registration"):
            raise PermissionDenied
        if gone := self._called_off(request, seminar):
            return gone
        form, already = PersonForm(request.POST or None, seminar=seminar), None
        if request.method == "POST" and form.is_valid():
            try:
                person = registration.add_by_phone(seminar, **form.cleaned_data)
            except AlreadyRegistered as refusal:
                already = refusal
            except Refused as refusal:
                form.add_error(None, str(refusal))
            else:
                self.log_change(request, seminar, f"Registered {person}.")
                if person.status == Registration.Status.WAITLISTED:
                    messages.warning(request, _("It is full, so they are on the waiting list."))
                else:
                    messages.success(request, _("They have their seats."))
                return HttpResponseRedirect(reverse("admin:seminars_registration_changelist") + f"?seminar__id__exact={seminar.pk}")
        return self._page(request, seminar, "add_person", form=form, already=already, title=_("Register somebody"))

    def export_view(self, request, pk):
        """The list for the door, as CSV: who has a seat first, then who waits, by name."""
        seminar = self._seminar(request, pk)
        if not request.user.has_perm("seminars.view_registration"):
            raise PermissionDenied
        self.log_change(request, seminar, "Exported the list of registrations.")
        header = [
            _("Last name"),
            _("First name"),
            _("Phone"),
            _("E-mail"),
            _("People"),
            _("Attends"),
            _("Status"),
            _("Language"),
            _("Registered"),
        ]
        rows = (
            [
                person.last_name,
                person.first_name,
                phone_words(person.phone) if person.phone else "",
                person.email,
                person.party_size,
                person.get_mode_display(),
                person.get_status_display(),
                person.get_language_display(),
                to_wall(person.created_at, seminar.zone).strftime("%Y-%m-%d %H:%M"),
            ]
            for person in seminar.registrations.active().order_by("status", "folded_name", "pk").iterator(500)
        )
        return csv_response(f"{seminar.slug}.csv", header, rows)


def _seats_words(pool, named):
    """How full a room is, as the list says it: `12 of 30, 3 waiting`, with the way to attend where there are two."""
    words = _("%(expected)s of %(capacity)s") % {"expected": pool.expected, "capacity": pool.capacity}
    if pool.waiting:
        words += ", " + ngettext("%(n)s waiting", "%(n)s waiting", pool.waiting) % {"n": pool.waiting}
    return f"{pool.get_mode_display()}: {words}" if named else words


def told(registrations):
    """Of those who hear of a change, how: parties by letter in each language, parties to call, parties that wait."""
    return registrations.aggregate(
        by_letter=Count("pk", filter=~Q(email="")),
        in_spanish=Count("pk", filter=~Q(email="") & Q(language="es")),
        to_call=Count("pk", filter=Q(email="")),
        waiting=Count("pk", filter=Q(status=Registration.Status.WAITLISTED)),
    )
