"""Evaluators that add up: ratios of areas or counts, and shares of facilities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import (
    UNKNOWN,
    YES,
    Atoms,
    Missing,
    Outcome,
    nothing,
)
from lifecircle.analysis.measures.scorecard.units import in_scope
from lifecircle.analysis.measures.scorecard.values import (
    of_facilities,
    of_units,
    test_facilities,
    tested,
)
from lifecircle.analysis.policy.readings import FacilityMeets, Ratio
from lifecircle.analysis.quantities import FloatArray, Int32Array


def ratio(ground: Ground, reading: Ratio) -> Outcome:
    """Σ over ÷ Σ under × per, over the units (or facilities) where both are known.

    Without `under` it is the mean: Σ over ÷ how many there are.

    With `bases` the first group of levels that gives any pair is used, so that a figure told for
    the whole area is not mixed with the same figure told by district.
    """
    if reading.each == "facility":
        return _of_facilities(ground, reading)
    if not reading.bases:
        scope = in_scope(ground, reading)
        if len(scope.index) == 0:
            return nothing(*scope.missing)
        return _of_units(ground, reading, scope.index[scope.sure], scope.missing)
    found = nothing()
    for base in reading.bases:
        members = ground.members(base)
        if len(members) == 0:
            continue
        tried = _of_units(ground, reading, members, ())
        if tried.value is not None:
            return tried
        if not found.missing:
            found = tried
    return found


def facility_meets(ground: Ground, reading: FacilityMeets) -> Outcome:
    """Share of the facilities of some kinds that hold all (or any) of the tests (0-1)."""
    missing = (*ground.no_services(reading.any_of), *ground.part_lists(reading.any_of))
    if not ground.assessed(reading.any_of):
        return nothing(*missing)
    rows = ground.offering(reading.any_of)
    if len(rows) == 0:
        return nothing(*missing)
    states, lacking = [], list(missing)
    inside = ground.judged_places(reading.any_of, rows)
    for test in reading.tests:
        state, _, more = test_facilities(ground, test, rows, reading.any_of)
        states.append(np.where(inside, state, UNKNOWN).astype(np.int8))
        lacking.extend(more)
    if any((state == UNKNOWN).all() for state in states):
        return nothing(*lacking)
    state = tested(reading.combine, states)
    yes, known = int(np.count_nonzero(state == YES)), int(np.count_nonzero(state != UNKNOWN))
    atoms = Atoms("facility", rows, state, (state == YES).astype(np.float64), np.ones(len(rows)))
    kinds = len(ground.assessed(reading.any_of)) / len(reading.any_of)
    return Outcome(
        value=yes / known if known else None,
        lower=yes / len(rows),
        upper=(yes + len(rows) - known) / len(rows),
        assessed_share=known / len(rows) * kinds,
        have=float(yes),
        of=float(known),
        atoms=atoms,
        missing=tuple(lacking),
    )


def _of_units(
    ground: Ground, reading: Ratio, index: Int32Array, missing: Sequence[Missing]
) -> Outcome:
    over, over_missing = of_units(ground, reading.over, index)
    under, under_missing = (
        of_units(ground, reading.under, index) if reading.under else (np.ones(len(index)), ())
    )
    lacking = (*missing, *over_missing, *under_missing)
    return _quotient(ground, reading, "unit", index, over, under, lacking)


def _of_facilities(ground: Ground, reading: Ratio) -> Outcome:
    missing = (*ground.no_services(reading.any_of), *ground.part_lists(reading.any_of))
    if not ground.assessed(reading.any_of):
        return nothing(*missing)
    rows = ground.offering(reading.any_of)
    over, over_missing = of_facilities(ground, reading.over, rows, reading.any_of)
    under, under_missing = (
        of_facilities(ground, reading.under, rows, reading.any_of)
        if reading.under
        else (np.ones(len(rows)), ())
    )
    lacking = (*missing, *over_missing, *under_missing)
    over = np.where(ground.judged_places(reading.any_of, rows), over, np.nan)
    return _quotient(ground, reading, "facility", rows, over, under, lacking)


def _quotient(
    ground: Ground,
    reading: Ratio,
    where: str,
    index: Int32Array,
    over: FloatArray,
    under: FloatArray,
    missing: Sequence[Missing],
) -> Outcome:
    per = 1.0 if reading.per is None else ground.amount(reading.per)
    known = np.isfinite(over) & np.isfinite(under)
    have, of = float(over[known].sum()), float(under[known].sum())
    if not known.any() or of <= 0:
        return nothing(*missing)
    lower, upper = _bounds(over, under, known, per, share=reading.share)
    weights = under if np.isfinite(under).all() else np.ones(len(under))
    atoms = Atoms(
        "unit" if where == "unit" else "facility",
        index,
        np.where(known, YES, UNKNOWN).astype(np.int8),
        np.where(known, over * per, 0.0),
        np.where(known, under, 0.0),
    )
    return Outcome(
        value=have * per / of,
        lower=lower,
        upper=upper,
        assessed_share=float(weights[known].sum() / weights.sum()) if weights.sum() > 0 else None,
        have=have,
        of=of,
        atoms=atoms,
        missing=tuple(missing),
    )


def _bounds(
    over: FloatArray, under: FloatArray, known: np.ndarray, per: float, *, share: bool
) -> tuple[float, float | None]:
    """What the ratio of all may be; None above where nothing bounds it.

    A share cannot exceed its whole: an unknown part of a known whole lies between 0 and it. An
    unknown denominator has no bound, so that only the extremes are sure.
    """
    have, of = float(over[known].sum()), float(under[known].sum())
    if known.all():
        value = have * per / of
        return value, value
    whole = np.isfinite(under)
    if not whole.all():
        return 0.0, (per if share else None)
    rest = float(under[~known].sum())
    lower = have * per / (of + rest)
    return lower, ((have + rest) * per / (of + rest) if share else None)
