"""Who reads the newsletter, and the evidence that they asked for it."""

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.widgets import AdminTextInputWidget
from django.core.exceptions import ValidationError
from django.db.models import Count, IntegerField, Max, OuterRef, Prefetch, Subquery
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from project.mail import suppressions
from project.mail.addresses import address_hash, parse_address
from project.mail.models import Stream
from project.practice import zones
from project.practice.long_lists import LongList
from project.practice.look_only import LookOnly, LookOnlyInline
from project.practice.names import parse_name
from project.practice.text_inlines import TextInline, TextsAdmin

from .. import consent, subscribing
from ..models import Consent, ConsentWording, Subscriber, Subscription, Topic, TopicText


class ActiveTopicFilter(admin.SimpleListFilter):
    title = _("reads")
    parameter_name = "reads"

    def lookups(self, request, model_admin):
        return [(topic.slug, str(topic.text() or topic)) for topic in Topic.objects.prefetch_related("texts")] + [("nothing", _("nothing now"))]

    def queryset(self, request, queryset):
        if self.value() == "nothing":
            return queryset.reading_nothing()
        if self.value() in dict(self.lookup_choices):
            # The topics' own numbers, so that PostgreSQL knows how many read them.
            return queryset.reading(list(Topic.objects.filter(slug=self.value()).values_list("pk", flat=True)))
        return queryset


class SubscriptionInline(LookOnlyInline):
    model = Subscription
    fields = ["topic", "started_at", "ended_at", "ending"]


class ConsentInline(LookOnlyInline):
    model = Consent
    fields = ["at", "given", "topic", "method", "form", "wording", "confirmed_at", "note"]
    verbose_name_plural = _("consent history")


def _zones(present):
    """The country's zones, the practice's own as '', and the one they have."""
    known = [("", _("the practice’s")), *zones.CHOICES]
    return known if present in dict(known) else [*known, (present, present)]


class SubscriberForm(forms.ModelForm):
    """A person, and what they agreed to on the phone or at the desk."""

    topics = forms.ModelMultipleChoiceField(
        label=_("They agreed to letters about"), queryset=Topic.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=_("How they agreed"),
        required=False,
        max_length=160,
        widget=AdminTextInputWidget,
        help_text=_("For example: “On the phone, November 23, she asked for it herself.” It is kept with the consent for good."),
    )

    class Meta:
        model = Subscriber
        fields = ["first_name", "last_name", "address", "language", "zone"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if "zone" in self.fields:
            self.fields["zone"].widget = forms.Select(choices=_zones(self.instance.zone))
        if "topics" in self.fields:
            self.fields["topics"].queryset = Topic.objects.prefetch_related("texts")
            self.fields["topics"].label_from_instance = lambda topic: str(topic.text() or topic)
            if self.instance.pk is None:
                self.fields["topics"].required = self.fields["note"].required = True

    def clean_first_name(self):
        return parse_name(self.cleaned_data["first_name"])

    def clean_last_name(self):
        return parse_name(self.cleaned_data["last_name"])

    def clean_zone(self):
        if self.cleaned_data["zone"]:
            zones.validate_zone(self.cleaned_data["zone"])
        return self.cleaned_data["zone"]

    def clean_address(self):
        address = parse_address(self.cleaned_data["address"])
        if Subscriber.objects.filter(address_hash=address_hash(address)).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("This address is in the list already. Search for it there: you can add a consent on its page."))
        return address

    def clean(self):
        cleaned = super().clean()
        if cleaned.get("topics") and not cleaned.get("note"):
            self.add_error("note", _("Please write down how and when they agreed."))
        if cleaned.get("topics") and subscribing.current_wording(consent.PURPOSE, cleaned.get("language") or self.instance.language) is None:
            self.add_error("topics", _("There are no words of consent in this person’s language."))
        return cleaned


