"""The waiting list: the oldest party that fits is next. Who is passed over keeps the place in line, and is not passed over for ever."""

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from .models import Callback, Registration, SeatPool, Seminar
from .telling import tell

#: After so many smaller parties went first, free seats are kept until this one fits.
PATIENCE = 3

Status = Registration.Status


def promote(pool):
    """Give free seats of a pool to those who wait, and tell them: a letter with the invite, or a call. Returns who got one, in line.

    Nobody is promoted once the seminar has begun or was called off.
    """
    now = timezone.now()
    with transaction.atomic():
        seated = seat_those_who_fit(SeatPool.objects.filter(pk=pool.pk), now)
        for registration in seated:
            tell(registration, "promoted", call=Callback.Reason.SEAT_FREE)
    return seated


def seat_those_who_fit(pools, now):
    """Confirm those whom free seats are for, telling nobody. `pools`: a queryset of the one pool; call it in a transaction."""
    [pool] = pools.lock()
    free = pool.capacity - pool.taken
    if free <= 0 or not pool.waiting or not Seminar.objects.get(pk=pool.seminar_id).is_open(now):
        return []
    line = list(Registration.objects.filter(seminar=pool.seminar_id, mode=pool.mode).waiting())
    passes = {party.pk: party.passed_over for party in line}
    seated = [party for party in choose(line, free, pool.capacity) if pools.take_waiting(party.party_size)]
    for registration in seated:
        _confirm(registration, now)
    Registration.objects.bulk_update([party for party in line if party.passed_over != passes[party.pk]], ["passed_over"])
    return seated


def choose(line, free, capacity):
    """Who of a waiting line gets `free` seats, in line; counts on the others (`passed_over`) how often somebody behind them did.

    A party larger than the whole room can never be seated, so nothing is kept for it.
    """
    seated, passed = [], []
    for party in line:
        if party.party_size > free or any(other.passed_over >= PATIENCE for other in passed):
            if party.party_size <= capacity:
                passed.append(party)
            continue
        for other in passed:
            other.passed_over += 1
        seated.append(party)
        free -= party.party_size
    return seated


def _confirm(registration, now):
    registration.status, registration.waiting_since, registration.changed_at = Status.CONFIRMED, None, now
    registration.save(update_fields=["status", "waiting_since", "changed_at"])


def place(registration):
    """The place in line of a waiting registration, from 1; None for one that does not wait."""
    if registration.status != Status.WAITLISTED:
        return None
    line = Registration.objects.filter(seminar=registration.seminar_id, mode=registration.mode).waiting()
    ahead = line.filter(waiting_since__lt=registration.waiting_since) | line.filter(
        waiting_since=registration.waiting_since, pk__lt=registration.pk
    )
    return ahead.count() + 1


def place_words(place):
    """“You are 2nd in line.”"""
    match place:
        case 1:
            return _("You are first in line.")
        case 2:
            return _("You are second in line.")
        case 3:
            return _("You are third in line.")
    return _("You are number %(place)d in line.") % {"place": place}
