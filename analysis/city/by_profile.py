"""The city as a profile of travelling finds it: its own roads, and where everything joins them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import shapely

from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments, attach_facilities
from lifecircle.analysis.city.streets.roads import RoadJoins, RoadNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import NOBODY, Int32Array, IntArray

_AREAL = 2  # dimension of polygons


@dataclass(frozen=True, slots=True)
class Carried:
    """A city on the roads of a profile from which one with a few changes is made.

    `cell_before` int32 (c,), `facility_before` int32 (f,): which of its cells and facilities those
    of the changed city were, -1 = new ones.
    """

    city: City
    cell_before: Int32Array
    facility_before: Int32Array


def city_by(city: City, roads: RoadNetwork, policy: Policy, known: Carried | None = None) -> City:
    """The same residents, facilities and land, joined to the roads of a profile.

    As on foot, but for gates and fences, which a run does not keep: parks and squares drawn as
    areas are entered wherever a road meets them, everything else by the nearest place of its
    outline.

    Parameters
    ----------
    known : where most of it is joined already; only what is new there is joined anew.
    """
    if known is not None:
        return _carried_on(city, known, policy)
    joins = _joins(city, roads, policy)
    land = city.land
    return replace(
        city,
        network=roads.network,
        cells=replace(city.cells, position=joins.cells),
        facilities=replace(
            city.facilities,
            attached_facility=joins.places.facility,
            attachment=joins.places.position,
        ),
        land=None if land is None or joins.land is None else replace(land, position=joins.land),
    )


def join_roads(city: City, policy: Policy) -> City:
    """The same city; of its roads it is known where everything joins them."""
    joined = {
        name: replace(roads, joins=_joins(city, roads, policy))
        for name, roads in city.roads.items()
    }
    return replace(city, roads=joined)


def _joins(city: City, roads: RoadNetwork, policy: Policy) -> RoadJoins:
    """Where the city joins the roads: as kept, for the arrays that was kept for, else found."""
    xy_m, geometry = city.cells.xy_m, city.facilities.geometry
    land_xy_m = None if city.land is None else city.land.xy_m
    kept, most_m = roads.joins, policy.attachment.max_leg_m.value
    index = cache(lambda: EdgeIndex.by(roads.network, policy.attachment))
    cells = kept.cells if kept and kept.cell_xy_m is xy_m else index().snap(xy_m, most_m)
    if kept and kept.geometry is geometry:
        places = kept.places
    else:
        places = _attached(city, np.arange(len(geometry)), policy, index())
    if kept and kept.land_xy_m is land_xy_m:
        land = kept.land
    else:
        land = None if land_xy_m is None else index().snap(land_xy_m, most_m)
    return RoadJoins(cells, places, land, xy_m, geometry, land_xy_m)


def _attached(city: City, rows: IntArray, policy: Policy, index: EdgeIndex) -> Attachments:
    """Some facilities joined to the roads, by their place among `rows`."""
    places = city.facilities
    how = {one.id: one.attachment == "entrances" for one in policy.services.values()}
    opened = np.array([how.get(name, False) for name in places.service_ids], dtype=np.bool_)
    entered = opened[places.service] & (shapely.get_dimensions(places.geometry) == _AREAL)
    return attach_facilities(
        places.geometry[rows], entered[rows], index, policy.attachment.max_leg_m.value
    )


def _carried_on(city: City, known: Carried, policy: Policy) -> City:
    """The city on the roads: what was there joins them where it did. The land never changes."""
    was, cell = known.city, known.cell_before
    new = np.flatnonzero(cell == NOBODY)
    rows = np.flatnonzero(known.facility_before == NOBODY)
    position = was.cells.position.take(np.where(cell == NOBODY, 0, cell))
    row_of = np.full(len(was.facilities), NOBODY, dtype=np.int32)
    old = np.flatnonzero(known.facility_before != NOBODY)
    row_of[known.facility_before[old]] = old
    owner = row_of[was.facilities.attached_facility]
    stays = np.flatnonzero(owner != NOBODY)
    facility, attachment = owner[stays], was.facilities.attachment.take(stays)
    if len(new) or len(rows):
        index = EdgeIndex.by(was.network, policy.attachment)
        most_m = policy.attachment.max_leg_m.value
        position = position.replaced(new, index.snap(city.cells.xy_m[new], most_m))
        fresh = _attached(city, rows, policy, index)
        facility = np.concatenate((facility, rows[fresh.facility])).astype(np.int32)
        attachment = Positions.joined((attachment, fresh.position))
    order = np.argsort(facility, kind="stable")
    return replace(
        city,
        network=was.network,
        cells=replace(city.cells, position=position),
        facilities=replace(
            city.facilities, attached_facility=facility[order], attachment=attachment.take(order)
        ),
        land=was.land,
    )
