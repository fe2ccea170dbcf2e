"""What campaigns register at start: their work, their test letter, what providers tell of them, and what `verify` asks."""

from django.utils.translation import gettext_lazy as _

from project.mail import events, kinds, work
from project.practice import verification

from . import campaign_events, campaign_letters, campaign_verification, sending


def register_all():
    work.register(work.Work("campaigns", "bulk", sending.slots_due, sending.drain))
    kinds.register(kinds.Kind(campaign_letters.TEST, campaign_letters.build_test, words=_("test of a newsletter")))
    verification.register("campaigns", campaign_verification.problems)
    events.on(campaign_events.told)
