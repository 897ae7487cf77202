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


def _fsspec(address: str) -> Any:
    try:
        import fsspec
    except ImportError:
        raise BatchError("batch_no_fsspec", address=address) from None
    return fsspec
