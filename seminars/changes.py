"""What coordinators do to a seminar: publish, move, call off, resize, repeat. Whoever registered hears of it."""

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from project.practice.texts import missing

from . import waiting
from .models import Callback, Mode, Registration, SeatPool, Seminar, SeminarText
from .refusals import NotReady, Refused
from .telling import drop_calls, tell

Status = Registration.Status


def publish(seminar):
    """Open a draft to the public. Raises NotReady with a sentence that names what is missing. Published already: nothing happens."""
    now = timezone.now()
    if lacking := _lacking(seminar, now):
        raise NotReady(_("Before this seminar can be published, it needs %(things)s.") % {"things": get_text_list(lacking, _("and"))})
    drafts = Seminar.objects.filter(pk=seminar.pk, status=Seminar.Status.DRAFT)
    drafts.update(status=Seminar.Status.PUBLISHED, published_at=now, changed_at=now)
    seminar.refresh_from_db()
    if seminar.status == Seminar.Status.CANCELLED:
        raise NotReady(_("This seminar was cancelled. Make a copy of it instead."))
    return seminar


def unpublish(seminar):
    """A seminar published by mistake is a draft again, off the site and out of the feeds. A draft: nothing happens. Returns the Seminar.

    Raises Refused once anybody has registered, whatever became of it since: they rely on it, so it is called off instead.
    """
    with transaction.atomic():
        seminar.pools.all().lock()  # whoever registers locks a pool first, so nobody can come in between
        published = Seminar.objects.filter(pk=seminar.pk, status=Seminar.Status.PUBLISHED)
        never_used = published.exclude(pk__in=Registration.objects.filter(seminar=seminar).values("seminar"))
        never_used.update(status=Seminar.Status.DRAFT, published_at=None, changed_at=timezone.now())
        seminar = Seminar.objects.get(pk=seminar.pk)
    match seminar.status:
        case Seminar.Status.PUBLISHED:
            raise Refused(_("Somebody has registered for this seminar already, so it can’t become a draft again. Call it off instead."))
        case Seminar.Status.CANCELLED:
            raise Refused(_("This seminar was cancelled. Make a copy of it instead."))
    return seminar


def _lacking(seminar, now):
    """What a draft still needs, in words."""
    lacking = [
        _("a title, a summary and a description in %(language)s") % {"language": language}
        for language in missing(seminar.texts, SeminarText.NEEDED)
    ]
    if seminar.venue and seminar.venue.texts.exists():
        lacking += [
            _("the venue’s parking and access in %(language)s") % {"language": language} for language in missing(seminar.venue.texts, ())
        ]
    pools = {pool.mode: pool.capacity for pool in seminar.pools.all()}
    lacking += [_("a number of seats (%(mode)s)") % {"mode": mode.label} for mode in seminar.modes if not pools.get(mode)]
    if seminar.starts_at <= now:
        lacking.append(_("a date that is still to come"))
    return lacking


def reschedule(seminar, starts_at, ends_at, venue=None, zone=None):
    """Move a seminar in time, to another venue, or both; all whom it concerns get a letter that says old and new. Returns the Seminar.

    `starts_at`, `ends_at`: aware. `zone` defaults to the new venue's, else stays. Raises Refused for a seminar that is over or cancelled, and
    for a time that is past. No difference: nothing happens.
    """
    now = timezone.now()
    with transaction.atomic():
        seminar.pools.all().lock()
        before = Seminar.objects.select_related("venue").get(pk=seminar.pk)
        _check_movable(before, starts_at, ends_at, now)
        wanted = {
            "starts_at": starts_at,
            "ends_at": ends_at,
            "venue_id": venue.pk if venue else before.venue_id,
            "zone": zone or (venue.zone if venue else before.zone),
        }
        if all(getattr(before, name) == value for name, value in wanted.items()):
            return before
        Seminar.objects.filter(pk=before.pk).update(**wanted, revision=F("revision") + 1, changed_at=now)
        _tell_of_change(before, concerned(before, **wanted), now)
    return Seminar.objects.select_related("venue").get(pk=seminar.pk)


