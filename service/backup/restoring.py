"""Bringing a backup back into an empty folder: aside, every byte checked, then in its place."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from lifecircle.analysis.results import upkeep
from lifecircle.analysis.results.folders import AreaFolders
from lifecircle.service.backup.contents import (
    ASIDE,
    DATABASE,
    NAME,
    Contents,
    Measured,
    Progress,
    read_contents,
)
from lifecircle.service.backup.copying import check_database
from lifecircle.service.backup.shapes import (
    Opened,
    check_room,
    folder_aside,
    reading,
    to_disk,
    unwritable,
    write_through,
)
from lifecircle.service.errors import BackupError

_NOTHING: Final = frozenset({".cache", "lost+found"})  # what an empty workspace may hold
_TOLD: Final = 5  # damaged files that are named


def restore_backup(backup: Path, target: Path, progress: Progress = lambda *_: None) -> Contents:
    """Restore a backup into a folder that is empty or not there; what was restored.

    Nothing is there before all of it is, with one exception: into a folder that cannot be replaced
    (where a disk is mounted) the checked areas are moved one after the other.

    Raises
    ------
    BackupError : there is no backup, files of it are damaged, the folder is not empty or cannot
        be written.
    """
    with unwritable("restore_unwritable", target):
        within = _prepare(target)
        with reading(backup) as opened:
            contents = _list(opened)
            check_room(contents.size, within)
            with folder_aside(within) as aside:
                _copy(opened, contents, aside, progress)
                _check(aside)
                _put_in_place(aside, target)
    return contents


def _prepare(target: Path) -> Path:
    """The folder to write aside in, cleared of what broken-off restores left."""
    parent = target.absolute().parent
    if target.is_dir():
        upkeep.sweep(target, ASIDE)
        if any(child.name not in _NOTHING for child in target.iterdir()):
            raise BackupError("restore_not_empty", path=str(target))
        if target.is_mount() or not os.access(parent, os.W_OK):
            return target
    elif os.path.lexists(target):
        raise BackupError("restore_not_empty", path=str(target))
    elif not parent.is_dir():
        raise BackupError("backup_no_folder", path=str(parent))
    upkeep.sweep(parent, ASIDE)
    return parent


def _list(opened: Opened) -> Contents:
    try:
        with opened(NAME) as handle:
            return read_contents(handle)
    except FileNotFoundError as fault:
        raise BackupError("backup_none", reason=NAME) from fault


def _copy(opened: Opened, contents: Contents, aside: Path, progress: Progress) -> None:
    done, whole, damaged = 0, max(contents.size, 1), []

    def copied(count: int) -> None:
        nonlocal done
        done += count
        progress("backup_restore", min(done / whole, 1.0))

    copied(0)
    for name, entry in contents.files.items():
        path = aside / name
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with opened(name) as handle:
                same = write_through(path, Measured(handle, copied, name), entry.size) == entry
        except FileNotFoundError:
            same = False
        if not same:
            damaged.append(name)
    if damaged:
        files = ", ".join(damaged[:_TOLD])
        raise BackupError("backup_damaged", count=len(damaged), files=files)


def _check(aside: Path) -> None:
    """What doctor would say of it, before anybody sees it."""
    folders = AreaFolders(aside)
    for area in folders.areas():
        for found in upkeep.examine(folders, area):
            raise BackupError("backup_damaged", count=1, files=f"{area}/{found.params}")
    if (aside / DATABASE).is_file():
        check_database(aside / DATABASE)
    for folder, _, _ in os.walk(aside):
        to_disk(Path(folder))


def _put_in_place(aside: Path, target: Path) -> None:
    if aside.parent.resolve() == target.resolve():
        for child in sorted(aside.iterdir()):
            child.rename(target / child.name)
        to_disk(target)
        return
    if target.is_dir():
        for child in target.iterdir():  # a cache, nothing else
            shutil.rmtree(child)
        target.rmdir()
    aside.rename(target)
    to_disk(target.parent)
