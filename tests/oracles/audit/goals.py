"""Where facilities are reached: nearest edge of a place or building, every crossing of an area."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from scipy.spatial import KDTree

from tests.oracles.audit.areas import GRID, Meeting, Outline, meeting, outline_of, to_grid
from tests.oracles.audit.attach import MIN_COMPONENT_M, MIN_PIECE_M, Joiner
from tests.oracles.audit.barriers import Barriers, Spot
from tests.oracles.audit.streets import Bools, Streets

GATE_M = 1.0  # a gate this near to a crossing lies on it


@dataclass(slots=True)
class Goals:
    """Where one facility is reached: (segment, share, leg) and stretches that are inside it."""

    at: list[tuple[int, float, float]] = field(default_factory=list)
    inside: list[tuple[int, float, float]] = field(default_factory=list)
    crossed: bool = False  # a street crosses or enters it
    closed: set[Spot] = field(default_factory=set)  # crossings that gates take away
    fenced: set[Spot] = field(default_factory=set)  # crossings that fences take away
    short_piece: bool = False


@dataclass(frozen=True, slots=True)
class GoalFinder:
    """Works out the goals of facilities as drawn."""

    joiner: Joiner
    barriers: Barriers
    tree: Any  # segments of pieces large enough, in degrees
    rows: Any
    gates: Any  # of all gates, in metres
    open: list[bool]
    landing: Bools  # nodes where a bridge or tunnel ends

    @classmethod
    def of(cls, joiner: Joiner, barriers: Barriers) -> GoalFinder:
        streets = joiner.streets
        rows = np.flatnonzero(streets.component_m >= MIN_PIECE_M)
        ends = np.stack([streets.lonlat[streets.a[rows]], streets.lonlat[streets.b[rows]]], axis=1)
        spots = np.array(sorted(barriers.gates), dtype=float).reshape(-1, 2) / GRID
        xy = np.column_stack(joiner.to_metres.transform(spots[:, 0], spots[:, 1]))
        return cls(
            joiner=joiner,
            barriers=barriers,
            tree=shapely.STRtree(shapely.linestrings(ends)),
            rows=rows,
            gates=KDTree(xy) if len(xy) else None,
            open=[barriers.gates[spot] for spot in sorted(barriers.gates)],
            landing=streets.landing,
        )

    def goals(self, facilities: gpd.GeoDataFrame) -> list[Goals]:
        """One for each row (place: its id of OpenStreetMap; geometry in WGS84)."""
        shapes = np.asarray(facilities.geometry.array, dtype=object)
        surface = shapely.get_dimensions(shapes) == 2
        building = facilities["place"].isin(self.barriers.buildings).to_numpy()
        found = [Goals() for _ in range(len(shapes))]
        nearest = shapes.copy()
        for row in np.flatnonzero(surface).tolist():
            nearest[row] = shapely.boundary(shapes[row])
            if not building[row]:
                found[row], nearest[row] = self._area(shapes[row])
        lacking = np.array([not _joins_large(self.joiner.streets, one) for one in found])
        joined = self.joiner.join(nearest[lacking])
        for row, k in zip(np.flatnonzero(lacking).tolist(), range(len(joined)), strict=True):
            # A short piece serves only where nothing else does.
            if joined.snapped[k] and not (joined.short_piece[k] and found[row].at):
                place = (int(joined.segment[k]), float(joined.share[k]), float(joined.leg_m[k]))
                found[row].at.append(place)
                found[row].short_piece = bool(joined.short_piece[k])
        return found

    def _area(self, shape: Any) -> tuple[Goals, Any]:
        """Crossings of an area, and what the nearest street is looked for from without any."""
        outline = outline_of(shape)
        fenced = np.array(
            [frozenset((_spot(p), _spot(q))) in self.barriers.fenced
             for p, q in zip(outline.p, outline.q, strict=True)]
        )  # fmt: skip
        goals = Goals()
        for row, met in self._meetings(shape, outline):
            goals.crossed = True
            self._join(goals, row, met, fenced)
        return goals, self._without_crossing(shape, outline, fenced)

    def _meetings(self, shape: Any, outline: Outline) -> Iterator[tuple[int, Meeting]]:
        """Segments that meet an area, bridges and tunnels too."""
        streets = self.joiner.streets
        box = shapely.box(*shapely.buffer(shape, 2 / GRID).bounds)
        for row in np.sort(self.rows[self.tree.query(box)]).tolist():
            a, b = to_grid(streets.lonlat[[streets.a[row], streets.b[row]]])
            met = meeting(a, b, outline)
            if met is not None:
                yield row, met

    def _join(self, goals: Goals, row: int, met: Meeting, fenced: Any) -> None:
        streets = self.joiner.streets
        on = met.on
        if streets.aloft[row]:
            on = tuple(one for one in on if self._lands(row, one[0]))
            self._join_ends(goals, row, met)
        else:
            goals.inside.extend((row, low, high) for low, high in met.inside)
        for share, edges in on:
            gate = self._gate(row, share)
            if gate is False:
                goals.closed.add(self._spot(row, share))
            elif gate is None and fenced[list(edges)].all():
                goals.fenced.add(self._spot(row, share))
            else:
                goals.at.append((row, share, 0.0))

    def _spot(self, row: int, share: float) -> Spot:
        """A place of a segment on the grid."""
        streets = self.joiner.streets
        ends = streets.lonlat[[streets.a[row], streets.b[row]]]
        return _spot(to_grid(ends[0] + share * (ends[1] - ends[0])))

    def _join_ends(self, goals: Goals, row: int, met: Meeting) -> None:
        """A bridge or tunnel counts at its ends inside the area, fences or not."""
        crossed = {share for share, _ in met.on}
        for share in {0.0, 1.0} - crossed:
            inside = any(low <= share <= high for low, high in met.inside)
            if inside and self._lands(row, share):
                goals.at.append((row, share, 0.0))

    def _lands(self, row: int, share: float) -> bool:
        """Whether a place of a bridge or tunnel is one of its ends, and people get off there."""
        streets = self.joiner.streets
        node = {0.0: streets.a[row], 1.0: streets.b[row]}.get(share)
        return node is not None and bool(self.landing[node])

    def _gate(self, row: int, share: float) -> bool | None:
        """Whether the gate at a place of a segment is open; None without a gate."""
        if self.gates is None:
            return None
        ends = self.joiner.node_xy[[self.joiner.streets.a[row], self.joiner.streets.b[row]]]
        apart, nearest = self.gates.query(ends[0] + share * (ends[1] - ends[0]))
        return self.open[nearest] if apart <= GATE_M else None

    def _without_crossing(self, shape: Any, outline: Outline, fenced: Any) -> Any:
        """The outline; of fenced stretches their open gates and entrances only."""
        if not fenced.any():
            return shapely.boundary(shape)
        spots = {_spot(end) for end in np.concatenate([outline.p[fenced], outline.q[fenced]])}
        gates = [spot for spot in spots if self.barriers.gates.get(spot, False)]
        bare = np.stack([outline.p[~fenced], outline.q[~fenced]], axis=1) / GRID
        kept = [*shapely.linestrings(bare), *shapely.points(np.array(gates).reshape(-1, 2) / GRID)]
        return shapely.geometrycollections(kept) if kept else shapely.boundary(shape)


def _spot(place: Any) -> Spot:
    return int(place[0]), int(place[1])


def _joins_large(streets: Streets, goals: Goals) -> bool:
    return any(streets.component_m[row] >= MIN_COMPONENT_M for row, _, _ in goals.at)
