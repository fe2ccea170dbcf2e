"""Campaigns at the front desk: written, looked at, tried, scheduled, watched, and their reports."""

from datetime import timedelta
from functools import partial

from csp.constants import NONE, SELF, UNSAFE_INLINE
from csp.decorators import csp
from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Subquery
from django.http import Http404, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone, translation
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.clickjacking import xframe_options_sameorigin

from project.practice.exports import csv_response
from project.practice.long_lists import MOST, Count
from project.practice.models import Practice
from project.practice.pages import button_only, read_only
from project.practice.save_first import SaveFirst
from project.practice.text_inlines import TextInline, TextsAdmin
from project.practice.zones import moment_words, to_wall, zone_name

from .. import audience, campaign_letters, campaigns, content, hours, progress, reports
from ..models import Campaign, CampaignText, Delivery, Subscriber
from .campaign_forms import CampaignForm, CampaignTextForm, ScheduleForm

Status, State = Campaign.Status, Delivery.State

#: What a letter's HTML may do inside its frame: show its inline styles and our own pictures; no script, no form, no link that leads out.
_LETTER_CSP = {
    "default-src": [NONE],
    "style-src": [UNSAFE_INLINE],
    "img-src": [SELF],
    "frame-ancestors": [SELF],
    "form-action": [NONE],
    "base-uri": [NONE],
    "sandbox": [""],
}

#: How many names a page of the report lists, and how many readers a preview offers.
_PAGE, _READERS = 100, 25


class CampaignTextInline(TextInline):
    model = CampaignText
    form = CampaignTextForm


