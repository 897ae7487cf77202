"""Keys: made once, kept as a digest, asked for beyond this machine; versions of the database."""

from __future__ import annotations

import errno
import json
import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import inspect, select
from sqlalchemy.orm import Session
from starlette.testclient import TestClient
from typer.testing import CliRunner

from lifecircle.service.app import Keys, create_app
from lifecircle.service.backup.copying import check_database
from lifecircle.service.cli import app as commands
from lifecircle.service.database import engine as opening
from lifecircle.service.database.engine import (
    database_there,
    database_url,
    migrate,
    open_database,
)
from lifecircle.service.database.keys import (
    ROLES,
    add_key,
    any_valid,
    find_key,
    list_keys,
    now_utc,
    revoke_key,
)
from lifecircle.service.database.tables import AuditRow, Base
from lifecircle.service.edge import keys as gate
from lifecircle.service.errors import DatabaseError, ExposureError, MissingError, RequestError
from lifecircle.service.settings import Settings, check_exposure
from tests.worlds.tiny import tiny_run

AWAY = ("10.0.0.9", 1)
BODY = {"remove": ["h1"]}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


@pytest.fixture(scope="module")
def area(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("workspace")
    tiny_run(folder)
    return folder


def asked(root: Path, address: tuple[str, int] = AWAY, **settings: object) -> TestClient:
    app = create_app(Settings(workspace=root, **settings))  # type: ignore[arg-type]
    return TestClient(app, base_url="http://127.0.0.1", client=address)


# ---- keys --------------------------------------------------------------------------------


def test_a_key_opens_until_it_is_revoked(root: Path) -> None:
    engine = open_database(root)
    made, written = add_key(engine, "王工", "planner", None, "test")
    assert written.startswith(f"lc_{made.id}_")
    assert find_key(engine, written) == made
    assert made.may("viewer")
    assert made.may("planner")
    assert not made.may("admin")
    for wrong in (written[:-1] + "A" * (written[-1] != "A") + "B" * (written[-1] == "A"),
                  written + "x", "", "lc_" + "0" * 12 + "_" + "a" * 43, "' or 1=1 --"):  # fmt: skip
        assert find_key(engine, wrong) is None
    revoke_key(engine, made.id, "test")
    assert find_key(engine, written) is None
    assert not any_valid(engine)
    with pytest.raises(MissingError):
        revoke_key(engine, "nobody", "test")


def test_a_key_ends(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = open_database(root)
    _, written = add_key(engine, "a", "viewer", now_utc() + timedelta(days=1), "test")
    assert find_key(engine, written) is not None
    later = now_utc() + timedelta(days=1)
    monkeypatch.setattr("lifecircle.service.database.keys.now_utc", lambda: later)
    assert find_key(engine, written) is None
    assert not any_valid(engine)


@pytest.mark.parametrize(
    ("name", "role", "days", "key"),
    [("a", "king", None, "key_role"), (" ", "viewer", None, "key_no_name"),
     ("a", "viewer", -1, "key_over")],
)  # fmt: skip
def test_keys_that_cannot_be(root: Path, name: str, role: str, days: int | None, key: str) -> None:
    until = None if days is None else now_utc() + timedelta(days=days)
    with pytest.raises(RequestError) as refused:
        add_key(open_database(root), name, role, until, "test")
    assert refused.value.key == key


def test_the_secret_stands_nowhere_and_every_write_in_the_audit_log(root: Path) -> None:
    engine = open_database(root)
    made, written = add_key(engine, "a", "admin", None, "command:me")
    revoke_key(engine, made.id, "command:me")
    secret = written.split("_", 2)[2]
    engine.dispose()
    for file in root.rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
    with Session(open_database(root)) as session:
        rows = list(session.scalars(select(AuditRow).order_by(AuditRow.id)))
    assert [(row.action, row.subject, row.actor) for row in rows] == [
        ("key.add", f"key/{made.id}", "command:me"),
        ("key.revoke", f"key/{made.id}", "command:me"),
    ]
    before, after = rows[1].before, rows[1].after
    assert before is not None and before["revoked"] is None
    assert after is not None and after["revoked"] is not None


# ---- who may ask -------------------------------------------------------------------------


def test_from_elsewhere_a_key_is_needed(area: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "FRESH_S", 0.0)
    engine = open_database(area)
    made, written = add_key(engine, "a", "viewer", None, "test")
    served = asked(area)
    for path in ("/areas", "/areas/tiny/coverage", "/static/lifecircle.js", "/nowhere"):
        answer = served.get(path)
        assert (answer.status_code, answer.json()["key"]) == (401, "key_missing"), path
        assert answer.headers["www-authenticate"].startswith("Bearer")
    assert served.get("/healthz").status_code == 200
    for headers in ({"authorization": f"Bearer {written}"}, {"x-api-key": written}):
        assert served.get("/areas", headers=headers).status_code == 200
        assert served.get("/metrics", headers=headers).status_code == 200
        tried = served.post("/areas/tiny/what-if", json=BODY, headers=headers)
        assert tried.status_code == 200
    key = {"x-api-key": written}
    assert served.get("/areas/tiny/coverage", headers=key).status_code == 200
    assert served.get("/check", headers=key).status_code == 403  # for planners
    assert served.get("/areas/tiny/coverage").status_code == 401  # kept, but not for everybody
    revoke_key(engine, made.id, "test")
    assert served.get("/areas", headers=key).json()["key"] == "key_wrong"
    assert asked(area, public_read=True).get("/areas").status_code == 200
    assert asked(area, public_read=True).get("/areas", headers=key).status_code == 401
    assert served.get("/areas", headers={"authorization": "Basic YTpi"}).status_code == 401


def test_a_planner_may_check_files_from_elsewhere(area: Path) -> None:
    _, written = add_key(open_database(area), "a", "planner", None, "test")
    assert asked(area).get("/check", headers={"x-api-key": written}).status_code == 200


@pytest.mark.parametrize(
    "name", ["x-forwarded-for", "forwarded", "via", "x-real-ip", "x-forwarded-host"]
)
def test_behind_a_proxy_nothing_is_this_machine(area: Path, name: str) -> None:
    near = ("127.0.0.1", 1)
    assert asked(area, near).get("/areas").status_code == 200
    assert asked(area, near).get("/areas", headers={name: "10.0.0.1"}).status_code == 401
    assert asked(area, near, behind_proxy=True).get("/areas").status_code == 401


def test_listening_elsewhere_takes_a_key_or_a_word(root: Path) -> None:
    settings = Settings(workspace=root, host="0.0.0.0")
    keys = Keys(settings)
    assert not keys.any_valid()
    assert not database_there(root, None)  # asking makes no file
    with pytest.raises(ExposureError):
        check_exposure(settings, keys=keys.any_valid())
    made, _ = add_key(open_database(root), "a", "viewer", None, "test")
    check_exposure(settings, keys=keys.any_valid())
    revoke_key(open_database(root), made.id, "test")
    with pytest.raises(ExposureError):
        check_exposure(settings, keys=keys.any_valid())


def test_reading_on_this_machine_makes_no_database(area: Path, tmp_path: Path) -> None:
    tiny_run(tmp_path)
    assert asked(tmp_path, ("127.0.0.1", 1)).get("/areas/tiny").status_code == 200
    assert not (tmp_path / ".service").exists()


# ---- the command -------------------------------------------------------------------------


def command(root: Path, *words: str) -> str:
    done = CliRunner().invoke(
        commands, ["key", *words, "--workspace", str(root), "--lang", "en"], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    return done.output


def test_the_command_makes_lists_and_revokes(root: Path) -> None:
    said = command(root, "add", "王工", "--role", "reviewer", "--days", "30").split("\n")
    made = find_key(open_database(root), said[1].strip())
    assert made is not None
    assert (made.role, made.name) == ("reviewer", "王工")
    (row,) = json.loads(command(root, "list", "--json"))["keys"]
    assert (row["id"], row["state"]) == (made.id, "valid")
    assert said[1].strip() not in command(root, "list")
    assert made.id in command(root, "revoke", made.id)
    assert json.loads(command(root, "list", "--json"))["keys"][0]["state"] == "revoked"


# ---- the database ------------------------------------------------------------------------


def test_migrations_make_what_the_tables_say(root: Path) -> None:
    engine = open_database(root)
    found = inspect(engine)
    assert set(found.get_table_names()) == {*Base.metadata.tables, "alembic_version"}
    for name, table in Base.metadata.tables.items():
        there = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert there == {column.name: bool(column.nullable) for column in table.columns}
    migrate(engine)  # once more changes nothing
    made, written = add_key(engine, "a", "viewer", None, "test")
    migrate(engine)
    assert find_key(engine, written) == made
    with sqlite3.connect(root / ".service" / "lifecircle.sqlite3") as line:
        assert line.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_database_of_a_newer_version_is_refused(root: Path) -> None:
    open_database(root).dispose()
    with sqlite3.connect(root / ".service" / "lifecircle.sqlite3") as line:
        line.execute("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DatabaseError) as refused:
        open_database(root)
    assert refused.value.key in ("database_newer", "database_unreachable")


@pytest.fixture
def full(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A disk on which a database grows by two pages at most: by fewer than any version needs."""
    careful = opening._careful

    def narrow(line: sqlite3.Connection) -> sqlite3.Connection:
        (pages,) = careful(line).execute("PRAGMA page_count").fetchone()
        line.execute(f"PRAGMA max_page_count={pages + 2}")
        return line

    monkeypatch.setattr(opening, "_careful", narrow)
    return monkeypatch


def test_a_disk_too_full_for_a_database_leaves_none(root: Path, full: pytest.MonkeyPatch) -> None:
    with pytest.raises(DatabaseError) as refused:
        open_database(root)
    assert "full" in str(refused.value)
    assert list((root / ".service").iterdir()) == []
    assert not database_there(root, None)  # so readers do not ask it
    full.undo()
    assert list_keys(open_database(root)) == []
    assert [one.name for one in (root / ".service").glob("*") if "-" not in one.name] == [
        "lifecircle.sqlite3"
    ]


@pytest.mark.parametrize("version", ["0001", "0002", "0003"])
def test_a_step_between_versions_is_made_whole_or_not(
    root: Path, full: pytest.MonkeyPatch, version: str
) -> None:
    file = root / ".service" / "lifecircle.sqlite3"
    file.parent.mkdir()
    with full.context() as wide:
        wide.undo()
        wide.setattr(opening, "_careful", lambda line: line)
        old = opening._sqlite(opening.make_url(database_url(root, None)))
        migrate(old, version)
        before = set(inspect(old).get_table_names())
        old.dispose()
    with pytest.raises(DatabaseError, match="full"):
        open_database(root)
    with sqlite3.connect(file) as line:
        now = {
            name for (name,) in line.execute("SELECT name FROM sqlite_master WHERE type='table'")
        }
        assert now - {"sqlite_sequence"} == before
        assert line.execute("SELECT version_num FROM alembic_version").fetchall() == [(version,)]
    full.undo()
    assert set(inspect(open_database(root)).get_table_names()) >= set(Base.metadata.tables)


def test_a_database_is_read_where_nothing_can_be_written(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = open_database(root)
    made, written = add_key(first, "a", "viewer", None, "test")
    first.dispose()
    file = root / ".service" / "lifecircle.sqlite3"
    beside = file.with_name(f"{file.name}-shm")
    beside.symlink_to("nowhere")  # as on a disk that takes nothing: SQLite cannot make this file
    engine = open_database(root)
    assert find_key(engine, written) == made
    check_database(file)
    for refused in (
        lambda: add_key(engine, "b", "viewer", None, "test"),
        lambda: revoke_key(engine, made.id, "test"),
    ):
        with pytest.raises(DatabaseError, match="readonly"):
            refused()
        with monkeypatch.context() as full, pytest.raises(DatabaseError, match="No space left"):
            full.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=4_096))
            refused()
    beside.unlink()
    revoke_key(engine, made.id, "test")  # it takes something again: nothing is opened anew
    assert find_key(engine, written) is None


def test_a_database_that_is_locked_is_not_read_as_if_nobody_wrote(root: Path) -> None:
    open_database(root).dispose()
    file = root / ".service" / "lifecircle.sqlite3"
    with closing(sqlite3.connect(file)) as line:
        line.execute("PRAGMA journal_mode=DELETE")  # all of it lies in the one file
    with closing(sqlite3.connect(file)) as writer, closing(sqlite3.connect(file)) as reader:
        writer.execute("BEGIN EXCLUSIVE")
        reader.execute("PRAGMA busy_timeout=0")
        with pytest.raises(sqlite3.OperationalError, match="locked") as told:
            reader.execute("SELECT count(*) FROM keys").fetchone()
        assert not opening._only_reads(told.value, file)
    with pytest.raises(sqlite3.OperationalError, match="unable to open") as told:
        sqlite3.connect(f"{root.as_uri()}/none?mode=ro", uri=True)
    assert opening._only_reads(told.value, file)
    file.with_name(f"{file.name}-journal").write_bytes(b"what a dead writer left half done")
    assert not opening._only_reads(told.value, file)


def test_a_database_is_made_where_files_have_one_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))  # as exFAT does

    monkeypatch.setattr(os, "link", refused)
    made, written = add_key(open_database(root), "a", "viewer", None, "test")
    assert find_key(open_database(root), written) == made
    assert not [one for one in (root / ".service").iterdir() if one.name.startswith(".")]


def test_the_log_says_why_a_server_is_not_reached_and_no_password(
    root: Path, caplog: pytest.LogCaptureFixture
) -> None:
    pytest.importorskip("psycopg")
    with pytest.raises(DatabaseError) as refused:
        open_database(root, "postgresql://planner:falsch99@127.0.0.1:1/x?connect_timeout=2")
    assert "Connection refused" in caplog.text
    assert "falsch99" not in caplog.text + str(refused.value)
    assert "planner" not in str(refused.value)  # which readers elsewhere see


def test_where_the_database_is(root: Path) -> None:
    assert database_url(root, "postgresql://a@b/c") == "postgresql+psycopg://a@b/c"
    assert database_url(root, None).endswith("/.service/lifecircle.sqlite3")
    assert ROLES == ("viewer", "reviewer", "planner", "admin")
    assert list_keys(open_database(root)) == []
    with pytest.raises(DatabaseError):
        open_database(root, "nonsense")
