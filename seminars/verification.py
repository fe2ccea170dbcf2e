"""What must be true of registrations and seats at any moment, whatever happened: for `./run manage verify`."""

from itertools import islice

from django.db.models import Count, Sum
from django.utils import timezone

from project.mail.models import Message

from .models import Registration, SeatPool, Seminar
from .telling import letter_key

Status = Registration.Status

#: The letters that tell somebody of a seat, one of which must exist for the present sequence.
_TELL_OF_A_SEAT = ("confirmed", "promoted", "changed")


def findings():
    """A sentence for everything that is off: ids and numbers only."""
    yield from seats_off()
    yield from people_twice()
    yield from seats_at_cancelled_seminars()
    yield from letters_missing()
    yield from letters_ahead()


def seats_off():
    """Every pool counts the people its registrations bring."""
    people = {
        (row["seminar"], row["mode"], row["status"]): row["people"]
        for row in Registration.objects.active().order_by().values("seminar", "mode", "status").annotate(people=Sum("party_size"))
    }
    for pool in SeatPool.objects.order_by("pk").iterator():
        seated = sum(people.pop((pool.seminar_id, pool.mode, status), 0) for status in (Status.CONFIRMED, Status.OFFERED))
        waiting = people.pop((pool.seminar_id, pool.mode, Status.WAITLISTED), 0)
        beyond = max(0, seated - pool.capacity)
        if (pool.taken, pool.extra, pool.waiting) != (seated - beyond, beyond, waiting):
            yield (
                f"seats {pool.pk}: counts {pool.taken} taken, {pool.extra} extra, {pool.waiting} waiting; "
                f"registrations say {seated - beyond}, {beyond}, {waiting}"
            )
    for seminar, mode, _status in people:
        yield f"seminar {seminar}: registrations for {mode}, which has no seats"


def people_twice():
    doubled = Registration.objects.active().order_by().values("seminar", "contact_hash", "folded_name").annotate(n=Count("pk")).filter(n__gt=1)
    for row in doubled:
        yield f"seminar {row['seminar']}: one person has {row['n']} active registrations"


def seats_at_cancelled_seminars():
    for pk in Registration.objects.active().filter(seminar__status=Seminar.Status.CANCELLED).values_list("pk", flat=True):
        yield f"registration {pk}: active at a seminar that was called off"


def letters_missing():
    """Whoever has a seat at a coming seminar, and an address, was written to about their present sequence."""
    told = Registration.objects.confirmed().exclude(email="").filter(seminar__ends_at__gt=timezone.now()).order_by("pk")
    for batch in _batches(told.values_list("pk", "sequence"), 150):
        keys = {letter_key(pk, news, sequence): pk for pk, sequence in batch for news in _TELL_OF_A_SEAT}
        written = {keys[key] for key in Message.objects.filter(key__in=keys).values_list("key", flat=True)}
        for pk, sequence in batch:
            if pk not in written:
                yield f"registration {pk}: no letter about sequence {sequence}"


def letters_ahead():
    """No letter is about a sequence its registration has not reached: a number, once told, never goes back (RFC 5546 §2.1.4)."""
    letters = Message.objects.filter(kind__startswith="seminars.").order_by("pk").values_list("pk", "ref")
    for batch in _batches(letters, 500):
        reached = dict(Registration.objects.filter(pk__in={ref["registration"] for _pk, ref in batch}).values_list("pk", "sequence"))
        for pk, ref in batch:
            if ref["sequence"] > reached.get(ref["registration"], ref["sequence"]):
                yield f"letter {pk}: about sequence {ref['sequence']}, registration {ref['registration']} is at {reached[ref['registration']]}"


def _batches(rows, size):
    """Lists of at most so many rows: SQLite takes a limited number of values in one statement."""
    rows = rows.iterator()
    while batch := list(islice(rows, size)):
        yield batch