@admin.register(Campaign)
class CampaignAdmin(SaveFirst, TextsAdmin):
    form = CampaignForm
    inlines = [CampaignTextInline]
    acts = ("preview", "schedule", "unschedule")
    fields = ["name", "topic", "slug"]
    prepopulated_fields = {"slug": ["name"]}
    list_display = ["name", "status", "when", "progress"]
    list_filter = ["status"]
    search_fields = ["name", "texts__subject"]
    actions = None

    def get_queryset(self, request):
        zone = Subquery(Practice.objects.values("zone")[:1])
        return super().get_queryset(request).annotate(pending=reports.pending(), zone=zone)

    @admin.display(description=_("goes out"), ordering="send_at")
    def when(self, campaign):
        moment = campaign.launched_at or campaign.send_at
        return moment_words(moment, campaign.zone) if moment else "–"

    @admin.display(description=_("done"))
    def progress(self, campaign):
        if campaign.launched_at is None:
            return "–"
        settled = max(campaign.audience_size - campaign.pending, 0)
        return gettext("%(settled)d of %(audience)d") % {"settled": settled, "audience": campaign.audience_size}

    # -- Writing: until it is launched --------------------------------------------------------------------------------------------------

    def has_change_permission(self, request, obj=None):
        return super().has_change_permission(request, obj) and (obj is None or obj.editable)

    def has_delete_permission(self, request, obj=None):
        """A campaign somebody may have got is kept, with its report."""
        return super().has_delete_permission(request, obj) and (obj is None or obj.status == Status.DRAFT)

    def get_prepopulated_fields(self, request, obj=None):
        return super().get_prepopulated_fields(request, obj) if obj is None else {}

    def changeform_view(self, request, object_id=None, form_url="", extra_context=None):
        if request.method == "POST" and object_id and super().has_change_permission(request):
            campaign = self.get_object(request, unquote(object_id))
            if campaign and not campaign.editable:  # launched or cancelled while its form was open
                messages.error(request, _("This campaign has already been sent or cancelled."))
                return self._to("report", campaign)
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except campaigns.CampaignRefused as refusal:  # launched at this very moment: nothing was saved
            messages.error(request, str(refusal))
            return HttpResponseRedirect(reverse("admin:newsletter_campaign_report", args=[object_id]))

    def response_add(self, request, obj, post_url_continue=None):
        """A new campaign stays open: the next thing to do with it is to look at it."""
        if "_save" not in request.POST:
            return super().response_add(request, obj, post_url_continue)
        messages.success(request, _("Saved as a draft. Look at it in the preview, then schedule it."))
        return self._to("change", obj)

    def save_model(self, request, obj, form, change):
        if not change:
            return super().save_model(request, obj, form, change)
        campaigns.begin_edit(obj)
        if form.changed_data:
            obj.save(update_fields=form.changed_data)

    # -- What else can be done with one campaign ----------------------------------------------------------------------------------------

    def offered(self, request, obj):
        """A look and a test for everybody who writes; the time for those who may send."""
        is_scheduled = obj is not None and obj.status == Status.SCHEDULED
        if not self.has_view_permission(request, obj):
            return {}
        offered = {"preview": _("Preview and test")}
        if request.user.has_perm("newsletter.send_campaign"):
            offered["schedule"] = _("Change the time") if is_scheduled else _("Schedule")
            if is_scheduled:
                offered["unschedule"] = _("Don’t send it yet")
        return offered

    def follow(self, request, obj, act):
        if act == "unschedule":
            return self._do(request, self._campaign(request, obj.pk, send=True), campaigns.unschedule, _("It is a draft again."))
        return self._to(act, obj)

    def get_urls(self):
        def wrap(route, view, name):
            return path(f"<int:pk>/{route}/", self.admin_site.admin_view(view), name=f"newsletter_campaign_{name}")

        verbs = [wrap(name, button_only(partial(self.verb_view, verb=verb, sentence=sentence)), name) for name, verb, sentence in self._verbs()]
        own = [
            wrap("preview", read_only(self.preview_view), "preview"),
            wrap("preview/<slug:language>", read_only(self.letter_view), "letter"),
            wrap("test", button_only(self.test_view), "test"),
            wrap("schedule", self.schedule_view, "schedule"),
            wrap("again", button_only(self.again_view), "again"),
            wrap("report", read_only(self.report_view), "report"),
            wrap("export", read_only(self.export_view), "export"),
        ]
        return own + verbs + super().get_urls()

    @staticmethod
    def _verbs():
        return [
            ("unschedule", campaigns.unschedule, _("It is a draft again.")),
            ("pause", campaigns.pause, _("Paused. The few letters already on their way still arrive.")),
            ("resume", campaigns.resume, _("It goes on where it was.")),
            ("cancel", campaigns.cancel, _("Cancelled. The few letters already on their way still arrive.")),
        ]

    def _campaign(self, request, pk, *, send=False):
        campaign = get_object_or_404(Campaign.objects.select_related("topic"), pk=pk)
        if send and not request.user.has_perm("newsletter.send_campaign"):
            raise PermissionDenied
        if not self.has_view_permission(request, campaign):
            raise PermissionDenied
        return campaign

    def _page(self, request, campaign, template, **context):
        context |= {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "campaign": campaign,
            "original": campaign,
            "zone": Practice.current().zone,
            "may_send": request.user.has_perm("newsletter.send_campaign"),
        }
        return render(request, f"admin/newsletter/campaign/{template}.html", context)

    def _to(self, name, campaign):
        return HttpResponseRedirect(reverse(f"admin:newsletter_campaign_{name}", args=[campaign.pk]))

    def _home(self, campaign):
        """Where one looks after it: the form while it can be written, the report once it is launched."""
        return self._to("report" if campaign.launched_at else "change", campaign)

    def render_change_form(self, request, context, *args, **kwargs):
        context |= {"may_send": request.user.has_perm("newsletter.send_campaign"), "zone": Practice.current().zone}
        return super().render_change_form(request, context, *args, **kwargs)

    def verb_view(self, request, pk, verb, sentence):
        return self._do(request, self._campaign(request, pk, send=True), verb, sentence)

    def _do(self, request, campaign, verb, sentence):
        """Carry out a verb and say so; its refusal is the sentence instead."""
        try:
            verb(campaign)
        except campaigns.CampaignRefused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, campaign, str(sentence))
            messages.success(request, sentence)
        campaign.refresh_from_db()
        return self._home(campaign)

    def again_view(self, request, pk):
        campaign = self._campaign(request, pk, send=True)
        states = {State.UNCERTAIN, State.FAILED} & set(request.POST.getlist("state"))
        try:
            if not states:
                raise campaigns.CampaignRefused(gettext("There is nobody to send it to again."))
            count = campaigns.send_again(campaign, states)
        except campaigns.CampaignRefused as refusal:
            messages.error(request, str(refusal))
        else:
            self.log_change(request, campaign, f"Sent again to {count} ({', '.join(sorted(states))}).")
            messages.success(
                request, ngettext("It goes out again to %(count)d person.", "It goes out again to %(count)d people.", count) % {"count": count}
            )
        return self._to("report", campaign)

    # -- Looking at it ------------------------------------------------------------------------------------------------------------------

    def preview_view(self, request, pk):
        """The letter as its readers see it: wide, narrow, and as plain text."""
        campaign = self._campaign(request, pk)
        texts = sorted(campaign.texts.all(), key=lambda text: [code for code, _name in settings.LANGUAGES].index(text.language))
        chosen = next((text for text in texts if text.language == request.GET.get("language")), texts[0] if texts else None)
        reader = self._reader(request)
        letter = _letter(chosen, reader) if chosen else None
        may_see_people = request.user.has_perm("newsletter.view_subscriber")
        readers = (
            audience.readers(campaign.topic).filter(language=chosen.language).order_by("pk")[:_READERS] if chosen and may_see_people else []
        )
        return self._page(
            request,
            campaign,
            "preview",
            title=_("Preview"),
            texts=texts,
            chosen=chosen,
            letter=letter,
            reader=reader,
            readers=readers,
            may_test=self._may_write(request),
        )

    @staticmethod
    def _may_write(request):
        return request.user.has_perm("newsletter.change_campaign") or request.user.has_perm("newsletter.send_campaign")

    @staticmethod
    def _reader(request):
        """The subscriber whose fields the preview shows, by number; None for the made-up one."""
        chosen = request.GET.get("reader", "")
        if not (chosen.isascii() and chosen.isdigit()) or not request.user.has_perm("newsletter.view_subscriber"):
            return None
        return Subscriber.objects.filter(pk=int(chosen[:18])).first()

    def letter_view(self, request, pk, language):
        """The HTML part alone, for the preview's frames."""
        campaign = self._campaign(request, pk)
        text = get_object_or_404(campaign.texts, language=language)
        return _framed(_letter(text, self._reader(request)).html)

    def test_view(self, request, pk):
        campaign = self._campaign(request, pk)
        language = request.POST.get("language", "")
        if not self._may_write(request):
            raise PermissionDenied
        if language not in set(campaign.texts.values_list("language", flat=True)):
            raise Http404
        if not request.user.email:
            messages.error(request, _("Your own account has no e-mail address. Please enter it first."))
        else:
            campaign_letters.post_test(campaign, language, request.user, at=timezone.now())
            messages.success(request, _("A test is on its way to %(address)s.") % {"address": request.user.email})
        return HttpResponseRedirect(reverse("admin:newsletter_campaign_preview", args=[campaign.pk]) + f"?language={language}")

    # -- Letting it go ------------------------------------------------------------------------------------------------------------------

    def schedule_view(self, request, pk):
        """When, and to how many: a page that says it all, and a number to type."""
        campaign = self._campaign(request, pk, send=True)
        if not campaign.editable:
            messages.error(request, _("This campaign has already been sent or cancelled."))
            return self._home(campaign)
        practice, readers = Practice.current(), audience.of(campaign)
        zone = practice.zone
        initial = _wall(campaign.send_at, zone) | {"own_zone": campaign.own_zone}
        form = ScheduleForm(request.POST or None, zone=zone, zone_name=zone_name(zone), expected=readers.will_get, initial=initial)
        if request.method == "POST" and form.is_valid():
            try:
                send_at = form.cleaned_data["send_at"] or timezone.now()
                campaigns.schedule(campaign, send_at, own_zone=form.cleaned_data["own_zone"])
            except campaigns.CampaignRefused as refusal:
                form.add_error(None, str(refusal))
            else:
                self.log_change(request, campaign, f"Scheduled for {campaign.send_at:%Y-%m-%d %H:%M} UTC.")
                quiet_until = hours.not_before("", campaign.send_at, practice)
                if quiet_until:
                    when = moment_words(quiet_until, zone)
                    messages.warning(request, _("That is in your quiet hours, so it goes out when they end: %(when)s.") % {"when": when})
                if form.cleaned_data["send_at"] is None:
                    if not quiet_until:
                        messages.success(request, _("It goes out within a minute."))
                    return self._to("report", campaign)
                messages.success(request, _("Scheduled: %(when)s.") % {"when": moment_words(campaign.send_at, zone)})
                return self._home(campaign)
        return self._page(
            request,
            campaign,
            "schedule",
            title=_("Schedule"),
            form=form,
            audience=readers,
            problems=campaigns.problems(campaign),
            practice=practice,
        )

    # -- What became of it --------------------------------------------------------------------------------------------------------------

    def report_view(self, request, pk):
        campaign = self._campaign(request, pk)
        now, practice = timezone.now(), Practice.current()
        report = reports.of(campaign, now=now)
        comes = progress.of(campaign, report, now)
        state = request.GET.get("state", "")
        people = None
        if state in State.values and request.user.has_perm("newsletter.view_subscriber"):
            rows = campaign.deliveries.filter(state=state).select_related("subscriber").order_by("pk")
            people = Paginator(_Counted(rows, min(report.states[state], MOST)), _PAGE).get_page(request.GET.get("page"))
            for delivery in people:
                delivery.why = reports.reason_words(delivery.reason)
        return self._page(
            request,
            campaign,
            "report",
            title=_("Report"),
            report=report,
            renews=people is None and _moves(campaign, report),
            because=list(comes.because),
            left=progress.left_words(comes.done_at, now, practice.zone) if comes.done_at else "",
            zones=[_zone_row(zone, now, practice) for zone in comes.zones] if campaign.own_zone else [],
            counts=[(value, label, report.states[value]) for value, label in State.choices],
            reasons=[(State(value).label, reports.reason_words(reason), count) for value, reason, count in report.reasons],
            state=state,
            state_label=State(state).label if state in State.values else "",
            people=people,
            listed=Count(MOST) if people and report.states[state] > MOST else None,
            may_see_people=request.user.has_perm("newsletter.view_subscriber"),
        )

    def export_view(self, request, pk):
        """Everybody and what became of their letter, or those of one state, as CSV."""
        campaign = self._campaign(request, pk)
        if not request.user.has_perm("newsletter.view_subscriber"):
            raise PermissionDenied
        zone = Practice.current().zone
        header = [_("Last name"), _("First name"), _("E-mail"), _("Language"), _("State"), _("Reason"), _("The server’s answer"), _("When")]
        state = request.GET.get("state", "")
        chosen = campaign.deliveries.filter(state=state) if state in State.values else campaign.deliveries.all()
        rows = chosen.select_related("subscriber").order_by("pk").iterator(1000)
        name = f"{campaign.slug}-{state}" if state in State.values else campaign.slug
        return csv_response(f"{name}.csv", header, (_exported(delivery, zone) for delivery in rows))


