"""Layers of a run as frames in EPSG:4326: what HTTP, maps and exports show."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from analysis.city.merging import FILLED
from analysis.city.model import GeometryArray, StrArray
from analysis.city.unit_rows import PLACED
from analysis.errors import UnknownNameError
from analysis.measures.circles import circle_table, circles
from analysis.measures.coverage import Coverage, coverage
from analysis.measures.gaps import Gap, gaps
from analysis.measures.question import home_unit
from analysis.quantities import NOBODY, BoolArray, FloatArray, Int32Array, minutes_of
from analysis.results.catchment_layer import catchment_values, cell_values
from analysis.results.columns import LAYERS, Column, all_groups, columns_of
from analysis.results.model import Run
from analysis.results.proposals import any_kept, proposal_values

__all__ = [
    "DEGREES",
    "LAYERS",
    "gap_frame",
    "layer_columns",
    "layer_frame",
    "layers_of",
    "write_layers",
]

DEGREES: Final = "EPSG:4326"
WALKER: Final = "adult"
STORED: Final = ("units", "gaps", "circles")
STORED_WHERE_HELD: Final = ("catchments",)

_Values = dict[str, Any]


def layer_frame(run: Run, layer: str) -> gpd.GeoDataFrame:
    """One layer of a run in EPSG:4326, ``id`` first, then the columns of the column table.

    Walks are those of the adult walker, limits each service's own minutes. Whole numbers that
    may be null are pandas Int64, numbers that may be null hold NaN, texts None. Layers that take
    long are read from the run's folder, where the build wrote them: for a changed city ask the
    measures themselves.

    Raises
    ------
    UnknownNameError : no such layer.
    """
    stored = _stored(run, layer)
    if stored is not None:
        return stored
    values, shapes = _BUILDERS[layer](run)
    return _frame(run, layer, values, shapes)


def write_layers(run: Run) -> None:
    """Write the layers that take long to make into the run's folder, as GeoParquet."""
    for layer in (*STORED, *STORED_WHERE_HELD):
        if layer not in layers_of(run):
            continue
        values, shapes = _BUILDERS[layer](run)
        frame = _frame(run, layer, values, shapes)
        frame.to_parquet(_file(run, layer), index=False, compression="zstd", schema_version="1.1.0")


def layers_of(run: Run) -> tuple[str, ...]:
    """The layers this run has: those of every run; catchments and proposals where it has any."""
    has = (("catchments", bool(run.catchments)), ("proposals", any_kept(run.path)))
    return (*LAYERS, *(layer for layer, held in has if held))


def _file(run: Run, layer: str) -> Path:
    return run.path / f"layer.{layer}.parquet"


def _stored(run: Run, layer: str) -> gpd.GeoDataFrame | None:
    """A layer as the build wrote it; None when it did not, or with other columns."""
    columns = layer_columns(run, layer)
    if layer not in (*STORED, *STORED_WHERE_HELD) or not _file(run, layer).is_file():
        return None
    frame = gpd.read_parquet(_file(run, layer))
    if list(frame.columns) != [*(column.name for column in columns), frame.geometry.name]:
        return None
    for column in columns:
        if column.dtype == "text":
            texts = frame[column.name].astype(object)
            frame[column.name] = texts.where(texts.notna(), None)
    return frame


def layer_columns(run: Run, layer: str) -> tuple[Column, ...]:
    """The columns of a layer of this run, in order, without the geometry."""
    known = layers_of(run)
    if layer not in known:
        raise UnknownNameError("unknown_layer", name=layer, known=", ".join(known))
    return layer_columns_of(run, layer)


def layer_columns_of(run: Run, layer: str) -> tuple[Column, ...]:
    """The columns a layer has or would have in this run."""
    return columns_of(layer, run.policy, tuple(run.city.cells.groups))


def proposal_frame(run: Run, found: Sequence[Mapping[str, Any]]) -> gpd.GeoDataFrame:
    """Answers of siting (kept or not) as the layer ``proposals``."""
    return _frame(run, "proposals", *proposal_values(run, found))


def gap_frame(run: Run, found: Sequence[Gap]) -> gpd.GeoDataFrame:
    """Gaps (of any question) as the layer ``gaps``, in the order given."""
    return _frame(run, "gaps", *_gap_values(run, found))


def _frame(run: Run, layer: str, values: _Values, shapes: GeometryArray) -> gpd.GeoDataFrame:
    columns = {
        column.name: _typed(column, values[column.name]) for column in layer_columns_of(run, layer)
    }
    geometry = _in_degrees(shapes, run.city.crs)
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=geometry, crs=DEGREES)


def _in_degrees(shapes: GeometryArray, crs: str) -> gpd.GeoSeries:
    """Shapes in EPSG:4326; one that stands in many rows is turned once."""
    one = np.fromiter(map(id, shapes), dtype=np.int64, count=len(shapes))
    _, first, rows = np.unique(one, return_index=True, return_inverse=True)
    turned = gpd.GeoSeries(shapes[first], crs=crs).to_crs(DEGREES)
    return gpd.GeoSeries(turned.to_numpy()[rows.ravel()], crs=DEGREES)


