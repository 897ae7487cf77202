"""Railways and rivers of an OpenStreetMap file, as lines that walking may not cross."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import shapely

from analysis.policy_terrain import BarrierRules
from analysis.sources.findings import ObjectArray
from analysis.sources.osm import check_osm_file, unreadable, ways_with

LineKind = Literal["railway", "river"]
_KEY = {"railway": "railway", "river": "waterway"}
_ELSEWHERE = ("tunnel", "bridge", "covered")  # a line under or over the ground bars nobody


def read_barrier_lines(path: Path, kind: LineKind, rules: BarrierRules) -> ObjectArray:
    """Middle lines of a kind of barrier at street level, LineStrings in degrees WGS84.

    Raises
    ------
    InputError
        The file is missing, cut off or not an OSM file.
    """
    check_osm_file(path)
    key, wanted = _KEY[kind], set(getattr(rules, kind))
    lines: list[shapely.LineString] = []
    try:
        for way in ways_with(path, key):
            tags = way.tags
            if tags.get(key) not in wanted or any(
                tags.get(tag, "no") != "no" for tag in _ELSEWHERE
            ):
                continue
            places = [(n.lon, n.lat) for n in way.nodes if n.location.valid()]
            if len(places) >= 2:
                lines.append(shapely.LineString(places))
    except RuntimeError as error:
        raise unreadable(path, error) from error
    found = np.empty(len(lines), dtype=object)
    found[:] = lines
    return found
