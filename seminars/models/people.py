"""Who speaks at seminars."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from project.practice import texts


class Speaker(models.Model):
    name = models.CharField(_("name"), max_length=120)
    credentials = models.CharField(_("credentials"), max_length=60, blank=True, help_text=_("After the name, like “MD, FAANS”."))

    class Meta:
        verbose_name = _("speaker")
        verbose_name_plural = _("speakers")
        ordering = ["name"]

    def __str__(self):
        return self.full_name

    @property
    def full_name(self):
        """`Elena Marsh, MD`."""
        return f"{self.name}, {self.credentials}" if self.credentials else self.name

    def text(self, language=None):
        """The biography in a language, the active one by default; None where nobody has written it."""
        return texts.in_language(self.texts, language)


class SpeakerText(models.Model):
    speaker = models.ForeignKey(Speaker, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    bio = models.TextField(_("biography"), max_length=1200, blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["speaker", "language"], name="speaker_text_once_per_language")]

    def __str__(self):
        return self.get_language_display()