def _typed(column: Column, values: Any) -> Any:
    if column.dtype == "text":
        return pd.Series(_objects(values), dtype=object)
    if column.dtype == "integer":
        return pd.array(values, dtype="Int64")
    if column.dtype == "boolean":
        return np.asarray(values, dtype=np.bool_)
    return pd.array(values, dtype="Float64").to_numpy(dtype=np.float64, na_value=np.nan)


def _objects(values: Any) -> StrArray:
    listed = list(values)
    out = np.empty(len(listed), dtype=object)
    out[:] = listed
    return out


def _distinct(names: StrArray, rest: Sequence[str]) -> list[str]:
    """Names as they are, those that occur more than once with ``@rest`` behind them."""
    often = Counter(names)
    return [
        str(name) if often[name] == 1 else f"{name}@{more}"
        for name, more in zip(names, rest, strict=True)
    ]


def _looked_up(table: StrArray, index: Int32Array) -> StrArray:
    """``table[index]``, None where the index is -1."""
    return np.append(table, np.array([None], dtype=object))[index]


def _nullable(values: Any, known: BoolArray) -> Any:
    out = pd.array(values, dtype="Int64")
    out[~known] = pd.NA
    return out


def _leg(leg_m: FloatArray, snapped: BoolArray) -> FloatArray:
    return np.where(snapped, leg_m, np.nan)


# ---- one function per layer ----------------------------------------------------------------


def _cells(run: Run) -> tuple[_Values, GeometryArray]:
    cells, units = run.city.cells, run.city.units
    snapped = cells.position.edge != NOBODY
    unit = home_unit(run.city, cells.unit)
    component = (
        run.city.network.edge_component[np.maximum(cells.position.edge, 0)]
        if len(run.city.network.edge_component)
        else np.zeros(len(cells), dtype=np.int32)
    )
    speed = run.policy.walkers[WALKER].speed_m_per_s
    values: _Values = {
        "id": cells.id,
        "residents": cells.residents,
        "unit_code": _looked_up(units.code, unit),
        "unit_name": _looked_up(units.name, unit),
        "snapped": snapped,
        "access_m": _leg(cells.position.leg_m, snapped),
        "component": _nullable(component.astype(np.int64), snapped),
        "modelled": cells.modelled,
    }
    for group in all_groups(tuple(cells.groups)):
        values[f"residents_{group}"] = cells.groups.get(group, [None] * len(cells))
    for service in run.policy.services:
        values[f"minutes_{service}"] = (
            minutes_of(run.travel.cell_cm[run.travel.row(service)], speed)
            if service in run.travel.services
            else np.full(len(cells), np.nan)
        )
    values |= cell_values(run)
    for kind in run.policy.circles:
        values |= _circle_values(run, kind)
    bare = np.array([shape is None for shape in cells.polygon], dtype=np.bool_)
    shapes = cells.polygon.copy()
    shapes[bare] = shapely.points(cells.xy_m[bare])
    return values, shapes


def _circle_values(run: Run, kind: str) -> _Values:
    """Completeness of one kind of circle for every cell; texts once for each set reached."""
    table = circle_table(run.city, run.travel, run.policy, kind=kind, walker=WALKER)
    known = np.flatnonzero(table.assessed)
    sets, which = np.unique(table.reach[known].T, axis=0, return_inverse=True)
    missing = _objects(
        ";".join(table.services[known[k]] for k in np.flatnonzero(~row)) or None for row in sets
    )
    told = _objects(("incomplete", "complete", None))
    return {
        f"circle_{kind}": told[table.state],
        f"circle_{kind}_reached": table.reached,
        f"circle_{kind}_missing": missing[which.ravel()] if len(sets) else missing,
    }


def _facilities(run: Run) -> tuple[_Values, GeometryArray]:
    places, units = run.city.facilities, run.city.units
    service = [places.service_ids[i] for i in places.service]
    titles = [
        run.policy.services[name].title if name in run.policy.services else None for name in service
    ]
    leg = np.full(len(places), np.inf)
    np.minimum.at(leg, places.attached_facility, places.attachment.leg_m)
    snapped = np.isfinite(leg)
    values: _Values = {
        "id": _distinct(places.id, service),
        "service": service,
        "service_zh": [
            title.zh if title else name for title, name in zip(titles, service, strict=True)
        ],
        "service_en": [
            title.en if title else name for title, name in zip(titles, service, strict=True)
        ],
        "name": places.name,
        "source": places.source,
        "snapped": snapped,
        "access_m": _leg(leg, snapped),
        "unit_code": _looked_up(units.code, home_unit(run.city, places.unit)),
    }
    for name in ("name_en", "ownership", "level", "opening_hours", PLACED, FILLED):
        values[name] = places.attributes.get(name, [None] * len(places))
    return values, places.geometry


