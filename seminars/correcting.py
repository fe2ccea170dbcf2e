"""Correct a mistyped e-mail address, so that letters and calendar follow to the right mailbox and leave the wrong one."""

import uuid

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from project.mail.addresses import address_hash, parse_address

from . import telling
from .models import Registration, SeatPool
from .models.registrations import new_uid
from .refusals import Refused, RegistrationClosed

Status = Registration.Status


def correct_email(registration, email):
    """Another address for a party that keeps its seats or its place in line. Returns the Registration that stands from now on.

    The wrong mailbox gets a CANCEL for its invite and its links end with it: the party goes on as a new registration with a new UID, because
    no calendar program moves an invite from one person to another. Who had no address until now just gets the letter. The same address:
    nothing happens. Raises ValidationError for what is no address, Refused when it is registered already, RegistrationClosed when it is over.
    """
    email, now = parse_address(email), timezone.now()
    try:
        with transaction.atomic():
            SeatPool.objects.filter(seminar=registration.seminar_id, mode=registration.mode).lock()
            before = Registration.objects.select_related("seminar").get(pk=registration.pk)
            if not before.is_active or before.seminar.ends_at <= now:
                raise RegistrationClosed(_("This registration is over, so there is nothing left to send."))
            if before.email == email:
                return before
            after = _go_on_as_another(before, email, now) if before.email else _begin_writing(before, email, now)
            telling.tell(after, "confirmed" if after.status == Status.CONFIRMED else "waitlisted")
    except IntegrityError:
        raise Refused(_("The same person is registered with that address already.")) from None
    return after


def _begin_writing(registration, email, now):
    registration.email, registration.contact_hash, registration.changed_at = email, address_hash(email), now
    registration.save(update_fields=["email", "contact_hash", "changed_at"])
    return registration


def _go_on_as_another(before, email, now):
    """The seats are not given back and taken again: somebody waiting would get them."""
    had_seats = before.status != Status.WAITLISTED
    after = Registration.objects.get(pk=before.pk)
    Registration.objects.filter(pk=before.pk).update(
        status=Status.CANCELLED,
        sequence=F("sequence") + 1,
        waiting_since=None,
        cancelled_at=now,
        cancelled_by=Registration.CancelledBy.FRONT_DESK,
        changed_at=now,
    )
    before.refresh_from_db()
    telling.drop_calls([before], now)
    telling.tell(before, "cancelled", invited=had_seats)
    after.pk, after.public_id, after.uid, after.sequence, after.nonce = None, uuid.uuid4(), new_uid(), 0, None
    after.email, after.contact_hash, after.changed_at = email, address_hash(email), now
    after.save(force_insert=True)
    return after
