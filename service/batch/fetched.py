"""Inputs from elsewhere: fetched once, kept by their digest, refused where it is another."""

from __future__ import annotations

import os
import re
import secrets
import shutil
from pathlib import Path

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
    try:
        import fsspec
    except ImportError:
        raise BatchError("batch_no_fsspec", address=address) from None
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
