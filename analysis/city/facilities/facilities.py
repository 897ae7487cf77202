"""Facilities of all services in one table, attached to the streets and to their units."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.city.model import Facilities, Units
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.pieces import loose_facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.units.units import assign_units, compare_declared, sort_declared
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import read_only


def place_facilities(
    rows: FacilityRows, policy: Policy, units: Units, index: EdgeIndex
) -> tuple[Facilities, tuple[Warn, ...]]:
    """Facilities sorted by (service, id), each with its units and positions on the streets.

    `rows`: those of `merge_facilities`, in the network's CRS.
    """
    service_ids = tuple(policy.services)
    number = {service: i for i, service in enumerate(service_ids)}
    service = np.array([number[one] for one in rows.service], dtype=np.int32)
    order = np.array(
        sorted(range(len(rows)), key=lambda row: (service[row], str(rows.id[row]))), dtype=np.int64
    )
    service, ordered = service[order], rows.take(order)
    by_entrance = np.array(
        [policy.services[service_ids[one]].attachment == "entrances" for one in service], dtype=bool
    )
    max_leg_m = policy.attachment.max_leg_m.value
    attachments = attach_facilities(ordered.geometry, by_entrance, index, max_leg_m)
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
        remarks = compare_declared(xy_m, units, declared, policy.unit_levels)
    told = loose_facilities(ordered.geometry[loose], index.network, policy.attachment)
    return facilities, (*remarks, *told)
