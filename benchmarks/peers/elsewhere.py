"""Peers in a Python of their own (`LIFECIRCLE_PEERS`), because of what they pin.

    python3.12 -m venv peers
    peers/bin/pip install --prefer-binary pandana pandarm pyvalhalla spopt
    LIFECIRCLE_PEERS=peers/bin/python python -m benchmarks b c site

Python 3.12 or later, for which alone newer wheels of pyvalhalla are made (those for 3.11 lack the
program that builds tiles). Each is a module that reads arrays from a file, measures and prints
JSON. Where one is missing the reason is said and nothing is invented.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any, Final

import numpy as np

MOST_S: Final = 300.0  # seconds: a peer that takes longer is told so
ROOT: Final = Path(__file__).resolve().parents[2]


def ask_peer(module: str, script: str, *words: str, **arrays: Any) -> dict[str, Any] | str:
    """What a module of this folder says of another, with its `version`; or why it says nothing."""
    python = os.environ.get("LIFECIRCLE_PEERS", sys.executable)
    asked = _run(python, "-c", f"import {module}; print({module}.__version__)")
    if asked.returncode != 0:
        return f"no {module}: set LIFECIRCLE_PEERS to a Python that can import it"
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "arrays.npz"
        np.savez(file, **arrays)
        try:
            done = _run(python, "-m", f"benchmarks.peers.{script}", str(file), *words)
        except subprocess.TimeoutExpired:
            return f"{module} took longer than {MOST_S:.0f} s"
    if done.returncode != 0:
        return f"{module} failed: {done.stderr.strip().splitlines()[-1]}"
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said | {"version": asked.stdout.strip().splitlines()[-1]}


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, check=False, text=True, timeout=MOST_S
    )
