"""The coordinators' forms for a campaign: writing it, and letting it go."""

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.utils.safestring import mark_safe
from django.utils.text import format_lazy, slugify
from django.utils.translation import gettext_lazy as _

from project.practice.clock_fields import ClockField
from project.practice.zones import from_wall

from .. import content, merge
from ..models import Campaign, CampaignText

_FIELDS_HELP = format_lazy(
    "{intro} {fields}",
    intro=_("Where the text says one of these, each reader finds their own. What stands after the bar is for readers who gave none:"),
    fields=", ".join(f"[[{field.name}|…]]" if field.may_be_empty else f"[[{field.name}]]" for field in merge.FIELDS.values()),
)


class CampaignForm(forms.ModelForm):
    slug = forms.SlugField(
        label=_("Web address"), max_length=50, required=False, help_text=_("Its last part. Left empty, we make one of the name.")
    )

    class Meta:
        model = Campaign
        fields = ["name", "topic", "slug"]

    def clean(self):
        data = super().clean()
        if data.get("name") and "slug" not in self.errors and not data.get("slug"):
            data["slug"] = _free_slug(data["name"], self.instance.pk)
        return data


def _free_slug(name, own_pk):
    """`office-hours`, with a number where another campaign has it."""
    base = slugify(name)[:44].strip("-") or "newsletter"
    taken = set(Campaign.objects.filter(slug__startswith=base).exclude(pk=own_pk).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


class CampaignTextForm(forms.ModelForm):
    """One language's words. What could not be sent is said here, at its line, not on the day it should go out."""

    class Meta:
        model = CampaignText
        fields = ["language", "subject", "preheader", "body"]
        widgets = {
            "subject": forms.TextInput(attrs={"size": 70}),
            "preheader": forms.TextInput(attrs={"size": 70}),
            "body": forms.Textarea(attrs={"rows": 24, "cols": 90}),
        }
        help_texts = {
            "subject": _("Phones show about the first 40 characters. Nothing about a person’s health: others may see it."),
            "preheader": _("The line mailboxes show after the subject. About 80 characters are seen."),
            "body": format_lazy(
                "{markdown} {fields}",
                markdown=_("Markdown: ## Heading, **bold**, *italic*, - list, [words](https://address). An empty line begins a paragraph."),
                fields=_FIELDS_HELP,
            ),
        }

    def clean(self):
        data = super().clean()
        if {"language", "subject", "preheader", "body"} <= data.keys():
            text = CampaignText(**{name: data[name] for name in ("language", "subject", "preheader", "body")})
            for name, sentences in content.problems(text).items():
                self.add_error(name, sentences)
        return data


class ScheduleForm(forms.Form):
    """When it goes out, on the practice's own clocks, and the number of people who get it, typed so that nobody sends by a slip."""

    now = forms.BooleanField(label=_("Send it now"), required=False)
    date = forms.DateField(label=_("Date"), required=False, widget=AdminDateWidget)
    time = ClockField(label=_("Time"), required=False)
    own_zone = forms.BooleanField(
        label=_("At that time of day where each reader lives"),
        required=False,
        help_text=_("9 a.m. is then 9 a.m. in California too. Readers whose time zone we don’t know get it at the practice’s."),
    )
    confirm = forms.IntegerField(
        label=_("How many people get it?"), widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    )

    def __init__(self, *args, zone, zone_name, expected, **kwargs):
        super().__init__(*args, **kwargs)
        self.zone, self.expected = zone, expected
        self.fields["time"].help_text = zone_name
        self.fields["confirm"].help_text = mark_safe(_("Type the number <strong>%(number)d</strong>.") % {"number": expected})

    def clean_confirm(self):
        if self.cleaned_data["confirm"] != self.expected:
            raise forms.ValidationError(_("%(number)d people would get it now. Please type that number.") % {"number": self.expected})
        return self.cleaned_data["confirm"]

    def clean(self):
        """`send_at`: the moment in UTC, or None for now."""
        data = super().clean()
        if data.get("now"):
            return data | {"send_at": None, "own_zone": False}  # now is now everywhere
        if not data.get("date") and "date" not in self.errors:
            self.add_error("date", _("Please choose a date, or send it now."))
        if not data.get("time") and "time" not in self.errors:
            self.add_error("time", _("Please choose a time, or send it now."))
        if data.get("date") and data.get("time"):
            try:
                data["send_at"] = from_wall(data["date"], data["time"], self.zone)
            except forms.ValidationError as refusal:
                self.add_error("time", refusal)
        return data
