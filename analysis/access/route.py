"""The walk from one place to its nearest facility: along which streets, how long, how far up.

The search outward from the facilities leaves at every junction the centimetres that are left
from there. A walk follows the streets along which that number falls by exactly their cost; its
length is therefore that of the tables to the centimetre.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.nearest import (
    NodeField,
    goals_of,
    nearest_from_positions,
)
from lifecircle.analysis.access.shortest import DEAD_END, along_edge
from lifecircle.analysis.access.walking import WalkCosts, leg_cm
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.policy.sections.terrain import TerrainRules
from lifecircle.analysis.quantities import UNREACHED_CM, FloatArray, Int32Array

_FAR = DEAD_END - 1
_HALF = 32
_SAME_M = 1e-6  # two ways of counting one stretch agree to a micrometre

Step = tuple[int, float, float, int]  # edge, from and to in metres from its u, cost in cm


@dataclass(frozen=True, slots=True)
class Route:
    """A walk over k stretches of streets, in the order they are walked.

    `cm`: the whole walk in centimetres on the flat, both access legs with it. `facility`: row of
    the facility it ends at. `start`, `goal`: where it joins and leaves the streets; `goal` is
    None where it ends on the spot, because the place lies on a street inside the facility.
    `edge` int32 (k,); `from_m`, `to_m` float64 (k,), geodesic metres from the edge's u (`to_m` is
    the smaller one where it is walked towards u); `cost_cm` int32 (k,).
    """

    cm: int
    facility: int
    start: Positions
    goal: Positions | None
    edge: Int32Array
    from_m: FloatArray
    to_m: FloatArray
    cost_cm: Int32Array

    @property
    def length_m(self) -> float:
        """Geodesic metres walked, both access legs with it; slope not counted."""
        legs = self.start.leg_m[0] + (0.0 if self.goal is None else self.goal.leg_m[0])
        return float(np.abs(self.to_m - self.from_m).sum() + legs)


@dataclass(frozen=True, slots=True)
class _End:
    """A place where facilities are met: its row among the attachments and the cost to it."""

    row: int
    cm: int
    steps: tuple[Step, ...]


def find_route(
    costs: WalkCosts, attachments: Attachments, field: NodeField, start: Positions
) -> Route | None:
    """The walk from one position to the nearest of the facilities; None where there is no way.

    `field`: centimetres left from every junction, as `nearest_from_nodes` finds them for
    the same facilities.
    """
    found = nearest_from_positions(costs, goals_of(costs, attachments), field, start)
    cm, facility = int(found.cm[0]), int(found.facility[0])
    if cm == UNREACHED_CM:
        return None
    search = _Search.of(costs, attachments, field, facility)
    steps, row = search.walk(start, cm)
    goal = attachments.position.take(np.array([row]))
    edge, from_m, to_m, cost = zip(*steps, strict=True) if steps else ((), (), (), ())
    return Route(
        cm,
        facility,
        start,
        None if goal.is_stretch[0] else goal,
        np.array(edge, dtype=np.int32),
        np.array(from_m, dtype=np.float64),
        np.array(to_m, dtype=np.float64),
        np.array(cost, dtype=np.int32),
    )


@dataclass(frozen=True, slots=True)
class _Search:
    """The facility walked to, and the field of junctions it is walked down by.

    `rows`: attachments of the facility; `ahead`, `back`, `leg`: their costs, cm, as in
    `nearest.Goals`.
    """

    costs: WalkCosts
    position: Positions
    field: NodeField
    facility: int
    rows: list[int]
    ahead: Int32Array
    back: Int32Array
    leg: Int32Array

    @classmethod
    def of(
        cls, costs: WalkCosts, attachments: Attachments, field: NodeField, facility: int
    ) -> _Search:
        """The search for one facility among the attachments."""
        at = attachments.position
        rows = np.flatnonzero(attachments.facility == facility).tolist()
        return cls(
            costs, at, field, facility, rows, costs.ahead_cm(at), costs.back_cm(at.ends), leg_cm(at)
        )

    def walk(self, start: Positions, cm: int) -> tuple[list[Step], int]:
        """Stretches of a walk of `cm` from `start`, and the row it ends at."""
        edge, at_m = int(start.edge[0]), float(start.at_m[0])
        left = cm - int(leg_cm(start)[0])
        here = self._along(start)
        if here is not None and here.cm == left:
            return list(here.steps), here.row
        costs, length_m = self.costs, float(self.costs.length_m[edge])
        back = int(costs.back_cm(start)[0])
        ahead = int(costs.uv_cm[edge]) - int(costs.ahead_cm(start)[0])
        exits = (
            (int(costs.edge_u[edge]), (edge, at_m, 0.0, back)),
            (int(costs.edge_v[edge]), (edge, at_m, length_m, ahead)),
        )
        for node, step in exits:
            if self._fits(node, left - step[3]):
                steps, row = self._down(node)
                return [step, *steps], row
        raise AssertionError("a walk in the table has no way on the streets")

    def _along(self, start: Positions) -> _End | None:
        """The shortest walk that never leaves the edge of the start."""
        edge, at_m = int(start.edge[0]), float(start.at_m[0])
        ahead, back = int(self.costs.ahead_cm(start)[0]), int(self.costs.back_cm(start)[0])
        best: _End | None = None
        for row in self.rows:
            if self.position.edge[row] != edge:
                continue
            along = along_edge(ahead, back, int(self.ahead[row]), int(self.back[row]))
            inner = bool(self.position.is_stretch[row])
            if inner and along:
                continue
            cm = along if inner else along + int(self.leg[row])
            to_m = float(self.position.at_m[row])
            steps = () if inner else ((edge, at_m, to_m, along),)
            if best is None or cm < best.cm:
                best = _End(row, cm, steps)
        return best

    def _fits(self, node: int, left: int) -> bool:
        """Whether `left` centimetres lead from a junction to the facility."""
        return int(self.field.facility[node]) == self.facility and int(self.field.cm[node]) == left

    def _ends(self) -> dict[int, _End]:
        """Junctions at the ends of the facility's own edges, and the walk from there to it."""
        found: dict[int, _End] = {}
        costs = self.costs
        for row in self.rows:
            if self.position.is_stretch[row]:
                continue
            edge, at_m = int(self.position.edge[row]), float(self.position.at_m[row])
            by_u = int(self.ahead[row])
            by_v = int(costs.vu_cm[edge]) - int(self.back[row])
            for node, along, from_m in (
                (int(costs.edge_u[edge]), by_u, 0.0),
                (int(costs.edge_v[edge]), by_v, float(costs.length_m[edge])),
            ):
                cm = along + int(self.leg[row])
                if node not in found or cm < found[node].cm:
                    found[node] = _End(row, cm, ((edge, from_m, at_m, along),))
        return found

    def _down(self, first: int) -> tuple[list[Step], int]:
        """Stretches from a junction down the field to the facility.

        Streets of no length make junctions of equal distance: each is looked at once.
        """
        ends = self._ends()
        seen = {first}
        trail: list[tuple[int, Step | None, Iterator[tuple[int, Step]]]] = [
            (first, None, self._lower(first))
        ]
        while trail:
            node, _, onward = trail[-1]
            end = ends.get(node)
            if end is not None and end.cm == int(self.field.cm[node]):
                steps = [step for _, step, _ in trail if step is not None]
                return [*steps, *end.steps], end.row
            for far, step in onward:
                if far not in seen:
                    seen.add(far)
                    trail.append((far, step, self._lower(far)))
                    break
            else:
                trail.pop()
        raise AssertionError("the field of the junctions leads nowhere")

    def _lower(self, node: int) -> Iterator[tuple[int, Step]]:
        """Neighbours that are nearer by exactly the cost of the street to them."""
        costs, left = self.costs, int(self.field.cm[node])
        for half in range(int(costs.start[node]), int(costs.start[node + 1])):
            far, cost = int(costs.away[half] & _FAR), int(costs.away[half] >> _HALF)
            if self._fits(far, left - cost):
                edge = int(costs.half_edge[half])
                length_m = float(costs.length_m[edge])
                forth = bool(costs.half_from_u[half])
                yield far, (edge, *((0.0, length_m) if forth else (length_m, 0.0)), cost)


