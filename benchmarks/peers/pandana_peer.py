"""pandana as a peer, in a Python of its own (`LIFECIRCLE_PANDANA`), because of its old pins.

Run as a script by that Python it reads arrays, measures and prints JSON; imported, it starts
that Python. Where there is none the reason is said and nothing is invented.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from lifecircle.analysis.city.streets.network import WalkNetwork

REPEATS = 3


@dataclass(frozen=True)
class PandanaTimes:
    """Median seconds of all queries, and of the set-up before them."""

    version: str
    network_s: float
    pois_s: float
    query_s: float


def pandana_rows(
    network: WalkNetwork, services: list[np.ndarray], limit_m: float
) -> PandanaTimes | str:
    """Measure pandana on a network, or say why it cannot be measured."""
    python = os.environ.get("LIFECIRCLE_PANDANA", sys.executable)
    asked = subprocess.run(
        [python, "-c", "import pandana; print(pandana.__version__)"],
        capture_output=True,
        check=False,
        text=True,
    )
    if asked.returncode != 0:
        return "no pandana: set LIFECIRCLE_PANDANA to a Python that can import it"
    with tempfile.TemporaryDirectory() as folder:
        arrays = Path(folder) / "network.npz"
        np.savez(
            arrays,
            xy=network.node_xy_m,
            u=network.edge_u,
            v=network.edge_v,
            metres=network.edge_length_m,
            limit_m=limit_m,
            poi=np.concatenate(services),
            first=np.cumsum([0, *(len(s) for s in services)]),
        )
        done = subprocess.run(
            [python, str(Path(__file__).resolve()), str(arrays)],
            capture_output=True,
            check=False,
            text=True,
        )
    if done.returncode != 0:
        return "pandana failed: " + done.stderr.strip().splitlines()[-1]
    return PandanaTimes(version=asked.stdout.strip(), **json.loads(done.stdout.splitlines()[-1]))


def _measure(arrays: Any) -> dict[str, float]:
    import pandana  # type: ignore[import-not-found]
    import pandas as pd

    limit_m = float(arrays["limit_m"])
    started = time.perf_counter()
    weights = pd.DataFrame({"metres": arrays["metres"]})
    net = pandana.Network(
        pd.Series(arrays["xy"][:, 0]), pd.Series(arrays["xy"][:, 1]),
        pd.Series(arrays["u"]), pd.Series(arrays["v"]), weights,
    )  # fmt: skip
    network_s = time.perf_counter() - started
    first = arrays["first"]
    started = time.perf_counter()
    for service in range(len(first) - 1):
        node = arrays["poi"][first[service] : first[service + 1]]
        xy = arrays["xy"][node]
        net.set_pois(f"s{service}", limit_m, 1, pd.Series(xy[:, 0]), pd.Series(xy[:, 1]))
    pois_s = time.perf_counter() - started
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        for service in range(len(first) - 1):
            net.nearest_pois(limit_m, f"s{service}", num_pois=1)
        times.append(time.perf_counter() - started)
    return {"network_s": network_s, "pois_s": pois_s, "query_s": statistics.median(times)}


if __name__ == "__main__":
    print(json.dumps(_measure(np.load(sys.argv[1]))))
