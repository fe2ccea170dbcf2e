"""Backup and restore: the database, the uploaded files and what they belong to, in one tar file.

    manifest.json     when, from which site, which database, which migrations, the dump's checksum
    database          SQLite: a consistent copy; PostgreSQL: pg_dump's custom format
    files/…           MEDIA_ROOT

The keys are not in it: whoever finds a backup must not also find SECRET_KEY. They are kept apart, and ADDRESS_KEY must come back with it.
It stands in mail because of what it must never do: a restored ledger does not know what was sent since, so restoring leaves all mail held.
"""

import hashlib
import json
import lzma
import os
import shutil
import sqlite3
import subprocess
import tarfile
import tempfile
import zlib
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils import timezone

from . import addresses, ledger
from .models import Ledger

FORMAT = 1

#: What libpq reads from the environment; a password in argv would be seen by everyone on the machine.
_LIBPQ = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "options": "PGOPTIONS",
    "service": "PGSERVICE",
    "passfile": "PGPASSFILE",
    "sslmode": "PGSSLMODE",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
    "sslrootcert": "PGSSLROOTCERT",
    "target_session_attrs": "PGTARGETSESSIONATTRS",
}


class BackupError(Exception):
    """Why it can't be done, in a sentence."""


def backup(target):
    """Write a backup to that path (mode 0600), whole or not at all. Returns its manifest. Raises BackupError."""
    target = Path(target)
    if target.exists():
        raise BackupError(f"{target} exists already, and a backup is never written over another.")
    if Ledger._meta.db_table not in connection.introspection.table_names():
        raise BackupError("The database is empty: there is nothing to back up.")
    ledger.hold()  # a ledger that never ticked gets its row, so that restoring has one to hold
    with tempfile.TemporaryDirectory(prefix=".lectern-backup-", dir=target.parent) as folder:
        # The database first: a file uploaded meanwhile is one too many, never one missing.
        dump = Path(folder, "database")
        _DUMP[connection.vendor](dump)
        manifest = _manifest(dump)
        Path(folder, "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
        whole = Path(folder, "whole.tar.gz")
        with os.fdopen(os.open(whole, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            with tarfile.open(fileobj=file, mode="w:gz", compresslevel=6) as tar:
                for name in ("manifest.json", "database"):
                    tar.add(Path(folder, name), arcname=name)
                if Path(settings.MEDIA_ROOT).is_dir():
                    tar.add(settings.MEDIA_ROOT, arcname="files")
            file.flush()
            os.fsync(file.fileno())
        whole.rename(target)
    return manifest


def restore(source, *, replace=False, key_lost=False):
    """Put a backup in the place of this site's database and files, with all mail held until a person has looked. Returns its manifest.

    `replace`: also over a database that holds something. `key_lost`: also under another ADDRESS_KEY, although nobody's "do not write to me" can
    be read then. Raises BackupError, with nothing changed.
    """
    with tempfile.TemporaryDirectory(prefix="lectern-restore-") as folder:
        try:
            with tarfile.open(source) as tar:
                tar.extractall(folder, filter="data")
            manifest = json.loads(Path(folder, "manifest.json").read_text())
        # What a file that is none of ours, or is damaged, makes tarfile, its decompressors and json raise.
        except (OSError, tarfile.TarError, zlib.error, lzma.LZMAError, ValueError, EOFError, RecursionError) as error:
            raise BackupError(f"{source} can’t be read as a backup: {error}") from error
        dump = Path(folder, "database")
        _check(manifest, dump, key_lost)
        _check_place(replace)
        _LOAD[connection.vendor](dump)
        _replace_files(Path(folder, "files"))
    return manifest


def _manifest(dump):
    applied = MigrationLoader(connection).applied_migrations
    return {
        "format": FORMAT,
        "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "site_url": settings.SITE_URL,
        "database": connection.vendor,
        "migrations": sorted(f"{app}.{name}" for app, name in applied),
        "address_key": addresses.key_fingerprint(),
        "sha256": _sha256(dump),
    }


def _sha256(path):
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


#: What `_manifest` writes beside the format.
_WORDS = ("made_at", "site_url", "database", "address_key", "sha256")


def _check(manifest, dump, key_lost):
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise BackupError("This backup has a format this version of Lectern does not know.")
    if not all(isinstance(manifest.get(word), str) for word in _WORDS) or not _are_words(manifest.get("migrations")):
        raise BackupError("The backup is damaged: its manifest does not say what every backup’s says.")
    if not dump.is_file() or _sha256(dump) != manifest["sha256"]:
        raise BackupError("The backup is damaged: its database does not have the checksum it was written with.")
    if manifest["database"] != connection.vendor:
        raise BackupError(f"The backup was made from {manifest['database']} and can’t be restored into {connection.vendor}.")
    known = {f"{app}.{name}" for app, name in MigrationLoader(None, ignore_no_migrations=True).disk_migrations}
    if newer := set(manifest["migrations"]) - known:
        raise BackupError(f"The backup was made by another version of Lectern ({min(newer)} is unknown here). Install that version first.")
    if manifest["address_key"] != addresses.key_fingerprint() and not key_lost:
        raise BackupError(
            "ADDRESS_KEY is not the one this backup was made with. Under another key nobody’s “do not write to me” is found. "
            "Put the old key back, or, if it is lost for good, restore with --key-lost."
        )


def _are_words(value):
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _check_place(replace):
    tables = set(connection.introspection.table_names())
    if tables and not replace:
        raise BackupError("The database is not empty. To put the backup in its place, say --replace.")
    if Ledger._meta.db_table in tables:
        age = ledger.tick_age()
        if age is not None and age < settings.MAIL_TICK * 2:
            raise BackupError(f"The workers are running (last tick {age:.0f} seconds ago). Stop them, wait half a minute and try again.")


# -- SQLite --------------------------------------------------------------------------------------------------------------------------------


def _dump_sqlite(target):
    """By SQLite's own online backup: a consistent copy, whoever is writing."""
    connection.ensure_connection()
    with closing(sqlite3.connect(target)) as copy:
        connection.connection.backup(copy)


def _load_sqlite(dump):
    with closing(sqlite3.connect(dump)) as copy:
        # Held before it is in place: no worker ever sees it unheld.
        try:
            copy.execute(f"UPDATE {Ledger._meta.db_table} SET hold = ?, held_at = ?", [Ledger.Hold.STOOD_STILL, timezone.now().isoformat(" ")])
            copy.commit()
            found = copy.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.DatabaseError as error:
            found = str(error)
        if found != "ok":
            raise BackupError(f"The backup is damaged: its database can’t be read ({found}).")
        connection.close()
        connection.ensure_connection()
        copy.backup(connection.connection)
    connection.close()


# -- PostgreSQL ----------------------------------------------------------------------------------------------------------------------------


def _dump_postgresql(target):
    with target.open("wb") as file:
        _postgresql(["pg_dump", "--format=custom", "--no-owner", "--no-acl"], stdout=file)


def _load_postgresql(dump):
    """In one transaction: the old tables out, the backup in, all mail held."""
    quote = connection.ops.quote_name
    with connection.cursor() as cursor:
        tables = [info.name for info in connection.introspection.get_table_list(cursor) if info.type in "tp"]
        cursor.execute("SELECT current_schema()")
        schema = quote(cursor.fetchone()[0])
    connection.close()
    script = dump.with_suffix(".sql")
    with script.open("w") as file:
        file.writelines(f"DROP TABLE IF EXISTS {schema}.{quote(table)} CASCADE;\n" for table in tables)
        file.flush()
        _postgresql(["pg_restore", "--no-owner", "--no-acl", "--file=-", str(dump)], stdout=file)
    with script.open("a") as file:
        file.write(f"UPDATE {schema}.{Ledger._meta.db_table} SET hold = '{Ledger.Hold.STOOD_STILL}', held_at = now();\n")
    whole_or_not_at_all = ["--single-transaction", "--set=ON_ERROR_STOP=1"]
    _postgresql(["psql", "--quiet", "--no-psqlrc", *whole_or_not_at_all, f"--file={script}"], stdout=subprocess.DEVNULL)


def _postgresql(command, stdout):
    given = connection.get_connection_params()
    environment = os.environ | {name: str(given[key]) for key, name in _LIBPQ.items() if given.get(key)}
    try:
        ended = subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True)
    except FileNotFoundError:
        raise BackupError(f"{command[0]} is not on PATH. On Debian: apt install postgresql-client") from None
    if ended.returncode:
        raise BackupError(f"{command[0]} failed: {ended.stderr.strip()}")


_DUMP = {"sqlite": _dump_sqlite, "postgresql": _dump_postgresql}
_LOAD = {"sqlite": _load_sqlite, "postgresql": _load_postgresql}


# -- files ---------------------------------------------------------------------------------------------------------------------------------


def _replace_files(unpacked):
    """The backup's files instead of ours; ours stay until theirs lie beside them, whole."""
    place = Path(settings.MEDIA_ROOT)
    fresh, old = place.with_name(place.name + ".new"), place.with_name(place.name + ".old")
    for leftover in (fresh, old):
        shutil.rmtree(leftover, ignore_errors=True)
    if unpacked.is_dir():
        shutil.copytree(unpacked, fresh)
    else:
        fresh.mkdir(parents=True)
    if place.exists():
        place.rename(old)
    fresh.rename(place)
    shutil.rmtree(old, ignore_errors=True)
