"""pandana, and pandarm, which goes on from it: nearest facilities, and junctions in range."""

from __future__ import annotations

import importlib
import json
import sys
import time
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.peers.timed import median_s


def measure(module: str, arrays: Any) -> dict[str, float]:
    """Median seconds of all services and of all origins, and of the set-up before them."""
    limit_m = float(arrays["limit_m"])
    said: dict[str, float] = {}
    started = time.perf_counter()
    weights = pd.DataFrame({"metres": arrays["metres"]})
    net = importlib.import_module(module).Network(
        pd.Series(arrays["xy"][:, 0]), pd.Series(arrays["xy"][:, 1]),
        pd.Series(arrays["u"]), pd.Series(arrays["v"]), weights,
    )  # fmt: skip
    said["network_s"] = time.perf_counter() - started
    if "poi" in arrays:
        first = arrays["first"]
        started = time.perf_counter()
        for service in range(len(first) - 1):
            xy = arrays["xy"][arrays["poi"][first[service] : first[service + 1]]]
            net.set_pois(f"s{service}", limit_m, 1, pd.Series(xy[:, 0]), pd.Series(xy[:, 1]))
        said["pois_s"] = time.perf_counter() - started
        said["nearest_s"] = median_s(lambda: [
            net.nearest_pois(limit_m, f"s{service}", num_pois=1)
            for service in range(len(first) - 1)
        ])  # fmt: skip
    if "origin" in arrays:
        origin = arrays["origin"].tolist()
        said["range_s"] = median_s(lambda: net.nodes_in_range(origin, limit_m))
        said["reached"] = float(len(net.nodes_in_range(origin, limit_m)))
    return said


if __name__ == "__main__":
    print(json.dumps(measure(sys.argv[2], np.load(sys.argv[1]))))
