"""Campaigns, and the ledger of who gets each one. At most once: whatever is in doubt is listed by name, never sent again by itself."""

import functools
import hashlib
import hmac

from django.conf import settings
from django.core.validators import MaxLengthValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from project.mail import keyed

from .subscribers import Subscriber, Topic


class Campaign(models.Model):
    """One newsletter issue to the readers of a topic, in as many languages as it has texts."""

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        SCHEDULED = "scheduled", _("scheduled")
        SENDING = "sending", _("being sent")
        PAUSED = "paused", _("paused")
        SENT = "sent", _("sent")
        CANCELLED = "cancelled", _("cancelled")

    #: Where its words may still be changed; from launch on they are frozen.
    EDITABLE = {Status.DRAFT, Status.SCHEDULED}

    name = models.CharField(_("name"), max_length=120, help_text=_("For you only; readers never see it."))
    slug = models.SlugField(_("slug"), unique=True)
    topic = models.ForeignKey(Topic, models.PROTECT, related_name="campaigns", verbose_name=_("topic"))
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT)
    send_at = models.DateTimeField(_("send at"), null=True, blank=True)
    own_zone = models.BooleanField(
        _("at that time of day where each reader lives"),
        default=False,
        help_text=_("Readers whose time zone we don’t know get it at the practice’s."),
    )
    launch_at = models.DateTimeField(null=True, editable=False)  # `send_at`, or earlier where the clocks of a reader are ahead
    launched_at = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(null=True, editable=False)
    content_hash = models.CharField(max_length=64, blank=True, editable=False)  # of all texts, frozen at launch
    audience_size = models.PositiveIntegerField(default=0, editable=False)  # how many deliveries it has, from launch on
    stopped_because = models.CharField(max_length=300, blank=True, editable=False)  # a sentence, when it stopped without a person
    # The guard (guard.py): when it stopped the campaign, and the figures a person let pass by resuming.
    guarded_at = models.DateTimeField(null=True, editable=False)
    passed_results = models.PositiveIntegerField(default=0, editable=False)
    passed_bounces = models.PositiveIntegerField(default=0, editable=False)
    passed_complaints = models.PositiveIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("campaign")
        verbose_name_plural = _("campaigns")
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                condition=~Q(status="scheduled") | Q(send_at__isnull=False, launch_at__isnull=False), name="campaign_scheduled_has_a_time"
            ),
            models.CheckConstraint(
                condition=~Q(status__in=["sending", "paused", "sent"]) | (Q(launched_at__isnull=False) & ~Q(content_hash="")),
                name="campaign_launched_is_frozen",
            ),
        ]
        indexes = [models.Index(fields=["launch_at"], condition=Q(status="scheduled"), name="campaign_to_launch")]
        permissions = [("send_campaign", _("Can schedule and send campaigns"))]

    def __str__(self):
        return self.name

    @property
    def editable(self):
        return self.status in self.EDITABLE


class CampaignText(models.Model):
    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="texts")
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    subject = models.CharField(_("subject"), max_length=120)
    preheader = models.CharField(_("preheader"), max_length=160, blank=True, help_text=_("The line a mailbox shows after the subject."))
    body = models.TextField(_("body"), validators=[MaxLengthValidator(100_000)])  # Markdown; what a letter may weigh is checked rendered

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [models.UniqueConstraint(fields=["campaign", "language"], name="campaign_text_once_per_language")]

    def __str__(self):
        return self.subject


class Chunk(models.Model):
    """About 500 deliveries of one campaign, language, variant and zone: one skeleton, one due time, one worker at a time.

    `lo` and `hi` bound its deliveries' primary keys (inclusive); another chunk's, or another campaign's, may lie between. While held,
    `window_lo` and `window_hi` bound those being handed over now: a worker that takes over from a dead one turns just these, as far as
    unrecorded, into “in doubt”. `window_at` is when the window was marked: a delivery whose next try came later than that is not in it.
    """

    class State(models.TextChoices):
        READY = "ready", _("ready")
        HELD = "held", _("being sent")
        DONE = "done", _("done")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="chunks")
    language = models.CharField(max_length=2)
    variant = models.PositiveSmallIntegerField(default=0)
    zone = models.CharField(max_length=64, blank=True)
    lo = models.BigIntegerField()
    hi = models.BigIntegerField()
    due_at = models.DateTimeField()
    state = models.CharField(max_length=5, choices=State.choices, default=State.READY)
    token = models.UUIDField(null=True)
    lease_until = models.DateTimeField(null=True)
    window_lo = models.BigIntegerField(null=True)
    window_hi = models.BigIntegerField(null=True)
    window_at = models.DateTimeField(null=True)

    class Meta:
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="ready"), name="chunk_ready"),
            models.Index(fields=["lease_until"], condition=Q(state="held"), name="chunk_held"),
        ]
        constraints = [
            models.CheckConstraint(condition=Q(lo__lte=F("hi")), name="chunk_has_a_range"),
            models.CheckConstraint(
                condition=~Q(state="held") | Q(token__isnull=False, lease_until__isnull=False), name="chunk_held_has_a_holder"
            ),
            models.CheckConstraint(
                condition=Q(window_lo=None, window_hi=None, window_at=None)
                | Q(state="held", window_lo__isnull=False, window_hi__isnull=False, window_at__isnull=False),
                name="chunk_window_only_while_held",
            ),
        ]

    def __str__(self):
        return f"chunk {self.pk}"


