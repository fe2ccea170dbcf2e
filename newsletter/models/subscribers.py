"""Who reads the newsletter, what about, and the evidence that they asked for it."""

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _

from project.mail.addresses import address_hash
from project.practice import texts
from project.practice.folding import FoldedField, fold


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


#: No more words than a name has: each is two more ways to cut it.
_WORDS = 6

_FOLDED = 100  # a letter such as ß becomes several
_TWINS = {"first_name": "folded_first", "last_name": "folded_last"}


class SubscriberQuerySet(models.QuerySet):
    def found_by(self, text):
        """Whose address, first name or last name begins with `text`, or whose two names begin with its two halves, in either order.

        Accents, case and the comma of “Williams, Walter” make no difference. Beginnings only: an index finds them among a million.
        """
        if "@" in text:
            return self.filter(folded_address__startswith=text.strip().lower())
        words = fold(text.replace(",", " ")).split()[:_WORDS]
        whole = " ".join(words)
        found = Q(folded_address__startswith=whole) | Q(folded_first__startswith=whole) | Q(folded_last__startswith=whole)
        for cut in range(1, len(words)):
            one, other = " ".join(words[:cut]), " ".join(words[cut:])
            found |= Q(folded_first__startswith=one, folded_last__startswith=other)
            found |= Q(folded_first__startswith=other, folded_last__startswith=one)
        return self.filter(found)

    def update(self, **values):
        """A name takes what it is found by along."""
        twins = {folded: fold(values[name])[:_FOLDED] for name, folded in _TWINS.items() if isinstance(values.get(name), str)}
        return super().update(**twins, **values)

    update.alters_data = True

    def reading(self, topics=None):
        """Who has an active subscription: to one of these topics, given by primary key, or to anything at all."""
        return self.filter(_reads(topics))

    def reading_nothing(self):
        """Who has no active subscription. NOT EXISTS, never NOT IN: PostgreSQL can’t join on that, and asks once per reader instead."""
        return self.filter(~_reads())


def _reads(topics=None):
    active = Subscription.objects.active().filter(subscriber=OuterRef("pk"))
    return Exists(active if topics is None else active.filter(topic__in=topics))


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
    # What the front desk looks for. PostgreSQL gives an indexed text a second index for LIKE 'x%', by itself.
    folded_first = FoldedField(of="first_name", max_length=_FOLDED, db_default="", editable=False)
    folded_last = FoldedField(of="last_name", max_length=_FOLDED, db_default="", editable=False, db_index=True)
    folded_address = models.GeneratedField(
        expression=Lower("address"), output_field=models.CharField(max_length=254), db_persist=True, editable=False
    )

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = _("subscriber")
        verbose_name_plural = _("subscribers")
        ordering = ["-pk"]
        # A row is written once and changed when its person changes something, so these cost little. No campaign touches it.
        indexes = [
            # The list of one language, newest first, and how many read it.
            models.Index(fields=["language", "id"], name="subscriber_by_language"),
            models.Index(fields=["folded_first"], opclasses=["varchar_pattern_ops"], name="subscriber_first_name"),
            models.Index(fields=["folded_address"], opclasses=["varchar_pattern_ops"], name="subscriber_address"),
        ]

    def __str__(self):
        return f"subscriber {self.pk}"

    def save(self, *args, update_fields=None, **kwargs):
        self.address_hash = address_hash(self.address)
        if update_fields is not None:
            update_fields = {*update_fields, *(folded for name, folded in _TWINS.items() if name in update_fields)}
        super().save(*args, update_fields=update_fields, **kwargs)


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
        indexes = [
            models.Index(fields=["topic", "subscriber"], condition=Q(ended_at=None), name="subscription_active"),
            # Who is new this week, on Today. `started_at` never changes, and what ends leaves the other two indexes as well.
            models.Index(fields=["started_at"], condition=Q(ended_at=None), name="subscription_lately"),
        ]

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
        # For the list's filters. Rows are appended at a person's pace, and never changed.
        indexes = [
            models.Index(fields=["method", "id"], name="consent_by_method"),
            models.Index(fields=["at"], name="consent_at"),
        ]

    def __str__(self):
        return f"consent {self.pk}"
