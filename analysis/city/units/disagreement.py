"""Totals of residents that do not agree: a unit and the units inside it, a unit and its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from lifecircle.analysis.city.model import Cells, Units
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.quantities import NOBODY, FloatArray

_SHOWN = 5
_COVERED = 0.05  # of a unit's area: how borders of two files are drawn


@dataclass(frozen=True, slots=True)
class Disagreement:
    """Two numbers for the same residents.

    `declared`: of the unit's own row. `counted`: of the units one level down (`against`
    ``units``), or of the cells in it (``cells``). `unknown`: parts without a number: then
    `counted` is a lower bound and only a larger one disagrees.
    """

    unit_code: str
    unit_name: str
    level: str
    against: Literal["units", "cells"]
    declared: int
    counted: int
    unknown: int

    @property
    def difference(self) -> int:
        """Counted less declared, persons."""
        return self.counted - self.declared


def compare_units(units: Units) -> tuple[Disagreement, ...]:
    """Units whose residents differ from the sum of the units inside them.

    The parts are the child units of the fewest levels that together cover the unit (subdistricts
    and townships of a district). Where none do (estates in a community) their residents may only
    not be more than the unit's.
    """
    found = []
    area = shapely.area(units.geometry)
    order = np.argsort(units.parent, kind="stable")
    begins = np.searchsorted(units.parent[order], np.arange(len(units.code) + 1))
    for i in np.flatnonzero(units.residents.known).tolist():
        children = order[begins[i] : begins[i + 1]]
        for parts, whole in _find_parts(units, children, area, float(area[i])):
            residents = units.residents.take(parts)
            unknown = int((~residents.known).sum())
            counted = int(residents.value.sum())
            found += _judge_totals(units, i, "units", counted, unknown, lower_bound=not whole)
    return tuple(found)


def _find_parts(
    units: Units, children: NDArray[np.intp], area: FloatArray, whole_m2: float
) -> list[tuple[NDArray[np.intp], bool]]:
    """Groups of children to be added up, and whether they are all of the unit."""
    levels = list(dict.fromkeys(units.level[children]))
    by_level = [children[units.level[children] == level] for level in levels]
    for size in range(1, len(levels) + 1):
        for chosen in combinations(by_level, size):
            parts = np.concatenate(chosen)
            if abs(float(area[parts].sum()) - whole_m2) <= _COVERED * whole_m2:
                return [(parts, True)]
    return [(parts, False) for parts in by_level]


def compare_cells(units: Units, cells: Cells) -> tuple[Disagreement, ...]:
    """Units whose residents differ from those of the cells in them; spread residents cannot."""
    found = []
    for level in units.levels:
        held = cells.unit[level]
        inside = held != NOBODY
        counted = np.zeros(len(units.code), dtype=np.int64)
        np.add.at(counted, held[inside], cells.residents[inside])
        modelled = np.zeros(len(units.code), dtype=np.bool_)
        np.logical_or.at(modelled, held[inside], np.asarray(cells.modelled)[inside])
        for i in units.of_level(level):
            if units.residents.known[i] and not modelled[i]:
                found += _judge_totals(units, int(i), "cells", int(counted[i]), 0)
    return tuple(found)


def _judge_totals(
    units: Units,
    i: int,
    against: Literal["units", "cells"],
    counted: int,
    unknown: int,
    *,
    lower_bound: bool = False,
) -> list[Disagreement]:
    declared = int(units.residents.value[i])
    if counted <= declared if unknown or lower_bound else counted == declared:
        return []
    return [
        Disagreement(
            unit_code=str(units.code[i]),
            unit_name=str(units.name[i]),
            level=str(units.level[i]),
            against=against,
            declared=declared,
            counted=counted,
            unknown=unknown,
        )
    ]


def describe_disagreements(found: Sequence[Disagreement]) -> tuple[Warn, ...]:
    """One remark for units against units, one for units against cells, with both numbers."""
    remarks = []
    for against, key in (("units", "units_disagree"), ("cells", "cells_disagree")):
        mine = sorted(
            (one for one in found if one.against == against), key=lambda d: -abs(d.difference)
        )
        if mine:
            shown = ", ".join(
                f"{d.unit_name} {d.declared:,} / {d.counted:,}" for d in mine[:_SHOWN]
            )
            more = " …" if len(mine) > _SHOWN else ""
            remarks.append(Warn(key, {"count": len(mine), "shown": shown + more}))
    return tuple(remarks)
