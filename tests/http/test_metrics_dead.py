"""What workers that ended held is not counted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from lifecircle.service.observing.metrics import WORKERS

TELL = """
import sys
from lifecircle.service.observing.metrics import Metrics
metrics = Metrics()
metrics.tell_memory({"answers": 1000})
if "look" in sys.argv:
    print(metrics.text().decode())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="told of processes by /proc")
def test_workers_that_ended_hold_nothing(tmp_path: Path) -> None:
    env = {**os.environ, WORKERS: str(tmp_path)}
    for _ in range(2):
        subprocess.run([sys.executable, "-c", TELL], env=env, check=True)
    told = subprocess.run(
        [sys.executable, "-c", TELL, "look"], env=env, check=True, capture_output=True, text=True
    ).stdout
    (kept,) = [line for line in told.splitlines() if line.startswith("lifecircle_kept_bytes{")]
    assert float(kept.split()[-1]) == 1000
    assert told.count("lifecircle_worker_resident_bytes{") == 1
