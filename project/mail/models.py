"""The mail ledger: every letter is a row with a due time before any worker hears of it."""

import uuid

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _


class Stream(models.TextChoices):
    """Which way a letter goes, and which consent it needs."""

    TRANSACTIONAL = "transactional", _("transactional")
    BULK = "bulk", _("newsletter")


def new_public_id():
    return uuid.uuid4().hex


class MessageQuerySet(models.QuerySet):
    def due(self, now):
        return self.filter(state=Message.State.PENDING, due_at__lte=now)

    def in_turn(self):
        """The never tried first, then those whose last try is longest ago: a letter that breaks its route stands in nobody's way."""
        return self.order_by(F("tried_at").asc(nulls_first=True), "due_at", "pk")

    def abandoned(self, now):
        """Being handed over by a worker that has not been heard of since its lease ran out."""
        return self.filter(state=Message.State.HANDING, lease_until__lt=now)

    def needs_a_person(self):
        """Failed, or in doubt: what Today lists."""
        return self.filter(state__in=[Message.State.FAILED, Message.State.UNCERTAIN])


class Message(models.Model):
    """One transactional letter to one address. Never its body: the kind builds that when the letter is handed over."""

    class State(models.TextChoices):
        PENDING = "pending", _("waiting")
        HANDING = "handing", _("being handed over")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")
        UNCERTAIN = "uncertain", _("in doubt")
        SKIPPED = "skipped", _("not sent")

    class Reason(models.TextChoices):
        """Why a letter was not sent."""

        SUPERSEDED = "superseded", _("a newer letter took its place")
        SUPPRESSED = "suppressed", _("the address does not accept our letters")
        GONE = "gone", _("what it was about is gone")
        PAST = "past", _("the date has passed")
        EXPIRED = "expired", _("it waited too long")
        CRASHED = "crashed", _("the worker stopped while handing it over")
        NO_ADDRESS = "no-address", _("there is no e-mail address")
        BOUNCED = "bounced", _("the letter came back")

    FINAL = {State.SENT, State.FAILED, State.UNCERTAIN, State.SKIPPED}

    kind = models.CharField(_("kind"), max_length=60)
    ref = models.JSONField(_("about"), default=dict)  # ids and numbers only, never a name or an address
    stream = models.CharField(_("stream"), max_length=15, choices=Stream.choices, default=Stream.TRANSACTIONAL)
    language = models.CharField(_("language"), max_length=2)
    address = models.EmailField(_("address"), blank=True)
    address_hash = models.CharField(max_length=64, db_index=True)
    key = models.CharField(max_length=200, unique=True)
    # An opaque name, the same at every try: its Message-ID's left side and what a provider's webhook tells us back.
    public_id = models.CharField(max_length=32, unique=True, default=new_public_id, editable=False)
    due_at = models.DateTimeField(_("due"))
    state = models.CharField(_("state"), max_length=10, choices=State.choices, default=State.PENDING)
    reason = models.CharField(_("reason"), max_length=40, blank=True)
    detail = models.CharField(_("the server’s answer"), max_length=300, blank=True)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    tried_at = models.DateTimeField(_("last try"), null=True)
    give_up_at = models.DateTimeField(null=True)  # set by the first refusal that may pass
    doubts = models.PositiveSmallIntegerField(default=0)  # how often a worker died with it in hand
    token = models.UUIDField(null=True)  # the fence: who holds it now
    lease_until = models.DateTimeField(null=True)
    provider_id = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(_("written"), auto_now_add=True)
    settled_at = models.DateTimeField(_("settled"), null=True)

    objects = MessageQuerySet.as_manager()

    class Meta:
        verbose_name = _("letter")
        verbose_name_plural = _("letters")
        ordering = ["-pk"]
        indexes = [
            models.Index(fields=["due_at"], condition=Q(state="pending"), name="message_due"),
            models.Index(fields=["lease_until"], condition=Q(state="handing"), name="message_held"),
            models.Index(fields=["-settled_at"], condition=Q(state__in=["failed", "uncertain"]), name="message_needs_a_person"),
            models.Index(fields=["provider_id"], condition=~Q(provider_id=""), name="message_provider_id"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="handing") | Q(token__isnull=False, lease_until__isnull=False), name="message_in_hand_has_a_holder"
            ),
        ]

    def __str__(self):
        return f"{self.kind} {self.pk}"


