"""The city as a profile of travelling finds it: its own roads, and where everything joins them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import shapely

from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.roads import RoadNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.policy import Policy

_AREAL = 2  # dimension of polygons


def city_by(city: City, roads: RoadNetwork, policy: Policy) -> City:
    """The same residents, facilities and land, joined to the roads of a profile.

    As on foot, but for gates and fences, which a run does not keep: parks and squares drawn as
    areas are entered wherever a road meets them, everything else by the nearest place of its
    outline.
    """
    index = EdgeIndex.by(roads.network, policy.attachment)
    most_m = policy.attachment.max_leg_m.value
    places = city.facilities
    how = {one.id: one.attachment == "entrances" for one in policy.services.values()}
    opened = np.array([how.get(name, False) for name in places.service_ids], dtype=np.bool_)
    entered = opened[places.service] & (shapely.get_dimensions(places.geometry) == _AREAL)
    attached = attach_facilities(places.geometry, entered, index, most_m)
    land = city.land
    return replace(
        city,
        network=roads.network,
        cells=replace(city.cells, position=index.snap(city.cells.xy_m, most_m)),
        facilities=replace(
            places, attached_facility=attached.facility, attachment=attached.position
        ),
        land=None if land is None else replace(land, position=index.snap(land.xy_m, most_m)),
    )
