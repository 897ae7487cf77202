"""Making a backup while the service runs, builds are added and old runs removed.

The database comes first, by SQLite's own online copy: every run that something kept in it needs is
copied after it. The files of a run are all opened before the first is read, so that a run removed
meanwhile is still copied whole. What is damaged is left out and named; a backup is sound.
"""

from __future__ import annotations

import hashlib
import os
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import IO, Final

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.provenance import code_version
from lifecircle.analysis.results import upkeep
from lifecircle.analysis.results.bands import FOLDER as BANDS
from lifecircle.analysis.results.bands import file_of as bands_of
from lifecircle.analysis.results.folders import CURRENT, HEADLINE, MANIFEST, RUNS
from lifecircle.analysis.results.proposals import FOLDER as PROPOSALS
from lifecircle.service.backup.contents import (
    ASIDE,
    DATABASE,
    Contents,
    Entry,
    LeftOut,
    Measured,
    Progress,
)
from lifecircle.service.backup.shapes import (
    Writer,
    check_room,
    folder_aside,
    put_list,
    to_disk,
    unwritable,
    writing,
)
from lifecircle.service.database.engine import open_to_read
from lifecircle.service.errors import BackupError

_CACHE: Final = ".cache"
_PASSING: Final = (".tmp", ".lock", "-wal", "-shm", "-journal")


def make_backup(
    workspace: Path, target: Path, database: Path | None, progress: Progress = lambda *_: None
) -> Contents:
    """Copy a workspace into a new folder or ``.tar`` file; what was copied.

    Parameters
    ----------
    database : the file of its SQLite database, None where there is none to copy.

    Raises
    ------
    WorkspaceError : there is no workspace, or a file of it cannot be read.
    BackupError : the target is there already, lies in the workspace, or cannot be written.
    """
    _check(workspace, target)
    with unwritable("backup_unwritable", target):
        upkeep.sweep(target.parent, ASIDE)
        size = sum(file.stat().st_size for file in _files(workspace))
        check_room(size, target.parent)
        with folder_aside(target.parent) as aside:
            made = aside / target.name
            with writing(made) as writer:
                contents = _Copy(workspace, writer, size, progress).all(database, aside)
                put_list(writer, contents.encode())
            _name(made, target)
    return contents


def _check(workspace: Path, target: Path) -> None:
    if not workspace.is_dir():
        raise WorkspaceError("workspace_missing", path=str(workspace))
    if os.path.lexists(target):
        raise BackupError("backup_there", path=str(target))
    if not target.name or not target.parent.is_dir():
        raise BackupError("backup_no_folder", path=str(target.parent))
    if target.resolve().is_relative_to(workspace.resolve()):
        raise BackupError("backup_inside", path=str(target))


def _name(made: Path, target: Path) -> None:
    """Give it its name by one rename; a name taken meanwhile is not written over."""
    if os.path.lexists(target):
        raise BackupError("backup_there", path=str(target))
    made.rename(target)
    to_disk(target.parent)


