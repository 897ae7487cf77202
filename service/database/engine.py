"""Where the database is, opened at its newest version."""

from __future__ import annotations

import errno
import logging
import os
import sqlite3
from importlib.resources import files
from pathlib import Path
from secrets import token_hex
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lifecircle.analysis.writing import has_no_room
from lifecircle.service.database.tables import Base
from lifecircle.service.errors import DatabaseError

log = logging.getLogger(__name__)
FOLDER: Final = ".service"  # of the workspace; no area begins with a dot
FILE: Final = "lifecircle.sqlite3"
BUSY_MS: Final = 5_000
_STILL: Final = "lies_still"
_PRIMARY: Final = 0xFF  # of an error of SQLite, the part that tells its kind
_NOT_WRITTEN: Final = frozenset({
    sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_FULL,
})  # fmt: skip


def database_url(workspace: Path, given: str | None) -> str:
    """The address given, else that of a file in the workspace."""
    if given is None:
        return f"sqlite:///{(workspace / FOLDER / FILE).absolute()}"
    plain = "postgresql://"
    return given.replace(plain, "postgresql+psycopg://", 1) if given.startswith(plain) else given


def database_there(workspace: Path, given: str | None) -> bool:
    """Whether there is one to ask; the file of a workspace is made by the first write."""
    return given is not None or (workspace / FOLDER / FILE).is_file()


def database_file(workspace: Path, given: str | None) -> Path | None:
    """The file of the database (it need not exist); None where it is no file but a server.

    Raises
    ------
    DatabaseError : the address is none.
    """
    try:
        url = make_url(database_url(workspace, given))
    except ArgumentError as fault:
        raise DatabaseError("database_unreachable", reason=type(fault).__name__) from fault
    return Path(str(url.database)) if url.get_backend_name() == "sqlite" else None


class Database:
    """The database of a service or command, opened when it is first needed."""

    def __init__(self, workspace: Path, given: str | None = None) -> None:
        self._where = (workspace, given)
        self._engine: Engine | None = None
        self._lock = Lock()

    def there(self) -> bool:
        """Whether there is one to ask."""
        return database_there(*self._where)

    def engine(self) -> Engine:
        """The database, made by whoever writes first.

        Raises
        ------
        DatabaseError : as `open_database`.
        """
        with self._lock:
            if self._engine is None:
                self._engine = open_database(*self._where)
            return self._engine

    def close(self) -> None:
        """Let go of its connections; whoever asks again opens it anew."""
        with self._lock:
            engine, self._engine = self._engine, None
        if engine is not None:
            engine.dispose()


def open_database(workspace: Path, given: str | None = None) -> Engine:
    """The database, made where it is a file of the workspace, its tables at their newest version.

    Where the disk takes nothing (full, read-only) one of the newest version is read all the same.

    Raises
    ------
    DatabaseError : it cannot be reached, or a newer lifecircle wrote it.
    """
    file = database_file(workspace, given)
    try:
        url = make_url(database_url(workspace, given))
        if url.get_backend_name() != "sqlite":
            engine = create_engine(url)
        else:
            if url.database not in (None, "", ":memory:"):
                _make_file(Path(str(url.database)))
            engine = _sqlite(url)
        migrate(engine)
    except (SQLAlchemyError, ArgumentError, OSError, ModuleNotFoundError) as fault:
        said = getattr(fault, "orig", None)
        if said is not None and not isinstance(said, sqlite3.Error):
            log.warning("database: %s", str(said).strip().partition("\n")[0])  # for who runs it
        raise DatabaseError("database_unreachable", reason=reason_of(fault, file)) from fault
    return engine


def file_of(engine: Engine) -> Path | None:
    """The file of an opened database, None where it is a server or memory."""
    name = engine.url.database
    return Path(name) if engine.url.get_backend_name() == "sqlite" and name else None


def reason_of(fault: Exception, file: Path | None) -> str:
    """What SQLite or the system say (the disk is full, read-only); a server's words may tell too
    much.

    `file`: of the database, where it is one: on a full disk SQLite cannot make its own files
    beside it, and would speak of a readonly database.
    """
    said = getattr(fault, "orig", None)
    if isinstance(fault, OSError):
        return fault.strerror or type(fault).__name__
    if _wrote_nothing(said) and file is not None and has_no_room(file.parent):
        return os.strerror(errno.ENOSPC)
    return str(said) if isinstance(said, sqlite3.Error) else type(fault).__name__


