"""How sure spread residents are: two ways of spreading compared, unit by unit.

The measure is the number of residents whom the two ways put into different squares of the
policy's width (half the sum of differences; the total variation distance times the residents).
It says how much the choice of method matters, not how far either is from the truth.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.notes import Spread
from lifecircle.analysis.city.residents.dasymetric import SpreadResult, spread_again
from lifecircle.analysis.city.residents.homes import Ground
from lifecircle.analysis.city.residents.population import CellSeed
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import Int32Array, IntArray


def compare_spreads(
    units: Units,
    first: SpreadResult,
    ground: Ground,
    policy: Policy,
    crs: str,
) -> tuple[tuple[Spread, ...], tuple[Warn, ...]]:
    """One row per unit whose residents were spread, and a remark for all of them together."""
    if policy.quality is None:
        return (), ()
    square_m = policy.quality.spread_square_m.value
    other, method, unit = spread_again(units, first, ground, policy.spread, crs)
    moved = count_moved((first.seed, first.unit), (other, unit), len(units.code), square_m)
    rows = tuple(
        Spread(
            unit_code=str(units.code[i]),
            level=first.level,
            residents=int(units.residents.value[i]),
            method=str(first.method[i]),
            other=method[i],
            moved=None if method[i] is None else int(moved[i]),
        )
        for i in units.of_level(first.level)
        if first.method[i] in ("buildings", "land", "unit")
    )
    return rows, tell_doubt(rows, square_m)


def tell_doubt(rows: Sequence[Spread], square_m: float) -> tuple[Warn, ...]:
    """The remark for all units together whose two ways were compared; none without any."""
    compared = sum(row.residents for row in rows if row.moved is not None)
    shifted = sum(row.moved for row in rows if row.moved is not None)
    told = {
        "moved": shifted,
        "compared": compared,
        "share": shifted / compared if compared else 0.0,
        "square": square_m,
        "alone": sum(row.residents for row in rows if row.moved is None),
    }
    return (Warn("spread_uncertain", told),) if rows else ()


def count_moved(
    one: tuple[CellSeed, Int32Array],
    other: tuple[CellSeed, Int32Array],
    units: int,
    square_m: float,
) -> IntArray:
    """Residents per unit (units,) whom two spreads put into different squares.

    Each spread is its cells and the unit each cell counts for; both hold the same residents per
    unit.
    """
    places, owners, counts = [], [], []
    for sign, (seed, unit) in ((1, one), (-1, other)):
        places.append(np.floor(seed.xy_m / square_m).astype(np.int64))
        owners.append(unit.astype(np.int64))
        counts.append(sign * seed.residents)
    owner, square = np.concatenate(owners), np.vstack(places)
    order = np.lexsort((square[:, 1], square[:, 0], owner))
    owner, square = owner[order], square[order]
    twice = np.zeros(units, dtype=np.int64)
    if len(order):
        new = (np.diff(owner) != 0) | (np.diff(square, axis=0) != 0).any(axis=1)
        first = np.concatenate(([0], np.flatnonzero(new) + 1))
        difference = np.add.reduceat(np.concatenate(counts)[order], first)
        np.add.at(twice, owner[first], np.abs(difference))
    return twice // 2
