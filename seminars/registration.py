"""Register and cancel. Each verb is one transaction; who changes seats holds the pool first."""

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _

from project.mail.addresses import address_hash, parse_address
from project.practice.folding import fold
from project.practice.phones import parse_phone

from . import telling, waiting
from .models import Callback, Registration, SeatPool, Seminar
from .models.registrations import LARGEST_PARTY
from .refusals import NoRoom, RegistrationClosed

Status, Source = Registration.Status, Registration.Source


def register(
    seminar,
    *,
    mode,
    first_name,
    last_name,
    email="",
    phone="",
    language,
    party_size=1,
    nonce=None,
    source=Source.PUBLIC,
    anyway=False,
    promised=False,
):
    """Seats for a party, or a place on the waiting list, and a letter that says so. Returns the Registration.

    The same person for the same seminar, by a second press, another tab or the same form (`nonce`), gets the registration that exists, and no
    second letter. `anyway` (for coordinators) seats the party whatever the capacity. `promised`: the person was told of free seats a moment
    ago; should the last have gone since, a letter corrects it, or a call to who has no address. Raises RegistrationClosed, NoRoom, or
    ValidationError for an address or number that can't be one.
    """
    now = timezone.now()
    person = _person(first_name, last_name, email, phone)
    _check_open(seminar, source, now)
    if existing := _existing(seminar, person, nonce):
        return existing
    try:
        with transaction.atomic():
            registration = _enter(
                seminar, person, now, mode=mode, language=language, party_size=party_size, nonce=nonce, source=source, anyway=anyway
            )
            if promised and registration.status == Status.WAITLISTED and not registration.email:
                telling.note_call(registration, Callback.Reason.FILLED_UP)
            return registration
    except IntegrityError:
        # The other press was quicker: its row stands in the way of ours, and our seats went back with our transaction.
        if existing := _existing(seminar, person, nonce):
            return existing
        raise


def add_by_phone(seminar, *, mode, first_name, last_name, phone="", email="", language, party_size=1, anyway=False):
    """A coordinator enters somebody who called or walked in: possible until the seminar is over. See `register`."""
    return register(
        seminar,
        mode=mode,
        first_name=first_name,
        last_name=last_name,
        email=email,
        phone=phone,
        language=language,
        party_size=party_size,
        source=Source.FRONT_DESK,
        anyway=anyway,
    )


def _person(first_name, last_name, email, phone):
    """The fields that say who somebody is, as they are stored. Which names may be typed is the forms' matter (`practice.names`)."""
    return {
        "first_name": " ".join(first_name.split()),
        "last_name": " ".join(last_name.split()),
        "email": parse_address(email) if email else "",
        "phone": parse_phone(phone) if phone else "",
    }


def _check_open(seminar, source, now):
    if seminar.status == Seminar.Status.CANCELLED:
        raise RegistrationClosed(_("This seminar was cancelled. Please look for another date, or call us."))
    if seminar.status != Seminar.Status.PUBLISHED:
        raise RegistrationClosed(_("This seminar isn’t open for registration yet."))
    if (seminar.ends_at if source == Source.FRONT_DESK else seminar.starts_at) <= now:
        raise RegistrationClosed(_("This seminar has already begun. Please look for another date, or call us."))


def _existing(seminar, person, nonce):
    """The active registration of that person; or the one the same form made for the same name, whatever else was changed in it."""
    active = Registration.objects.active().filter(seminar=seminar, folded_name=fold(f"{person['first_name']} {person['last_name']}"))
    found = active.filter(contact_hash=address_hash(person["email"] or person["phone"])).first()
    return found or (nonce and active.filter(nonce=nonce).first()) or None


def _enter(seminar, person, now, *, mode, language, party_size, nonce, source, anyway):
    pools = SeatPool.objects.filter(seminar=seminar, mode=mode)
    seated = _take_seats(pools, party_size, anyway)
    # Read again, now that the pool is ours: a coordinator may have called the seminar off a moment ago.
    _check_open(Seminar.objects.get(pk=seminar.pk), source, now)
    if nonce and Registration.objects.active().filter(seminar=seminar, nonce=nonce).exists():
        nonce = None  # went back and changed the name: somebody else's registration
    registration = Registration.objects.create(
        seminar=seminar,
        **person,
        mode=mode,
        language=language,
        party_size=party_size,
        nonce=nonce,
        source=source,
        status=Status.CONFIRMED if seated else Status.WAITLISTED,
        waiting_since=None if seated else now,
        created_at=now,
        changed_at=now,
    )
    if not seated and registration in waiting.seat_those_who_fit(pools, now):
        registration.refresh_from_db()
    telling.tell_of_registering(registration, registration.status, now)
    return registration


def _take_seats(pools, n, anyway):
    """True when n seats are taken, False when n people wait; either way the pool is held until the transaction ends."""
    if not 1 <= n <= LARGEST_PARTY:
        raise NoRoom(_("Please register between one and four people. For a larger group, call us."))
    if anyway and pools.take_anyway(n):
        return True
    if pools.take(n):
        return True
    if pools.filter(capacity__gte=n).wait(n):
        return False
    if pools.exists():
        raise NoRoom(_("There is no room for so many people at this seminar. Please call us."))
    raise RegistrationClosed(_("This seminar can’t be attended that way. Please choose another."))


def cancel(registration, by=Registration.CancelledBy.PERSON):
    """Free the seats or the place in line, say so by letter, and seat those who waited. Again: nothing more happens. Returns the Registration.

    Raises RegistrationClosed once the seminar is over.
    """
    now = timezone.now()
    pools = SeatPool.objects.filter(seminar=registration.seminar_id, mode=registration.mode)
    with transaction.atomic():
        [pool] = pools.hold()
        registration = Registration.objects.select_related("seminar").get(pk=registration.pk)
        if not registration.is_active:
            return registration
        if registration.seminar.ends_at <= now:
            raise RegistrationClosed(_("This seminar has already taken place."))
        had_seats = registration.status != Status.WAITLISTED
        (pools.give_back if had_seats else pools.stop_waiting)(registration.party_size)
        Registration.objects.filter(pk=registration.pk).update(
            status=Status.CANCELLED,
            sequence=F("sequence") + 1,
            waiting_since=None,
            cancelled_at=now,
            cancelled_by=by,
            changed_at=now,
        )
        registration.refresh_from_db()
        telling.drop_calls([registration], now)
        telling.tell(registration, "cancelled", invited=had_seats)
        waiting.promote(pool)
    return registration