class DeliveryQuerySet(models.QuerySet):
    def of(self, chunk):
        """A chunk's deliveries, and no others that lie between them. Read along the primary key.

        `campaign + 0` keeps the index on the campaign out of the plan: right after a launch both databases would take it, having no
        statistics of the new rows yet, and walk the whole campaign, 100,000 deliveries, for every window.
        """
        return self.alias(of_campaign=F("campaign_id") + 0).filter(
            pk__range=(chunk.lo, chunk.hi),
            of_campaign=chunk.campaign_id,
            language=chunk.language,
            variant=chunk.variant,
            zone=chunk.zone,
        )

    def due(self, now):
        return self.filter(Q(retry_at=None) | Q(retry_at__lte=now), state=Delivery.State.PENDING)

    def by_provider_id(self, text):
        """Those a provider calls by that name, which is not empty. Said twice, or SQLite would not take the index on those that have one."""
        return self.filter(provider_id=text).exclude(provider_id="")

    def by_public_id(self, text):
        """The delivery of that `public_id`; none for a text that we did not make."""
        pk, _dash, _proof = text.removeprefix("d").partition("-")
        if not pk.isascii() or not pk.isdigit() or len(pk) > 18 or not hmac.compare_digest(public_id(int(pk)).encode(), text.encode()):
            return self.none()
        return self.filter(pk=int(pk))


def public_id(pk):
    """What a letter says of its delivery: nobody can make up another's, and the row is found by it without a column of its own.

    Under ADDRESS_KEY, because a provider may report on a letter after SECRET_KEY has been changed.
    """
    return f"d{pk}-{keyed.digest(_public_id_key(settings.ADDRESS_KEY), str(pk).encode()).hex()[:20]}"


@functools.lru_cache(maxsize=2)
def _public_id_key(secret):
    """The key salted_hmac derives; kept, since every letter asks for it."""
    return hashlib.sha256(f"lectern.delivery{secret}".encode()).digest()


#: Reasons that speak against a campaign: the address does not exist, as told at once or by a bounce; the reader reported it as unwanted.
DEAD_ADDRESS, COMPLAINED = "no-such-address", "complained"


class Delivery(models.Model):
    """One campaign to one subscriber: what became of it. The row outlives the subscriber, so that sums always meet the audience.

    A launch writes a million of these, and each is changed once, when its letter has left. Both are paid for by index and by constraint:
    - No index has `state` in it: a report counts a million rows in a fifth of a second without one, and with one PostgreSQL would write into
      every index for each letter, instead of into none.
    - The foreign keys are the ORM's alone. The database would look up both ends of every row, and write to every subscriber's, which is half
      of a launch's time. A campaign is guarded by its chunks' foreign key, and can be deleted only as a draft. A subscriber who is erased
      while a launch has them in its hands leaves a number that nobody bears any more: a join finds nobody, as with NULL.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNCERTAIN = "uncertain", _("in doubt")
        SKIPPED = "skipped", _("not sent")

    class Reason(models.TextChoices):
        """Why a delivery was skipped."""

        UNSUBSCRIBED = "unsubscribed", _("unsubscribed before it was sent")
        SUPPRESSED = "suppressed", _("the address does not accept our letters")
        NO_TEXT = "no-text", _("there is no text in the reader’s language")
        ERASED = "erased", _("the person was erased")
        CANCELLED = "cancelled", _("the campaign was cancelled")
        CRASHED = "crashed", _("the worker stopped while handing it over")

    campaign = models.ForeignKey(Campaign, models.CASCADE, related_name="deliveries", db_constraint=False)
    # No index of its own: the unique one begins with it.
    subscriber = models.ForeignKey(Subscriber, models.SET_NULL, null=True, related_name="deliveries", db_constraint=False, db_index=False)
    language = models.CharField(max_length=2)
    variant = models.PositiveSmallIntegerField(default=0)
    zone = models.CharField(max_length=64, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    detail = models.CharField(_("the server’s answer"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    retry_at = models.DateTimeField(null=True)
    again_at = models.DateTimeField(null=True)  # when a person had it sent once more; what was told of it before counts no longer
    provider_id = models.CharField(max_length=200, blank=True)
    settled_at = models.DateTimeField(null=True)

    objects = DeliveryQuerySet.as_manager()

    class Meta:
        verbose_name = _("delivery")
        verbose_name_plural = _("deliveries")
        constraints = [models.UniqueConstraint(fields=["subscriber", "campaign"], name="delivery_once_per_subscriber")]
        indexes = [
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="delivery_provider_id"),
            # What the guard counts, every few seconds: few rows ever, and none at launch.
            models.Index(fields=["campaign"], condition=Q(reason__in=[DEAD_ADDRESS, COMPLAINED]), name="delivery_returned"),
        ]

    def __str__(self):
        return f"delivery {self.pk}"

    @property
    def public_id(self):
        """An opaque name, the same at every try: its Message-ID's left side and what a provider's webhook tells us back."""
        return public_id(self.pk)
