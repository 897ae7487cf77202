"""A drawn OSM file as the auditor walks it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely

from tests.oracles.audit.attach import Joiner
from tests.oracles.audit.barriers import read_barriers
from tests.oracles.audit.goals import GoalFinder, Goals
from tests.oracles.audit.shortest import build_walks
from tests.oracles.audit.streets import read_streets

KUNMING = "EPSG:4543"


class World:
    """Streets, places and barriers of a drawn OSM file, walked by the auditor."""

    def __init__(self, osm: Path) -> None:
        self.osm = osm
        self.streets = read_streets(osm)
        self.joiner = Joiner.of(self.streets, KUNMING)

    def goals(self, facilities: Sequence[tuple[str, Any]]) -> list[Goals]:
        frame = gpd.GeoDataFrame(
            {"place": [name for name, _ in facilities]},
            geometry=[shape for _, shape in facilities],
            crs="EPSG:4326",
        )
        return GoalFinder.of(self.joiner, read_barriers(self.osm)).goals(frame)

    def minutes(self, cells: Any, facilities: Sequence[tuple[str, Any]]) -> Any:
        homes = self.joiner.join(shapely.points(np.asarray(cells, dtype=float)))
        walks = build_walks(self.streets, homes, self.goals(facilities))
        return walks.nearest_m(np.arange(len(facilities))) * 0.9 / 60


def closed_way(osm: Path, key: str, value: str) -> tuple[str, Any]:
    """The first closed way with a tag, as a facility."""
    import osmium

    for way in osmium.FileProcessor(str(osm)).with_locations():
        if way.is_way() and way.tags.get(key) == value:
            ring = [(node.lon, node.lat) for node in way.nodes]
            return f"way/{way.id}", shapely.Polygon(ring)
    raise AssertionError(key)