def _units(run: Run) -> tuple[_Values, GeometryArray]:
    units = run.city.units
    readings = {
        service: {level: _covered(run, service, level) for level in units.levels}
        for service in run.policy.services
    }
    first = next(iter(readings.values()))
    values: _Values = {
        "id": _distinct(units.code, list(units.level)),
        "code": units.code,
        "name": units.name,
        "name_en": units.name_en,
        "level": units.level,
        "class": units.unit_class,
        "parent_code": _looked_up(units.code, units.parent),
        "residents": [row.residents for level in units.levels for row in first[level].units],
    }
    spread = {(row.level, row.unit_code): row for row in run.city.notes.spread}
    rows = [spread.get(key) for key in zip(units.level, units.code, strict=True)]
    values["spread_method"] = [None if row is None else row.method for row in rows]
    values["spread_moved"] = [None if row is None else row.moved for row in rows]
    for service, by_level in readings.items():
        values[f"P_{service}"] = [row.P for level in units.levels for row in by_level[level].units]
    return values, units.geometry


def _covered(run: Run, service: str, level: str) -> Coverage:
    return coverage(
        run.city,
        run.travel,
        run.policy,
        service=service,
        walker=WALKER,
        by=level,
        catchments=run.catchments.get(service),
    )


def _gaps(run: Run) -> tuple[_Values, GeometryArray]:
    """Every service in its turn; the unions run beside each other (they leave the GIL)."""

    drawn: dict[bytes, shapely.Geometry] = {}

    def of(service: str) -> tuple[Gap, ...]:
        return gaps(
            run.city,
            run.travel,
            run.policy,
            service=service,
            walker=WALKER,
            drawn=drawn,
            catchments=run.catchments.get(service),
        )

    with ThreadPoolExecutor() as pool:
        return _gap_values(
            run, [gap for found in pool.map(of, run.policy.services) for gap in found]
        )


def _gap_values(run: Run, found: Sequence[Gap]) -> tuple[_Values, GeometryArray]:
    places, services = run.city.facilities, run.policy.services
    nearest = np.array(
        [NOBODY if gap.nearest_facility is None else gap.nearest_facility for gap in found],
        dtype=np.int32,
    )
    facility_id = _objects(_distinct(places.id, [places.service_ids[i] for i in places.service]))
    values: _Values = {
        "id": [gap.id for gap in found],
        "gap": [gap.id for gap in found],
        "service": [gap.service for gap in found],
        "service_zh": [services[gap.service].title.zh for gap in found],
        "service_en": [services[gap.service].title.en for gap in found],
        "residents": [gap.residents for gap in found],
        "minutes_to_nearest": [gap.minutes_to_nearest for gap in found],
        "nearest_facility": _looked_up(facility_id, nearest),
        "nearest_facility_name": _looked_up(places.name, nearest),
        "reason": [gap.reason for gap in found],
        "unit_code": [gap.unit_code for gap in found],
        "unit_name": [gap.unit_name for gap in found],
    }
    for group in all_groups(tuple(run.city.cells.groups)):
        values[f"residents_{group}"] = [gap.groups.get(group) for gap in found]
    return values, _objects(gap.geometry for gap in found)


def _circles(run: Run) -> tuple[_Values, GeometryArray]:
    units = run.city.units
    ids = _distinct(units.code, list(units.level))
    rows = []
    for kind in run.policy.circles:
        for level in units.levels:
            table = circles(run.city, run.travel, run.policy, kind=kind, walker=WALKER, by=level)
            rows += [
                (kind, level, int(i), row, table.required)
                for i, row in zip(units.of_level(level), table.units, strict=True)
            ]
    values: _Values = {
        "id": [f"{kind}-{ids[i]}" for kind, _, i, _, _ in rows],
        "kind": [kind for kind, *_ in rows],
        "level": [level for _, level, *_ in rows],
        "unit_code": [row.code for *_, row, _ in rows],
        "unit_name": [row.name for *_, row, _ in rows],
        "required": [required for *_, required in rows],
        "missing": [";".join(name for name, _ in row.missing) or None for *_, row, _ in rows],
    }
    for name in ("residents", "complete", "incomplete", "not_assessed", "share", "share_all"):
        values[name] = [getattr(row, name) for *_, row, _ in rows]
    return values, _objects(units.geometry[i] for _, _, i, _, _ in rows)


def _network(run: Run) -> tuple[_Values, GeometryArray]:
    streets = run.city.network
    edge = np.repeat(np.arange(len(streets.edge_u)), np.diff(streets.vertex_start))
    lines = shapely.linestrings(streets.vertex_xy_m, indices=edge) if len(edge) else _objects([])
    values: _Values = {
        "id": [str(i) for i in range(len(streets.edge_u))],
        "osm_way": streets.edge_way,
        "length_m": streets.edge_length_m,
        "forth_m": streets.worth_m(forth=True),
        "back_m": streets.worth_m(forth=False),
        "component": streets.edge_component,
    }
    return values, np.asarray(lines, dtype=object)


_BUILDERS: Final[Mapping[str, Callable[[Run], tuple[_Values, GeometryArray]]]] = MappingProxyType(
    {
        "cells": _cells,
        "facilities": _facilities,
        "units": _units,
        "gaps": _gaps,
        "circles": _circles,
        "network": _network,
        "catchments": catchment_values,
        "proposals": proposal_values,
    }
)
