"""Which crossings of an outline nobody can pass: closed gates, and fences without a gate.

Source: DEFINITIONS.md, Attachment.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.quantities import BoolArray, FloatArray, IntArray
from lifecircle.analysis.readers.osm.gates import Gates

_ON_EDGE_M: Final = 0.01
_GRID_M: Final = 0.01  # corners of outlines and fences are the same node of OpenStreetMap
_NOTHING: Final = shapely.STRtree([])

_STEP: Final = np.int64(1) << 32  # between corners of one column and the next

Corner = int


@dataclass(frozen=True, slots=True)
class Barred:
    """Gates and fences in the network's metric CRS.

    A gate `within_m` of a crossing stands on it. `corner` tells the open gates by their place.
    """

    within_m: float
    gate: Any
    is_open: BoolArray
    fenced: frozenset[tuple[Corner, Corner]]
    corner: frozenset[Corner]

    @classmethod
    def of(cls, gates: Gates | None, crs: str, within_m: float | None) -> Barred | None:
        """None where nothing is known of any, or nothing is asked."""
        if gates is None or within_m is None or not (len(gates.gate) or len(gates.fence)):
            return None
        xy = to_metric(gates.gate, crs)
        ends = to_metric(gates.fence.reshape(-1, 2), crs)
        corner = _corners(ends)
        return cls(
            within_m,
            shapely.STRtree(np.asarray(shapely.points(xy))) if len(xy) else _NOTHING,
            gates.is_open,
            frozenset(_edge_names(corner[::2], corner[1::2])),
            frozenset(_corners(xy[gates.is_open]).tolist()),
        )

    def passable(self, xy_m: FloatArray, shape: shapely.Geometry) -> BoolArray:
        """Which of some crossings (k, 2) of the outline of an area can be passed, bool (k,)."""
        able = np.ones(len(xy_m), dtype=bool)
        gated = np.zeros(len(xy_m), dtype=bool)
        points: Any = shapely.points(xy_m)
        if len(self.gate.geometries):
            at, gate = self.gate.query_nearest(
                points, max_distance=self.within_m, all_matches=False
            )
            gated[at], able[at] = True, self.is_open[gate]
        if not self.fenced or gated.all():
            return able
        edges, fenced = self._edges(shape)
        if fenced.any():
            bare = shapely.STRtree(_lines(edges[~fenced]))
            loose = np.flatnonzero(~gated)
            free = bare.query(points[loose], predicate="dwithin", distance=_ON_EDGE_M)[0]
            able[loose] = np.isin(np.arange(len(loose)), free)
        return able

    def outline(self, shape: shapely.Geometry) -> shapely.Geometry:
        """The outline as the nearest street is looked for from: of fences only the open gates."""
        whole = shapely.boundary(shape)
        if not self.fenced:
            return whole
        edges, fenced = self._edges(shape)
        if not fenced.any():
            return whole
        ends = np.unique(edges[fenced].reshape(-1, 2), axis=0)
        names = _corners(ends).tolist()
        gates = [xy for xy, one in zip(ends, names, strict=True) if one in self.corner]
        kept = [*_lines(edges[~fenced]), *map(shapely.Point, gates)]
        return shapely.GeometryCollection(kept) if kept else whole

    def _edges(self, shape: shapely.Geometry) -> tuple[FloatArray, BoolArray]:
        """The straight edges of all rings (k, 2, 2), and which of them are fenced."""
        xy, ring = shapely.get_coordinates(
            shapely.get_rings(shapely.get_parts(shape)), return_index=True
        )
        edge = np.flatnonzero(ring[:-1] == ring[1:])
        names = _corners(xy)
        fenced = [one in self.fenced for one in _edge_names(names[edge], names[edge + 1])]
        return np.stack((xy[edge], xy[edge + 1]), axis=1), np.array(fenced, dtype=bool)


def _lines(edges: FloatArray) -> np.ndarray:
    lines: Any = shapely.linestrings(edges)
    return np.asarray(lines, dtype=object)


def _edge_names(one: IntArray, other: IntArray) -> Iterator[tuple[Corner, Corner]]:
    """Edges (k,) by their corners, either way the same."""
    return zip(np.minimum(one, other).tolist(), np.maximum(one, other).tolist(), strict=True)


def _corners(xy_m: FloatArray) -> IntArray:
    """One number for each place (k,)."""
    column, row = np.rint(xy_m / _GRID_M).astype(np.int64).T
    numbers: IntArray = column * _STEP + row
    return numbers
