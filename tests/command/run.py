"""The command in a process of its own, and the files it is given."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def lifecircle(
    *words: str | Path, workspace: Path, lang: str = "en", first: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the command in a process of its own, after the Python code `first`."""
    environment = os.environ | {
        "LIFECIRCLE_WORKSPACE": str(workspace),
        "LIFECIRCLE_LANGUAGE": lang,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }
    code = first + "\nimport sys; from lifecircle.service.cli import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True, text=True, check=False, env=environment, timeout=600,
    )  # fmt: skip


def malta_files(shared_data: Path) -> tuple[str | Path, ...]:
    """What Malta is built from: the map and totals of its councils."""
    folder = shared_data / "malta"
    return (
        "--osm", folder / "malta-latest.osm.pbf",
        "--units", folder / "malta_local_councils_pop.gpkg",
    )  # fmt: skip
