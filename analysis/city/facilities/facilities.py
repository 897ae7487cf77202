"""Facilities of all services in one table, attached to the streets and to their units."""

from __future__ import annotations

import numpy as np
import shapely

from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.city.model import Facilities, StrArray, Units
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.gates import Barred
from lifecircle.analysis.city.streets.pieces import loose_facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.units.units import assign_units, compare_declared, sort_declared
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import BoolArray, Int32Array, read_only
from lifecircle.analysis.readers.osm.gates import Gates

_AREAL = 2  # dimension of polygons


def place_facilities(
    rows: FacilityRows,
    policy: Policy,
    units: Units,
    index: EdgeIndex,
    gates: Gates | None = None,
    buildings: StrArray | None = None,
) -> tuple[Facilities, tuple[Warn, ...]]:
    """Facilities sorted by (service, id), each with its units and positions on the streets.

    `rows`: those of `merge_facilities`, in the network's CRS. `gates`: what is mapped of gates and
    fences. `buildings`: ids of buildings, which no street enters.
    """
    service_ids = tuple(policy.services)
    number = {service: i for i, service in enumerate(service_ids)}
    service = np.array([number[one] for one in rows.service], dtype=np.int32)
    order = np.array(
        sorted(range(len(rows)), key=lambda row: (service[row], str(rows.id[row]))), dtype=np.int64
    )
    service, ordered = service[order], rows.take(order)
    rules = policy.attachment
    within_m = None if rules.gate_m is None else rules.gate_m.value
    entered = _are_entered(ordered, service, policy, buildings)
    barred = Barred.of(gates, index.network.crs, within_m)
    attachments = attach_facilities(ordered.geometry, entered, index, rules.max_leg_m.value, barred)
    codes = ordered.attributes.get("unit_code")
    declared = sort_declared(codes, units) if codes is not None else None
    xy_m = anchor_xy(ordered.geometry)
    facilities = Facilities(
        id=ordered.id,
        service_ids=service_ids,
        service=service,
        name=ordered.name,
        geometry=ordered.geometry,
        source=ordered.source,
        attributes=ordered.attributes,
        unit=assign_units(xy_m, units, declared),
        attached_facility=attachments.facility,
        attachment=attachments.position,
    )
    read_only(facilities.service)
    loose = np.setdiff1d(np.arange(len(facilities)), attachments.facility)
    remarks: tuple[Warn, ...] = ()
    if declared is not None:
        remarks = compare_declared(xy_m, units, declared, policy.unit_levels, ordered.id)
    told = loose_facilities(
        ordered.geometry[loose], ordered.id[loose], index.network, policy.attachment
    )
    return facilities, (*remarks, *told)


def _are_entered(
    rows: FacilityRows, service: Int32Array, policy: Policy, buildings: StrArray | None
) -> BoolArray:
    """Which facilities streets may enter: open places, and grounds drawn as areas."""
    how = [service.attachment for service in policy.services.values()]
    open_place = np.array([one == "entrances" for one in how])[service]
    ground = np.array([one == "grounds" for one in how])[service]
    areal = shapely.get_dimensions(rows.geometry) == _AREAL
    house = np.isin(rows.id.astype(str), [] if buildings is None else buildings.astype(str))
    return np.asarray((open_place | (ground & areal)) & ~(areal & house))