class _Copy:
    """One backup being written."""

    def __init__(self, workspace: Path, writer: Writer, size: int, progress: Progress) -> None:
        self._workspace = workspace
        self._writer = writer
        self._progress = progress
        self._all = max(size, 1)
        self._done = 0
        self.files: dict[str, Entry] = {}
        self.left_out: list[LeftOut] = []

    def all(self, database: Path | None, aside: Path) -> Contents:
        """Everything, the database first."""
        made = datetime.now(UTC).isoformat(timespec="seconds")
        self._progress("backup_copy", 0.0)
        if database is not None and database.is_file():
            copied = copy_database(database, aside / "database")
            with copied.open("rb") as handle:
                self._put(DATABASE, handle)
            copied.unlink()
        for child in sorted(self._workspace.iterdir()):
            if child.is_symlink():
                self._leave("backup_left_link", name=child.name)
            elif (child / RUNS).is_dir() and not child.name.startswith("."):
                self._area(child)
            elif child.name != _CACHE:
                self._rest(child)
        return Contents(made, code_version(), self.files, tuple(self.left_out))

    def _area(self, home: Path) -> None:
        asked = _pointer(home)
        runs = sorted(run for run in (home / RUNS).iterdir() if (run / MANIFEST).is_file())
        copied = [run.name for run in runs if self._run(run)]
        if not copied:
            self._leave("backup_left_area", area=home.name)
            return
        current = asked if asked in copied else copied[-1]
        if current != asked:
            self._leave("backup_pointed", area=home.name, run=current)
        self._rest(home, without=(RUNS, CURRENT, PROPOSALS, BANDS, HEADLINE))
        for run in copied:
            self._rest(home / PROPOSALS / run)
            self._rest(bands_of(home / RUNS / run))
        text = f"{current}\n".encode()
        self._put(f"{home.name}/{CURRENT}", BytesIO(text), len(text))

    def _run(self, run: Path) -> bool:
        """Copy a run if it is whole; one removed meanwhile is none."""
        if not upkeep.is_whole(run):
            if run.is_dir():
                self._leave("backup_left_run", area=run.parents[1].name, run=run.name)
            return False
        with ExitStack() as held:
            try:
                opened = {file.name: held.enter_context(file.open("rb")) for file in _files(run)}
            except FileNotFoundError:
                return False
            copied = {name: self._put(self._path(run / name), one) for name, one in opened.items()}
        if not upkeep.is_named_after(run.name, _digest(copied)):
            raise WorkspaceError("run_unreadable", path=run.name, file="*")
        return True

    def _rest(self, path: Path, without: tuple[str, ...] = ()) -> None:
        """Files that belong to no run, as they are now."""
        for file in _files(path):
            if file.relative_to(path).parts[:1] and file.relative_to(path).parts[0] in without:
                continue
            try:
                with file.open("rb") as handle:
                    self._put(self._path(file), handle)
            except FileNotFoundError:  # put away meanwhile
                continue

    def _put(self, name: str, handle: IO[bytes], size: int | None = None) -> Entry:
        length = os.fstat(handle.fileno()).st_size if size is None else size
        entry = self._writer.put(name, Measured(handle, self._read, name), length)
        self.files[name] = entry
        return entry

    def _read(self, count: int) -> None:
        self._done += count
        self._progress("backup_copy", min(self._done / self._all, 1.0))

    def _leave(self, key: str, **params: str) -> None:
        self.left_out.append(LeftOut(key, params))

    def _path(self, file: Path) -> str:
        return file.relative_to(self._workspace).as_posix()


def _files(folder: Path) -> Iterator[Path]:
    """The files of a folder (or the file itself) in order; no links, nothing under way."""
    if folder.is_file() and not folder.is_symlink():
        yield from [folder] if _lasting(folder.name) else []
    elif folder.is_dir():
        for child in sorted(folder.iterdir()):
            if not child.is_symlink() and child.name != _CACHE and _lasting(child.name):
                yield from _files(child)


def _lasting(name: str) -> bool:
    aside = name.startswith((upkeep.ASIDE, ASIDE))
    return not aside and not name.endswith(_PASSING) and name != Path(DATABASE).name


def _pointer(home: Path) -> str | None:
    try:
        return (home / CURRENT).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        return None


def _digest(files: Mapping[str, Entry]) -> str:
    """As `upkeep.content_digest`, from what was copied."""
    told = sorted((name, one.sha256) for name, one in files.items() if name != MANIFEST)
    return hashlib.sha256("".join(f"{name} {one}\n" for name, one in told).encode()).hexdigest()


def copy_database(database: Path, to: Path) -> Path:
    """A copy of an SQLite database at one moment, while others write; checked.

    Raises
    ------
    BackupError : it cannot be read, or is damaged.
    """
    try:
        with (
            closing(open_to_read(database)) as held,
            closing(sqlite3.connect(to)) as copy,
        ):
            held.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")  # one file, nothing beside it
    except sqlite3.Error as fault:
        raise BackupError("backup_database", reason=str(fault)) from fault
    check_database(to)
    return to


def check_database(file: Path) -> None:
    """Whether an SQLite database is sound.

    Raises
    ------
    BackupError : it is not.
    """
    try:
        with closing(open_to_read(file)) as line:
            said = line.execute("PRAGMA quick_check(1)").fetchone()[0]
    except sqlite3.Error as fault:
        said = str(fault)
    if said != "ok":
        raise BackupError("backup_database", reason=str(said))
