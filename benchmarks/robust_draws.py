"""200 joint draws of springcity whole: every service, circles, C, the rule, all rows.

    python -m benchmarks.robust_draws [--draws 200] [--scale 1]

The city is made and built in a temporary folder first (about 20 s); then the draws alone are
timed, on two threads, wall and processor, beside the bar of 60 s on two cores; then everything
that `lifecircle robust` does besides (one at a time, each list alone).
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from benchmarks.bars import SEED
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.measures.question import Question, Study
from lifecircle.analysis.measures.robustness.figures import asking_of
from lifecircle.analysis.measures.robustness.parameters import joint_draws, parameters_of
from lifecircle.analysis.measures.robustness.robustness import robustness
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.results.store import Workspace

BAR_S, THREADS = 60.0, 2


def time_draws(study: Study, draws: int) -> tuple[float, float]:
    """Seconds of wall and processor that the joint draws take."""
    wall, cpu = time.perf_counter(), time.process_time()
    asking = asking_of(study, Question())
    given = joint_draws(parameters_of(study), asking.worlds.doubts, draws, SEED)
    asking.worlds.prepare(given)
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(asking.figures, given))
    return time.perf_counter() - wall, time.process_time() - cpu


def main(argv: list[str] | None = None) -> int:
    """Print the seconds; 1 where the bar is missed."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--draws", type=int, default=200)
    asked.add_argument("--scale", type=float, default=1.0)
    given = asked.parse_args(argv)
    with tempfile.TemporaryDirectory() as folder:
        files = write_springcity(Path(folder) / "files", seed=77, scale=given.scale)
        run = build_area(springcity_request(files), Workspace(Path(folder) / "workspace"))
        wall, cpu = time_draws(run.study, given.draws)
        met = "met" if wall <= BAR_S else "missed"
        print(f"{given.draws} joint draws: {wall:.1f} s wall, {cpu:.1f} s processor; "
              f"bar {BAR_S:g} s: {met}")  # fmt: skip
        began, started = time.perf_counter(), time.process_time()
        robustness(run.study, Question(), draws=given.draws, seed=SEED, workers=THREADS)
        print(f"with one at a time and each list alone: {time.perf_counter() - began:.1f} s wall, "
              f"{time.process_time() - started:.1f} s processor")  # fmt: skip
    return int(wall > BAR_S)


if __name__ == "__main__":
    sys.exit(main())
