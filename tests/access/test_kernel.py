"""Kept kernels load without what only compiling needs, and are compiled where none is kept."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

_ASKED = """
import sys
import numpy as np
from lifecircle.analysis.grouping.connected import connected_pieces
ends = np.array([0, 3], dtype=np.int32), np.array([2, 1], dtype=np.int32)
print(connected_pieces(5, *ends).tolist(), "scipy.linalg" in sys.modules)
"""


def test_a_kept_kernel_loads_without_the_compiler(tmp_path: Path) -> None:
    env = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    said = [
        subprocess.run(
            [sys.executable, "-c", _ASKED], env=env, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in range(2)
    ]
    assert said == ["[0, 1, 0, 1, 2] True", "[0, 1, 0, 1, 2] False"]