def route_line(network: WalkNetwork, route: Route) -> FloatArray:
    """The walk as points (p, 2) in the metric CRS, from where it joins the streets to its end."""
    parts = [route.start.xy_m[:1]]
    for edge, from_m, to_m in zip(
        route.edge.tolist(), route.from_m.tolist(), route.to_m.tolist(), strict=True
    ):
        parts.append(_cut(network, edge, from_m, to_m))
    if route.goal is not None:
        parts.append(route.goal.xy_m[:1])
    xy = np.concatenate(parts)
    moved = np.ones(len(xy), dtype=bool)
    moved[1:] = np.abs(np.diff(xy, axis=0)).max(axis=1) > _SAME_M
    line: FloatArray = xy[moved]
    return line


def _cut(network: WalkNetwork, edge: int, from_m: float, to_m: float) -> FloatArray:
    """The part of an edge between two places on it, in the order it is walked."""
    a, b = int(network.vertex_start[edge]), int(network.vertex_start[edge + 1])
    at_m, xy = network.vertex_at_m[a:b], network.vertex_xy_m[a:b]
    low, high = sorted((from_m, to_m))
    between = (at_m > low) & (at_m < high)
    ends = np.array([[np.interp(m, at_m, xy[:, k]) for k in (0, 1)] for m in (low, high)])
    line: FloatArray = np.concatenate((ends[:1], xy[between], ends[1:]))
    return line if from_m <= to_m else line[::-1]


