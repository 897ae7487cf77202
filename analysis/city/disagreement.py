"""Totals of residents that do not agree: a unit and the units inside it, a unit and its cells."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from analysis.city.model import Cells, Units
from analysis.errors import Warn
from analysis.quantities import NOBODY

_SHOWN = 5


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


def units_apart(units: Units) -> tuple[Disagreement, ...]:
    """Units whose residents differ from the sum of their child units, level by level."""
    found = []
    for i in np.flatnonzero(units.residents >= 0):
        children = np.flatnonzero(units.parent == i)
        for level in dict.fromkeys(units.level[children]):
            parts = units.residents[children[units.level[children] == level]]
            found += _judged(units, int(i), "units", parts[parts >= 0].sum(), (parts < 0).sum())
    return tuple(found)


def cells_apart(units: Units, cells: Cells) -> tuple[Disagreement, ...]:
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
            if units.residents[i] >= 0 and not modelled[i]:
                found += _judged(units, int(i), "cells", counted[i], 0)
    return tuple(found)


def _judged(
    units: Units, i: int, against: Literal["units", "cells"], counted: int, unknown: int
) -> list[Disagreement]:
    declared = int(units.residents[i])
    if counted == declared and not unknown or unknown and counted <= declared:
        return []
    return [
        Disagreement(
            unit_code=str(units.code[i]),
            unit_name=str(units.name[i]),
            level=str(units.level[i]),
            against=against,
            declared=declared,
            counted=int(counted),
            unknown=int(unknown),
        )
    ]


def disagreement_remarks(found: Sequence[Disagreement]) -> tuple[Warn, ...]:
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
