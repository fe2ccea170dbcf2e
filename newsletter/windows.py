"""A window in SQL: what every turn of a worker asks of the database, the same statements on PostgreSQL and SQLite.

They run once for every few dozen letters. Django takes longer to write such a statement than the database to run it, so each is written once
per process and only its parameters change; what it says comes from the models and from `audience`, where it is said for everybody.
"""

import functools
import uuid
from dataclasses import dataclass, field

from django.db import connection
from django.db.models import F

from . import audience
from .models import Chunk, Delivery
from .models.campaigns import public_id

_CHUNKS, _DELIVERIES = Chunk._meta.db_table, Delivery._meta.db_table
_TOKEN = Chunk._meta.get_field("token")


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for: what its words and links need of a Subscriber."""

    pk: int
    public_id: uuid.UUID
    address: str
    address_hash: str
    first_name: str
    last_name: str


@dataclass(frozen=True, slots=True, eq=False)
class Letter:
    """One delivery to be handed over. `name`: its public id, opaque and the same at every try; `attempts`: how many there were before."""

    pk: int
    attempts: int
    reader: Reader
    name: str = field(init=False)

    def __post_init__(self):
        object.__setattr__(self, "name", public_id(self.pk))

    @property
    def address(self):
        return self.reader.address


@dataclass(frozen=True, slots=True)
class Found:
    """A due delivery, with all that could keep it from being sent. `reader` is None once the person was erased."""

    pk: int
    attempts: int
    campaign_status: str
    subscribed: bool
    suppressed: bool
    reader: Reader | None


# -- Statements --------------------------------------------------------------------------------------------------------------------------


def lock(chunk, token):
    """Whether the chunk is still ours; its row is locked until the transaction ends, which is what pause, cancel and takeovers wait for."""
    rows = "FOR UPDATE" if connection.features.has_select_for_update else ""  # SQLite has locked the whole database by now
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT 1 FROM {_CHUNKS} WHERE id = %s AND state = 'held' AND token = %s {rows}", [chunk.pk, _uuid(token)])
        return cursor.fetchone() is not None


def read(chunk, pks):
    """Those of these deliveries that still wait, `[Found, …]` by primary key, each with all that could keep it from being sent."""
    sql, params = _reading(connection.vendor, len(pks))
    given = {"topic": chunk.campaign.topic_id} | dict(enumerate(pks))
    with connection.cursor() as cursor:
        cursor.execute(sql, [given[param.name] if isinstance(param, _Open) else param for param in params])
        return [_found(row) for row in cursor.fetchall()]


def mark(chunk, token, under_way, as_of, lease_until):
    """From the commit on these primary keys are being handed over: should we die, they are in doubt. None: nothing is."""
    lo, hi = (min(under_way), max(under_way)) if under_way else (None, None)
    moment = connection.ops.adapt_datetimefield_value
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {_CHUNKS} SET window_lo = %s, window_hi = %s, window_at = %s, lease_until = %s WHERE id = %s AND token = %s",
            [lo, hi, moment(as_of) if under_way else None, moment(lease_until), chunk.pk, _uuid(token)],
        )


def settle(pks, *, state, reason="", detail="", attempts=None, provider_ids=None, now):
    """Write down what became of these deliveries. Whoever is not pending any more stays as it is.

    `provider_ids`: one for each of them, or None where the route gives none. `attempts`: None for those that were not tried.
    """
    changes = {"state": state, "reason": reason, "detail": detail, "settled_at": connection.ops.adapt_datetimefield_value(now)}
    if attempts is not None:
        changes["attempts"] = attempts
    columns = ", ".join(f"{column} = %s" for column in changes)
    params = list(changes.values())
    if provider_ids and len(set(provider_ids)) == 1:
        columns, params, provider_ids = f"{columns}, provider_id = %s", [*params, provider_ids[0]], None
    with connection.cursor() as cursor:
        if provider_ids:
            # Both databases call the columns of VALUES column1 and column2.
            rows = ", ".join(["(%s, %s)"] * len(pks))
            pairs = [value for pair in zip(pks, provider_ids, strict=True) for value in pair]
            cursor.execute(
                f"UPDATE {_DELIVERIES} SET {columns}, provider_id = told.column2 FROM (VALUES {rows}) AS told"
                f" WHERE id = told.column1 AND state = 'pending'",
                [*params, *pairs],
            )
        else:
            places = ", ".join(["%s"] * len(pks))
            cursor.execute(f"UPDATE {_DELIVERIES} SET {columns} WHERE id IN ({places}) AND state = 'pending'", [*params, *pks])


# -- Written once ------------------------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Open:
    """A parameter that is given at every run."""

    name: object


#: Values that no row has, put into the query where its open parameters go, and found again in what Django makes of it.
_NO_TOPIC, _NO_PK = 2_147_000_001, 2_147_100_000


def waiting(pks, topic_id):
    """The query behind `read`. By primary key: an index on anything else would walk all that wait, and a range a whole chunk."""
    return (
        Delivery.objects.filter(pk__in=pks, state=Delivery.State.PENDING)
        .annotate(
            campaign_status=F("campaign__status"),
            subscribed=audience.subscribed(topic_id, "subscriber_id"),
            suppressed=audience.suppressed("subscriber__address_hash"),
        )
        .order_by("pk")
        .values_list(
            "pk",
            "attempts",
            "campaign_status",
            "subscribed",
            "suppressed",
            "subscriber_id",
            "subscriber__public_id",
            "subscriber__address",
            "subscriber__address_hash",
            "subscriber__first_name",
            "subscriber__last_name",
        )
    )


@functools.lru_cache
def _reading(vendor, count):
    """`(SQL, parameters)` of the read of so many deliveries; the open parameters are `_Open`."""
    pks = range(_NO_PK, _NO_PK + count)
    sql, params = waiting(pks, _NO_TOPIC).query.sql_with_params()
    names = {_NO_TOPIC: "topic"} | {pk: place for place, pk in enumerate(pks)}
    return sql, [_Open(names[param]) if param in names else param for param in params]


def _found(row):
    pk, attempts, status, subscribed, suppressed, reader, number, *about = row
    # Asked of the person's own column: who was erased during the launch has left their number behind.
    return Found(pk, attempts, status, subscribed, suppressed, number and Reader(reader, _as_uuid(number), *about))


def _as_uuid(value):
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)  # SQLite keeps 32 hex digits


def _uuid(token):
    return _TOKEN.get_db_prep_value(token, connection)
