"""The two forms visitors meet: what to look for, and registering. Every mistake is a sentence at its field, and nothing typed is lost."""

import hashlib
import re
import secrets

from django import forms
from django.utils.translation import get_language, ngettext
from django.utils.translation import gettext_lazy as _

from newsletter import consent, subscribing
from project.mail.misspelled import AsksAboutMisspelled
from project.practice.guard import GuardedForm
from project.practice.names import NameField
from project.practice.phones import parse_phone
from project.practice.texts import languages

from . import nearby
from .models import Mode, Seminar
from .models.registrations import LARGEST_PARTY
from .words import seats_by_mode

Format = Seminar.Format

_NONCE = re.compile(r"[A-Za-z0-9_-]{16,64}")


class FilterForm(forms.Form):
    """Which seminars to show. What can't be understood narrows nothing down; only a ZIP code is answered with a sentence."""

    language = forms.ChoiceField(label=_("Language of the talk"), required=False)
    format = forms.ChoiceField(label=_("How you would like to attend"), required=False)
    zip = forms.CharField(
        label=_("Near ZIP code"),
        required=False,
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "postal-code", "size": 10}),
    )

    def __init__(self, *args, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self.fields["language"].choices = [("", _("Any language")), *languages()]
        self.fields["format"].choices = [("", _("In person or online")), (Format.IN_PERSON, _("In person")), (Format.ONLINE, _("Online"))]

    def clean_zip(self):
        """The Place of the ZIP code, None for an empty field."""
        text = self.cleaned_data["zip"]
        place = nearby.place_of_zip(text)
        if text and place is None:
            raise forms.ValidationError(
                _("We don’t know this ZIP code. Please check its five digits. Meanwhile, here are the seminars by date.")
            )
        return place

    def narrow(self, seminars):
        """The chosen ones of a queryset. A hybrid seminar is found by either way to attend."""
        self.is_valid()
        for name in ("language", "format"):  # chosen from a list; anything else was not typed by a person
            self.errors.pop(name, None)
        if language := self.cleaned_data.get("language"):
            seminars = seminars.filter(talk_language=language)
        if form := self.cleaned_data.get("format"):
            seminars = seminars.filter(format__in=[form, Format.HYBRID])
        return seminars

    @property
    def place(self):
        """The Place to look from. None where only online ones are looked for: those are equally near to everybody."""
        return None if self.cleaned_data.get("format") == Format.ONLINE else self.cleaned_data.get("zip")

    @property
    def is_in_person(self):
        return self.cleaned_data.get("format") == Format.IN_PERSON

    @property
    def is_used(self):
        return bool(self.errors) or any(self.cleaned_data.get(name) for name in ("language", "format", "zip"))


class RegisterForm(AsksAboutMisspelled, GuardedForm):
    """Who comes, how we reach them, how many they are."""

    guard = "register"
    is_scarce = True

    mode = forms.ChoiceField(
        label=_("How would you like to attend?"),
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose one."), "invalid_choice": _("Please choose one of these.")},
    )
    first_name = NameField(label=_("First name"), autocomplete="given-name", error_messages={"required": _("Please tell us your first name.")})
    last_name = NameField(label=_("Last name"), autocomplete="family-name", error_messages={"required": _("Please tell us your last name.")})
    email = forms.CharField(
        label=_("E-mail address"),
        required=False,
        help_text=_("Your confirmation goes there."),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
    )
    phone = forms.CharField(
        label=_("Phone"),
        required=False,
        help_text=_("With its area code, like (813) 555-0123."),
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
    )
    party_size = forms.TypedChoiceField(
        label=_("How many of you are coming?"),
        coerce=int,
        error_messages={
            "required": _("Please tell us how many of you are coming."),
            "invalid_choice": _("Please register between one and four people. For a larger group, call us."),
        },
    )
    language = forms.ChoiceField(
        label=_("We write to you in"),
        choices=languages,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a language."), "invalid_choice": _("Please choose one of these languages.")},
    )
    newsletter = forms.BooleanField(required=False)

    def __init__(self, *args, seminar, **kwargs):
        super().__init__(*args, label_suffix="", **kwargs)
        self._modes = seminar.modes
        if self.is_online_only:
            self.fields["email"].help_text = _("Your confirmation goes there, and the link to join.")
            self.fields["phone"].label = _("Phone (optional)")
        if len(self._modes) == 1:
            del self.fields["mode"]
        else:
            self.fields["mode"].choices = [(pool.mode, seats_by_mode(pool.mode, pool.free)) for pool in seminar.pools.all()]
        self.fields["party_size"].choices = [(n, self._party_words(n)) for n in range(1, LARGEST_PARTY + 1)]
        self.fields["language"].initial = get_language()
        self._shown = subscribing.current_wording(consent.PURPOSE, get_language())
        if self._shown is None:  # no words, no consent
            del self.fields["newsletter"]
        else:
            self.fields["newsletter"].label = self._shown.text

    @staticmethod
    def _party_words(n):
        return _("Just me") if n == 1 else ngettext("%(n)d person", "%(n)d people", n) % {"n": n}

    @property
    def nonce(self):
        """Names this rendering of the form, so that a second press is known for what it is. It comes back with a form that had mistakes."""
        sent = self.data.get("nonce", "")
        return sent if _NONCE.fullmatch(sent) else secrets.token_urlsafe(24)

    @property
    def press(self):
        """Names what was sent by it: the same for a second press, another once the address is corrected, because a letter must go there."""
        contact = (self.cleaned_data["email"] or self.cleaned_data["phone"]).casefold()
        return hashlib.sha256(f"{self.nonce}/{contact}".encode()).hexdigest()

    @property
    def wording_version(self):
        return self._shown and self._shown.version

    @property
    def wording(self):
        """The very words beside the box the person saw: they may have been replaced while the form lay open."""
        return subscribing.wording_read(consent.PURPOSE, get_language(), self.data.get("wording", "")) or self._shown

    def clean_phone(self):
        return parse_phone(self.cleaned_data["phone"]) if self.cleaned_data["phone"] else ""

    def clean(self):
        data = self.cleaned_data
        if not data.get("email") and not data.get("phone") and not {"email", "phone"} & self.errors.keys():
            self.add_error("email", _("Please give us your e-mail address or your phone number. One of them is enough."))
        elif self._is_online and not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("The link to join comes by e-mail. Please give us your address, or call us."))
        elif data.get("newsletter") and not data.get("email") and "email" not in self.errors:
            self.add_error("email", _("The newsletter comes by e-mail. Please give us your address, or untick the newsletter."))
        return super().clean()

    @property
    def is_online_only(self):
        return self._modes == [Mode.ONLINE]

    @property
    def _is_online(self):
        return self.is_online_only or self.cleaned_data.get("mode") == Mode.ONLINE

    @property
    def mode_chosen(self):
        return self.cleaned_data.get("mode") or self._modes[0]
