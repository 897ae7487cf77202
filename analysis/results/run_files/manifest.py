"""The manifest of a run as a JSON file."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from lifecircle.analysis.errors import WorkspaceError
from lifecircle.analysis.results.folders import MANIFEST as NAME
from lifecircle.analysis.results.frozen.policy import plain, record
from lifecircle.analysis.results.model import Manifest

FORMAT: Final = 1
DIGEST: Final = "sha256"


def manifest_content(manifest: Manifest) -> dict[str, Any]:
    """The manifest as plain dictionaries, lists and scalars."""
    content = plain(manifest)
    return {"format": FORMAT, **content}


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write ``manifest.json`` into a folder, its last entry the digest of all the others."""
    content = manifest_content(manifest)
    text = _text({**content, DIGEST: _digest(content)})
    (folder / NAME).write_text(text + "\n", encoding="utf-8")


def read_manifest(folder: Path) -> Manifest:
    """The manifest of a run's folder.

    One that tells a digest is compared with it; those of earlier versions tell none.

    Raises
    ------
    WorkspaceError : there is none, it is not as it was written, or a newer lifecircle wrote it.
    """
    try:
        content = json.loads((folder / NAME).read_text(encoding="utf-8"))
        found, told = content["format"], content.pop(DIGEST, None)
        whole = told is None or told == _digest(content)
        made = record(Manifest, content) if whole and found == FORMAT else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as fault:
        raise WorkspaceError("run_unreadable", path=folder.name, file=NAME) from fault
    if found != FORMAT:
        raise WorkspaceError("run_format", path=folder.name, found=found, known=FORMAT)
    if made is None:
        raise WorkspaceError("run_damaged", path=folder.name, area=folder.parent.parent.name)
    return made


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1, allow_nan=False)


def _digest(content: Mapping[str, Any]) -> str:
    return hashlib.sha256(_text(content).encode()).hexdigest()
