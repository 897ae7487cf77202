"""Facilities of all services in one table, attached to the streets and to their units."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.analysis.city.frames import texts
from lifecircle.analysis.city.model import Facilities, StrArray, Units
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.units.units import assign_units, declared_by_level, declared_warnings
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import IntArray, read_only

_OWN = ("id", "service", "name", "source", "geometry")


def place_facilities(
    frame: gpd.GeoDataFrame, policy: Policy, units: Units, index: EdgeIndex
) -> tuple[Facilities, tuple[Warn, ...]]:
    """Facilities sorted by (service, id), each with its units and positions on the streets.

    `frame`: rows of `merge_facilities` in the network's CRS.
    """
    service_ids = tuple(policy.services)
    number = {service: i for i, service in enumerate(service_ids)}
    service = np.array([number[one] for one in frame["service"]], dtype=np.int32)
    ids = texts(frame["id"])
    order = np.array(
        sorted(range(len(frame)), key=lambda row: (service[row], str(ids[row]))), dtype=np.int64
    )
    service, ids = service[order], ids[order]
    geometry = np.asarray(frame.geometry.array, dtype=object)[order]
    by_entrance = np.array(
        [policy.services[service_ids[one]].attachment == "entrances" for one in service], dtype=bool
    )
    max_leg_m = policy.attachment.max_leg_m.value
    attachments = attach_facilities(geometry, by_entrance, index, max_leg_m)
    attributes = {
        str(name): _attribute(frame, str(name), order) for name in frame.columns if name not in _OWN
    }
    codes = attributes.get("unit_code")
    declared = declared_by_level(codes, units) if codes is not None else None
    xy_m = anchor_xy(geometry)
    facilities = Facilities(
        id=ids,
        service_ids=service_ids,
        service=service,
        name=_attribute(frame, "name", order),
        geometry=geometry,
        source=_attribute(frame, "source", order),
        attributes=attributes,
        unit=assign_units(xy_m, units, declared),
        attached_facility=attachments.facility,
        attachment=attachments.position,
    )
    read_only(facilities.service)
    loose = len(facilities) - len(np.unique(attachments.facility))
    remarks: tuple[Warn, ...] = ()
    if declared is not None:
        remarks = declared_warnings(xy_m, units, declared, policy.unit_levels)
    if loose:
        far = Warn("facilities_unsnapped", {"count": loose, "metres": max_leg_m})
        remarks = (*remarks, far)
    return facilities, remarks


def _attribute(frame: gpd.GeoDataFrame, name: str, order: IntArray) -> StrArray:
    values = np.empty(len(frame), dtype=object)
    values[:] = [None if pd.isna(value) else value for value in frame[name]]
    ordered: StrArray = values[order]
    return ordered
