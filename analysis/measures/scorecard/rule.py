"""Evaluator of the population rule (每3万—10万居民1所): the states of the catchments' rule."""

from __future__ import annotations

from typing import Any, Final

import numpy as np

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.measures.catchments.rule_result import RuleRow
from lifecircle.analysis.measures.remarks import named
from lifecircle.analysis.measures.scorecard.context import Ground, UnitSet
from lifecircle.analysis.measures.scorecard.result import NO, UNKNOWN, YES, Outcome, nothing
from lifecircle.analysis.measures.scorecard.units import shares
from lifecircle.analysis.policy.readings import Rule

OVERLOADED: Final = "达标但超载"


def rule(ground: Ground, reading: Rule) -> Outcome:
    """Share of the units whose rule is met (0-1), each with its state in words.

    `reads` says which of the readings A and B must hold, `overloaded` whether a unit that is met
    but overloaded counts as met.
    """
    lacking = ground.no_services((reading.service,))
    found = population_rule(ground.study)
    scope = ground.unit_set(reading.units)
    if found is None or found.service != reading.service or len(scope.index) == 0:
        return nothing(*scope.missing, *lacking)
    _, owned, blank = ground.qualifying((reading.service,), reading.where)
    if len(owned) and (owned == UNKNOWN).all():
        return nothing(*scope.missing, *blank)
    rows = {row.unit: row for row in found.rows}
    held = [rows[unit] for unit in scope.index.tolist() if unit in rows]
    if lacking or not held:
        return nothing(*scope.missing, *lacking)
    choice = ground.word(reading.reads)
    strict = ground.word(reading.overloaded) == "not_met"
    state = np.array([_state(row, choice, strict=strict) for row in held], dtype=np.int8)
    index = np.array([row.unit for row in held], dtype=np.int32)
    missing = list(scope.missing)
    if (state == UNKNOWN).any():
        missing.extend((*blank, *ground.part_lists((reading.service,))))
    sure = UnitSet(index, np.ones(len(index), dtype=np.bool_), ())
    outcome = shares(sure, state, tuple(missing), tuple(_remarks(ground, held)))
    if (state == UNKNOWN).all():
        return nothing(*missing)
    labels = {row.unit: str(row.state) for row in held}
    values: dict[str, Any] = {name: getattr(outcome, name) for name in Outcome.__slots__}
    return Outcome(**(values | {"labels": labels}))


def _state(row: RuleRow, choice: str, *, strict: bool) -> int:
    met = {"either": row.met, "A": row.reading_a, "B": row.reading_b}[choice]
    if met is None:
        return UNKNOWN
    if met and strict and row.state == OVERLOADED:
        return NO
    return YES if met else NO


def _remarks(ground: Ground, rows: list[RuleRow]) -> list[Warn]:
    """Units that are met but overloaded, by name."""
    crowded = [row.unit for row in rows if row.state == OVERLOADED]
    if not crowded:
        return []
    units = named(ground.city.units, crowded)
    return [Warn("scorecard_overloaded", {"count": len(crowded), "units": units})]