@admin.register(Subscriber)
class SubscriberAdmin(LongList, admin.ModelAdmin):
    form = SubscriberForm
    list_display = ["who", "address", "language", "reads", "created_at"]
    list_filter = ["language", ActiveTopicFilter]
    sortable_by = ["who", "language"]  # what an index sorts by; the newest come first anyway
    search_fields = ["folded_last"]
    search_help_text = _("By the beginning of a first name, a last name, both in either order, or an e-mail address. Accents don’t matter.")
    list_per_page = 50
    inlines = [SubscriptionInline, ConsentInline]
    actions = ["stop_all"]

    def get_fieldsets(self, request, obj=None):
        person = (None, {"fields": ["first_name", "last_name", "address", "language", "zone", *(["may_write", "created_at"] if obj else [])]})
        if not self.has_change_permission(request, obj):
            return [person]
        by_word = {
            "fields": ["words", "topics", "note"],
            "description": _("Read them these words, and go on only if they say yes."),
        }
        return [person, (_("Consent by word of mouth"), by_word)]

    def get_inlines(self, request, obj):
        return self.inlines if obj else []

    def get_readonly_fields(self, request, obj=None):
        # Consent belongs to an address: another address is another person's yes.
        return ["words", "may_write", "created_at", *(["address"] if obj else [])]

    def get_queryset(self, request):
        active = Subscription.objects.active().select_related("topic").prefetch_related("topic__texts")
        return super().get_queryset(request).prefetch_related(Prefetch("subscriptions", active, to_attr="standing"))

    def get_search_results(self, request, queryset, search_term):
        return queryset.found_by(search_term) if search_term.strip() else queryset, False

    @admin.display(description=_("name"), ordering="folded_last")
    def who(self, subscriber):
        return f"{subscriber.first_name} {subscriber.last_name}".strip() or "–"

    @admin.display(description=_("reads"))
    def reads(self, subscriber):
        return ", ".join(str(subscription.topic.text() or subscription.topic) for subscription in subscriber.standing) or "–"

    @admin.display(description=_("letters"))
    def may_write(self, subscriber):
        if suppressions.blocks(subscriber.address_hash, Stream.BULK):
            return _("The address does not accept our letters, or the person reported one. Nothing is sent.")
        if not subscriber.standing:
            return _("None. This person reads no newsletter now.")
        return _("Nothing stands in the way.")

    @admin.display(description=_("the words"))
    def words(self, subscriber):
        wordings = [
            subscribing.current_wording(consent.PURPOSE, language) for language, _name in Subscriber._meta.get_field("language").choices
        ]
        return format_html_join("", '<p lang="{}">“{}”</p>', ((wording.language, wording.text) for wording in wordings if wording))

    def has_delete_permission(self, request, obj=None):
        return False  # the evidence stays; to stop the letters there is an action

    def save_model(self, request, obj, form, change):
        super().save_model(request, obj, form, change)
        topics = form.cleaned_data.get("topics")
        if not topics:
            return
        now = timezone.now()
        consent.give(
            obj,
            topics,
            wording=subscribing.current_wording(consent.PURPOSE, obj.language),
            form="admin",
            method=Consent.Method.COORDINATOR,
            at=now,
            confirmed_at=now,
            note=f"{form.cleaned_data['note']} ({request.user.get_username()})"[:200],
        )
        if suppressions.blocks(obj.address_hash, Stream.BULK):
            self.message_user(request, _("Saved, but this address does not accept our letters, so none will be sent."), messages.WARNING)

    @admin.action(description=_("Stop all letters to them"), permissions=["change"])
    def stop_all(self, request, queryset):
        ended = [
            subscribing.unsubscribe(subscriber, Consent.Method.COORDINATOR, form="admin", note=request.user.get_username())
            for subscriber in queryset
        ]
        stopped = sum(1 for number in ended if number)
        self.message_user(
            request,
            ngettext("%(n)d person gets no more newsletters.", "%(n)d people get no more newsletters.", stopped) % {"n": stopped},
            messages.SUCCESS,
        )


class TopicTextInline(TextInline):
    model = TopicText


class TopicForm(forms.ModelForm):
    class Meta:
        model = Topic
        fields = ["slug", "offered", "standard"]

    def clean_standard(self):
        standard = self.cleaned_data["standard"]
        if not standard and not Topic.objects.filter(standard=True).exclude(pk=self.instance.pk).exists():
            raise ValidationError(_("One topic must be the one that people get who tick “newsletter” on a form."))
        return standard


def _readers():
    """How many read a topic: counted topic by topic along the index of those who do, not by a join with a million of them."""
    active = Subscription.objects.active().filter(topic=OuterRef("pk")).order_by().values("topic")
    return Coalesce(Subquery(active.annotate(readers=Count("*")).values("readers"), output_field=IntegerField()), 0)


@admin.register(Topic)
class TopicAdmin(TextsAdmin):
    form = TopicForm
    list_display = ["name", "offered", "standard", "readers"]
    inlines = [TopicTextInline]

    def get_queryset(self, request):
        return super().get_queryset(request).prefetch_related("texts").annotate(readers=_readers())

    @admin.display(description=_("name"), ordering="slug")
    def name(self, topic):
        return str(topic.text() or topic)

    @admin.display(description=_("readers"), ordering="readers")
    def readers(self, topic):
        return topic.readers


@admin.register(Consent)
class ConsentAdmin(LongList, LookOnly, admin.ModelAdmin):
    # No filter by form and no date hierarchy: to know what there is to choose, both would read every row.
    list_display = ["at", "given", "purpose", "topic", "method", "form", "wording", "confirmed_at"]
    list_filter = [("at", admin.DateFieldListFilter), "given", "method"]
    list_select_related = ["topic", "wording"]
    sortable_by = ["at"]


@admin.register(ConsentWording)
class ConsentWordingAdmin(LookOnly, admin.ModelAdmin):
    """New words are a new row, whose version follows by itself; a row that was shown to somebody stays as it was."""

    fields = ["language", "text"]
    list_display = ["language", "version", "text", "created_at"]
    list_filter = ["language"]

    def has_add_permission(self, request):
        return admin.ModelAdmin.has_add_permission(self, request)

    def save_model(self, request, obj, form, change):
        latest = ConsentWording.objects.filter(purpose=consent.PURPOSE, language=obj.language).aggregate(Max("version"))["version__max"]
        obj.purpose, obj.version = consent.PURPOSE, (latest or 0) + 1
        super().save_model(request, obj, form, change)
