"""Figures of units and facilities for the scorecard: the first known of several sources."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from lifecircle.analysis.measures.scorecard.context import Ground, both
from lifecircle.analysis.measures.scorecard.persons import group_of, residents_of
from lifecircle.analysis.measures.scorecard.result import NO, UNKNOWN, YES, Missing, States
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.policy.sections.amounts import Operand, Test
from lifecircle.analysis.quantities import FloatArray, Int32Array
from lifecircle.analysis.texts import Title, group_title, say_both

Lacking = tuple[Missing, ...]


def of_units(
    ground: Ground, operands: Sequence[Operand], index: Int32Array
) -> tuple[FloatArray, Lacking]:
    """A figure of every unit of `index` (the number of units: the whole area), NaN unknown.

    What is missing lists every source that could have told where none does.
    """
    value = np.full(len(index), np.nan)
    for operand in operands:
        told = _of_units(ground, operand, index)
        value = np.where(np.isnan(value), told, value)
    lacking = int(np.count_nonzero(np.isnan(value)))
    if not lacking:
        return value, ()
    return value, tuple(
        gap for one in operands for gap in _missing(ground, one, lacking, len(index))
    )


def of_facilities(
    ground: Ground, operands: Sequence[Operand], rows: Int32Array, services: Sequence[str]
) -> tuple[FloatArray, Lacking]:
    """A figure of every facility of `rows`, NaN where unknown."""
    value = np.full(len(rows), np.nan)
    for operand in operands:
        if operand.column is not None:
            told = _scaled(ground, operand, ground.number_column(operand.column)[rows])
            value = np.where(np.isnan(value), told, value)
    lacking = int(np.count_nonzero(np.isnan(value)))
    if not lacking:
        return value, ()
    names = [one.column for one in operands if one.column is not None]
    return value, tuple(ground.no_column(name, services, lacking, len(rows)) for name in names)


def tested(combine: str, states: Sequence[States]) -> States:
    """The states of several tests joined: all must hold, or any is enough."""
    joined = states[0]
    for state in states[1:]:
        joined = both(joined, state) if combine == "all" else either(joined, state)
    return joined


def test_units(ground: Ground, test: Test, index: Int32Array) -> tuple[States, FloatArray, Lacking]:
    """Whether each unit holds a test, and the figure compared."""
    value, missing = of_units(ground, test.value, index)
    if test.by:
        under, more = of_units(ground, test.by, index)
        value, missing = _quotient(ground, test, value, under), (*missing, *more)
    return _compare(ground, test, value), value, missing


def test_facilities(
    ground: Ground, test: Test, rows: Int32Array, services: Sequence[str]
) -> tuple[States, FloatArray, Lacking]:
    """Whether each facility holds a test, and the figure compared."""
    value, missing = of_facilities(ground, test.value, rows, services)
    if test.by:
        under, more = of_facilities(ground, test.by, rows, services)
        value, missing = _quotient(ground, test, value, under), (*missing, *more)
    return _compare(ground, test, value), value, missing


def either(a: States, b: States) -> States:
    """Yes where one is, no where both are not, else unknown."""
    yes = (a == YES) | (b == YES)
    no = (a == NO) & (b == NO)
    return np.where(yes, YES, np.where(no, NO, UNKNOWN)).astype(np.int8)


def scale(ground: Ground, test_per: object) -> float:
    """What a quotient is multiplied by (1 where nothing is said)."""
    return 1.0 if test_per is None else ground.amount(test_per)  # type: ignore[arg-type]


def _quotient(ground: Ground, test: Test, value: FloatArray, under: FloatArray) -> FloatArray:
    """value ÷ under × per; a denominator of 0 says nothing."""
    out = np.full(len(value), np.nan)
    np.divide(value * scale(ground, test.per), under, out=out, where=under > 0)
    return out


def _compare(ground: Ground, test: Test, value: FloatArray) -> States:
    if test.at_most is not None:
        held = np.nan_to_num(value, nan=np.inf) <= ground.amount(test.at_most)
    else:
        least = 1.0 if test.at_least is None else ground.amount(test.at_least)
        held = np.nan_to_num(value, nan=-1.0) >= least
    return np.where(np.isnan(value), UNKNOWN, np.where(held, YES, NO)).astype(np.int8)


def _of_units(ground: Ground, operand: Operand, index: Int32Array) -> FloatArray:
    if operand.stat is not None:
        statistics = ground.city.statistics
        if statistics is None:
            return np.full(len(index), np.nan)
        told = statistics.latest(operand.stat, ground.size, ground.until)[index]
    elif operand.sum is not None:
        told = _summed(ground, operand, index)
    elif operand.group is not None:
        told = np.array([group_of(ground, operand.group, int(unit)) for unit in index])
    else:
        told = np.array([residents_of(ground, int(unit)) for unit in index])
    return _scaled(ground, operand, np.asarray(told, dtype=np.float64))


def _summed(ground: Ground, operand: Operand, index: Int32Array) -> FloatArray:
    """A column summed over the facilities in each unit.

    0 where there is none, as long as all the kinds can be judged. NaN where one lacks the column,
    and everywhere when none of the area's has it.
    """
    out = np.full(len(index), np.nan)
    rows = ground.offering(operand.of)
    values = ground.number_column(str(operand.sum))[rows]
    if not ground.assessed(operand.of) or (len(rows) and np.isnan(values).all()):
        return out
    complete = len(ground.assessed(operand.of)) == len(operand.of)
    inside = ground.judged_units(operand.of, index)
    for i, unit in enumerate(index.tolist()):
        if not inside[i]:
            continue
        mine = ground.facilities_in(unit)[rows]
        if complete or mine.any():
            out[i] = values[mine].sum()
    return out


def _scaled(ground: Ground, operand: Operand, value: FloatArray) -> FloatArray:
    if operand.times is not None:
        value = value * ground.amount(operand.times)
    if operand.over is not None:
        value = value / ground.amount(operand.over)
    return value


def _missing(ground: Ground, operand: Operand, lacking: int, of: int) -> Lacking:
    if operand.stat is not None:
        one = attributes()["unit"][operand.stat]
        return (Missing("statistic", one.name, Title(one.zh, one.en), lacking, of),)
    if operand.sum is not None:
        if not ground.assessed(operand.of):
            return ground.no_services(operand.of)
        lists = ground.part_lists(operand.of)
        return lists or (ground.no_column(operand.sum, operand.of, None, None),)
    if operand.group is not None:
        return (Missing("group", operand.group, group_title(operand.group)),)
    return (Missing("group", "residents", say_both("missing_residents"), lacking, of),)
