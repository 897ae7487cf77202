"""Power and false alarms of the shift detector on real streets, with seeded data.

    python benchmarks/shift_power.py STREETS.osm.pbf [--repeat 20] [--cells GRID.csv]

Honest data (facilities of OpenStreetMap as they are; places at random) must raise no alarm; the
same facilities moved by the vectors of GCJ-02 and BD-09 at Kunming should.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np

from lifecircle.analysis.city.crs import geodesic_m, to_metric
from lifecircle.analysis.city.datum_shift import (
    AHEAD,
    FEWEST,
    LIKELY,
    measure_contrast,
    measure_standing,
)
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.places import read_places
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.readers.osm.way_forms import way_forms
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import read_population

KUNMING = np.array([[102.7123, 25.0406]])
DAILY = ("breakfast", "convenience_store", "pharmacy", "hairdresser", "supermarket", "market",
         "health_station", "health_centre", "parcel_station")  # fmt: skip


def offset_m(datum: str) -> np.ndarray:
    """East and north metres between a datum and WGS84 at Kunming."""
    there = from_wgs84(KUNMING, datum)
    east = geodesic_m(KUNMING, np.column_stack((there[:, 0], KUNMING[:, 1])))[0]
    north = geodesic_m(KUNMING, np.column_stack((KUNMING[:, 0], there[:, 1])))[0]
    return np.array([east, north]) * np.sign(there - KUNMING)[0]


def main() -> None:
    asked = argparse.ArgumentParser()
    asked.add_argument("streets", type=Path)
    asked.add_argument("--repeat", type=int, default=20)
    asked.add_argument("--cells", type=Path)
    given = asked.parse_args()
    policy = load_policy()
    network = build_network(read_streets(given.streets, policy.walk, way_forms(policy)))
    index = EdgeIndex.by(network, policy.attachment)
    places = read_places(given.streets, policy).facilities
    box = places.frame.geometry.bounds.to_numpy()
    lonlat = np.column_stack(((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2))
    xy = to_metric(lonlat, network.crs)
    daily = xy[np.isin(places.service.astype(str), DAILY)]
    rng = np.random.default_rng(7)

    def some(of: np.ndarray, count: int) -> Callable[[], np.ndarray]:
        return lambda: of[rng.choice(len(of), min(count, len(of)), replace=False)]

    def anywhere(count: int) -> Callable[[], np.ndarray]:
        """Places at random within 300 m of streets."""

        def draw() -> np.ndarray:
            centre = network.vertex_xy_m[rng.integers(0, len(network.vertex_xy_m), count)]
            turn, far = rng.uniform(0, 2 * np.pi, count), 300 * np.sqrt(rng.uniform(size=count))
            return centre + np.column_stack((far * np.cos(turn), far * np.sin(turn)))

        return draw

    sets: list[tuple[str, Callable[[], np.ndarray]]] = []
    for count in (50, 100, 200, 300):
        sets.append((f"random {count}", anywhere(count)))
        sets.append((f"daily {count}", some(daily, count)))
        sets.append((f"all {count}", some(xy, count)))
    if given.cells is not None:
        frame = read_population(given.cells, Declarations(Declaration(datum="wgs84"))).frame
        box = frame.geometry.bounds.to_numpy()
        lonlat = np.column_stack(((box[:, 0] + box[:, 2]) / 2, (box[:, 1] + box[:, 3]) / 2))
        middle = to_metric(lonlat, network.crs)
        sets += [("cells 100", some(middle, 100)), ("cells 300", some(middle, 300))]
    vectors = {"honest": np.zeros(2), "gcj02": offset_m("gcj02"), "bd09": offset_m("bd09")}
    print({name: np.round(v, 1).tolist() for name, v in vectors.items()})
    print("set, moved by, named datum (share), constant vector (share), median best, median here")
    for name, draw in sets:
        for by, vector in vectors.items():
            if len(draw()) < FEWEST or (by != "honest" and name.startswith("random")):
                continue
            named = constant = 0
            best, still = [], []
            for _ in range(given.repeat):
                moved = draw() + vector
                here = measure_standing(index, moved)
                if here is None:
                    continue
                # what the pipeline tries: were it another datum, it would lie by that beside
                tried = {
                    (a, b): measure_contrast(index, moved - vectors[a] + vectors[b], here.spread)
                    for a in vectors for b in vectors
                    if b == "honest" and a != b
                }  # fmt: skip
                score, which = max((score, pair[0]) for pair, score in tried.items())
                alarm = not here.at_home and score >= max(LIKELY, here.here + AHEAD)
                named += alarm and which == by if by != "honest" else alarm
                close = np.hypot(here.east_m + vector[0], here.north_m + vector[1]) < 60
                constant += here.moved and (close or by == "honest")
                best.append(here.best)
                still.append(here.here)
            print(f"{name}, {by}, {named / given.repeat:.2f}, {constant / given.repeat:.2f}, "
                  f"{np.median(best):.1f}, {np.median(still):.1f}", flush=True)  # fmt: skip


if __name__ == "__main__":
    main()
