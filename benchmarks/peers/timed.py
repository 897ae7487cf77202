"""How long a peer takes; for a Python that has none of this package but what it measures."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

REPEATS = 3


def median_s(run: Callable[[], object]) -> float:
    """Median seconds of a few runs."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        run()
        times.append(time.perf_counter() - started)
    return statistics.median(times)
