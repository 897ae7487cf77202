"""Totals of units spread part by part: each part has some units whole, so nothing depends on it.

A unit's residents are shared among its own homes and land alone (DEFINITIONS, Residents), so the
parts laid together are the spread of all units, to the last cell.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.notes import Spread
from lifecircle.analysis.city.residents.calibrate import join_seeds, only_units
from lifecircle.analysis.city.residents.dasymetric import (
    SpreadResult,
    describe_spread,
    level_with_totals,
    spread_unit_totals,
)
from lifecircle.analysis.city.residents.dasymetric_doubt import compare_spreads, tell_doubt
from lifecircle.analysis.city.residents.homes import Ground
from lifecircle.analysis.city.residents.population import CellSeed, keep_known
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy, SpreadRules
from lifecircle.analysis.quantities import Counts, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class PartSpread:
    """The units of a part spread, and how sure each is.

    `units` int32 (m,): indices into the units of the area.
    """

    units: Int32Array
    result: SpreadResult
    rows: tuple[Spread, ...]


def spread_part(
    units: Units,
    chosen: Int32Array,
    totals: Mapping[str, Counts],
    ground: Ground,
    policy: Policy,
    crs: str,
) -> PartSpread:
    """The residents of some units (indices, all with a total) laid among their homes and land.

    `ground` has to hold all that touches these units, and the streets near them.
    """
    mine = only_units(units, chosen)
    result = spread_unit_totals(mine, totals, ground, policy.spread, crs)
    rows, _ = compare_spreads(mine, result, ground, policy, crs)
    return PartSpread(chosen, result, rows)


def join_spreads(
    units: Units, groups: Sequence[str], parts: Sequence[PartSpread], rules: SpreadRules
) -> SpreadResult:
    """The parts' spreads as one, in the order in which all units at once are spread.

    `groups`: names of the groups in the order of their totals.
    """
    level = level_with_totals(units)
    members = units.of_level(level)
    method = np.full(len(units.code), None, dtype=object)
    method[members] = np.where(units.residents.known[members], "empty", "unknown")
    for part in parts:
        method[part.units] = part.result.method[part.units]
    unit = np.concatenate([part.result.unit for part in parts])
    order = np.argsort(unit, kind="stable")  # a unit's cells stand in one part, in their order
    seed = _lay_together([part.result.seed for part in parts], groups, order)
    far = np.concatenate([part.result.far for part in parts]).astype(np.int32)
    far = np.concatenate([np.sort(far[method[far] == one]) for one in ("land", "unit")])
    warnings = describe_spread(units, method, seed, far, rules)
    return SpreadResult(seed, method, unit[order], level, far, warnings)


def _lay_together(seeds: Sequence[CellSeed], groups: Sequence[str], order: IntArray) -> CellSeed:
    joined, by_id = join_seeds(seeds)
    back = np.argsort(by_id)[order]  # out of the order of ids
    held = {name: joined.groups[name].take(back) for name in groups if name in joined.groups}
    known, warnings = keep_known(held)
    return CellSeed(
        id=joined.id[back],
        xy_m=joined.xy_m[back],
        polygon=joined.polygon[back],
        residents=joined.residents[back],
        groups=known,
        modelled=joined.modelled[back],
        warnings=warnings,
    )


def join_doubts(
    units: Units, parts: Sequence[PartSpread], policy: Policy
) -> tuple[tuple[Spread, ...], tuple[Warn, ...]]:
    """The parts' rows in the order of the units, and the remark for all of them together."""
    if policy.quality is None:
        return (), ()
    by_code = {row.unit_code: row for part in parts for row in part.rows}
    codes = (str(units.code[i]) for i in units.of_level(level_with_totals(units)))
    rows = tuple(by_code[code] for code in codes if code in by_code)
    return rows, tell_doubt(rows, policy.quality.spread_square_m.value)
