"""Kept bands: how firm the figures of a run stand, beside the run they belong to.

::

    DIR/<area>/robustness/<run>.npz   document (JSON, UTF-8), covered int16 (s, c)

A run stays as it was built. One answer is kept for a run, the last; it appears by one rename.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final
from zipfile import BadZipFile

import numpy as np

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.results.folders import keep_beside
from lifecircle.analysis.results.model import Run

FOLDER: Final = "robustness"
NOT_JUDGED: Final = -1  # draws of a cell whose service is not assessed there


def keep_bands(run: Run, document: Mapping[str, Any], covered: IntArray) -> None:
    """Keep how firm a run's figures stand, in place of what was kept before.

    Parameters
    ----------
    document : plain values (`service.catalog.firm.robustness.document_of`), of all services.
    covered : int (s, c), in how many draws each cell is covered by each service of the document,
        `NOT_JUDGED` where that is not assessed.

    Raises
    ------
    WorkspaceError : the workspace cannot be written.
    """
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    text = json.dumps({**document, "kept": now}, ensure_ascii=False).encode()
    held = io.BytesIO()
    np.savez_compressed(
        held, document=np.frombuffer(text, np.uint8), covered=covered.astype(np.int16)
    )
    keep_beside(file_of(run.path), held.getvalue(), run.manifest.area)


@lru_cache(maxsize=256)  # asked at every answer that is given again
def file_of(run: Path) -> Path:
    """The file of a run's kept bands (it need not exist)."""
    return run.parent.parent / FOLDER / f"{run.name}.npz"


def bands_stamp(run: Path) -> str:
    """Changes whenever bands are kept or taken away; empty where there are none."""
    try:
        found = file_of(run).stat()
    except OSError:
        return ""
    return f"{found.st_mtime_ns}.{found.st_size}"


def kept_document(run: Run) -> Mapping[str, Any] | None:
    """How firm a run's figures stand, None where nobody kept it.

    Raises
    ------
    WorkspaceError : it cannot be read.
    """
    stamp = bands_stamp(run.path)
    return _document(file_of(run.path), stamp) if stamp else None


@lru_cache(maxsize=8)
def _document(file: Path, stamp: str) -> Mapping[str, Any] | None:
    del stamp  # another one is another content
    made = _member(file, "document")
    if made is None:
        return None
    try:
        found: dict[str, Any] = json.loads(made.tobytes())
    except ValueError as fault:
        raise WorkspaceError("bands_unreadable", name=file.name) from fault
    return MappingProxyType(found)


def kept_cells(run: Run) -> IntArray | None:
    """In how many draws each cell is covered, int16 (s, c), None where nobody kept it.

    Raises
    ------
    WorkspaceError : it cannot be read.
    """
    return _member(file_of(run.path), "covered")


def _member(file: Path, name: str) -> IntArray | None:
    try:
        with np.load(file, allow_pickle=False) as held:
            made: IntArray = held[name]
            return made
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, BadZipFile) as fault:
        raise WorkspaceError("bands_unreadable", name=file.name) from fault
