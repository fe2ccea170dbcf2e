"""Register and cancel. Each verb is one transaction; who changes seats locks the pool first."""

import hashlib

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from project.mail.addresses import address_hash, parse_address
from project.practice.folding import fold
from project.practice.phones import parse_phone

from . import telling, waiting
from .models import Callback, Registration, SeatPool, Seminar
from .models.registrations import LARGEST_PARTY, place_hash
from .refusals import AlreadyRegistered, NoRoom, RegistrationClosed

Status, Source = Registration.Status, Registration.Source

#: So many parties one e-mail address, or one phone number, has at one seminar by the public form: two people may share it. More are the
#: front desk's to enter.
PARTIES_OF_ONE_CONTACT = 2


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
    promised=None,
    place="",
):
    """Seats for a party, or a place on the waiting list, and a letter that says so. Returns the Registration.

    A second press of the same form (`nonce`) gets the registration that exists, and no second letter. So does the same person by another form,
    who is told what they have (`telling.tell_again`); to everybody else it looks as if the seats they asked for had gone (`hold_back`). A third
    party of one address or number is treated the same, is not entered, and None is returned. `anyway` (for coordinators) seats the party
    whatever the capacity. `promised`: whether the person was told of free seats a moment ago, None if told neither way; should that have become
    untrue since, a letter corrects it, or a call to who has no address. `place`: where the form came from, as `guard.place_of` says it.

    Raises RegistrationClosed, NoRoom, ValidationError for an address or number that can't be one, and AlreadyRegistered, for coordinators, who
    may be told.
    """
    now = timezone.now()
    person = _person(first_name, last_name, email, phone)
    press = nonce and _press(nonce, person)
    _check_open(seminar, source, now)
    if existing := _existing(seminar, person, press):
        return _again(existing, mode, party_size, press, source, now)
    try:
        with transaction.atomic():
            # All its pools: a contact's parties are counted over both ways to attend.
            SeatPool.objects.filter(seminar=seminar).lock()
            if source == Source.PUBLIC and (first := _has_enough(seminar, person)):
                _tell_and_hold_back(first, mode, party_size, now, more=True)
                return None
            entered = _enter(
                seminar,
                person,
                now,
                mode=mode,
                language=language,
                party_size=party_size,
                nonce=press,
                source=source,
                anyway=anyway,
                place_hash=place and place_hash(seminar, place),
            )
            if not entered.email:
                _correct_by_phone(entered, promised)
            return entered
    except IntegrityError:
        # The other press was quicker: its row stands in the way of ours, and our seats went back with our transaction.
        if existing := _existing(seminar, person, press):
            return _again(existing, mode, party_size, press, source, now)
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


def _press(nonce, person):
    """One form, sent for one name: who goes back and changes the name registers somebody else."""
    return hashlib.sha256(f"{nonce}/{_folded(person)}".encode()).hexdigest()


def _folded(person):
    return fold(f"{person['first_name']} {person['last_name']}")


def _existing(seminar, person, press):
    """The active registration of that person; or the one the same form made for the same name, whatever else was changed in it."""
    active = Registration.objects.active().filter(seminar=seminar)
    found = active.filter(folded_name=_folded(person), contact_hash=_contact(person)).first()
    return found or (press and active.filter(nonce=press).first()) or None


def _contact(person):
    return address_hash(person["email"] or person["phone"])


def _has_enough(seminar, person):
    """The first of the parties of that contact, once they are as many as the public form takes; else None."""
    theirs = Registration.objects.active().filter(seminar=seminar, contact_hash=_contact(person)).order_by("pk")
    theirs = list(theirs[:PARTIES_OF_ONE_CONTACT])
    return theirs[0] if len(theirs) == PARTIES_OF_ONE_CONTACT else None


def _again(existing, mode, party_size, press, source, now):
    """Somebody registered asks once more. Who pressed the same button twice has been told; a coordinator is told at once."""
    if source == Source.FRONT_DESK:
        raise AlreadyRegistered(_registered_already(existing), existing)
    if press is None or existing.nonce != press:
        with transaction.atomic():
            _tell_and_hold_back(existing, mode, party_size, now)
    return existing


def _registered_already(registration):
    """What is stored, for the coordinator who asks."""
    words = _("%(name)s is registered already: %(people)s, %(mode)s, %(status)s. Nothing was changed.")
    people = ngettext("%(n)d person", "%(n)d people", registration.party_size) % {"n": registration.party_size}
    status = _("on the waiting list") if registration.status == Status.WAITLISTED else _("seat confirmed")
    return words % {"name": registration.name, "people": people, "mode": registration.get_mode_display(), "status": status}


def _tell_and_hold_back(registration, mode, party_size, now, *, more=False):
    """Nobody new is entered; the owner of the contact hears of it, and to everybody else it looks, and is refused, as if somebody were."""
    pools = SeatPool.objects.filter(seminar=registration.seminar_id, mode=mode)
    _check_size(party_size)
    if not pools.filter(capacity__gte=party_size).hold_back(party_size):
        raise _no_room(pools)
    telling.tell_again(registration, now, more=more)


def _correct_by_phone(registration, promised):
    """What somebody without an address was told a moment ago, and has become untrue since, is corrected by a call."""
    if promised is True and registration.status == Status.WAITLISTED:
        telling.note_call(registration, Callback.Reason.FILLED_UP)
    if promised is False and registration.status == Status.CONFIRMED:
        telling.note_call(registration, Callback.Reason.SEAT_FREE)


def _enter(seminar, person, now, *, mode, party_size, source, anyway, **fields):
    pools = SeatPool.objects.filter(seminar=seminar, mode=mode)
    seated = _take_seats(pools, party_size, source, anyway)
    # Read again, now that the pool is ours: a coordinator may have called the seminar off a moment ago.
    _check_open(Seminar.objects.get(pk=seminar.pk), source, now)
    registration = Registration.objects.create(
        seminar=seminar,
        **person,
        mode=mode,
        party_size=party_size,
        source=source,
        status=Status.CONFIRMED if seated else Status.WAITLISTED,
        waiting_since=None if seated else now,
        created_at=now,
        changed_at=now,
        **fields,
    )
    if not seated and registration in waiting.seat_those_who_fit(pools, now):
        registration.refresh_from_db()
    telling.tell_of_registering(registration, registration.status, now)
    return registration


def _take_seats(pools, n, source, anyway):
    """True when n seats are taken, False when n people wait; either way the pool is locked until the transaction ends."""
    _check_size(n)
    if anyway and pools.take_anyway(n):
        return True
    if pools.take(n, held_too=source == Source.FRONT_DESK):
        return True
    if pools.filter(capacity__gte=n).wait(n):
        return False
    raise _no_room(pools)


def _check_size(n):
    if not 1 <= n <= LARGEST_PARTY:
        raise NoRoom(_("Please register between one and four people. For a larger group, call us."))


def _no_room(pools):
    """The refusal for a party that no pool has room for."""
    if pools.exists():
        return NoRoom(_("There is no room for so many people at this seminar. Please call us."))
    return RegistrationClosed(_("This seminar can’t be attended that way. Please choose another."))


def cancel(registration, by=Registration.CancelledBy.PERSON):
    """Free the seats or the place in line, say so by letter, and seat those who waited. Again: nothing more happens. Returns the Registration.

    Raises RegistrationClosed once the seminar is over.
    """
    now = timezone.now()
    pools = SeatPool.objects.filter(seminar=registration.seminar_id, mode=registration.mode)
    with transaction.atomic():
        [pool] = pools.lock()
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
