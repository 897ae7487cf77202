"""Walks on edited streets: those of junctions anew, those of places only where they may differ."""

from __future__ import annotations

from typing import Final

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
from lifecircle.analysis.measures.edits.streets import EdgeMap, Streets
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array, IntArray

_SAME_M: Final = 1e-6
_PLACES: Final = 1 << 17  # more than there are decimetres on an edge


def travel_on(study: Study, streets: Streets, city: City, costs: WalkCosts) -> NearestFacility:
    """The walks of a city on edited streets, as `travel_table` has them; same cells, facilities.

    `city` is the one of the study reattached to the streets, `costs` those of its network.
    """
    old, services = study.travel, study.travel.services
    goals = [goals_of(costs, service_attachments(city, service)) for service in services]
    node_cm, node_facility = fields_of(costs, goals)
    differs = _changed_junctions(study, streets, node_cm, node_facility)
    edges = _changed_edges(study, streets, city, costs)
    cell_cm, cell_facility = _part(
        (np.array(old.cell_cm), np.array(old.cell_facility)),
        (study.city.cells.position, city.cells.position),
        (costs, goals, node_cm, node_facility),
        (streets.map, differs, edges),
    )
    land_cm = np.array(old.land_cm)
    if city.land is not None and study.city.land is not None:
        land_cm, _ = _part(
            (land_cm, None),
            (study.city.land.position, city.land.position),
            (costs, goals, node_cm, node_facility),
            (streets.map, differs, edges),
        )
    return NearestFacility(services, cell_cm, cell_facility, land_cm, node_cm, node_facility)


def _changed_junctions(
    study: Study, streets: Streets, cm: Int32Array, facility: Int32Array
) -> BoolArray:
    """Which junctions have another walk to which service, bool (s, n)."""
    old, new = study.city.network.node_osm_id, streets.network.node_osm_id
    order = np.argsort(old, kind="stable")
    at = order[np.minimum(np.searchsorted(old, new, sorter=order), len(order) - 1)]
    travel = study.travel
    differs: BoolArray = (travel.node_cm[:, at] != cm) | (travel.node_facility[:, at] != facility)
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


def _part(
    held: tuple[Int32Array, Int32Array | None],
    positions: tuple[Positions, Positions],
    field: tuple[WalkCosts, list[Goals], Int32Array, Int32Array],
    change: tuple[EdgeMap, BoolArray, BoolArray],
) -> tuple[Int32Array, Int32Array]:
    """Walks of some positions: renewed where they, their edge or its ends have changed."""
    cm, facility = held
    costs, goals, node_cm, node_facility = field
    edge_map, differs, edges = change
    before, gone = edge_map.moved(positions[0])
    now = positions[1]
    moved: BoolArray = np.asarray(gone | (before.edge != now.edge))
    moved |= np.abs(before.at_m - now.at_m) > _SAME_M
    moved |= (before.leg_m != now.leg_m) & ~(np.isnan(before.leg_m) & np.isnan(now.leg_m))
    on = now.edge != NOBODY
    edge = np.where(on, now.edge, 0)
    ends: BoolArray = np.asarray(differs.any(axis=0))
    near: BoolArray = np.asarray(edges | ends[costs.edge_u] | ends[costs.edge_v])
    stale = moved | (on & near[edge])
    rows = np.flatnonzero(stale)
    if len(rows) == 0:
        return cm, cm if facility is None else facility
    mine = now.take(rows)
    along = along_of(costs, mine)
    always = np.asarray(moved[rows] | edges[edge[rows]])
    u, v = costs.edge_u[edge[rows]], costs.edge_v[edge[rows]]
    for k, goal in enumerate(goals):
        again = np.flatnonzero(always | differs[k, u] | differs[k, v])
        if len(again) == 0:
            continue
        found = nearest_from_positions(
            costs, goal, NodeField(node_cm[k], node_facility[k]), mine.take(again),
            along=Along(along.ahead_cm[again], along.back_cm[again], along.leg_cm[again]),
        )  # fmt: skip
        cm[k, rows[again]] = found.cm
        if facility is not None:
            facility[k, rows[again]] = found.facility
    return cm, cm if facility is None else facility
