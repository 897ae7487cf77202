"""Walking distances from every cell, land sample and junction to the nearest facility.

Exact with positions on edges at both ends: access leg, along the edge, through the network,
along the edge, access leg; or straight along the edge when both lie on one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.shortest import SHIFT, nearest_of_positions, nearest_sources
from lifecircle.analysis.access.walking import WalkCosts, leg_cm
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import NOBODY, UNREACHED_CM, BoolArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class NearestFacility:
    """Nearest facility of every service (rows in the order of `services`, s of them).

    Distances are int32 centimetres of walking on the flat at any walker's speed
    (slope already weighed in), ``UNREACHED_CM`` where there is no way;
    facilities are indices into ``city.facilities``, -1 where there is none.

    cell_cm, cell_facility : (s, cells); land_cm : (s, samples) or (s, 0);
    node_cm, node_facility : (s, junctions).
    """

    services: tuple[str, ...]
    cell_cm: Int32Array
    cell_facility: Int32Array
    land_cm: Int32Array
    node_cm: Int32Array
    node_facility: Int32Array

    def __repr__(self) -> str:
        cells = self.cell_cm.shape[-1]
        return f"<NearestFacility: {len(self.services)} services from {cells:,} cells>"

    def row(self, service: str) -> int:
        """Row of a service."""
        return self.services.index(service)

    def cells_to(self, row: int) -> tuple[Int32Array, Int32Array]:
        """Walks of the cells (c,) to the service of a row, and to which facility."""
        return self.cell_cm[row], self.cell_facility[row]

    def nodes_to(self, row: int) -> tuple[Int32Array, Int32Array]:
        """Walks of the junctions (n,) to the service of a row, and to which facility."""
        return self.node_cm[row], self.node_facility[row]

    def land_to(self, row: int) -> Int32Array:
        """Walks of the land samples to the service of a row."""
        found: Int32Array = self.land_cm[row]
        return found

    def without_land(self) -> NearestFacility:
        """The same walks but for those of land samples, of which there are none."""
        return NearestFacility(
            self.services,
            self.cell_cm,
            self.cell_facility,
            np.empty((len(self.services), 0), dtype=np.int32),
            self.node_cm,
            self.node_facility,
        )


@dataclass(frozen=True, slots=True)
class Goals:
    """Facilities of one service ready for the kernels, sorted by edge (a positions).

    A stretch inside an area has `ahead_cm` of its near end, `back_cm` of its far one, so that it
    is no way from between them, and `leg_cm` -1: from elsewhere nobody comes in by it.
    """

    facility: Int32Array
    edge: Int32Array
    ahead_cm: Int32Array
    back_cm: Int32Array
    leg_cm: Int32Array

    @property
    def inner(self) -> BoolArray:
        """Which are stretches inside areas, bool (a,)."""
        return np.asarray(self.leg_cm < 0)


@dataclass(frozen=True, slots=True)
class NodeField:
    """Distance (cm) to the nearest facility and which, for every junction, int32 (n,)."""

    cm: Int32Array
    facility: Int32Array


def goals_of(costs: WalkCosts, attachments: Attachments) -> Goals:
    """Facilities' positions as goals of a walk."""
    order = np.lexsort((attachments.facility, attachments.position.edge))
    position = attachments.position.take(order)
    return Goals(
        attachments.facility[order],
        position.edge,
        costs.ahead_cm(position),
        costs.back_cm(position.ends),
        goal_leg_cm(position),
    )


def goal_leg_cm(position: Positions) -> Int32Array:
    """Access legs of goals, -1 for stretches inside areas."""
    return np.where(position.is_stretch, np.int32(-1), leg_cm(position)).astype(np.int32)


def nearest_from_nodes(costs: WalkCosts, goals: Goals, limit_cm: int | None = None) -> NodeField:
    """Distance from every junction to the nearest goal, not beyond `limit_cm`."""
    cm, facility = fields_of(costs, (goals,), limit_cm)
    return NodeField(cm[0], facility[0])


def fields_of(
    costs: WalkCosts, services: Sequence[Goals], limit_cm: int | None = None
) -> tuple[Int32Array, Int32Array]:
    """Distance (cm) from every junction to the nearest goal of each service, and which: (s, n)."""
    cm = np.empty((len(services), len(costs.start) - 1), dtype=np.int32)
    facility = np.empty_like(cm)
    seeds = [_seeds(costs, goals) for goals in services]
    seed_cm = np.concatenate([by for _, by, _ in seeds]) if seeds else np.zeros(0, dtype=np.int64)
    spread = max((int(np.ptp(by)) for _, by, _ in seeds if len(by)), default=0)
    nearest_sources(
        costs.start,
        costs.link,
        np.cumsum([0, *(len(by) for _, by, _ in seeds)]),
        np.concatenate([node for node, _, _ in seeds] or [np.zeros(0, dtype=np.int32)]),
        seed_cm,
        np.concatenate([which for _, _, which in seeds] or [np.zeros(0, dtype=np.int32)]),
        costs.within_cm(limit_cm),
        SHIFT,
        costs.bucket_count(spread),
        cm,
        facility,
    )
    return cm, facility