def _check_movable(seminar, starts_at, ends_at, now):
    if seminar.status == Seminar.Status.CANCELLED:
        raise Refused(_("This seminar was cancelled. Make a copy of it instead."))
    if seminar.status == Seminar.Status.PUBLISHED and seminar.ends_at <= now:
        raise Refused(_("This seminar is over, so it can’t be moved."))
    if starts_at <= now:
        raise Refused(_("The new time is in the past."))
    if ends_at <= starts_at:
        raise Refused(_("The end must be later than the start."))


def concerned(seminar, *, starts_at, ends_at, zone, **_place):
    """The active registrations that hear of such a move of a seminar: to those who attend online, another room is no news."""
    active = Registration.objects.active().filter(seminar=seminar)
    if (starts_at, ends_at, zone) == (seminar.starts_at, seminar.ends_at, seminar.zone):
        return active.exclude(mode=Mode.ONLINE)
    return active


def _tell_of_change(before, registrations, now):
    """One higher SEQUENCE for all of them at once, then a letter or a call to each. The letter's ref keeps what was before."""
    registrations.update(sequence=F("sequence") + 1, changed_at=now)
    drop_calls(registrations, now, reason=Callback.Reason.MOVED)
    old = {"starts_at": before.starts_at.isoformat(), "zone": before.zone, "venue": before.venue_id}
    for registration in registrations.order_by("pk"):
        tell(registration, "changed", call=Callback.Reason.MOVED, old=old, waited=registration.status == Status.WAITLISTED)


def call_off(seminar):
    """Cancel a seminar: seats and waiting list end, and everybody hears of it. Again: nothing more happens. Returns the Seminar.

    Raises Refused once it is over.
    """
    now = timezone.now()
    with transaction.atomic():
        pools = seminar.pools.all()
        pools.lock()
        seminar = Seminar.objects.get(pk=seminar.pk)
        if seminar.status == Seminar.Status.CANCELLED:
            return seminar
        if seminar.status == Seminar.Status.PUBLISHED and seminar.ends_at <= now:
            raise Refused(_("This seminar is over, so it can’t be cancelled."))
        Seminar.objects.filter(pk=seminar.pk).update(
            status=Seminar.Status.CANCELLED, cancelled_at=now, changed_at=now, revision=F("revision") + 1
        )
        parties = list(Registration.objects.active().filter(seminar=seminar).order_by("pk"))
        Registration.objects.active().filter(seminar=seminar).update(
            status=Status.CANCELLED,
            sequence=F("sequence") + 1,
            waiting_since=None,
            cancelled_at=now,
            cancelled_by=Registration.CancelledBy.SEMINAR,
            changed_at=now,
        )
        pools.empty()
        drop_calls(parties, now)
        for party in parties:
            party.sequence += 1
            tell(party, "called-off", call=Callback.Reason.CANCELLED, invited=party.status != Status.WAITLISTED)
    return Seminar.objects.get(pk=seminar.pk)


def set_capacity(seminar, mode, capacity):
    """So many seats; more seats go to those who wait, fewer take nobody's away. Returns the SeatPool."""
    with transaction.atomic():
        pool, _new = SeatPool.objects.get_or_create(seminar=seminar, mode=mode, defaults={"capacity": capacity})
        SeatPool.objects.filter(pk=pool.pk).resize(capacity)
        waiting.promote(pool)
    pool.refresh_from_db()
    return pool


def duplicate(seminar, *, slug, starts_at):
    """A draft like this seminar at another time: same words, speakers, venue and seats; as long as this one; nobody registered."""
    with transaction.atomic():
        copy = Seminar.objects.create(
            slug=slug,
            format=seminar.format,
            talk_language=seminar.talk_language,
            venue=seminar.venue,
            zone=seminar.zone,
            starts_at=starts_at,
            ends_at=starts_at + (seminar.ends_at - seminar.starts_at),
            series=seminar.series,
        )
        copy.speakers.set(seminar.speakers.all())
        for text in seminar.texts.all():
            text.pk, text.seminar = None, copy
            text.save(force_insert=True)
        SeatPool.objects.bulk_create(SeatPool(seminar=copy, mode=pool.mode, capacity=pool.capacity) for pool in seminar.pools.all())
    return copy
