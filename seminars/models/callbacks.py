"""Calls to make: whom no letter reaches hears from the front desk."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from .registrations import Registration


class CallbackQuerySet(models.QuerySet):
    def open(self):
        """Still to be made, oldest first."""
        return self.filter(done_at=None).order_by("created_at", "pk")


class Callback(models.Model):
    """One call to one party for one reason. `sequence` is the registration's then: a second move is a second call."""

    class Reason(models.TextChoices):
        SEAT_FREE = "seat-free", _("a seat has become free for them")
        MOVED = "moved", _("the seminar has moved")
        CANCELLED = "cancelled", _("the seminar was called off")
        BOUNCED = "bounced", _("their letter could not be delivered")
        FILLED_UP = "filled-up", _("the last seat went while they registered, so they wait")
        MANY_LETTERS = "many-letters", _("many registrations came for one address today")
        AGAIN = "again", _("they registered once more: tell them what they have")
        MORE = "more", _("they asked for more seats than the website gives to one number")

    class Outcome(models.TextChoices):
        REACHED = "reached", _("reached")
        LEFT_MESSAGE = "left-message", _("left a message")
        WRONG_NUMBER = "wrong-number", _("wrong number")
        NOT_NEEDED = "not-needed", _("not needed any more")

    registration = models.ForeignKey(Registration, models.CASCADE, related_name="callbacks")
    reason = models.CharField(_("why"), max_length=15, choices=Reason.choices)
    sequence = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(_("since"))
    outcome = models.CharField(_("outcome"), max_length=15, choices=Outcome.choices, blank=True)
    done_at = models.DateTimeField(_("done"), null=True, blank=True)
    done_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("by"))

    objects = CallbackQuerySet.as_manager()

    class Meta:
        verbose_name = _("call to make")
        verbose_name_plural = _("calls to make")
        ordering = ["created_at", "pk"]
        indexes = [models.Index(fields=["created_at"], condition=Q(done_at=None), name="callback_open")]
        constraints = [
            models.UniqueConstraint(fields=["registration", "reason", "sequence"], name="callback_once"),
            models.CheckConstraint(condition=Q(done_at=None) | ~Q(outcome=""), name="callback_done_has_an_outcome"),
        ]

    def __str__(self):
        return f"call {self.pk}"
