"""Values and shapes of each layer, one function per layer, in the projection of the area."""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Any, Final

import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.measures.circles import circle_table, circles
from lifecircle.analysis.measures.coverage import Coverage, coverage
from lifecircle.analysis.measures.question import Question, Study, home_unit
from lifecircle.analysis.quantities import (
    NOBODY,
    BoolArray,
    Counts,
    FloatArray,
    Int32Array,
    minutes_of,
)
from lifecircle.analysis.readers.records.attributes import FILLED, PLACED
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.results.columns import all_groups
from lifecircle.analysis.results.ids import distinct, facility_ids
from lifecircle.analysis.results.layers.catchments import cell_values
from lifecircle.analysis.results.model import Run

WALKER: Final = "adult"

Values = dict[str, Any]


def objects(values: Any) -> StrArray:
    """Values as an object array, one element each whatever they are."""
    return object_array(list(values))


def looked_up(table: StrArray, index: Int32Array) -> StrArray:
    """``table[index]``, None where the index is -1."""
    return np.append(table, np.array([None], dtype=object))[index]


def nullable(values: Any, known: BoolArray) -> Any:
    """Whole numbers, null where not known."""
    out = pd.array(values, dtype="Int64")
    out[~known] = pd.NA
    return out


def _leg(leg_m: FloatArray, snapped: BoolArray) -> FloatArray:
    return np.where(snapped, leg_m, np.nan)


@dataclass(frozen=True, slots=True)
class WalkColumn:
    """Minutes of walks in centimetres (n,), worked out for the rows that are asked for."""

    cm: Int32Array
    speed_m_per_s: Fraction

    def __getitem__(self, rows: slice) -> FloatArray:
        """Minutes of some rows, NaN where nothing is reached."""
        return minutes_of(self.cm[rows], self.speed_m_per_s)


@dataclass(frozen=True, slots=True)
class CellShapes:
    """Shapes of cells (c,): their polygons; points, which are made for the rows asked for."""

    polygon: GeometryArray
    xy_m: FloatArray

    def __len__(self) -> int:
        return len(self.polygon)

    def __getitem__(self, rows: slice) -> GeometryArray:
        """Shapes of some rows."""
        shapes = self.polygon[rows].copy()
        bare = shapely.is_missing(shapes)
        shapes[bare] = shapely.points(self.xy_m[rows][bare])
        return shapes

    @property
    def kinds(self) -> frozenset[str]:
        """The types among them."""
        there = self.polygon[~shapely.is_missing(self.polygon)]
        bare = len(there) < len(self.polygon)
        return frozenset(shape.geom_type for shape in there) | ({"Point"} if bare else set())


def cell_layer(run: Run) -> tuple[Values, CellShapes]:
    """Columns and shapes of the layer ``cells``: polygons, points (metres) where there is none."""
    cells, units = run.city.cells, run.city.units
    snapped = cells.position.edge != NOBODY
    unit = home_unit(run.city, cells.unit)
    component = (
        run.city.network.edge_component[np.maximum(cells.position.edge, 0)]
        if len(run.city.network.edge_component)
        else np.zeros(len(cells), dtype=np.int32)
    )
    speed = run.policy.walkers[WALKER].speed_m_per_s
    values: Values = {
        "id": cells.id,
        "residents": nullable(cells.residents, np.full(len(cells), cells.counted)),
        "unit_code": looked_up(units.code, unit),
        "unit_name": looked_up(units.name, unit),
        "snapped": snapped,
        "access_m": _leg(cells.position.leg_m, snapped),
        "component": nullable(component.astype(np.int64), snapped),
        "modelled": cells.modelled,
    }
    for group in all_groups(tuple(cells.groups)):
        counts = cells.groups.get(group, Counts.unknown(len(cells)))
        values[f"residents_{group}"] = nullable(counts.value, counts.known)
    for service in run.policy.services:
        values[f"minutes_{service}"] = (
            WalkColumn(run.travel.cell_cm[run.travel.row(service)], speed)
            if service in run.travel.services
            else np.broadcast_to(np.nan, len(cells))
        )
    values |= cell_values(run)
    for kind in run.policy.circles:
        values |= _circle_values(run, kind)
    return values, CellShapes(cells.polygon, cells.xy_m)


