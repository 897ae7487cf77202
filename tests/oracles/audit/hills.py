"""Costs along segments where heights count: the slope oracle's sums, read at any share."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from tests.oracles import slope, walks
from tests.oracles.audit.shortest import Along
from tests.oracles.audit.streets import Floats, Ints, Streets


def hilly(streets: Streets, osm: Path, dem: Path, step_m: float) -> Along:
    """Metres on the flat that a walk along a part of a segment is worth, there and back.

    Heights are read no farther apart than `step_m`, the cell that the product says it took.
    """
    plain = walks.Streets(
        streets.node_id.tolist(), streets.lonlat, streets.a, streets.b,
        streets.length_m, streets.component_m,
    )  # fmt: skip
    sums = slope.slopes(plain, osm, dem, step_m)

    def along(row: Ints, low: Floats, high: Floats) -> tuple[Floats, Floats]:
        both = [
            sums.between(s, one, other)
            for s, one, other in zip(row.tolist(), low.tolist(), high.tolist(), strict=True)
        ]
        found = np.array(both).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    return along
