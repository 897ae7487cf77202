"""The manifest of a run as a JSON file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.results.folders import MANIFEST as NAME
from lifecircle.analysis.results.frozen.policy import plain, record
from lifecircle.analysis.results.model import Manifest

FORMAT: Final = 1


def manifest_content(manifest: Manifest) -> dict[str, Any]:
    """The manifest as plain dictionaries, lists and scalars."""
    content = plain(manifest)
    return {"format": FORMAT, **content}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a folder."""
    text = json.dumps(manifest_content(manifest), ensure_ascii=False, indent=1, allow_nan=False)
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run's folder.

    Raises
    ------
    WorkspaceError : there is none, or a newer lifecircle wrote it.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        found = content.pop("format")
        if found == FORMAT:
            return record(Manifest, content)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WorkspaceError("run_unreadable", path=folder.name, file=NAME) from fault
    raise WorkspaceError("run_format", path=folder.name, found=found, known=FORMAT)
