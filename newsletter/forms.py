"""The forms subscribers meet. Every mistake is a sentence at its field, and nothing typed is lost."""

from django import forms
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from project.mail.misspelled import AsksAboutMisspelled
from project.practice.guard import GuardedForm
from project.practice.names import NameField
from project.practice.texts import languages

from . import consent, subscribing
from .models import InfoPacket


class AskForm(AsksAboutMisspelled, GuardedForm):
    """Who you are and where to write; what both forms share. `form` is how the consent ledger remembers it."""

    form = ""

    first_name = NameField(label=_("First name"), autocomplete="given-name", error_messages={"required": _("Please tell us your first name.")})
    last_name = NameField(label=_("Last name (optional)"), autocomplete="family-name", required=False)
    email = forms.CharField(
        label=_("E-mail address"),
        widget=forms.EmailInput(attrs={"autocomplete": "email"}),
        error_messages={"required": _("Please tell us your e-mail address.")},
    )
    language = forms.ChoiceField(
        label=_("We write to you in"),
        choices=languages,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a language."), "invalid_choice": _("Please choose one of these languages.")},
    )
    newsletter = forms.BooleanField(required=False)
    wording = forms.CharField(required=False, widget=forms.HiddenInput)  # the version of the words beside the box

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.fields["language"].initial = get_language()
        self.shown = subscribing.current_wording(consent.PURPOSE, get_language())
        if self.shown is None:  # no words, no consent
            del self.fields["newsletter"], self.fields["wording"]
        else:
            self.fields["newsletter"].label = self.shown.text
            self.fields["wording"].initial = self.shown.version

    def clean_wording(self):
        """The very words the person read: they may have been replaced while the form lay open."""
        return subscribing.wording_read(consent.PURPOSE, get_language(), self.cleaned_data["wording"]) or self.shown

    def ask(self, **what):
        """Hand a valid form on. What the visitor sees next does not depend on what comes of it."""
        return subscribing.ask(
            self.cleaned_data["email"],
            first_name=self.cleaned_data["first_name"],
            last_name=self.cleaned_data["last_name"],
            language=self.cleaned_data["language"],
            form=self.form,
            wording=self.cleaned_data.get("wording"),
            newsletter=self.cleaned_data.get("newsletter", False),
            **what,
        )


class PacketForm(AskForm):
    """A packet, and the newsletter only where its box is ticked."""

    guard = form = "info-packet"

    packet = forms.ModelChoiceField(
        label=_("Which packet would you like?"),
        queryset=InfoPacket.objects.none(),
        to_field_name="slug",
        empty_label=None,
        widget=forms.RadioSelect,
        error_messages={"required": _("Please choose a packet."), "invalid_choice": _("Please choose one of these packets.")},
    )
    field_order = ["packet"]

    def __init__(self, *args, packets, **kwargs):
        super().__init__(*args, **kwargs)
        self._packets = packets
        if len(packets) == 1:
            del self.fields["packet"]
        else:
            field = self.fields["packet"]
            field.queryset = InfoPacket.objects.filter(pk__in=[packet.pk for packet in packets])
            field.choices = [(packet.slug, packet.text().title) for packet in packets]

    def clean(self):
        cleaned = super().clean()
        packet = self.cleaned_data.get("packet") or (self._packets[0] if len(self._packets) == 1 else None)
        language = self.cleaned_data.get("language")
        if packet and language and packet.text(language) is None:
            self.add_error("language", _("This packet is not available in that language yet. Please choose the other one."))
        self.chosen = packet
        return cleaned

    def ask(self):
        return super().ask(packet=self.chosen)


class SubscribeForm(AskForm):
    """The newsletter alone: its box must be ticked, because a consent is an act of one's own."""

    guard = form = "subscribe"

    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        if self.shown is not None:
            self.fields["newsletter"].required = True
            self.fields["newsletter"].error_messages["required"] = _("Please tick this box if you would like the newsletter.")


class PreferencesForm(forms.Form):
    """What a subscriber reads, in which language, and how we address them."""

    topics = forms.MultipleChoiceField(label=_("I would like to read about"), required=False, widget=forms.CheckboxSelectMultiple)
    language = forms.ChoiceField(label=_("We write to you in"), choices=languages, widget=forms.RadioSelect)
    first_name = NameField(label=_("First name (optional)"), autocomplete="given-name", required=False)
    last_name = NameField(label=_("Last name (optional)"), autocomplete="family-name", required=False)

    def __init__(self, *args, subscriber, topics, **kwargs):
        active = set(subscriber.subscriptions.active().values_list("topic_id", flat=True))
        initial = {
            "topics": [topic.slug for topic in topics if topic.pk in active],
            "language": subscriber.language,
            "first_name": subscriber.first_name,
            "last_name": subscriber.last_name,
        }
        super().__init__(*args, initial=initial, **kwargs)
        self._topics = topics
        self.fields["topics"].choices = [(topic.slug, _in_words(topic.text())) for topic in topics]

    def chosen(self):
        return [topic for topic in self._topics if topic.slug in self.cleaned_data["topics"]]


def _in_words(text):
    return f"{text.name} – {text.description}" if text.description else text.name
