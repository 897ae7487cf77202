"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import secrets
import shutil
from pathlib import Path
from typing import Final

_LEAST_BYTES: Final = 2**16  # with less than that free a disk is full


def write_aside(path: Path, content: bytes) -> None:
    """Write a file aside and put it in its place by one rename; several may do so at once."""
    aside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)


def has_no_room(folder: Path) -> bool:
    """Whether the disk of a folder is full, for libraries that do not say why they failed."""
    try:
        return shutil.disk_usage(folder).free < _LEAST_BYTES
    except OSError:
        return False
