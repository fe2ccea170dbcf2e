"""Who reads the newsletter, what about, and the evidence that they asked for it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from project.mail.addresses import address_hash
from project.practice import texts


class TopicQuerySet(models.QuerySet):
    def choosable(self, subscriber, language):
        """What a subscriber's page shows in a language: the topics on offer, and those they read already, where there are words for them."""
        active = Subscription.objects.active().filter(subscriber=subscriber)
        return list(self.filter(Q(offered=True) | Q(pk__in=active.values("topic")), texts__language=language).prefetch_related("texts"))


class Topic(models.Model):
    """What a subscription is about. One topic at least; readers choose among those that are `offered`."""

    slug = models.SlugField(_("slug"), unique=True)
    offered = models.BooleanField(_("offered"), default=True, help_text=_("Readers can choose it on their preferences page."))
    standard = models.BooleanField(_("standard"), default=False, help_text=_("Who ticks “newsletter” on a form gets this one."))

    objects = TopicQuerySet.as_manager()

    class Meta:
        verbose_name = _("topic")
        verbose_name_plural = _("topics")
        ordering = ["-standard", "slug"]

    def __str__(self):
        return self.slug

    def text(self, language=None):
        """The topic's words in a language, the active one by default; None where nobody has written them."""
        return texts.in_language(self.texts, language)


class TopicText(models.Model):
    topic = models.ForeignKey(Topic, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    name = models.CharField(_("name"), max_length=80)
    description = models.CharField(_("description"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["topic", "language"], name="topic_text_once_per_language")]

    def __str__(self):
        return self.name


class Subscriber(models.Model):
    """A person we may write to about something: an address, and how to address them. Subscriptions say what about."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)  # what signed links carry
    address = models.EmailField(_("address"))
    address_hash = models.CharField(max_length=64, unique=True, editable=False)
    first_name = models.CharField(_("first name"), max_length=60, blank=True)
    last_name = models.CharField(_("last name"), max_length=60, blank=True)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES, default="en")
    zone = models.CharField(_("time zone"), max_length=64, blank=True)  # empty: the practice's
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-pk"]

    def __str__(self):
        return f"subscriber {self.pk}"

    def save(self, *args, **kwargs):
        self.address_hash = address_hash(self.address)
        super().save(*args, **kwargs)


class SubscriptionQuerySet(models.QuerySet):
    def active(self):
        return self.filter(ended_at=None)


class Subscription(models.Model):
    """A subscriber's standing wish for a topic. Ended, never deleted: an unsubscribe is part of the evidence."""

    class Ending(models.TextChoices):
        PERSON = "person", _("the person stopped it")
        ONE_CLICK = "one-click", _("the person stopped it from the mail program")
        COORDINATOR = "coordinator", _("a coordinator stopped it")
        COMPLAINT = "complaint", _("the person reported a letter as unwanted")
        ERASED = "erased", _("the person was erased")

    subscriber = models.ForeignKey(Subscriber, models.CASCADE, related_name="subscriptions")
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="subscriptions", verbose_name=_("topic"))
    consent = models.ForeignKey("newsletter.Consent", models.PROTECT, related_name="subscriptions")
    started_at = models.DateTimeField(_("started"))
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    ending = models.CharField(_("ended because"), max_length=15, choices=Ending.choices, blank=True)

    objects = SubscriptionQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscription")
        verbose_name_plural = _("subscriptions")
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "topic"], condition=Q(ended_at=None), name="subscription_active_once"),
        ]
        indexes = [models.Index(fields=["topic", "subscriber"], condition=Q(ended_at=None), name="subscription_active")]

    def __str__(self):
        return f"subscription {self.pk}"


class Evidence(models.Model):
    """A row that is written once. Changing or deleting it is a mistake in the program, so it is refused here, before any form or admin."""

    class Meta:
        abstract = True

    def save(self, *args, **kwargs):
        if not self._state.adding:
            raise TypeError(f"{self} is evidence: append a new row instead of changing this one.")
        super().save(*args, **kwargs)

    def delete(self, *args, **kwargs):
        raise TypeError(f"{self} is evidence and stays.")


class ConsentWording(Evidence):
    """The exact words a person agreed to, in one language. A row is never changed: new words are a new version."""

    purpose = models.CharField(_("purpose"), max_length=20)  # "newsletter"
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    version = models.PositiveSmallIntegerField(_("version"))
    text = models.TextField(
        _("words"), help_text=_("Exactly as people will read them beside the box. They can’t be changed later, only followed by newer ones.")
    )
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("wording")
        verbose_name_plural = _("wordings")
        constraints = [models.UniqueConstraint(fields=["purpose", "language", "version"], name="wording_version_once")]

    def __str__(self):
        return f"{self.purpose} {self.language} v{self.version}"


class Consent(Evidence):
    """One act of agreeing or withdrawing, kept for good. Append-only: rows are never changed, and outlive the subscriber."""

    class Method(models.TextChoices):
        DOUBLE_OPT_IN = "double-opt-in", _("ticked a box and confirmed by letter")
        PREFERENCES = "preferences", _("on the preferences page")
        ONE_CLICK = "one-click", _("one-click unsubscribe")
        UNSUBSCRIBE = "unsubscribe", _("on the unsubscribe page")
        TAKEN_BACK = "taken-back", _("took the unsubscribe back")
        COORDINATOR = "coordinator", _("entered by a coordinator")
        COMPLAINT = "complaint", _("reported a letter as unwanted")
        IMPORT = "import", _("imported with its evidence")

    subscriber = models.ForeignKey(Subscriber, models.SET_NULL, null=True, related_name="consents")
    address_hash = models.CharField(max_length=64, db_index=True)
    purpose = models.CharField(_("purpose"), max_length=20)
    given = models.BooleanField(_("agreed"))  # False: withdrawn
    topic = models.ForeignKey(Topic, models.PROTECT, null=True, verbose_name=_("topic"))
    wording = models.ForeignKey(ConsentWording, models.PROTECT, null=True, verbose_name=_("wording"))  # none is shown to who withdraws
    form = models.CharField(_("form"), max_length=60)  # which form: "info-packet", "register", "subscribe", "preferences" …
    method = models.CharField(_("how"), max_length=15, choices=Method.choices)
    at = models.DateTimeField(_("when"))  # when the box was ticked
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)  # when the letter's button was pressed
    note = models.CharField(_("note"), max_length=200, blank=True)

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        ordering = ["-pk"]

    def __str__(self):
        return f"consent {self.pk}"
