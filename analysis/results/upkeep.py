"""Keeping a workspace in order: what killed builds left, old runs, files that changed on the disk.

A build holds a lock on ``.tmp-<x>.lock`` beside its folder aside for as long as it lives; the
system lets go of it when the process ends, however it ends. What nobody holds is left over.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import shutil
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import LifecircleError
from lifecircle.analysis.locks import try_lock, wait_for_lock
from lifecircle.analysis.machine import map_side_by_side
from lifecircle.analysis.provenance import sha256_of
from lifecircle.analysis.results.bands import file_of as bands_of
from lifecircle.analysis.results.folders import (
    CURRENT,
    MANIFEST,
    RUNS,
    AreaFolders,
    answers_folder,
    headline_file,
)
from lifecircle.analysis.results.proposals import any_kept
from lifecircle.analysis.results.run_files.manifest import read_manifest

ASIDE: Final = ".tmp-"
LOCK: Final = ".lock"
DEAD_AFTER_S: Final = 24 * 3600  # of what has no lock: not touched for a day is dead
_YEAR = re.compile(r"r(\d{4})")


# ---- what is written aside, and what is left over -------------------------------------------


@contextlib.contextmanager
def claimed_aside(area: Path, prefix: str = ASIDE) -> Iterator[Path]:
    """A name aside in the folder of an area (nothing is there yet), ours while the block runs."""
    aside = area / f"{prefix}{secrets.token_hex(8)}"
    lock = _lock_of(aside)
    handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        wait_for_lock(handle)
        yield aside
    finally:
        lock.unlink(missing_ok=True)
        os.close(handle)


def _lock_of(aside: Path) -> Path:
    return aside.with_name(aside.name + LOCK)


def sweep(area: Path, prefix: str = ASIDE) -> list[str]:
    """Remove what dead builds left aside in the folder of an area; the names removed."""
    removed = []
    for left in leftovers(area, prefix):
        _lock_of(left).unlink(missing_ok=True)
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
        if not left.exists():
            removed.append(left.name)
    return removed


def leftovers(area: Path, prefix: str = ASIDE) -> list[Path]:
    """What lies aside and belongs to no living build."""
    found = []
    for left in sorted(area.glob(f"{prefix}*")):
        bare = left.name.removesuffix(LOCK)
        lock = _lock_of(left.with_name(bare.split(".current", maxsplit=1)[0]))
        try:
            dead = _is_free(lock) if lock.exists() else _is_old(left)
        except OSError:  # gone meanwhile, or not ours to open
            continue
        if dead:
            found.append(left)
    return found


def _is_free(lock: Path) -> bool:
    """Whether nobody holds a lock. One just made may not be held yet: it counts from a minute."""
    if sys.platform == "win32":
        return _is_old(lock)
    if time.time() - lock.stat().st_mtime < 1:
        return False
    handle = os.open(lock, os.O_RDWR)
    try:
        return try_lock(handle)
    finally:
        os.close(handle)


def _is_old(path: Path) -> bool:
    return time.time() - path.stat().st_mtime > DEAD_AFTER_S


# ---- old runs -------------------------------------------------------------------------------


def runs_to_remove(runs: Sequence[str], current: str, keep: int, held: frozenset[str]) -> list[str]:
    """The runs beyond the last `keep`, oldest first.

    Never the current one, the last of its year (of a run's name), nor one that is `held`.
    """
    last_of_year: dict[str, str] = {}
    for run in sorted(runs):
        found = _YEAR.match(run)
        last_of_year[found[1] if found else run] = run
    latest = sorted(runs, reverse=True)[:keep]
    safe = {current, *held, *last_of_year.values(), *latest}
    return [run for run in sorted(runs) if run not in safe]


def prune(
    folders: AreaFolders,
    area: str,
    keep: int,
    *,
    needed: frozenset[str] = frozenset(),
    dry: bool = False,
) -> list[str]:
    """Remove an area's runs beyond the last `keep` (`runs_to_remove`); the names removed.

    A run with kept proposals stays, and one that is `needed`; kept bands, answers and the
    headline go with their run. `dry` only names them.

    Raises
    ------
    UnknownNameError, WorkspaceError : no such area, or its current run is not known.
    """
    home = folders.area_folder(area)
    names = folders.runs(area)
    held = needed | {run for run in names if any_kept(home / RUNS / run)}
    chosen = runs_to_remove(names, folders.current(area), keep, held)
    for run in () if dry else chosen:
        with claimed_aside(home) as aside:
            (home / RUNS / run).rename(aside)  # gone for readers at once, whatever happens next
            shutil.rmtree(aside)
        bands_of(home / RUNS / run).unlink(missing_ok=True)
        headline_file(home / RUNS / run).unlink(missing_ok=True)
        shutil.rmtree(answers_folder(home, run), ignore_errors=True)
    return chosen


# ---- what changed on the disk ----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong with an area: a key of the texts, with what it tells."""

    key: str
    area: str
    params: Mapping[str, Any]


def examine(folders: AreaFolders, area: str) -> list[Finding]:
    """What is wrong with an area: its pointer, files of its runs that changed, leftovers."""
    home = folders.area_folder(area)
    found = []
    try:
        folders.current(area)
    except LifecircleError as fault:
        found.append(Finding("doctor_current", area, {"run": fault.params.get("run", "?")}))
    changed = [run for run in folders.runs(area) if not is_whole(home / RUNS / run)]
    found += [Finding("doctor_changed", area, {"run": run}) for run in changed]
    found += [Finding("doctor_left", area, {"name": left.name}) for left in leftovers(home)]
    return found


def mend_current(folders: AreaFolders, area: str) -> str | None:
    """Point ``current`` at the latest whole run where it names none; its name, else None."""
    home = folders.area_folder(area)
    with contextlib.suppress(LifecircleError):
        if is_whole(home / RUNS / folders.current(area)):
            return None
    whole = [run for run in folders.runs(area) if is_whole(home / RUNS / run)]
    if not whole:
        return None
    with claimed_aside(home) as aside:
        pointer = aside.with_name(f"{aside.name}.{CURRENT}")
        pointer.write_text(whole[-1] + "\n", encoding="utf-8")
        if (home / CURRENT).is_dir():  # nobody knows what lies in it: it stays, under another name
            (home / CURRENT).rename(home / f"{CURRENT}{aside.name}")
        pointer.replace(home / CURRENT)
    return whole[-1]


def is_whole(run: Path) -> bool:
    """Whether the files of a run are those its name was made from."""
    try:
        read_manifest(run)
        return is_named_after(run.name, content_digest(run))
    except (LifecircleError, OSError):
        return False


def is_named_after(run: str, digest: str) -> bool:
    """Whether the name of a run was made from a `content_digest`."""
    return digest[:8] == run.partition("-")[2][:8]


def content_digest(folder: Path, known: Mapping[str, str] | None = None) -> str:
    """SHA-256 over the names and bytes of the files of a run but its manifest, in name order.

    `known`: digests of files by their names; the others are read.
    """
    digests = dict(known or {})
    files = [file for file in folder.iterdir() if file.name != MANIFEST and file.is_file()]
    rest = [file for file in files if file.name not in digests]
    digests |= zip([file.name for file in rest], map_side_by_side(sha256_of, rest), strict=True)
    lines = (f"{name} {digests[name]}\n" for name in sorted(file.name for file in files))
    return hashlib.sha256("".join(lines).encode()).hexdigest()
