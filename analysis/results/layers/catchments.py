"""Catchments as a layer: one feature per service, solution and facility; and columns of cells."""

from __future__ import annotations

from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.city.model import GeometryArray
from lifecircle.analysis.measures.catchments.catchments import Catchments, Solution
from lifecircle.analysis.measures.outlines import outlines
from lifecircle.analysis.measures.question import default_level
from lifecircle.analysis.quantities import CM_PER_M, SECONDS_PER_MINUTE, Int32Array
from lifecircle.analysis.readers.records.cells import object_array
from lifecircle.analysis.results.ids import facility_ids
from lifecircle.analysis.results.model import Run

_Values = dict[str, Any]


def catchment_shapes(run: Run, solution: Solution) -> list[shapely.Geometry | None]:
    """The dissolved cells of every centre of a solution, None where it serves nobody.

    A split cell is drawn with the centre that has most of its persons (the lower row on a tie).
    """
    owner = main_centre(solution, len(run.city.cells))
    cells = np.argsort(owner, kind="stable").astype(np.int32)
    centres = np.arange(len(solution.centres))
    start, end = (np.searchsorted(owner[cells], centres, side) for side in ("left", "right"))
    shapes: list[shapely.Geometry | None] = [None] * len(centres)
    served = np.flatnonzero(end > start)
    groups = (cells, start[served], end[served])
    drawn = outlines(run.city.cells, groups, run.policy.gaps.disc_radius_m.value)
    for row, shape in zip(served.tolist(), drawn, strict=True):
        shapes[row] = shape
    return shapes


def main_centre(solution: Solution, cells: int) -> Int32Array:
    """Row of the centre that has most persons of each cell, int32 (c,), -1 = none."""
    part = solution.part
    owner = np.full(cells, -1, dtype=np.int32)
    order = np.lexsort((-part.centre, part.persons, part.cell))
    owner[part.cell[order]] = part.centre[order]
    return owner


def catchment_values(run: Run) -> tuple[_Values, GeometryArray]:
    """Columns and shapes of the layer ``catchments``; a facility without residents is left out."""
    ids = facility_ids(run)
    rows: list[dict[str, Any]] = []
    shapes: list[shapely.Geometry] = []
    for found in run.catchments.values():
        for name, solution in (("natural", found.natural), ("balanced", found.balanced)):
            drawn = catchment_shapes(run, solution)
            walked = _walked(run, found, solution)
            cells = np.bincount(solution.part.centre, minlength=len(solution.centres))
            for row, shape in enumerate(drawn):
                if shape is not None:
                    more = {"person_minutes": walked[row], "cells": int(cells[row])}
                    rows.append(_row(run, found, name, solution, row, ids) | more)
                    shapes.append(shape)
    names = [
        "id", "service", "service_zh", "service_en", "solution", "facility", "name", "load", "min",
        "max", "state", "overload", "underload", "basis", "estimated", "person_minutes", "cells",
        "unit_code",
    ]  # fmt: skip
    return {name: [row[name] for row in rows] for name in names}, object_array(shapes)


def _row(
    run: Run, found: Catchments, name: str, solution: Solution, row: int, ids: list[str]
) -> dict[str, Any]:
    centre = solution.centres[row]
    places, units = run.city.facilities, run.city.units
    title = run.policy.services[found.service].title
    unit = int(places.unit[default_level(run.city)][centre.facility])
    return {
        "id": f"{found.service}-{name}-{ids[centre.facility]}",
        "service": found.service,
        "service_zh": title.zh,
        "service_en": title.en,
        "solution": name,
        "facility": ids[centre.facility],
        "name": places.name[centre.facility],
        "load": centre.load,
        "min": centre.minimum,
        "max": centre.maximum,
        "state": centre.state,
        "overload": centre.overload,
        "underload": centre.underload,
        "basis": centre.basis,
        "estimated": centre.estimated,
        "unit_code": None if unit < 0 else units.code[unit],
    }


def _walked(run: Run, found: Catchments, solution: Solution) -> list[float]:
    """Minutes walked by all residents of each centre."""
    speed = float(run.policy.walkers[found.walker].speed_m_per_s)
    per_minute = speed * CM_PER_M * SECONDS_PER_MINUTE
    return [cm / per_minute for cm in solution.part.walked_cm().tolist()]


def cell_values(run: Run) -> _Values:
    """Columns of the layer ``cells``: the facility of most persons, and who is unserved."""
    cells = len(run.city.cells)
    ids = np.array([*facility_ids(run), None], dtype=object)
    values: _Values = {}
    for service in run.policy.capacity_services:
        found = run.catchments.get(service)
        if found is None:
            values[f"centre_{service}"] = [None] * cells
            values[f"unserved_{service}"] = [None] * cells
            continue
        rows = np.array([*(c.facility for c in found.balanced.centres), -1], dtype=np.int64)
        values[f"centre_{service}"] = ids[rows[main_centre(found.balanced, cells)]]
        values[f"unserved_{service}"] = found.unserved
    return values