def _circle_values(run: Run, kind: str) -> Values:
    """Completeness of one kind of circle for every cell; texts once for each set reached."""
    table = circle_table(run.study, Question(walker=WALKER), kind=kind)
    known = np.flatnonzero(table.assessed)
    lacking = table.judged[known] & ~table.reach[known]
    sets, which = np.unique(lacking.T, axis=0, return_inverse=True)
    missing = objects(
        ";".join(table.services[known[k]] for k in np.flatnonzero(row)) or None for row in sets
    )
    told = objects(("incomplete", "complete", None))
    return {
        f"circle_{kind}": told[table.state],
        f"circle_{kind}_reached": table.reached,
        f"circle_{kind}_missing": missing[which.ravel()] if len(sets) else missing,
    }


def facility_layer(run: Run) -> tuple[Values, GeometryArray]:
    """Columns and shapes of the layer ``facilities``."""
    places, units = run.city.facilities, run.city.units
    service = [places.service_ids[i] for i in places.service]
    titles = [
        run.policy.services[name].title if name in run.policy.services else None for name in service
    ]
    leg = places.nearest_leg_m()
    snapped = np.isfinite(leg)
    values: Values = {
        "id": facility_ids(run),
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
        "unit_code": looked_up(units.code, home_unit(run.city, places.unit)),
    }
    for name in ("name_en", "ownership", "level", "opening_hours", PLACED, FILLED):
        values[name] = places.texts(name)
    return values, places.geometry


def unit_layer(run: Run) -> tuple[Values, GeometryArray]:
    """Columns and shapes of the layer ``units``."""
    units = run.city.units
    study = replace(run.study, city=replace(run.city, land=None))  # P asks for no land
    readings = {
        service: {level: _covered(study, service, level) for level in units.levels}
        for service in run.policy.services
    }
    first = next(iter(readings.values()))
    values: Values = {
        "id": distinct(units.code, list(units.level)),
        "code": units.code,
        "name": units.name,
        "name_en": units.name_en,
        "level": units.level,
        "class": units.unit_class,
        "parent_code": looked_up(units.code, units.parent),
        "residents": [row.residents for level in units.levels for row in first[level].units],
    }
    spread = {(row.level, row.unit_code): row for row in run.city.notes.spread}
    rows = [spread.get(key) for key in zip(units.level, units.code, strict=True)]
    values["spread_method"] = [None if row is None else row.method for row in rows]
    values["spread_moved"] = [None if row is None else row.moved for row in rows]
    for service, by_level in readings.items():
        values[f"P_{service}"] = [row.P for level in units.levels for row in by_level[level].units]
    return values, units.geometry


def _covered(study: Study, service: str, level: str) -> Coverage:
    return coverage(study, Question(service, walker=WALKER, by=level), capacity=False)


def circle_layer(run: Run) -> tuple[Values, GeometryArray]:
    """Columns and shapes of the layer ``circles``: a row for each kind and unit."""
    units = run.city.units
    ids = distinct(units.code, list(units.level))
    rows = []
    for kind in run.policy.circles:
        for level in units.levels:
            table = circles(run.study, Question(walker=WALKER, by=level), kind=kind)
            rows += [
                (kind, level, int(i), row, table.required)
                for i, row in zip(units.of_level(level), table.units, strict=True)
            ]
    values: Values = {
        "id": [f"{kind}-{ids[i]}" for kind, _, i, _, _ in rows],
        "kind": [kind for kind, *_ in rows],
        "level": [level for _, level, *_ in rows],
        "unit_code": [row.code for *_, row, _ in rows],
        "unit_name": [row.name for *_, row, _ in rows],
        "required": [required for *_, required in rows],
        "missing": [";".join(name for name, _ in row.missing) or None for *_, row, _ in rows],
    }
    for name in (
        "residents", "complete", "incomplete", "not_assessed", "share", "share_all",
        "unsnapped", "unsnapped_no_street", "unsnapped_short_piece",
    ):  # fmt: skip
        values[name] = [getattr(row, name) for *_, row, _ in rows]
    return values, objects(units.geometry[i] for _, _, i, _, _ in rows)


def network_layer(run: Run) -> tuple[Values, GeometryArray]:
    """Columns and shapes of the layer ``network``, lines in metres."""
    streets = run.city.network
    values: Values = {
        "id": [str(i) for i in range(len(streets.edge_u))],
        "osm_way": streets.edge_way,
        "length_m": streets.edge_length_m,
        "forth_m": streets.worth_m(forth=True),
        "back_m": streets.worth_m(forth=False),
        "component": streets.edge_component,
    }
    return values, streets.lines()