def route_ascent_m(network: WalkNetwork, route: Route, rules: TerrainRules) -> float | None:
    """Metres climbed on a walk, as they count in its time; None where slope does not count.

    Heights are not kept with a run: the rise is read back from what it adds to the walk, which
    is counted with the policy's steepest slope and its stairs.
    """
    if network.slope is None:
        return None
    total = 0.0
    for edge, from_m, to_m in zip(
        route.edge.tolist(), route.from_m.tolist(), route.to_m.tolist(), strict=True
    ):
        a, b = int(network.slope.point_start[edge]), int(network.slope.point_start[edge + 1])
        at_m = network.slope.point_at_m[a:b]
        rise_m = _rises(
            np.diff(at_m),
            np.diff(network.slope.extra_uv_m[a:b]),
            np.diff(network.slope.extra_vu_m[a:b]),
            rules,
        )
        up_m = np.maximum(rise_m if from_m <= to_m else -rise_m, 0.0)
        climbed = np.concatenate(([0.0], np.cumsum(up_m)))
        total += abs(float(np.interp(to_m, at_m, climbed) - np.interp(from_m, at_m, climbed)))
    return total


def _rises(
    run_m: FloatArray, extra_uv_m: FloatArray, extra_vu_m: FloatArray, rules: TerrainRules
) -> FloatArray:
    """Metres that each piece rises from u to v, from what it adds each way.

    Uphill, Tobler's function can be turned round; a piece whose way down does not fit is stairs.
    """
    steepness, offset = rules.tobler_steepness.value, rules.tobler_offset.value
    up, down = np.maximum(extra_uv_m, extra_vu_m), np.minimum(extra_uv_m, extra_vu_m)
    whole = np.maximum(run_m, np.finfo(np.float64).tiny)
    slope = np.log1p(np.maximum(up, 0.0) / whole) / steepness
    expected = run_m * np.expm1(steepness * (np.abs(offset - slope) - offset))
    street = np.abs(expected - down) <= _SAME_M
    slower = rules.stairs_level_m_per_s.value / rules.stairs_up_m_per_s.value - 1.0
    steps = up / slower * rules.stairs_gradient.value
    rise_m: FloatArray = np.where(street, slope * run_m, steps)
    return np.where(extra_uv_m >= extra_vu_m, rise_m, -rise_m)
