"""Residents by unit and year: the latest run of every year of an area."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import level_of
from lifecircle.analysis.measures.residents import persons_of, sums_by, unknown_units
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import head_of, remarks

Persons = dict[str, int | None]


def growth_document(
    run: Run,
    others: Sequence[Run] = (),
    *,
    by: str | None = None,
    group: str = TOTAL,
    lang: Language = "zh",
) -> dict[str, Any]:
    """Residents of the area and of each unit in every year, null where a year does not tell.

    `growth` is the last year over the first, less one. Units are those of the run, matched by
    code.

    Parameters
    ----------
    others : runs of other years of the area, at most one a year.

    Raises
    ------
    UnknownNameError : the run has no such level or group.
    """
    level = level_of(run.city, by)
    persons_of(run.city.cells, group)
    runs = sorted((run, *others), key=lambda one: one.manifest.year)
    held = {one.manifest.year: _by_unit(one, level, group) for one in runs}
    whole = {one.manifest.year: _in_all(one, group) for one in runs}
    units = run.city.units
    return {
        **head_of(run.manifest),
        "by": level,
        "group": group,
        "years": [{"year": one.manifest.year, "run": one.manifest.run} for one in runs],
        "total": _row({str(year): count for year, count in whole.items()}),
        "units": [
            {
                "code": str(units.code[i]),
                "name": units.name[i],
                "name_en": units.name_en[i],
                **_row(
                    {str(year): by_code.get(str(units.code[i])) for year, by_code in held.items()}
                ),
            }
            for i in units.of_level(level)
        ],
        "warnings": remarks(run.city.warnings, lang),
    }


def _row(residents: Persons) -> dict[str, Any]:
    first, last = (residents[year] for year in (min(residents), max(residents)))
    known = first is not None and last is not None
    change = last - first if first is not None and last is not None else None
    return {
        "residents": residents,
        "change": change,
        "growth": change / first if known and first and change is not None else None,
    }


def _in_all(run: Run, group: str) -> int | None:
    cells = run.city.cells
    told = cells.counted and (group == TOTAL or group in cells.groups)
    return int(persons_of(cells, group).sum()) if told else None


def _by_unit(run: Run, level: str, group: str) -> dict[str, int | None]:
    """Persons of each unit of a level by its code; None where nobody knows."""
    city = run.city
    told = city.cells.counted and (group == TOTAL or group in city.cells.groups)
    if level not in city.units.levels or not told:
        return {}
    count = len(city.units.code)
    persons = sums_by(city.cells.unit[level], count, persons_of(city.cells, group))
    unknown = unknown_units(city, level)
    return {
        str(city.units.code[i]): None if unknown[i] else int(persons[i])
        for i in np.asarray(city.units.of_level(level)).tolist()
    }