class Route(models.Model):
    """One of the two ways out, as all workers share it: paused or not, and how it has fared."""

    stream = models.CharField(_("stream"), max_length=15, choices=Stream.choices, unique=True)
    url = models.CharField(max_length=64, blank=True)  # a fingerprint: a changed setting starts afresh and untested
    tested_at = models.DateTimeField(_("tested"), null=True)
    paused_at = models.DateTimeField(_("paused"), null=True)
    paused_because = models.CharField(_("paused because"), max_length=300, blank=True)
    failures = models.PositiveIntegerField(_("failures in a row"), default=0)
    probe_at = models.DateTimeField(_("next try"), null=True)
    # How fast letters may leave: what a person sets …
    per_second = models.FloatField(
        _("letters a second"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0.01), MaxValueValidator(100_000)],
        help_text=_("What your mail provider allows. 0.5 is one letter every two seconds. Empty: as fast as it takes them."),
    )
    per_day = models.PositiveIntegerField(
        _("letters a day"),
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text=_("What your mail provider allows from midnight to midnight, on the practice’s clocks. Empty: no limit."),
    )
    warm_up_from = models.DateField(
        _("warm up from"),
        null=True,
        blank=True,
        help_text=_("The first day of a new mail server, domain or provider: the limit begins low and doubles every day for two weeks."),
    )
    # … and what has been taken of it (pace.py): all workers share these, and only a conditional UPDATE changes them.
    next_at = models.DateTimeField(null=True, editable=False)  # up to when the rate is used up
    day = models.DateField(null=True, editable=False)
    day_count = models.PositiveIntegerField(default=0, editable=False)
    slowed_until = models.DateTimeField(null=True, editable=False)  # half the rate until then, because the other side asked for time

    class Meta:
        verbose_name = _("route")
        verbose_name_plural = _("routes")

    def __str__(self):
        return self.get_stream_display()


class Suppression(models.Model):
    """An address we must not write to, by hash: it outlives the erasure of the person."""

    class Scope(models.TextChoices):
        ALL = "all", _("every letter")
        MARKETING = "marketing", _("newsletters")

    class Reason(models.TextChoices):
        HARD_BOUNCE = "hard-bounce", _("the address does not exist")
        COMPLAINT = "complaint", _("the person reported our letter as unwanted")
        BY_HAND = "by-hand", _("entered by a coordinator")

    address_hash = models.CharField(max_length=64)
    scope = models.CharField(_("scope"), max_length=10, choices=Scope.choices)
    reason = models.CharField(_("reason"), max_length=15, choices=Reason.choices)
    created_at = models.DateTimeField(_("since"), auto_now_add=True)

    class Meta:
        verbose_name = _("suppression")
        verbose_name_plural = _("suppressions")
        constraints = [models.UniqueConstraint(fields=["address_hash", "scope"], name="suppression_once_per_scope")]

    def __str__(self):
        return f"{self.get_scope_display()} {self.pk}"


class EventQuerySet(models.QuerySet):
    def store_once(self, event):
        """Store an event unless its like is stored. True when it is new; one statement decides, whoever else tells the same now."""
        self.bulk_create([event], ignore_conflicts=True)
        stored = self.filter(dedupe=event.dedupe).values_list("nonce", flat=True).get()
        return stored == event.nonce


class Event(models.Model):
    """What a provider told us of a letter, once however often it was told. Types are anymail's EventType words."""

    dedupe = models.CharField(max_length=64, unique=True)
    provider = models.CharField(_("provider"), max_length=30)
    type = models.CharField(_("type"), max_length=30)
    hard = models.BooleanField(_("permanent"), default=False)
    address_hash = models.CharField(max_length=64, db_index=True)
    letter = models.CharField(max_length=64, blank=True, db_index=True)  # the letter's public id, where the provider told it back
    provider_id = models.CharField(max_length=200, blank=True, db_index=True)
    nonce = models.UUIDField(default=uuid.uuid4, editable=False)  # tells who stored it when two tell the same at once
    occurred_at = models.DateTimeField(_("when"))
    received_at = models.DateTimeField(_("received"), auto_now_add=True)
    raw = models.JSONField(null=True)  # kept 30 days

    objects = EventQuerySet.as_manager()

    class Meta:
        verbose_name = _("event")
        verbose_name_plural = _("events")
        ordering = ["-pk"]

    def __str__(self):
        return f"{self.type} {self.pk}"


class Ledger(models.Model):
    """The ledger's own state, one row: which site it belongs to, when it was last alive, and whether it holds all mail."""

    class Hold(models.TextChoices):
        MOVED = "moved", _("this database belongs to another address")
        STOOD_STILL = "stood-still", _("the mail system has stood still, as after a restored backup")
        KEY_CHANGED = "key-changed", _("ADDRESS_KEY has changed, so nobody’s “do not write to me” would be found")

    site_url = models.CharField(max_length=200)
    key_fingerprint = models.CharField(max_length=16)
    alive_at = models.DateTimeField()  # the last tick or drain
    ticked_at = models.DateTimeField(null=True)
    hold = models.CharField(max_length=15, choices=Hold.choices, blank=True)
    held_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [models.CheckConstraint(condition=Q(pk=1), name="ledger_is_one_row")]

    def __str__(self):
        return "ledger"
