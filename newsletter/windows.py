"""A window in SQL: what every turn of a worker asks of the database, the same statements on PostgreSQL and SQLite.

They run once for every few dozen letters. Django takes longer to write such a statement than the database to run it, so each is written once
per process and only its parameters change; what it says comes from the models and from `audience`, where it is said for everybody.
"""

import functools
import uuid
from datetime import UTC, datetime
from typing import NamedTuple

from django.db import connection
from django.db.models import F

from . import audience
from .models import Chunk, Delivery
from .models.campaigns import public_id

_CHUNKS, _DELIVERIES = Chunk._meta.db_table, Delivery._meta.db_table
_TOKEN = Chunk._meta.get_field("token")


class Reader(NamedTuple):
    """Whom a letter is for: what its words and links need of a Subscriber."""

    pk: int
    public_id: uuid.UUID
    address: str
    address_hash: str
    first_name: str
    last_name: str


class Letter:
    """One delivery to be handed over. `name`: its public id, opaque and the same at every try; `attempts`: how many there were before."""

    __slots__ = ("address", "attempts", "name", "pk", "reader")

    def __init__(self, pk, attempts, reader):
        self.pk, self.attempts, self.reader = pk, attempts, reader
        self.name, self.address = public_id(pk), reader.address


class Found(NamedTuple):
    """A due delivery, with all that could keep it from being sent. `reader` is None once the person was erased."""

    pk: int
    attempts: int
    campaign_status: str
    subscribed: bool
    suppressed: bool
    reader: Reader | None


# -- Statements --------------------------------------------------------------------------------------------------------------------------


def run(*statements):
    """The rows of each `(SQL, parameters)`, in order; None for one that returns none.

    PostgreSQL takes them all in one round trip, each seeing what was committed before it began, and they cost half as much. A Django that binds
    parameters on the server can't put several into one message, nor can SQLite, which has no trips to save.
    """
    if not statements:
        return []
    at_once = connection.vendor == "postgresql" and not connection.settings_dict["OPTIONS"].get("server_side_binding")
    with connection.cursor() as cursor:
        if at_once:
            cursor.execute("; ".join(sql for sql, _params in statements), [param for _sql, params in statements for param in params])
        found = []
        for place, (sql, params) in enumerate(statements):
            if not at_once:
                cursor.execute(sql, params)
            elif place:
                cursor.nextset()
            found.append(cursor.fetchall() if sql.startswith("SELECT") else None)
        return found


def locking(chunk, token):
    """Lock the chunk's row until the transaction ends, if it is still ours (`is_ours`). Pause, cancel and takeovers wait for this lock."""
    rows = "FOR UPDATE" if connection.features.has_select_for_update else ""  # SQLite has locked the whole database by now
    return f"SELECT 1 FROM {_CHUNKS} WHERE id = %s AND state = 'held' AND token = %s {rows}", [chunk.pk, _uuid(token)]


def is_ours(rows):
    """What `locking` says. If it isn't, nothing that ran beside it may be committed."""
    return bool(rows)


def reading(chunk, pks):
    """Those of these deliveries that still wait, by primary key, each with all that could keep it from being sent: rows for `found`."""
    sql, params = _reading(connection.vendor)
    return sql.replace(_PKS, ", ".join(map(str, pks))), [chunk.campaign.topic_id if param == _NO_TOPIC else param for param in params]


def found(row):
    """A row of `reading` as a Found."""
    pk, attempts, status, subscribed, suppressed, reader, number, *about = row
    # Asked of the person's own column: who was erased during the launch has left their number behind.
    return Found(pk, attempts, status, subscribed, suppressed, number and Reader(reader, _as_uuid(number), *about))


def listing(chunk):
    """All deliveries of a chunk that wait, by primary key: rows `(primary key, retry_at)`."""
    sql, params = _listing(connection.vendor)
    given = {_NO_CAMPAIGN: chunk.campaign_id, _NO_LO: chunk.lo, _NO_HI: chunk.hi, _NO_VARIANT: chunk.variant}
    given |= {_NO_LANGUAGE: chunk.language, _NO_ZONE: chunk.zone}
    return sql, [given.get(param, param) for param in params]