class _Counted:
    """The first rows of a queryset, for a Paginator, where the report has counted them already."""

    ordered = True

    def __init__(self, rows, number):
        self.rows, self.number = rows, number

    def count(self):
        return self.number

    def __len__(self):
        return self.number

    def __getitem__(self, part):
        return self.rows[part]


def _moves(campaign, report):
    """Whether a report changes by itself: while it is sent, just before, and until the last letters of a cancelled one have come back."""
    match campaign.status:
        case Status.SCHEDULED:
            return campaign.launch_at <= timezone.now() + timedelta(minutes=1)
        case Status.CANCELLED:
            return report.states[State.PENDING] > 0
    return campaign.status == Status.SENDING


def _zone_row(zone, now, practice):
    clock = hours.clock(zone.zone, practice)
    return zone_name(clock), moment_words(zone.first_at, clock) if zone.first_at else "–", zone.words(now)


def _exported(delivery, zone):
    person = delivery.subscriber
    return [
        person.last_name if person else "",
        person.first_name if person else "",
        person.address if person else "",
        delivery.language,
        delivery.get_state_display(),
        reports.reason_words(delivery.reason) if delivery.reason else "",
        delivery.detail,
        to_wall(delivery.settled_at, zone).strftime("%Y-%m-%d %H:%M") if delivery.settled_at else "",
    ]


def _wall(moment, zone):
    if moment is None:
        return {}
    wall = to_wall(moment, zone)
    return {"date": wall.date(), "time": wall.time()}


def _letter(text, reader):
    """The Filled letter for a reader's names, or for a made-up one. Its links are a made-up reader's: a press on one in a preview must not
    unsubscribe anybody."""
    practice = Practice.current()
    shown = content.sample_reader(text.language)
    if reader:
        shown.first_name, shown.last_name = reader.first_name, reader.last_name
    with translation.override(text.language):
        return content.compiled(text, practice).filled(content.values_for(shown, practice, text.language))


@xframe_options_sameorigin
@csp(_LETTER_CSP)
def _framed(html):
    return HttpResponse(html)
