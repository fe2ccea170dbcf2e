"""A seminar: what, when, where, and its words in each language."""

from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import URLValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from project.practice import texts
from project.practice.zones import CHOICES, validate_zone

from .seats import Mode
from .venues import Venue

#: How long a seminar that was called off stays in lists and feeds, so that calendars that poll slowly learn of it.
CANCELLED_STAYS = timedelta(days=30)


class SeminarQuerySet(models.QuerySet):
    def published(self):
        """Open to the public's eyes: not a draft and not called off."""
        return self.filter(status=Seminar.Status.PUBLISHED)

    def listed(self, now):
        """What a feed shows: published, and for a while those called off."""
        recent = Q(status=Seminar.Status.CANCELLED, published_at__isnull=False, cancelled_at__gt=now - CANCELLED_STAYS)
        return self.filter(Q(status=Seminar.Status.PUBLISHED) | recent)

    def upcoming(self, now):
        """Not over yet, soonest first."""
        return self.filter(ends_at__gt=now).order_by("starts_at", "pk")

    def to_come(self, now):
        """Not begun yet, soonest first: what somebody who looks for a date can still choose."""
        return self.filter(starts_at__gt=now).order_by("starts_at", "pk")

    def repeating(self, seminar):
        """Other dates of the same talk: whatever shares its `series`."""
        return self.filter(series=seminar.series).exclude(pk=seminar.pk) if seminar.series else self.none()

    def past(self, now):
        return self.filter(ends_at__lte=now).order_by("-starts_at", "-pk")

    def with_words(self):
        """With all a page or letter shows, in a fixed number of queries."""
        return self.select_related("venue").prefetch_related("texts", "venue__texts", "speakers__texts", "pools")


class Seminar(models.Model):
    class Format(models.TextChoices):
        IN_PERSON = "in-person", _("in person")
        ONLINE = "online", _("online")
        HYBRID = "hybrid", _("in person and online")

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")
        CANCELLED = "cancelled", pgettext_lazy("seminar", "cancelled")

    slug = models.SlugField(_("slug"), max_length=80, unique=True, help_text=_("Its part of the web address. Don’t change it once published."))
    format = models.CharField(_("format"), max_length=10, choices=Format.choices, default=Format.IN_PERSON)
    talk_language = models.CharField(_("language of the talk"), max_length=2, choices=settings.LANGUAGES, default="en")
    venue = models.ForeignKey(Venue, models.PROTECT, null=True, blank=True, related_name="seminars", verbose_name=_("venue"))
    zone = models.CharField(
        _("time zone"),
        max_length=64,
        choices=CHOICES,
        validators=[validate_zone],
        default="America/New_York",
        help_text=_("All its times are shown in it. In person: the venue’s."),
    )
    starts_at = models.DateTimeField(_("starts"))
    ends_at = models.DateTimeField(_("ends"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT, editable=False)
    series = models.SlugField(
        _("series"), max_length=80, blank=True, db_index=False, help_text=_("Seminars with the same word here repeat one another.")
    )
    speakers = models.ManyToManyField("seminars.Speaker", related_name="seminars", blank=True, verbose_name=_("speakers"))
    join_url = models.URLField(
        _("link to join"),
        blank=True,
        validators=[URLValidator(schemes=["https"])],
        help_text=_("A secret: only registered people see it, on their own page. Never the host’s link."),
    )
    revision = models.PositiveIntegerField(default=0, editable=False)  # one more at every change people must hear of
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    cancelled_at = models.DateTimeField(pgettext_lazy("seminar", "cancelled"), null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    changed_at = models.DateTimeField(auto_now=True)

    objects = SeminarQuerySet.as_manager()

    class Meta:
        verbose_name = _("seminar")
        verbose_name_plural = _("seminars")
        ordering = ["starts_at", "pk"]
        indexes = [models.Index(fields=["status", "starts_at"], name="seminar_status_starts")]
        constraints = [
            models.CheckConstraint(
                condition=Q(ends_at__gt=F("starts_at")),
                name="seminar_ends_after_it_starts",
                violation_error_message=_("The end must be later than the start."),
            ),
            models.CheckConstraint(
                condition=Q(format="online") | Q(venue__isnull=False),
                name="seminar_in_person_has_a_venue",
                violation_error_message=_("Choose the venue, or make it an online seminar."),
            ),
            models.CheckConstraint(condition=~Q(status="cancelled") | Q(cancelled_at__isnull=False), name="seminar_cancelled_has_a_time"),
            models.CheckConstraint(condition=~Q(status="published") | Q(published_at__isnull=False), name="seminar_published_has_a_time"),
        ]

    def __str__(self):
        return self.slug

    def clean(self):
        if self.venue and self.format != self.Format.ONLINE and self.zone != self.venue.zone:
            raise ValidationError({"zone": _("The venue’s clocks show another zone. Choose the venue’s.")})

    def text(self, language=None):
        """The seminar's words in a language, the active one by default; None where nobody has written them."""
        return texts.in_language(self.texts, language)

    @property
    def modes(self):
        """The ways to attend, each with a seat pool of its own."""
        return {self.Format.IN_PERSON: [Mode.IN_PERSON], self.Format.ONLINE: [Mode.ONLINE]}.get(self.format, [Mode.IN_PERSON, Mode.ONLINE])

    def is_open(self, now):
        """Whether people may register: published, and not begun."""
        return self.status == self.Status.PUBLISHED and self.starts_at > now


class SeminarText(models.Model):
    #: Without these a seminar can't be published.
    NEEDED = ("title", "summary", "description")

    seminar = models.ForeignKey(Seminar, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    title = models.CharField(_("title"), max_length=120)
    summary = models.CharField(_("summary"), max_length=300, blank=True, help_text=_("One or two sentences for the list."))
    description = models.TextField(_("description"), max_length=4000, blank=True)
    bring = models.CharField(_("what to bring"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["seminar", "language"], name="seminar_text_once_per_language")]

    def __str__(self):
        return self.title
