"""Valhalla's seconds for isochrones on foot and for a matrix of walks, from tiles of its own.

Distances, not times, are asked for, so that no preference of its costs counts.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.peers.timed import median_s


def tiles_of(path: Path, folder: Path) -> Path:
    """Valhalla's own graph of a file; the path of its configuration."""
    import valhalla

    tiles = folder / "tiles"
    tiles.mkdir()
    config = valhalla.get_config(tile_extract="", tile_dir=str(tiles))
    config["mjolnir"] |= {"admin": "", "timezone": "", "tile_extract": "", "concurrency": 1}
    config["additional_data"] = {"elevation": ""}
    config["service_limits"]["pedestrian"] |= {
        "max_distance": 500_000, "max_matrix_distance": 500_000,
        "max_matrix_location_pairs": 10_000,
    }  # fmt: skip
    config["service_limits"]["max_distance_disable_hierarchy_culling"] = 500_000
    file = folder / "valhalla.json"
    file.write_text(json.dumps(config), encoding="utf-8")
    program = Path(valhalla.__file__).parent / "bin" / "valhalla_build_tiles"
    subprocess.run(
        [str(program), "-c", str(file), str(path.resolve())],
        check=True, capture_output=True, cwd=folder,
    )  # fmt: skip
    return file


def measure(arrays: Any, pbf: Path) -> dict[str, float]:
    """Median seconds of all isochrones, of the matrix, and of the tiles before them."""
    import valhalla

    said: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        started = time.perf_counter()
        file = tiles_of(pbf, Path(folder))
        said["tiles_s"] = time.perf_counter() - started
        actor = valhalla.Actor(str(file))
        if "origin" in arrays:
            contour = {"distance": float(arrays["limit_m"]) / 1000}
            asked = [
                {"locations": [one], "costing": "pedestrian", "contours": [contour],
                 "polygons": True}
                for one in _places(arrays["origin"])
            ]  # fmt: skip
            said["isochrones_s"] = median_s(lambda: [actor.isochrone(one) for one in asked])
        if "home" in arrays:
            matrix = {"sources": _places(arrays["home"]), "targets": _places(arrays["place"]),
                      "costing": "pedestrian",
                      "costing_options": {"pedestrian": {"shortest": True}}}  # fmt: skip
            said["matrix_s"] = median_s(lambda: actor.matrix(matrix))
    return said


def _places(lonlat: np.ndarray) -> list[dict[str, float]]:
    return [{"lon": lon, "lat": lat} for lon, lat in lonlat.tolist()]


if __name__ == "__main__":
    print(json.dumps(measure(np.load(sys.argv[1]), Path(sys.argv[2]))))
