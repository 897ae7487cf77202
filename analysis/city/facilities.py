"""Facilities of all services in one table: bureau rows and OSM places merged and attached."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pandas as pd

from analysis.city.attach import attach_facilities
from analysis.city.frames import texts
from analysis.city.model import Facilities, StrArray, Units
from analysis.city.shapes import anchor_xy, metric_geometry
from analysis.city.snap import EdgeIndex
from analysis.city.units import assign_units, declared_by_level
from analysis.errors import Warn
from analysis.policy import Policy
from analysis.quantities import IntArray, read_only

_OWN = ("id", "service", "name", "source", "geometry")


def merge_facilities(
    frames: Sequence[gpd.GeoDataFrame], crs: str, same_within_m: float
) -> tuple[gpd.GeoDataFrame, tuple[Warn, ...]]:
    """All facilities in one frame (metric CRS), earlier frames winning over later ones.

    A later row is left out as the same place when an earlier frame has one of the same service
    and the same name not farther than `same_within_m`; every such merge is in the warning.
    """
    kept: gpd.GeoDataFrame | None = None
    merged: list[str] = []
    for frame in frames:
        metric = frame.set_geometry(
            gpd.GeoSeries(metric_geometry(frame, crs), index=frame.index, crs=crs)
        )
        if kept is None:
            kept = metric
            continue
        again = _same_places(kept, metric, same_within_m)
        merged.extend(str(one) for one in metric["id"][again])
        kept = pd.concat([kept, metric[~again]], ignore_index=True)
    if kept is None:
        kept = gpd.GeoDataFrame(
            {name: np.zeros(0, dtype=object) for name in _OWN[:-1]}, geometry=[], crs=crs
        )
    if not merged:
        return kept, ()
    shown = ", ".join(merged[:10]) + (" …" if len(merged) > 10 else "")
    return kept, (Warn("facilities_merged", {"count": len(merged), "ids": shown}),)


def _same_places(kept: gpd.GeoDataFrame, new: gpd.GeoDataFrame, within_m: float) -> pd.Series:
    known: dict[tuple[str, str], list[object]] = {}
    for service, name, shape in zip(kept["service"], kept["name"], kept.geometry, strict=True):
        if name is not None:
            known.setdefault((service, name), []).append(shape)
    again = [
        any(shape.distance(one) <= within_m for one in known.get((service, name), ()))
        for service, name, shape in zip(new["service"], new["name"], new.geometry, strict=True)
    ]
    return pd.Series(again, index=new.index, dtype=bool)


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
    facilities = Facilities(
        id=ids,
        service_ids=service_ids,
        service=service,
        name=_attribute(frame, "name", order),
        geometry=geometry,
        source=_attribute(frame, "source", order),
        attributes=attributes,
        unit=assign_units(anchor_xy(geometry), units, declared),
        attached_facility=attachments.facility,
        attachment=attachments.position,
    )
    read_only(facilities.service)
    loose = len(facilities) - len(np.unique(attachments.facility))
    far = (Warn("facilities_unsnapped", {"count": loose, "metres": max_leg_m}),) if loose else ()
    return facilities, far


def _attribute(frame: gpd.GeoDataFrame, name: str, order: IntArray) -> StrArray:
    values = np.empty(len(frame), dtype=object)
    values[:] = [None if pd.isna(value) else value for value in frame[name]]
    ordered: StrArray = values[order]
    return ordered
