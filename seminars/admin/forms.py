"""The coordinators' forms. Dates and times are typed as the seminar's own clocks show them."""

from django import forms
from django.contrib.admin.widgets import AdminDateWidget
from django.utils.text import slugify
from django.utils.translation import gettext_lazy as _

from project.mail.addresses import parse_address
from project.practice.clock_fields import ClockField
from project.practice.one_line import validate_one_line
from project.practice.phones import parse_phone
from project.practice.zones import from_wall, to_wall

from ..models import Mode, Registration, Seminar
from ..models.registrations import LARGEST_PARTY


def free_slug(venue, date):
    """`tampa-2026-12-03`, with a number where it is taken. Place and date only: an address bar must not tell why somebody comes."""
    base = f"{slugify(venue.city) if venue else 'online'}-{date:%Y-%m-%d}"
    taken = set(Seminar.objects.filter(slug__startswith=base).values_list("slug", flat=True))
    return next(slug for slug in (base, *(f"{base}-{n}" for n in range(2, len(taken) + 3))) if slug not in taken)


class WallClockMixin(forms.Form):
    """A date, a start and an end on one day, read in the zone chosen beside them: `starts_at` and `ends_at` in `cleaned_data`, in UTC."""

    date = forms.DateField(label=_("Date"), widget=AdminDateWidget)
    starts = ClockField(label=_("Starts"))
    ends = ClockField(label=_("Ends"))

    @staticmethod
    def wall_clock(seminar):
        """What the fields show for a seminar."""
        starts, ends = to_wall(seminar.starts_at, seminar.zone), to_wall(seminar.ends_at, seminar.zone)
        return {"date": starts.date(), "starts": starts.time(), "ends": ends.time()}

    def clean(self):
        data = super().clean() or self.cleaned_data
        if not {"date", "starts", "ends", "zone"} <= data.keys():
            return data
        for name in ("starts", "ends"):
            try:
                data[f"{name}_at"] = from_wall(data["date"], data[name], data["zone"])
            except forms.ValidationError as refusal:
                self.add_error(name, refusal)
        if {"starts_at", "ends_at"} <= data.keys() and data["ends_at"] <= data["starts_at"]:
            self.add_error("ends", _("The end must be later than the start, on the same day."))
        return data


class SeminarForm(WallClockMixin, forms.ModelForm):
    """A seminar. Once it is published, when and where are changed by moving it, so that everybody registered hears of it."""

    WHEN_AND_WHERE = ("format", "venue", "zone", "date", "starts", "ends")
    CAPACITY = {Mode.IN_PERSON: "seats_in_person", Mode.ONLINE: "seats_online"}

    slug = forms.SlugField(
        label=_("Web address"), max_length=80, required=False, help_text=_("Its last part. Left empty, we make one of place and date.")
    )
    join_url = forms.URLField(
        label=_("Link to join"),
        required=False,
        assume_scheme="https",
        help_text=_("A secret: only registered people see it, on their own page. Never the host’s link."),
    )
    seats_in_person = forms.IntegerField(label=_("Seats in the room"), min_value=0, max_value=5000, required=False)
    seats_online = forms.IntegerField(label=_("Seats online"), min_value=0, max_value=50_000, required=False)

    class Meta:
        model = Seminar
        fields = ["format", "talk_language", "venue", "zone", "speakers", "join_url", "series", "slug"]
        widgets = {"speakers": forms.CheckboxSelectMultiple}

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.instance.pk is None:
            return
        self.initial |= self.wall_clock(self.instance)
        for pool in self.instance.pools.all():
            self.initial[self.CAPACITY[pool.mode]] = pool.capacity
        if self.instance.status != Seminar.Status.DRAFT:
            for name in self.fields.keys() & {*self.WHEN_AND_WHERE, "slug"}:  # who may only look has no fields
                self.fields[name].disabled = True

    def clean(self):
        data = super().clean()
        if "starts_at" in data and "ends_at" in data:
            self.instance.starts_at, self.instance.ends_at = data["starts_at"], data["ends_at"]
        if data.get("format") == Seminar.Format.ONLINE:
            data["venue"] = None
        elif data.get("format") and not data.get("venue"):
            self.add_error("venue", _("Choose the venue, or make it an online seminar."))
        for mode in self.modes():
            if data.get(self.CAPACITY[mode]) is None and self.CAPACITY[mode] not in self.errors:
                self.add_error(self.CAPACITY[mode], _("How many seats are there?"))
        if "slug" not in self.errors and not data.get("slug") and data.get("date"):
            data["slug"] = free_slug(data.get("venue"), data["date"])
        return data

    def modes(self):
        """The ways to attend that the chosen format has."""
        return Seminar(format=self.cleaned_data["format"]).modes if "format" in self.cleaned_data else []

    def capacities(self):
        """`{mode: seats}` for the chosen format."""
        return {mode: self.cleaned_data[self.CAPACITY[mode]] for mode in self.modes()}


