"""Seats: counters that one conditional UPDATE changes, whose row count is the answer. The same code on PostgreSQL and SQLite.

Whoever changes seats and registrations together locks the pool first (any update of its row does, or `lock()`), then the registrations:
one order for everybody, so that no two ever wait for each other.
"""

import secrets
from datetime import timedelta

from django.db import models
from django.db.models import Case, F, Q, Value, When
from django.db.models.functions import Greatest, Least
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: So long seats stay held for somebody registered already who asks for some again. By chance: else its end would tell what it was.
SHORTEST_HOLD, LONGEST_HOLD = timedelta(minutes=10), timedelta(minutes=30)


class Mode(models.TextChoices):
    """How a person attends."""

    IN_PERSON = "in-person", _("in person")
    ONLINE = "online", _("online")


class SeatPoolQuerySet(models.QuerySet):
    def lock(self):
        """The pools, locked in one order until the transaction ends (SQLite: its transaction is the lock)."""
        return list(self.select_for_update().order_by("pk"))

    def take(self, n, *, held_too=False):
        """Seats for a newcomer's party: True when all n are theirs. Nobody walks past those who wait.

        Seats that are held (`hold_back`) count as taken, unless `held_too`.
        """
        fits = Q(taken__lte=F("capacity") - n)
        if not held_too:
            nothing_held = Q(held_until=None) | Q(held_until__lte=timezone.now())
            fits = Q(taken__lte=F("capacity") - F("held") - n) | fits & nothing_held
        return bool(self.filter(fits, waiting=0).update(taken=F("taken") + n))

    def take_waiting(self, n):
        """Seats for a party that waits: True when all n are theirs, and n fewer people wait."""
        return bool(self.filter(waiting__gte=n, taken__lte=F("capacity") - n).update(taken=F("taken") + n, waiting=F("waiting") - n))

    def hold_back(self, n):
        """For a while n seats look taken, and newcomers can't have them, as if somebody new had got them. False where there is no such pool.

        A hold goes on from the newest, and is as large as the largest of those that run, never their sum: no more than one party is held.
        """
        now = timezone.now()
        runs = When(held_until__gt=now, then=Greatest("held", n))
        until = now + SHORTEST_HOLD + timedelta(seconds=secrets.randbelow(int((LONGEST_HOLD - SHORTEST_HOLD).total_seconds())))
        return bool(self.update(held=Case(runs, default=Value(n)), held_until=until))

    def take_anyway(self, n):
        """A coordinator lets n people in whatever the capacity: the free seats first, and what goes beyond counts as extra."""
        free = F("capacity") - F("taken")
        return bool(self.update(taken=F("taken") + Least(n, free), extra=F("extra") + Greatest(0, n - free)))

    def give_back(self, n):
        """n people who had seats don't come: those beyond the capacity are forgotten first."""
        self.update(extra=Greatest(0, F("extra") - n), taken=F("taken") - Greatest(0, n - F("extra")))

    def wait(self, n):
        """n more people wait: False where there is no such pool."""
        return bool(self.update(waiting=F("waiting") + n))

    def stop_waiting(self, n):
        """n people who waited don't any more."""
        self.update(waiting=F("waiting") - n)

    def resize(self, capacity):
        """Another capacity. Whoever has a seat keeps it: those it no longer covers count as extra."""
        seated = F("taken") + F("extra")
        self.update(capacity=capacity, taken=Least(seated, capacity), extra=Greatest(0, seated - capacity))

    def empty(self):
        """Nobody comes and nobody waits."""
        self.update(taken=0, waiting=0, extra=0)


class SeatPool(models.Model):
    """The seats of one seminar for one way to attend. Counts are people, not parties."""

    seminar = models.ForeignKey("seminars.Seminar", models.CASCADE, related_name="pools")
    mode = models.CharField(_("mode"), max_length=10, choices=Mode.choices)
    capacity = models.PositiveIntegerField(_("seats"))
    taken = models.PositiveIntegerField(_("taken"), default=0, editable=False)
    waiting = models.PositiveIntegerField(_("waiting"), default=0, editable=False)
    extra = models.PositiveIntegerField(_("beyond capacity"), default=0, editable=False)
    held = models.PositiveIntegerField(default=0, editable=False)  # until held_until: see `hold_back`
    held_until = models.DateTimeField(null=True, editable=False)

    objects = SeatPoolQuerySet.as_manager()

    class Meta:
        verbose_name = _("seats")
        verbose_name_plural = _("seats")
        ordering = ["seminar", "mode"]
        constraints = [
            models.UniqueConstraint(fields=["seminar", "mode"], name="seats_once_per_mode"),
            models.CheckConstraint(condition=Q(taken__gte=0, taken__lte=F("capacity")), name="seats_within_capacity"),
            models.CheckConstraint(condition=Q(waiting__gte=0, extra__gte=0), name="seats_counts_not_negative"),
            models.CheckConstraint(condition=Q(held=0) | Q(held_until__isnull=False), name="seats_held_have_an_end"),
        ]

    def __str__(self):
        return f"{self.get_mode_display()}: {self.taken}/{self.capacity}"

    @property
    def free(self):
        """Seats a newcomer can have now: none while others wait, and none that are held."""
        held = self.held if self.held_until and self.held_until > timezone.now() else 0
        return 0 if self.waiting else max(0, self.capacity - self.taken - held)

    @property
    def expected(self):
        """People who have a seat."""
        return self.taken + self.extra
