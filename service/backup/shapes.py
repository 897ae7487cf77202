"""The two shapes of a backup: a folder, or one file (``.tar``); both are written and read alike."""

from __future__ import annotations

import os
import shutil
import tarfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from io import BytesIO
from pathlib import Path
from typing import IO, Final, Protocol

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.results import upkeep
from lifecircle.service.backup.contents import ASIDE, NAME, Entry, Measured
from lifecircle.service.errors import BackupError

TAR: Final = ".tar"


@contextmanager
def folder_aside(within: Path) -> Iterator[Path]:
    """A new folder aside, ours while the block runs and gone with it."""
    with upkeep.claimed_aside(within, ASIDE) as aside:
        try:
            aside.mkdir()
            yield aside
        finally:
            shutil.rmtree(aside, ignore_errors=True)


@contextmanager
def unwritable(key: str, path: Path) -> Iterator[None]:
    """Tell what the system refuses as an error of that key.

    Raises
    ------
    BackupError : the system refused something; a `WorkspaceError` goes through as it is.
    """
    try:
        yield
    except OSError as fault:
        if isinstance(fault, WorkspaceError):
            raise
        reason = fault.strerror or type(fault).__name__
        raise BackupError(key, path=str(path), reason=reason) from fault


def check_room(need: int, folder: Path) -> None:
    """Refuse to begin what a disk has no room for (bytes).

    Raises
    ------
    BackupError : there is less.
    """
    free = shutil.disk_usage(folder).free
    if need > free:
        told = {"need": f"{need / 1e6:,.1f}", "free": f"{free / 1e6:,.1f}"}
        raise BackupError("backup_no_room", path=str(folder), **told)


class Writer(Protocol):
    """Takes files one after the other."""

    def put(self, name: str, source: Measured, size: int) -> Entry:
        """Write one file of a known size; what was written."""


class FolderWriter:
    """A backup that is a folder with the workspace's own paths."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def put(self, name: str, source: Measured, size: int) -> Entry:
        """Write one file, through to the disk."""
        del size
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        return write_through(path, source)


class TarWriter:
    """A backup that is one file."""

    def __init__(self, tar: tarfile.TarFile) -> None:
        self._tar = tar

    def put(self, name: str, source: Measured, size: int) -> Entry:
        """Add one file."""
        info = tarfile.TarInfo(name)
        info.size, info.mode = size, 0o600
        self._tar.addfile(info, source)
        return source.entry()


@contextmanager
def writing(path: Path) -> Iterator[Writer]:
    """A writer of what the ending of a path says; whole on the disk when the block ends."""
    if path.suffix.lower() != TAR:
        yield FolderWriter(path)
        for folder, _, _ in os.walk(path):
            to_disk(Path(folder))
        return
    with path.open("xb") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
            yield TarWriter(tar)
        file.flush()
        os.fsync(file.fileno())


Opened = Callable[[str], IO[bytes]]


@contextmanager
def reading(path: Path) -> Iterator[Opened]:
    """What opens a file of a backup by its name (``FileNotFoundError`` where there is none).

    Raises
    ------
    BackupError : there is no backup.
    """
    if path.is_dir():
        yield lambda name: (path / name).open("rb")
        return
    with ExitStack() as held:
        try:
            tar = held.enter_context(tarfile.open(path, "r:"))
            members = {one.name: one for one in tar.getmembers() if one.isreg()}
        except (OSError, tarfile.TarError) as fault:
            raise BackupError("backup_none", reason=path.name) from fault

        def opened(name: str) -> IO[bytes]:
            found = tar.extractfile(members[name]) if name in members else None
            if found is None:
                raise FileNotFoundError(name)
            return found

        yield opened


def write_through(path: Path, source: Measured, most: int | None = None) -> Entry:
    """Write a stream into a new file, through to the disk; no more than `most` bytes and one."""
    with path.open("xb") as file:
        while part := source.read():
            file.write(part)
            if most is not None and source.size > most:
                break
        file.flush()
        os.fsync(file.fileno())
    return source.entry()


def to_disk(folder: Path) -> None:
    """Ask the system to write the names in a folder through (Windows does so by itself)."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def put_list(writer: Writer, content: bytes) -> None:
    """The list, which comes last: a backup without it is none."""
    writer.put(NAME, Measured(BytesIO(content), lambda _: None, NAME), len(content))
