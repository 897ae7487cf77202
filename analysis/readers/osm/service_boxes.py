"""Where the places of each service lie in an OpenStreetMap file, without their shapes."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

import numpy as np

from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import FloatArray
from lifecircle.analysis.readers.osm.boxes import read_boxes_of
from lifecircle.analysis.readers.osm.opl import Line
from lifecircle.analysis.readers.osm.places import RowsOf


def read_service_boxes(
    path: Path, policy: Policy, today: date | None = None
) -> Mapping[str, FloatArray]:
    """Boxes (k, 4) of the open places of each service that a file has: west, south, east, north.

    Degrees of WGS84. What is drawn over several ways has the box of these; what has no place in
    the file is left out. The file is in order.

    Raises
    ------
    InputError : the file is missing, no OpenStreetMap file, or cannot be read.
    """
    rows = RowsOf(policy, today)
    told: list[list[str]] = []

    def is_place(line: Line) -> bool:
        served = rows.services(line.tags, is_line=line.is_way and not line.is_ring)
        if served:
            told.append(served)
        return bool(served)

    boxes = read_boxes_of(path, sorted(rows.keys), is_place)
    placed = frozenset(np.flatnonzero(~np.isnan(boxes.box).any(axis=1)).tolist())
    service = np.repeat(np.arange(len(told)), [len(served) for served in told])
    of: dict[str, list[int]] = {}
    for row, name in zip(service.tolist(), (one for served in told for one in served), strict=True):
        if row in placed:
            of.setdefault(name, []).append(row)
    return {name: boxes.box[found] for name, found in of.items()}
