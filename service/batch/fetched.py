"""Inputs from elsewhere: fetched once, kept by their digest, refused where it is another."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lifecircle.analysis.provenance import sha256_of
from lifecircle.analysis.results.folders import CURRENT, RUNS
from lifecircle.service.errors import BatchError


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
            detail = f"{type(error).__name__}: {error}"
            raise BatchError("batch_not_fetched", address=address, detail=detail) from error
        got = sha256_of(aside)
        if digest is not None and got != digest.lower():
            raise BatchError("batch_other_digest", address=address, wanted=digest, got=got)
        kept = folder / got / name
        kept.parent.mkdir(exist_ok=True)
        aside.replace(kept)
    finally:
        aside.unlink(missing_ok=True)
    return kept


def send(files: Mapping[str, bytes], address: str) -> list[str]:
    """Put files under an address (any that fsspec can write), each at once; returns theirs.

    Raises
    ------
    BatchError : fsspec is not installed; the place cannot be written.
    """
    fsspec = _fsspec(address)
    try:
        system, root = fsspec.core.url_to_fs(address)
        system.makedirs(root, exist_ok=True)
        for name, content in files.items():
            system.pipe_file(f"{root.rstrip('/')}/{name}", content)
    except Exception as error:  # whatever a file system of fsspec raises
        detail = f"{type(error).__name__}: {error}"
        raise BatchError("batch_not_sent", address=address, detail=detail) from error
    return [f"{address.rstrip('/')}/{name}" for name in files]


def send_run(run: Path, address: str) -> bool:
    """Put a run under ``address/<area>/``, as a workspace has it; what names it comes last.

    Who reads there sees the run before or this one whole: object stores cannot rename, so nothing
    of a run is looked at before ``current`` names it.

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
        if system.exists(pointer) and system.cat_file(pointer).decode().strip() == name:
            return False
        system.makedirs(target, exist_ok=True)
        for file in sorted(path for path in run.rglob("*") if path.is_file()):
            there = f"{target}/{file.relative_to(run).as_posix()}"
            system.makedirs(there.rpartition("/")[0], exist_ok=True)
            system.put_file(str(file), there)
        system.pipe_file(pointer, name.encode())
    except Exception as error:  # whatever a file system of fsspec raises
        detail = f"{type(error).__name__}: {error}"
        raise BatchError("batch_run_not_sent", address=address, detail=detail) from error
    return True


def _fsspec(address: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise BatchError("batch_no_fsspec", address=address) from None
    return fsspec
