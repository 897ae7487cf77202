"""Where the database is, opened at its newest version."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from threading import Lock
from typing import Any, Final

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from lifecircle.service.database.tables import Base
from lifecircle.service.errors import DatabaseError

FOLDER: Final = ".service"  # of the workspace; no area begins with a dot
FILE: Final = "lifecircle.sqlite3"
BUSY_MS: Final = 5_000


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

    Raises
    ------
    DatabaseError : it cannot be reached, or a newer lifecircle wrote it.
    """
    try:
        url = make_url(database_url(workspace, given))
        if url.get_backend_name() == "sqlite" and url.database not in (None, "", ":memory:"):
            Path(str(url.database)).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(url)
        if url.get_backend_name() == "sqlite":
            event.listen(engine, "connect", _careful)
        migrate(engine)
    except (SQLAlchemyError, ArgumentError, OSError, ModuleNotFoundError) as fault:
        raise DatabaseError("database_unreachable", reason=type(fault).__name__) from fault
    return engine


def _careful(connection: Any, _: Any) -> None:
    """SQLite as a service needs it: readers beside one writer, waiting instead of failing."""
    asked = connection.cursor()
    for setting in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        asked.execute(f"PRAGMA {setting}")
    asked.execute(f"PRAGMA busy_timeout={BUSY_MS}")
    asked.close()


def migrate(engine: Engine, to: str = "head") -> None:
    """Bring the tables to a version, step by step, in one transaction.

    Raises
    ------
    DatabaseError : they are of a version that this lifecircle does not know.
    """
    from alembic.config import Config  # half a second to load, where there is a database
    from alembic.runtime.environment import EnvironmentContext
    from alembic.script import ScriptDirectory

    folder = files("lifecircle.service.database").joinpath("migrations")
    scripts = ScriptDirectory(str(folder))

    def steps(revision: Any, _: Any) -> Any:
        known = {one.revision for one in scripts.walk_revisions()}
        strange = {name for name in _names(revision) if name not in known}
        if strange:
            raise DatabaseError("database_newer", version=", ".join(sorted(strange)))
        return scripts._upgrade_revs(to, revision)

    with EnvironmentContext(Config(), scripts, fn=steps) as environment, engine.begin() as line:
        environment.configure(connection=line, target_metadata=Base.metadata)
        environment.run_migrations()


def _names(revision: Any) -> tuple[str, ...]:
    return (revision,) if isinstance(revision, str) else tuple(revision or ())