def marking(chunk, token, under_way, as_of, lease_until):
    """From the commit on these primary keys are being handed over: should we die, they are in doubt. None: nothing is."""
    lo, hi = (min(under_way), max(under_way)) if under_way else (None, None)
    return (
        f"UPDATE {_CHUNKS} SET window_lo = %s, window_hi = %s, window_at = %s, lease_until = %s WHERE id = %s AND token = %s",
        [lo, hi, _moment(as_of) if under_way else None, _moment(lease_until), chunk.pk, _uuid(token)],
    )


def settling(pks, changes, provider_ids=None):
    """Write down what became of these deliveries: `{column: value}`. Whoever is not pending any more stays as it is.

    `provider_ids`: one for each of them, or None where the route gives none.
    """
    columns = ", ".join(f"{column} = %s" for column in changes)
    params = [_moment(value) if isinstance(value, datetime) else value for value in changes.values()]
    if provider_ids and len(set(provider_ids)) == 1:
        columns, params, provider_ids = f"{columns}, provider_id = %s", [*params, provider_ids[0]], None
    if provider_ids:
        # Both databases call the columns of VALUES column1 and column2.
        rows = ", ".join([f"({pk}, %s)" for pk in pks])
        return (
            f"UPDATE {_DELIVERIES} SET {columns}, provider_id = told.column2 FROM (VALUES {rows}) AS told"
            f" WHERE id = told.column1 AND state = 'pending'",
            [*params, *provider_ids],
        )
    return f"UPDATE {_DELIVERIES} SET {columns} WHERE id IN ({', '.join(map(str, pks))}) AND state = 'pending'", params


# -- Written once ------------------------------------------------------------------------------------------------------------------------

#: Values that no row has, put into the query where its open parameters go, and found again in what Django makes of it.
_NO_TOPIC, _NO_PK, _NO_CAMPAIGN, _NO_LO, _NO_HI = range(2_147_000_001, 2_147_000_006)
_NO_VARIANT, _NO_LANGUAGE, _NO_ZONE = 31_999, "-l", "-zone"

#: Where the primary keys go: numbers of our own, written out, because a driver takes its time with parameters.
_PKS = "/* primary keys */"


def waiting(pks, topic_id):
    """The query behind `reading`. By primary key: an index on anything else would walk all that wait, and a range a whole chunk."""
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
def _reading(vendor):
    """`(SQL, parameters)` of the read: `_PKS` stands where the primary keys go, `_NO_TOPIC` among the parameters where the topic goes."""
    sql, params = waiting([_NO_PK], _NO_TOPIC).query.sql_with_params()
    place = params.index(_NO_PK)
    pieces = sql.split("%s")
    before, after = "%s".join(pieces[: place + 1]), "%s".join(pieces[place + 1 :])
    return f"{before}{_PKS}{after}", [*params[:place], *params[place + 1 :]]


@functools.lru_cache
def _listing(vendor):
    """`(SQL, parameters)`, with the values that no chunk has among the parameters."""
    chunk = Chunk(campaign_id=_NO_CAMPAIGN, lo=_NO_LO, hi=_NO_HI, language=_NO_LANGUAGE, variant=_NO_VARIANT, zone=_NO_ZONE)
    rows = Delivery.objects.of(chunk).filter(state=Delivery.State.PENDING).order_by("pk")
    return rows.values_list("pk", "retry_at").query.sql_with_params()


def _as_uuid(value):
    return value if isinstance(value, uuid.UUID) else uuid.UUID(value)  # SQLite keeps 32 hex digits


def _uuid(token):
    return _TOKEN.get_db_prep_value(token, connection)


def _moment(value):
    return connection.ops.adapt_datetimefield_value(value)


def moment_of(value):
    """A moment as a raw row has it, aware: SQLite keeps UTC and does not say so."""
    return value if value.tzinfo else value.replace(tzinfo=UTC)
