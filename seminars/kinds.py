"""The letters mail asks this app to build, and what this app does when one can't be delivered.

A letter is about one state of a registration (`ref["sequence"]`). Once the registration has gone on, the newer letter says all that matters,
and the older one is skipped: so a CANCEL is never followed by the REQUEST it overtook.
"""

from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from project.mail.kinds import Kind, Skip, register
from project.mail.models import Message

from . import emails
from .models import Callback, Registration, Seminar, Venue
from .telling import letter_key, note_call

Status, Reason, State = Registration.Status, Message.Reason, Message.State


def register_all():
    register(
        Kind(
            "seminars.confirmed",
            _if_still(Status.CONFIRMED, lambda registration, ref: emails.confirmed(registration)),
            _settle,
            _("seat reserved"),
        )
    )
    register(
        Kind(
            "seminars.waitlisted",
            _if_still(Status.WAITLISTED, lambda registration, ref: emails.waitlisted(registration)),
            _settle,
            _("on the waiting list"),
        )
    )
    register(
        Kind(
            "seminars.promoted",
            _if_still(Status.CONFIRMED, lambda registration, ref: emails.promoted(registration)),
            _settle,
            _("a seat has become free"),
        )
    )
    register(Kind("seminars.already", _already, _settle, _("registered already")))
    register(Kind("seminars.enough", _enough, _settle, _("as many as one address can register")))
    register(Kind("seminars.changed", _changed, _settle, _("seminar moved")))
    register(
        Kind(
            "seminars.cancelled",
            _if_still(Status.CANCELLED, lambda registration, ref: emails.cancelled(registration, invited=ref["invited"])),
            words=_("registration cancelled"),
        )
    )
    register(
        Kind(
            "seminars.called-off",
            _if_still(Status.CANCELLED, lambda registration, ref: emails.called_off(registration, invited=ref["invited"])),
            _settle,
            _("seminar called off"),
        )
    )


def _if_still(status, word):
    """A `build` that words a letter only while the registration is as it was when the letter was posted, and the seminar not over."""

    def build(ref, language):
        registration = _registration(ref)
        return _overtaken(registration, ref, status) or word(registration, ref)

    return build


def _registration(ref):
    words = Registration.objects.select_related("seminar__venue").prefetch_related(
        "seminar__texts", "seminar__venue__texts", "seminar__speakers"
    )
    return words.filter(pk=ref["registration"]).first()


def _over(registration):
    if registration is None:
        return Skip(Reason.GONE)
    return Skip(Reason.PAST) if registration.seminar.ends_at <= timezone.now() else None


def _overtaken(registration, ref, status):
    if skip := _over(registration):
        return skip
    if registration.status != status or registration.sequence != ref["sequence"]:
        return Skip(Reason.SUPERSEDED)
    return None


def _already(ref, language):
    """What they have now, whatever happened since they asked."""
    registration = _registration(ref)
    return _has_nothing(registration) or emails.already(registration)


def _enough(ref, language):
    registration = _registration(ref)
    if skip := _has_nothing(registration):
        return skip
    theirs = Registration.objects.active().filter(seminar=registration.seminar, contact_hash=registration.contact_hash)
    return emails.enough(registration, list(theirs.order_by("pk")))


def _has_nothing(registration):
    return _over(registration) or (None if registration.is_active else Skip(Reason.SUPERSEDED))


def _changed(ref, language):
    registration = _registration(ref)
    status = Status.WAITLISTED if ref["waited"] else Status.CONFIRMED
    if skip := _overtaken(registration, ref, status):
        return skip
    old = _last_told(ref)
    if ref["waited"]:
        return emails.changed_waiting(registration, old)
    return emails.changed(registration, old)


def _last_told(ref):
    """The seminar as the person last heard of it: several moves in a row, of which only the last letter leaves, are one move to them."""
    while earlier := _unsent(ref["registration"], ref["sequence"] - 1):
        ref = earlier.ref
    venue = Venue.objects.filter(pk=ref["old"]["venue"]).first()
    return Seminar(starts_at=datetime.fromisoformat(ref["old"]["starts_at"]), zone=ref["old"]["zone"], venue=venue)


def _unsent(pk, sequence):
    return Message.objects.filter(key=letter_key(pk, "changed", sequence)).exclude(state=State.SENT).first()


def _settle(ref, settled):
    """A letter that will not arrive, or came back, becomes a call to make; not once the person has cancelled or the day is over."""
    undelivered = settled.state == State.FAILED or (settled.state == State.SKIPPED and settled.reason == Reason.SUPPRESSED)
    registration = Registration.objects.select_related("seminar").filter(pk=ref["registration"]).first()
    if undelivered and registration is not None and _still_matters(registration):
        note_call(registration, Callback.Reason.BOUNCED)


def _still_matters(registration):
    called_off = registration.cancelled_by == Registration.CancelledBy.SEMINAR
    return (registration.is_active or called_off) and registration.seminar.ends_at > timezone.now()