def _seeds(costs: WalkCosts, goals: Goals) -> tuple[Int32Array, IntArray, Int32Array]:
    """Where goals touch the graph: both junctions of their edges, how far off, which facility."""
    k = np.flatnonzero(~goals.inner)
    edge, facility, leg = goals.edge[k], goals.facility[k], goals.leg_cm[k].astype(np.int64)
    by_u = leg + goals.ahead_cm[k]
    by_v = leg + costs.vu_cm[edge] - goals.back_cm[k]
    return (
        np.concatenate((costs.edge_u[edge], costs.edge_v[edge])),
        np.concatenate((by_u, by_v)),
        np.concatenate((facility, facility)),
    )


@dataclass(frozen=True, slots=True)
class Along:
    """Costs of k positions, int32 (k,): from their edge's u, back to it, and the access leg."""

    ahead_cm: Int32Array
    back_cm: Int32Array
    leg_cm: Int32Array


def along_of(costs: WalkCosts, positions: Positions) -> Along:
    """The costs of positions along their edges."""
    return Along(costs.ahead_cm(positions), costs.back_cm(positions), leg_cm(positions))


def nearest_from_positions(
    costs: WalkCosts,
    goals: Goals,
    field: NodeField,
    positions: Positions,
    limit_cm: int | None = None,
    along: Along | None = None,
) -> NodeField:
    """Distance from positions on edges to the nearest goal, given the field of the junctions.

    `along`: what `along_of` makes of the positions, where it is asked for more than once.
    """
    known = along_of(costs, positions) if along is None else along
    cm, facility = nearest_of_positions(
        positions.edge,
        known.ahead_cm,
        known.back_cm,
        known.leg_cm,
        costs.edge_u,
        costs.edge_v,
        costs.uv_cm,
        field.cm,
        field.facility,
        goals.edge,
        goals.ahead_cm,
        goals.back_cm,
        goals.leg_cm,
        goals.facility,
        costs.within_cm(limit_cm),
    )
    return NodeField(cm, facility)


def service_attachments(city: City, service: str) -> Attachments:
    """The positions of one service's facilities (indices into ``city.facilities``)."""
    facilities = city.facilities
    chosen = np.flatnonzero(facilities.of_service(service)[facilities.attached_facility])
    return Attachments(facilities.attached_facility[chosen], facilities.attachment.take(chosen))


def travel_table(
    city: City,
    costs: WalkCosts,
    services: Sequence[str],
    progress: Callable[[str], None] | None = None,
) -> NearestFacility:
    """Unbounded nearest distances of all services for cells, land samples and junctions."""
    land = (
        city.land.position
        if city.land is not None
        else city.cells.position.take(np.zeros(0, dtype=np.int64))
    )
    shapes = (len(city.cells), len(city.cells), len(land))
    cell_cm, cell_facility, land_cm = (
        np.empty((len(services), size), dtype=np.int32) for size in shapes
    )
    every = [goals_of(costs, service_attachments(city, service)) for service in services]
    node_cm, node_facility = fields_of(costs, every)
    along_cells, along_land = along_of(costs, city.cells.position), along_of(costs, land)
    for row, (service, goals) in enumerate(zip(services, every, strict=True)):
        field = NodeField(node_cm[row], node_facility[row])
        cells = nearest_from_positions(costs, goals, field, city.cells.position, along=along_cells)
        samples = nearest_from_positions(costs, goals, field, land, along=along_land)
        cell_cm[row], cell_facility[row] = cells.cm, cells.facility
        land_cm[row] = samples.cm
        if progress is not None:
            progress(service)
    return NearestFacility(tuple(services), cell_cm, cell_facility, land_cm, node_cm, node_facility)


def from_positions(
    city: City, costs: WalkCosts, travel: NearestFacility, positions: Positions
) -> tuple[Int32Array, Int32Array]:
    """Nearest facility of every service from any positions: cm and facility, (s, k)."""
    cm = np.full((len(travel.services), len(positions)), UNREACHED_CM, dtype=np.int32)
    facility = np.full(cm.shape, NOBODY, dtype=np.int32)
    for row, service in enumerate(travel.services):
        goals = goals_of(costs, service_attachments(city, service))
        field = NodeField(travel.node_cm[row], travel.node_facility[row])
        near = nearest_from_positions(costs, goals, field, positions)
        cm[row], facility[row] = near.cm, near.facility
    return cm, facility
