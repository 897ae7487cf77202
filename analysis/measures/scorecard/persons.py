"""How many persons a unit or the area has, as the rows of a scorecard count them."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.quantities import NOBODY, BoolArray, IntArray


def residents_of(ground: Ground, unit: int) -> float:
    """Residents of a unit or the area, NaN where unknown; cells or totals as set."""
    counted, told = _counted(ground, unit), _told(ground, unit)
    totals_first = ground.word(ground.scorecard.judging.residents) == "units"
    first, second = (told, counted) if totals_first else (counted, told)
    return second if np.isnan(first) else first


def group_of(ground: Ground, group: str, unit: int) -> float:
    """Persons (or households) of a group in a unit's cells or the area's, NaN if unknown."""
    cells = ground.city.cells
    if group not in cells.groups:
        return np.nan
    persons = cells.groups[group].value
    if unit == ground.size:
        return float(persons.sum())
    sums, peopled = ground.once(("persons", group), lambda: _sums(ground, persons))
    return float(sums[unit]) if peopled[unit] else np.nan


def _counted(ground: Ground, unit: int) -> float:
    cells = ground.city.cells
    if unit == ground.size:
        return float(cells.residents.sum()) if len(cells) and cells.counted else np.nan
    sums, peopled = ground.once(("persons", "total"), lambda: _sums(ground, cells.residents))
    return float(sums[unit]) if peopled[unit] else np.nan


def _told(ground: Ground, unit: int) -> float:
    statistics = ground.city.statistics
    if statistics is not None:
        told = statistics.latest("residents", ground.size, ground.until)[unit]
        if np.isfinite(told):
            return float(told)
    if unit == ground.size:
        return np.nan
    stated = ground.city.units.residents.at(unit)
    return np.nan if stated is None else float(stated)


def _sums(ground: Ground, persons: IntArray) -> tuple[np.ndarray, BoolArray]:
    """Persons of every unit (k,), and whether it has a cell."""
    sums = np.zeros(ground.size)
    peopled = np.zeros(ground.size, dtype=np.bool_)
    for index in ground.city.cells.unit.values():
        inside = index != NOBODY
        sums += np.bincount(index[inside], weights=persons[inside], minlength=ground.size)
        peopled[index[inside]] = ground.city.cells.counted
    return sums, peopled