def _wrote_nothing(said: object) -> bool:
    code = getattr(said, "sqlite_errorcode", 0)
    return isinstance(said, sqlite3.Error) and code & _PRIMARY in _NOT_WRITTEN


def _make_file(file: Path) -> None:
    """A new database gets its name when all of it is on the disk: there is never a half of one."""
    if file.exists():
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    aside = file.with_name(f".{file.name}-{token_hex(8)}")
    engine = _sqlite(URL.create("sqlite", database=str(aside)))
    try:
        migrate(engine)
        engine.dispose()  # what it wrote lies in the one file now
        _name(aside, file)
    finally:
        engine.dispose()
        for ending in ("", "-wal", "-shm", "-journal"):
            aside.with_name(aside.name + ending).unlink(missing_ok=True)


def _name(aside: Path, file: Path) -> None:
    """Give a file its name, unless somebody else made one meanwhile."""
    try:
        os.link(aside, file)
    except FileExistsError:
        return
    except OSError:  # a file system without second names (exFAT, some shares)
        if not file.exists():
            aside.rename(file)


def _sqlite(url: URL) -> Engine:
    """SQLite as a service needs it: readers beside one writer, waiting instead of failing."""
    engine = create_engine(url)
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkin", _let_go)
    return engine


def _connect(dialect: Any, record: Any, given: Any, named: Any) -> Any:
    """A connection; where nothing can be written beside the file, one that only reads."""
    try:
        return _careful(dialect.connect(*given, **named))
    except sqlite3.OperationalError as fault:
        file = Path(str(given[0]))
        if not _only_reads(fault, file):
            raise
        record.info[_STILL] = True
        return dialect.connect(f"{file.as_uri()}?immutable=1", uri=True, **named)


def _only_reads(fault: sqlite3.Error, file: Path) -> bool:
    """Whether a database can be read although this befell its opening: nothing can be written
    beside it (it is not only locked), and all of it is in the one file, for whoever wrote it last
    has closed it.
    """
    beside = [file.with_name(file.name + ending) for ending in ("-wal", "-journal")]
    still = file.is_file() and not any(one.exists() and one.stat().st_size for one in beside)
    return still and _wrote_nothing(fault)


def open_to_read(file: Path) -> sqlite3.Connection:
    """A connection that only reads, also where nothing can be written beside the file.

    Raises
    ------
    sqlite3.Error : it cannot be read.
    """
    address = file.absolute().as_uri()
    line = sqlite3.connect(f"{address}?mode=ro", uri=True)
    try:
        line.execute("PRAGMA schema_version").fetchone()
    except sqlite3.Error as fault:
        line.close()
        if not _only_reads(fault, file):
            raise
        line = sqlite3.connect(f"{address}?immutable=1", uri=True)
    return line


def _careful(connection: Any) -> Any:
    try:
        for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {setting}").close()
        connection.execute(f"PRAGMA busy_timeout={BUSY_MS}").close()
    except sqlite3.Error:
        connection.close()
        raise
    return connection


def _let_go(_: Any, record: Any) -> None:
    """One that only reads sees nothing new, and is not used again."""
    if record.info.get(_STILL):
        record.invalidate()


def migrate(engine: Engine, to: str = "head") -> None:
    """Bring the tables to a version, step by step, in one transaction; nothing is written where
    they are at it.

    Raises
    ------
    DatabaseError : they are of a version that this lifecircle does not know.
    """
    from alembic.config import Config  # half a second to load, where there is a database
    from alembic.runtime.environment import EnvironmentContext
    from alembic.runtime.migration import MigrationContext
    from alembic.script import ScriptDirectory

    folder = files("lifecircle.service.database").joinpath("migrations")
    scripts = ScriptDirectory(str(folder))

    def steps(revision: Any, _: Any) -> Any:
        known = {one.revision for one in scripts.walk_revisions()}
        strange = {name for name in _names(revision) if name not in known}
        if strange:
            raise DatabaseError("database_newer", version=", ".join(sorted(strange)))
        return scripts._upgrade_revs(to, revision)

    with engine.connect() as line:
        there = MigrationContext.configure(line).get_current_heads()
    if there and not steps(there, None):
        return
    with EnvironmentContext(Config(), scripts, fn=steps) as environment, engine.begin() as line:
        if line.dialect.name == "sqlite":  # which else keeps each table as it is made
            line.exec_driver_sql("BEGIN IMMEDIATE")
        environment.configure(connection=line, target_metadata=Base.metadata)
        environment.run_migrations()


def _names(revision: Any) -> tuple[str, ...]:
    return (revision,) if isinstance(revision, str) else tuple(revision or ())
