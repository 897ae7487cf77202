"""Railways, rivers and main roads of an OpenStreetMap file that walking may not cross."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import Tags, WalkRules
from lifecircle.analysis.policy.sections.terrain import BarrierRules
from lifecircle.analysis.quantities import ObjectArray
from lifecircle.analysis.readers.osm.source import broken_file, check_osm_file
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets, ways_with
from lifecircle.analysis.readers.records.cells import object_array

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
        raise broken_file(path, error) from error
    return object_array(lines)


@dataclass(frozen=True, slots=True)
class _ClosedToWalkers:
    """Main roads along which nobody may walk: they bar the way all the same."""

    rules: WalkRules
    main_road: frozenset[str]

    def walkable(self, tags: Tags) -> bool:
        """Whether a way is one of them."""
        return tags.get("highway") in self.main_road and not self.rules.walkable(tags)


def read_closed_main_roads(
    path: Path, rules: WalkRules, barriers: BarrierRules
) -> RawStreets | None:
    """Main roads of a file that people may not walk along, None where there are none.

    Raises
    ------
    InputError
        The file cannot be read.
    """
    try:
        return read_streets(path, _ClosedToWalkers(rules, frozenset(barriers.main_road)))
    except InputError as error:
        if error.faults[0].key == "osm_no_streets":
            return None
        raise