class MoveForm(WallClockMixin, forms.ModelForm):
    class Meta:
        model = Seminar
        fields = ["venue", "zone"]

    field_order = ["date", "starts", "ends", "venue", "zone"]

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.initial |= self.wall_clock(self.instance)
        if self.instance.format == Seminar.Format.ONLINE:
            del self.fields["venue"]
        else:
            self.fields["venue"].required = True

    def clean(self):
        data = super().clean()
        if not self.errors and not self.changed_data:
            raise forms.ValidationError(_("Nothing is different yet. Choose another date, time or place."), code="same")
        return data

    def _post_clean(self):
        """The instance keeps its old date and place: the verb changes them, and the preview shows both."""


class CopyForm(forms.Form):
    """When the copy takes place; it is as long as the first. `cleaned_data["copy"]` is what `changes.duplicate` asks for."""

    date = forms.DateField(label=_("Date"), widget=AdminDateWidget)
    starts = ClockField(label=_("Starts"))

    def __init__(self, *args, seminar, **kwargs):
        super().__init__(*args, **kwargs)
        self.seminar = seminar
        self.fields["starts"].initial = to_wall(seminar.starts_at, seminar.zone).time()

    def clean(self):
        data = super().clean()
        if {"date", "starts"} <= data.keys():
            starts_at = from_wall(data["date"], data["starts"], self.seminar.zone)
            data["copy"] = {"starts_at": starts_at, "slug": free_slug(self.seminar.venue, data["date"])}
        return data


class PersonForm(forms.ModelForm):
    """Somebody the front desk registers: by phone only, if that is all they have."""

    anyway = forms.BooleanField(
        label=_("Even if it is full"), required=False, help_text=_("Let them in beyond the capacity. Without it they join the waiting list.")
    )

    class Meta:
        model = Registration
        fields = ["first_name", "last_name", "phone", "email", "party_size", "language", "mode"]

    def __init__(self, *args, seminar, **kwargs):
        super().__init__(*args, **kwargs)
        for name in ("first_name", "last_name"):
            self.fields[name].validators.append(validate_one_line)
        self.fields["party_size"].widget = forms.Select(choices=[(n, n) for n in range(1, LARGEST_PARTY + 1)])
        self.fields["mode"].choices = [(mode.value, mode.label) for mode in seminar.modes]
        self.fields["mode"].initial = seminar.modes[0]

    def clean_email(self):
        email = self.cleaned_data["email"]
        return parse_address(email) if email else ""

    def clean_phone(self):
        phone = self.cleaned_data["phone"]
        return parse_phone(phone) if phone else ""

    def clean(self):
        data = super().clean()
        if not self.errors and not data["email"] and not data["phone"]:
            self.add_error("phone", _("Enter a phone number or an e-mail address, so that we can reach them."))
        return data

    def _post_clean(self):
        """Only the verb makes a registration; its constraints are its own."""


class AddressForm(forms.Form):
    """A corrected e-mail address."""

    email = forms.CharField(label=_("E-mail address"), max_length=254, widget=forms.EmailInput)

    def clean_email(self):
        return parse_address(self.cleaned_data["email"])
