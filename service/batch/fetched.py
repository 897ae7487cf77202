"""Inputs from elsewhere: fetched once, kept by their digest, refused where it is another."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lifecircle.analysis.provenance import sha256_of
from lifecircle.analysis.results.folders import CURRENT, RUNS
from lifecircle.service.errors import BatchError
from lifecircle.service.i18n import TEXTS


def fetch(address: str, folder: Path, digest: str | None = None) -> Path:
    """The file of an address (any that fsspec knows), in ``folder/<sha256>/<name>``.

    Parameters
    ----------
    digest : SHA-256 that it must have; what is kept under it is not fetched again.

    Raises
    ------
    BatchError : fsspec is not installed; it cannot be fetched, or is not what was meant.
    """
    name = re.sub(r"[^\w.-]", "_", address.rpartition("/")[2].partition("?")[0]) or "file"
    if digest is not None and (kept := folder / digest.lower() / name).is_file():
        return kept
    fsspec = _fsspec(address)
    folder.mkdir(parents=True, exist_ok=True)
    aside = folder / f".{name}.{os.getpid()}.{secrets.token_hex(4)}"
    try:
        try:
            with fsspec.open(address, "rb") as source, aside.open("wb") as target:
                shutil.copyfileobj(source, target)
        except Exception as error:  # whatever a file system of fsspec raises
            raise _refused("batch_not_fetched", address, error) from error
        got = sha256_of(aside)
        if digest is not None and got != digest.lower():
            raise BatchError("batch_other_digest", address=address, wanted=digest, got=got)
        kept = folder / got / name
        kept.parent.mkdir(exist_ok=True)
        aside.replace(kept)
    finally:
        aside.unlink(missing_ok=True)
    return kept


def send(files: Sequence[Path], address: str) -> list[str]:
    """Put files under an address (any that fsspec can write), each at once; returns theirs.

    Raises
    ------
    BatchError : fsspec is not installed; the place cannot be written.
    """
    fsspec = _fsspec(address)
    try:
        system, root = fsspec.core.url_to_fs(address)
        _make_folder(system, root)
        for file in files:
            system.put_file(str(file), f"{root.rstrip('/')}/{file.name}")
    except Exception as error:  # whatever a file system of fsspec raises
        raise _refused("batch_not_sent", address, error) from error
    return [f"{address.rstrip('/')}/{file.name}" for file in files]


def send_run(run: Path, address: str) -> bool:
    """Put a run under ``address/<area>/``, as a workspace has it; what names it comes last.

    Who reads there sees the run before or this one whole: object stores cannot rename, so nothing
    of a run is looked at before ``current`` names it. What was sent of it before it was broken off
    is not sent again: a file of a run never changes.

    Returns
    -------
    bool : False where it is there already and named.

    Raises
    ------
    BatchError : fsspec is not installed; the place cannot be written.
    """
    fsspec = _fsspec(address)
    area, name = run.parent.parent.name, run.name
    try:
        system, root = fsspec.core.url_to_fs(address)
        place = f"{root.rstrip('/')}/{area}"
        pointer, target = f"{place}/{CURRENT}", f"{place}/{RUNS}/{name}"
        system.invalidate_cache()  # what others wrote meanwhile counts
        if _pointed_to(system, pointer) == name:
            return False
        _make_folder(system, target)
        there = _sizes(system, target)
        for file in sorted(path for path in run.rglob("*") if path.is_file()):
            goal = f"{target}/{file.relative_to(run).as_posix()}"
            if there.get(goal) != file.stat().st_size:
                _make_folder(system, goal.rpartition("/")[0])
                system.put_file(str(file), goal)
        system.pipe_file(pointer, name.encode())
    except Exception as error:  # whatever a file system of fsspec raises
        raise _refused("batch_run_not_sent", address, error) from error
    return True


def _pointed_to(system: Any, pointer: str) -> str | None:
    try:
        return str(system.cat_file(pointer).decode().strip())
    except FileNotFoundError:
        return None


def _sizes(system: Any, target: str) -> dict[str, int]:
    """Bytes of what lies there already, by its path."""
    try:
        return {name: told["size"] for name, told in system.find(target, detail=True).items()}
    except FileNotFoundError:
        return {}


def _make_folder(system: Any, path: str) -> None:
    """Make a folder, where there are any: a store with buckets would make a misspelt bucket."""
    if path.startswith("/") or "file" in system.protocol:
        system.makedirs(path, exist_ok=True)


def _refused(key: str, address: str, error: Exception) -> BatchError:
    """What a store refused, with what is to be done, by the kind of its error."""
    detail = f"{type(error).__name__}: {error}"
    match error:
        case PermissionError():
            kind = "denied"
        case FileNotFoundError():
            kind = "missing"
        case _ if "Credentials" in type(error).__name__:
            kind = "denied"
        case ConnectionError() | TimeoutError():
            kind = "unreachable"
        case _ if any(word in type(error).__name__ for word in ("Connect", "Timeout")):
            kind = "unreachable"
        case _:
            kind = "other"
    mend = TEXTS.both(f"batch_store_{kind}")
    return BatchError(key, address=address, detail=detail, mend=mend)


def _fsspec(address: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise BatchError("batch_no_fsspec", address=address) from None
    return fsspec
