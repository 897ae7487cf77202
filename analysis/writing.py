"""Files that are whole or not there: written aside, then renamed."""

from __future__ import annotations

import secrets
from pathlib import Path


def write_aside(path: Path, content: bytes) -> None:
    """Write a file aside and put it in its place by one rename; several may do so at once."""
    aside = path.with_name(f".{secrets.token_hex(8)}.tmp")
    try:
        aside.write_bytes(content)
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
