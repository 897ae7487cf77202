"""The command, in this process or in one of its own, and the files it is given."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from unittest.mock import patch

from lifecircle.service.cli import main

ROOT = Path(__file__).resolve().parents[2]


def lifecircle(
    *words: str | Path, workspace: Path, lang: str = "en", first: str = "", apart: bool = False
) -> subprocess.CompletedProcess[str]:
    """Run the command; in a process of its own where asked, or after the Python code `first`."""
    said = {
        "LIFECIRCLE_WORKSPACE": str(workspace),
        "LIFECIRCLE_LANGUAGE": lang,
        "PYTHONPATH": str(ROOT),
        "COLUMNS": "200",
    }
    if not apart and not first:
        return _here(list(map(str, words)), said)
    code = first + "\nfrom lifecircle.service.start import run; run()"
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, words)],
        capture_output=True, text=True, check=False, env=os.environ | said, timeout=600,
    )  # fmt: skip


def _here(words: list[str], said: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The command in this process: no second import of everything, otherwise the same."""
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.dict(os.environ, said),
        patch.object(sys, "argv", ["lifecircle", *words]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        code = main()
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def malta_files(shared_data: Path) -> tuple[str | Path, ...]:
    """What Malta is built from: the map and totals of its councils."""
    folder = shared_data / "malta"
    return (
        "--osm", folder / "malta-latest.osm.pbf",
        "--units", folder / "malta_local_councils_pop.gpkg",
    )  # fmt: skip
