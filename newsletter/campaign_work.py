"""What campaigns register at start: their work and their test letter."""

from project.mail import kinds, work

from . import campaign_letters, sending


def register_all():
    work.register(work.Work("campaigns", "bulk", sending.slots_due, sending.drain))
    kinds.register(kinds.Kind(campaign_letters.TEST, campaign_letters.build_test))
