"""The practice's own facts: one row that a coordinator edits, with its words in each language."""

from django.conf import settings
from django.core.validators import RegexValidator
from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from . import texts
from .one_line import one_line
from .phones import validate_phone
from .zones import validate_zone


class Practice(models.Model):
    """The one practice this site serves: always row 1, made by a migration."""

    name = models.CharField(_("name"), max_length=120, default="Our practice")
    phone = models.CharField(_("phone"), max_length=20, blank=True, validators=[validate_phone], help_text=_("Patients tap it to call."))
    street = models.CharField(_("street"), max_length=120, blank=True)
    city = models.CharField(_("city"), max_length=80, blank=True)
    state = models.CharField(
        _("state"), max_length=2, blank=True, validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, like FL."))]
    )
    postal_code = models.CharField(
        _("ZIP code"), max_length=10, blank=True, validators=[RegexValidator(r"^\d{5}(-\d{4})?$", _("Five digits."))]
    )
    zone = models.CharField(
        _("time zone"), max_length=64, default="America/New_York", validators=[validate_zone], help_text=_("Campaign times are entered in it.")
    )
    organizer_mailbox = models.EmailField(
        _("organizer mailbox"),
        blank=True,
        help_text=_("Letters about seminars and their calendar invites come from it, so a person must read it. Empty: the server's default."),
    )
    reply_mailbox = models.EmailField(_("reply mailbox"), blank=True, help_text=_("Answers to newsletters go there."))

    # Off unless a practice wants them: whoever presses “Send it now” of an evening expects it to leave now.
    quiet_from = models.TimeField(
        _("quiet hours from"),
        null=True,
        blank=True,
        help_text=_("No newsletter leaves in these hours, 9 p.m. to 8 a.m. for example. Other letters always do. Empty: none."),
    )
    quiet_until = models.TimeField(_("quiet hours until"), null=True, blank=True)

    class Meta:
        verbose_name = verbose_name_plural = _("practice")
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="practice_is_one_row"),
            models.CheckConstraint(
                condition=models.Q(quiet_from=None, quiet_until=None)
                | models.Q(quiet_from__isnull=False, quiet_until__isnull=False) & ~models.Q(quiet_from=models.F("quiet_until")),
                name="practice_quiet_hours_have_two_ends",
                violation_error_message=_("Quiet hours need two different times, or none."),
            ),
        ]

    def __str__(self):
        return self.name

    @classmethod
    def from_db(cls, db, field_names, values):
        """A name stored before line breaks were refused must not break every letter and calendar."""
        practice = super().from_db(db, field_names, values)
        if "name" in field_names:
            practice.name = one_line(practice.name)
        return practice

    @classmethod
    def current(cls):
        """The practice; made with defaults should the row be missing."""
        return cls.objects.prefetch_related("texts").get_or_create(pk=1)[0]  # every page and letter shows its words

    @property
    def sender(self):
        """The bare address letters come from, and the ORGANIZER of every invite."""
        return self.organizer_mailbox or settings.DEFAULT_FROM_EMAIL

    @property
    def postal_address(self):
        """One line, as CAN-SPAM asks of every newsletter; empty until the street is known."""
        if not self.street:
            return ""
        return f"{self.street}, {self.city}, {self.state} {self.postal_code}".strip()

    def text(self, language=None):
        """The practice's words in a language (the active one by default), never another's: empty where nobody has written them."""
        return texts.in_language(self.texts, language) or PracticeText(practice=self, language=language or get_language())


class PracticeText(models.Model):
    practice = models.ForeignKey(Practice, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    tagline = models.CharField(_("tagline"), max_length=160, blank=True)
    hours = models.CharField(_("office hours"), max_length=160, blank=True)
    about = models.TextField(_("about the practice"), blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["practice", "language"], name="practice_text_once_per_language")]

    def __str__(self):
        return self.get_language_display()


class Knock(models.Model):
    """How often a public form was sent from one place, or for one address, within one span of time. A hash says which; gone in two days."""

    key = models.CharField(max_length=64, unique=True)
    count = models.PositiveIntegerField(default=0)
    at = models.DateTimeField(db_index=True)

    def __str__(self):
        return f"knock {self.pk}"
