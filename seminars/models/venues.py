"""Where seminars take place."""

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils.translation import gettext_lazy as _

from project.practice import texts
from project.practice.zones import CHOICES, validate_zone


class Venue(models.Model):
    """A room with an address. Its zone is what its clocks show."""

    name = models.CharField(_("name"), max_length=120)
    street = models.CharField(_("street"), max_length=120)
    city = models.CharField(_("city"), max_length=80)
    state = models.CharField(_("state"), max_length=2, validators=[RegexValidator(r"^[A-Z]{2}$", _("Two capital letters, like FL."))])
    postal_code = models.CharField(_("ZIP code"), max_length=10, validators=[RegexValidator(r"^\d{5}(-\d{4})?$", _("Five digits."))])
    zone = models.CharField(_("time zone"), max_length=64, choices=CHOICES, validators=[validate_zone], default="America/New_York")
    latitude = models.FloatField(_("latitude"), null=True, blank=True, validators=[MinValueValidator(-90), MaxValueValidator(90)])
    longitude = models.FloatField(_("longitude"), null=True, blank=True, validators=[MinValueValidator(-180), MaxValueValidator(180)])

    class Meta:
        verbose_name = _("venue")
        verbose_name_plural = _("venues")
        ordering = ["state", "city", "name"]

    def __str__(self):
        return f"{self.name}, {self.city}"

    @property
    def address(self):
        """One line: `100 Sample Street, Tampa, FL 33607`."""
        return f"{self.street}, {self.city}, {self.state} {self.postal_code}"

    def text(self, language=None):
        """Parking and access in a language, the active one by default; None where nobody has written them."""
        return texts.in_language(self.texts, language)


class VenueText(models.Model):
    venue = models.ForeignKey(Venue, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    parking = models.CharField(_("parking"), max_length=300, blank=True, help_text=_("Where to park, and what it costs."))
    access = models.CharField(
        _("getting in"), max_length=300, blank=True, help_text=_("Step-free way in, nearest bus stop, chairs with armrests.")
    )

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["venue", "language"], name="venue_text_once_per_language")]

    def __str__(self):
        return self.get_language_display()
