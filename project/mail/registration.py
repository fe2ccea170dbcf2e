"""What mail itself registers at start: its work, its part of the health page, and its step on the first-day list."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from project.practice import first_day, health
from project.practice import verification as practice_verification

from . import bells, events, ledger, sending, verification, work
from .models import Route


def register_all():
    work.register(work.Work("letters", "transactional", sending.slots_due, sending.drain))
    work.register(work.Work("purge", "bulk", events.purge_due, events.drain))
    practice_verification.register("letters", verification.findings)
    health.register("broker", bells.broker)
    health.register("clock", ledger.clock)
    health.register("tick_age_seconds", ledger.tick_age)
    first_day.register(
        first_day.Step(
            _("Test both mail routes: send yourself a letter by each."),
            done=lambda: not Route.objects.filter(tested_at=None).exists() and Route.objects.count() == 2,
            url=lambda: reverse("admin:mail_route_changelist"),
            permission="mail.change_route",
        )
    )
