"""Walks on edited streets: those of junctions anew, those of places only where they may differ."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, cast

import numpy as np

from lifecircle.analysis.access.nearest import (
    Along,
    Goals,
    NearestFacility,
    NodeField,
    along_of,
    fields_of,
    goals_of,
    nearest_from_positions,
    service_attachments,
)
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.edits.edited_walks import EditedWalks, RenewedWalks
from lifecircle.analysis.measures.edits.streets import EdgeMap, Streets
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array, IntArray

_SAME_M: Final = 1e-6
_BY_ID: Final = "junctions_by_id"
_PLACES: Final = 1 << 17  # more than there are decimetres on an edge


def travel_on(study: Study, streets: Streets, city: City, costs: WalkCosts) -> NearestFacility:
    """The walks of a city on edited streets, as `travel_table` has them; same cells, facilities.

    `city` is the one of the study reattached to the streets, `costs` those of its network.
    """
    old, services = study.travel, study.travel.services
    field = _Field.of(city, costs, services)
    differs = _changed_junctions(study, streets, field)
    edges = _changed_edges(study, streets, city, costs)
    cells, land = study.city.cells.position, study.city.land
    moved = _moved(streets.map, cells, city.cells.position)
    cell_cm, cell_facility = _renew(
        (old.cell_cm, old.cell_facility), city.cells.position, field, (moved, differs, edges)
    )
    land_cm = old.land_cm
    if land is not None and city.land is not None:
        moved = _moved(streets.map, land.position, city.land.position)
        land_cm, _ = _renew((land_cm, None), city.land.position, field, (moved, differs, edges))
    return NearestFacility(services, cell_cm, cell_facility, land_cm, field.cm, field.facility)


def travel_to(
    city: City, costs: WalkCosts, travel: NearestFacility, services: Sequence[str], before: Goals
) -> NearestFacility:
    """The walks with those to some services, whose facilities have changed, as they are now.

    `travel`: the walks to the facilities there were, by their rows in the city as it is now;
    `before`: where those that are gone were.
    """
    rows = [travel.services.index(service) for service in services]
    field = _Field.of(city, costs, services)
    nodes = [travel.nodes_to(row) for row in rows]
    differs: BoolArray = np.stack([cm for cm, _ in nodes]) != field.cm
    differs |= np.stack([facility for _, facility in nodes]) != field.facility
    edges = np.zeros(len(costs.edge_u), dtype=np.bool_)
    for goal in (before, *field.goals):
        edges[goal.edge] = True
    held = [travel.cells_to(row) for row in rows]
    still = np.zeros(len(city.cells), dtype=np.bool_)
    cell_cm, cell_facility = _renew(
        (np.stack([cm for cm, _ in held]), np.stack([facility for _, facility in held])),
        city.cells.position, field, (still, differs, edges),
    )  # fmt: skip

    @cache
    def land_cm() -> Int32Array:
        held = np.stack([travel.land_to(row) for row in rows])
        if city.land is None:
            return held
        still = np.zeros(len(city.land.area_m2), dtype=np.bool_)
        return _renew((held, None), city.land.position, field, (still, differs, edges))[0]

    renewed = {
        row: RenewedWalks(
            cell_cm[k], cell_facility[k], field.cm[k], field.facility[k], partial(_land, land_cm, k)
        )
        for k, row in enumerate(rows)
    }
    return EditedWalks(travel, None, renewed)


def _land(every: Callable[[], Int32Array], k: int) -> Int32Array:
    found: Int32Array = every()[k]
    return found


@dataclass(frozen=True, slots=True)
class _Field:
    """The walks of all junctions to the facilities of some services, (s, n)."""

    costs: WalkCosts
    goals: tuple[Goals, ...]
    cm: Int32Array
    facility: Int32Array

    @classmethod
    def of(cls, city: City, costs: WalkCosts, services: Sequence[str]) -> _Field:
        goals = tuple(goals_of(costs, service_attachments(city, service)) for service in services)
        return cls(costs, goals, *fields_of(costs, goals))


def _changed_junctions(study: Study, streets: Streets, field: _Field) -> BoolArray:
    """Which junctions have another walk to which service, bool (s, n)."""
    old, new = study.city.network.node_osm_id, streets.network.node_osm_id
    if _BY_ID not in study.kept:
        study.kept[_BY_ID] = np.argsort(old, kind="stable")
    order = cast(IntArray, study.kept[_BY_ID])
    rank = np.argsort(new)  # found in their order, which is quicker than one by one
    at = np.empty(len(new), dtype=np.int64)
    at[rank] = order[np.minimum(np.searchsorted(old[order], new[rank]), len(order) - 1)]
    travel = study.travel
    differs: BoolArray = travel.node_cm[:, at] != field.cm
    differs |= travel.node_facility[:, at] != field.facility
    differs |= old[at] != new
    return differs


def _changed_edges(study: Study, streets: Streets, city: City, costs: WalkCosts) -> BoolArray:
    """New edges that are no old one at its cost, or with other facilities on them, bool (m,)."""
    kept = streets.map.edge != NOBODY
    changed = np.ones(streets.network.edge_count, dtype=np.bool_)
    was, now = study.costs, streets.map.edge[kept]
    turned = streets.map.turned[kept]
    ahead, back = was.uv_cm[kept], was.vu_cm[kept]
    same = np.where(turned, back, ahead) == costs.uv_cm[now]
    same &= np.where(turned, ahead, back) == costs.vu_cm[now]
    changed[now] = ~same
    before, _ = streets.map.moved(study.city.facilities.attachment)
    sides = (
        (study.city.facilities.attached_facility, before),
        (city.facilities.attached_facility, city.facilities.attachment),
    )
    first, last = (_keys(places, position, len(changed)) for places, position in sides)
    changed[np.setxor1d(first, last) // _PLACES % len(changed)] = True
    return changed


def _keys(facility: Int32Array, position: Positions, edges: int) -> IntArray:
    """A number for each facility and each decimetre of an edge where it is joined, (k,)."""
    on = np.flatnonzero(position.edge != NOBODY)
    at = np.rint(position.at_m[on] * 10).astype(np.int64) % _PLACES
    key: IntArray = (facility[on].astype(np.int64) * edges + position.edge[on]) * _PLACES + at
    return key


def _moved(edge_map: EdgeMap, old: Positions, now: Positions) -> BoolArray:
    """Which positions stand elsewhere than where the edited streets carried them, bool (k,)."""
    before, gone = edge_map.moved(old)
    moved: BoolArray = np.asarray(gone | (before.edge != now.edge))
    moved |= np.abs(before.at_m - now.at_m) > _SAME_M
    moved |= (before.leg_m != now.leg_m) & ~(np.isnan(before.leg_m) & np.isnan(now.leg_m))
    return moved


def _renew(
    held: tuple[Int32Array, Int32Array | None],
    now: Positions,
    field: _Field,
    change: tuple[BoolArray, BoolArray, BoolArray],
) -> tuple[Int32Array, Int32Array]:
    """Walks of positions, renewed where they, their edge or its ends have changed.

    `change`: positions that moved (k,), junctions by service that differ (s, n), edges (m,).
    """
    cm = np.array(held[0])
    facility = cm if held[1] is None else np.array(held[1])
    costs, (moved, differs, edges) = field.costs, change
    on = now.edge != NOBODY
    edge = np.where(on, now.edge, 0)
    ends: BoolArray = np.asarray(differs.any(axis=0))
    near: BoolArray = np.asarray(edges | ends[costs.edge_u] | ends[costs.edge_v])
    rows = np.flatnonzero(moved | (on & near[edge]))
    if len(rows) == 0:
        return cm, facility
    mine = now.take(rows)
    along = along_of(costs, mine)
    always: BoolArray = np.asarray(moved[rows] | edges[edge[rows]])
    u, v = costs.edge_u[edge[rows]], costs.edge_v[edge[rows]]
    for k, goal in enumerate(field.goals):
        again = np.flatnonzero(always | differs[k, u] | differs[k, v])
        if len(again) == 0:
            continue
        found = nearest_from_positions(
            costs, goal, NodeField(field.cm[k], field.facility[k]), mine.take(again),
            along=Along(along.ahead_cm[again], along.back_cm[again], along.leg_cm[again]),
        )  # fmt: skip
        cm[k, rows[again]] = found.cm
        if held[1] is not None:
            facility[k, rows[again]] = found.facility
    return cm, facility
