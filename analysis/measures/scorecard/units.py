"""Evaluators that count units: which have a facility, meet a test, hold a checklist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.scorecard.context import Ground, UnitSet, both
from lifecircle.analysis.measures.scorecard.result import (
    NO,
    UNKNOWN,
    YES,
    Atoms,
    Missing,
    Outcome,
    Part,
    States,
    nothing,
)
from lifecircle.analysis.measures.scorecard.values import either, test_units, tested
from lifecircle.analysis.policy.attributes import attributes
from lifecircle.analysis.policy.readings import Checklist, Count, Ratio, UnitHas, UnitMeets
from lifecircle.analysis.policy.sections.amounts import Amount, Condition, Test
from lifecircle.analysis.quantities import NOBODY, BoolArray, FloatArray, Int32Array
from lifecircle.analysis.texts import Title, first_of

_NAMED = 8  # units named in one remark


def unit_has(ground: Ground, reading: UnitHas) -> Outcome:
    """Share of the units in scope with at least so many qualifying facilities (0-1).

    `any_of`: facilities of these kinds count together; `all_of`: one of each kind is needed.
    """
    scope = in_scope(ground, reading)
    if len(scope.index) == 0:
        return nothing(*scope.missing)
    least = 1 if reading.at_least is None else int(ground.amount(reading.at_least))
    groups = [reading.any_of] if reading.any_of else [(one,) for one in reading.all_of]
    states, missing, warnings = [], list(scope.missing), []
    for services in groups:
        missing.extend((*ground.no_services(services), *ground.part_lists(services)))
        if not ground.assessed(services):
            states.append(np.full(len(scope.index), UNKNOWN, dtype=np.int8))
            continue
        count = _Count.of(ground, services, reading.where, scope.index)
        missing.extend(count.missing)
        if not count.known:
            states.append(np.full(len(scope.index), UNKNOWN, dtype=np.int8))
            continue
        states.append(_listed(ground, services, reading.where, scope.index, least, count))
        warnings.extend(count.remarks(ground, scope, reading.at_least))
    if any((state == UNKNOWN).all() for state in states):
        return _open(scope, states, tuple(missing), tuple(warnings))
    state = states[0]
    for more in states[1:]:
        state = both(state, more)
    kinds = len(ground.assessed(reading.any_of)) / len(reading.any_of) if reading.any_of else 1.0
    return shares(scope, state, tuple(missing), tuple(warnings), kinds)


def unit_meets(ground: Ground, reading: UnitMeets) -> Outcome:
    """Share of the units in scope that hold all (or any) of the tests (0-1)."""
    scope = in_scope(ground, reading)
    if len(scope.index) == 0:
        return nothing(*scope.missing)
    states, missing = [], list(scope.missing)
    for test in reading.tests:
        state, _, lacking = test_units(ground, test, scope.index)
        states.append(state)
        missing.extend(lacking)
    if any((state == UNKNOWN).all() for state in states):
        return _open(scope, states, tuple(missing), (), reading.combine)
    state = tested(reading.combine, states)
    return shares(scope, state, tuple(missing))


def checklist(ground: Ground, reading: Checklist) -> Outcome:
    """Share of the checklist (units in scope × kinds of facility) that is there (0-1)."""
    scope = in_scope(ground, reading)
    sure = UnitSet(scope.index[scope.sure], scope.sure[scope.sure], scope.missing)
    if len(sure.index) == 0:
        return nothing(*scope.missing)
    lists = ground.part_lists(reading.all_of)
    missing = (*scope.missing, *ground.no_services(reading.all_of), *lists)
    there, asked = np.zeros(len(sure.index)), np.zeros(len(sure.index))
    parts: list[Part] = []
    for service in reading.all_of:
        inside = ground.judged_units((service,), sure.index)
        if not ground.city.assessed(service) or not inside.any():
            parts.append(Part(service, None))
            continue
        has = (_Count.of(ground, (service,), (), sure.index).yes >= 1) & inside
        there += has
        asked += inside
        parts.append(Part(service, float(has[inside].mean())))
    have, of = float(there.sum()), float(asked.sum())
    if not of:
        return nothing(*missing)
    whole = len(reading.all_of) * len(sure.index)
    state = np.where(asked > 0, np.where(there == asked, YES, NO), UNKNOWN).astype(np.int8)
    atoms = Atoms("unit", sure.index, state, there, asked)
    return Outcome(
        value=have / of,
        lower=have / whole,
        upper=(have + whole - of) / whole,
        assessed_share=of / whole,
        have=have,
        of=of,
        atoms=atoms,
        missing=missing,
        parts=tuple(parts),
    )


def count(ground: Ground, reading: Count) -> Outcome:
    """A figure summed over the units of the first base that gives it, in its latest year; or how
    many facilities qualify."""
    if reading.any_of:
        return _counted(ground, reading)
    statistics = ground.city.statistics
    attribute = str(reading.over[0].stat)
    years = () if statistics is None else statistics.years(attribute, ground.until)
    told = attributes()["unit"][attribute]
    for base in reading.bases:
        members = ground.members(base)
        if statistics is None or len(members) == 0:
            continue
        for year in reversed(years):
            value = statistics.of_year(attribute, ground.size, year)[members]
            known = np.isfinite(value)
            if not known.any():
                continue
            # who is not listed in a year's list is not on it: a list of what was created
            total = float(value[known].sum())
            state = np.where(known & (value > 0), YES, NO).astype(np.int8)
            atoms = Atoms("unit", members, state, np.nan_to_num(value), np.zeros(len(members)))
            said = (Warn("scorecard_count_year", {"year": year}),) if year else ()
            return Outcome(total, total, total, 1.0, total, None, atoms=atoms, warnings=said)
    return nothing(Missing("statistic", told.name, Title(told.zh, told.en)))


def _counted(ground: Ground, reading: Count) -> Outcome:
    """Facilities that qualify; those that may are the upper bound, none where kinds or parts of
    the area are not looked at."""
    missing = (*ground.no_services(reading.any_of), *ground.part_lists(reading.any_of))
    if not ground.assessed(reading.any_of):
        return nothing(*missing)
    rows, state, lacking = ground.qualifying(reading.any_of, reading.where)
    missing = (*missing, *lacking)
    yes, open_ = (float(np.count_nonzero(state == one)) for one in (YES, UNKNOWN))
    if open_ and open_ == len(rows):
        return nothing(*missing)
    bounded = len(ground.assessed(reading.any_of)) == len(reading.any_of)
    bounded &= not ground.part_lists(reading.any_of)
    atoms = Atoms("facility", rows, state, (state == YES).astype(np.float64), np.zeros(len(rows)))
    return Outcome(
        value=yes if yes or (bounded and not open_) else None,
        lower=yes,
        upper=yes + open_ if bounded else None,
        assessed_share=1.0 - open_ / len(rows) if len(rows) else 1.0,
        have=yes,
        of=None,
        atoms=atoms,
        missing=missing,
    )


def pooled(outcomes: Sequence[Outcome]) -> Outcome:
    """Units of several readings counted together; nothing while one of them says nothing."""
    missing = tuple(dict.fromkeys(one for outcome in outcomes for one in outcome.missing))
    warnings = tuple(one for outcome in outcomes for one in outcome.warnings)
    atoms = [outcome.atoms for outcome in outcomes if outcome.atoms is not None]
    if len(atoms) < len(outcomes) or any(outcome.value is None for outcome in outcomes):
        return nothing(*missing, warnings=warnings)
    index = np.concatenate([one.index for one in atoms])
    state = np.concatenate([one.state for one in atoms])
    sure = np.concatenate([one.of for one in atoms]) > 0
    order = np.argsort(index, kind="stable")
    scope = UnitSet(index[order], sure[order], ())
    return shares(scope, state[order], missing, warnings)


# ---- parts they share ------------------------------------------------------------------------


def in_scope(ground: Ground, reading: UnitHas | UnitMeets | Checklist | Ratio) -> UnitSet:
    """Units in scope that pass the filters; where a filter is unknown they are not sure."""
    scope = ground.unit_set(reading.units)
    if not reading.filters or len(scope.index) == 0:
        return scope
    state, missing = filtered(ground, reading.filters, scope.index)
    if (state == UNKNOWN).all():
        empty = np.zeros(0, dtype=np.int32)
        return UnitSet(empty, np.zeros(0, dtype=np.bool_), (*scope.missing, *missing))
    keep = state != NO
    return UnitSet(
        scope.index[keep], (scope.sure & (state == YES))[keep], (*scope.missing, *missing)
    )


def filtered(
    ground: Ground, filters: Sequence[Test], index: Int32Array
) -> tuple[States, tuple[Missing, ...]]:
    """Whether units pass all filters, and what is missing to tell."""
    joined = np.full(len(index), YES, dtype=np.int8)
    missing: list[Missing] = []
    for test in filters:
        state, _, lacking = test_units(ground, test, index)
        joined = both(joined, state)
        missing.extend(lacking)
    return joined, tuple(missing)


def shares(
    scope: UnitSet,
    state: States,
    missing: tuple[Missing, ...] = (),
    warnings: tuple[Warn, ...] = (),
    kinds: float = 1.0,
) -> Outcome:
    """Units that have ÷ units assessed, with the range that the unknown leaves.

    `kinds`: the share of the kinds of facility that could be looked for. Below 1, a unit
    without any found may still have one of the others, and none found at all is no 0.
    """
    sure = scope.sure
    yes, no, open_ = (int(np.count_nonzero(sure & (state == s))) for s in (YES, NO, UNKNOWN))
    out_yes, out_no, out_open = (
        int(np.count_nonzero(~sure & (state == s))) for s in (YES, NO, UNKNOWN)
    )
    least = yes + no + open_ + out_no + out_open
    may_have = yes + open_ + out_yes + out_open + ((no + out_no) if kinds < 1 else 0)
    most = yes + no + open_ + out_yes + out_open + (out_no if kinds < 1 else 0)
    whole = len(state)
    known = yes + no
    shown = np.where(sure, state, UNKNOWN).astype(np.int8)
    atoms = Atoms(
        "unit", scope.index, shown, (shown == YES).astype(np.float64), sure.astype(np.float64)
    )
    return Outcome(
        value=yes / known if yes or (known and kinds == 1) else None,
        lower=yes / least if least else None,
        upper=may_have / most if most else None,
        assessed_share=known / whole * kinds if whole else None,
        have=float(yes),
        of=float(known),
        atoms=atoms,
        missing=missing,
        warnings=warnings,
    )


def _open(
    scope: UnitSet,
    states: Sequence[States],
    missing: tuple[Missing, ...],
    warnings: tuple[Warn, ...] = (),
    combine: str = "all",
) -> Outcome:
    """Something needed is wholly unknown: no value, unless every unit is settled all the same."""
    state = states[0]
    for more in states[1:]:
        state = both(state, more) if combine == "all" else either(state, more)
    found = shares(scope, state, missing, warnings)
    if not (state == UNKNOWN).any() and scope.sure.all():
        return found
    settled = bool((state != UNKNOWN).any())
    return Outcome(
        None,
        found.lower if settled else None,
        found.upper if settled else None,
        None,
        atoms=found.atoms,
        missing=missing,
        warnings=warnings,
    )


def _listed(
    ground: Ground,
    services: Sequence[str],
    where: Sequence[Condition],
    index: Int32Array,
    least: int,
    counted: _Count,
) -> States:
    """Whether each unit has so many, as far as the lists go: each kind counts inside its own."""
    if not ground.part_lists(services):
        return counted.state(least)
    yes, maybe = np.zeros(len(index)), np.zeros(len(index))
    open_ = np.zeros(len(index), dtype=np.bool_)
    for service in ground.assessed(services):
        inside = ground.judged_units((service,), index)
        one = _Count.of(ground, (service,), where, index)
        yes += np.where(inside, one.yes, 0)
        maybe += np.where(inside, one.maybe, 0)
        open_ |= ~inside
    possible = open_ | (yes + maybe >= least)
    return np.where(yes >= least, YES, np.where(possible, UNKNOWN, NO)).astype(np.int8)


@dataclass(frozen=True, slots=True)
class _Count:
    """Facilities that qualify, and those that might, in every unit of a scope (n).

    `known`: it is known of at least one facility whether it qualifies. `outside`: ids of
    the facilities that qualify and lie in no unit at all. `missing`: of facilities in the scope.
    """

    yes: FloatArray
    maybe: FloatArray
    known: bool
    missing: tuple[Missing, ...]
    outside: tuple[str, ...]

    @classmethod
    def of(
        cls,
        ground: Ground,
        services: Sequence[str],
        where: Sequence[Condition],
        index: Int32Array,
    ) -> _Count:
        """Count the facilities of some services by unit (declared code, else polygon)."""
        rows, state, _ = ground.qualifying(services, where)
        yes, maybe = np.zeros(ground.size), np.zeros(ground.size)
        levels = {str(ground.city.units.level[i]) for i in index}
        inside = np.zeros(len(rows), dtype=np.bool_)
        for level in levels:
            unit = ground.city.facilities.unit[level][rows]
            held = unit != NOBODY
            inside |= np.isin(unit, index)
            yes += np.bincount(unit[held & (state == YES)], minlength=ground.size)
            maybe += np.bincount(unit[held & (state == UNKNOWN)], minlength=ground.size)
        known = len(rows) == 0 or bool((state != UNKNOWN).any())
        missing = ground.qualifying(services, where, rows[inside])[2]
        homeless = ground.without_unit(rows)
        outside = tuple(str(ground.city.facilities.id[i]) for i in rows[homeless & (state == YES)])
        return cls(yes[index], maybe[index], known, missing, outside)

    def state(self, least: int) -> States:
        """Whether each unit has at least so many."""
        enough: BoolArray = self.yes >= least
        possible: BoolArray = self.yes + self.maybe >= least
        return np.where(enough, YES, np.where(possible, UNKNOWN, NO)).astype(np.int8)

    def remarks(self, ground: Ground, scope: UnitSet, asked: Amount | None) -> list[Warn]:
        """Units with more than the plan asks for, and facilities that lie in no unit in scope."""
        said = []
        most = np.inf if asked is None else ground.amount(asked)
        several = scope.index[self.yes > most]
        if len(several):
            units = ground.city.units
            names = first_of([f"{units.name[i]} ({units.code[i]})" for i in several], _NAMED)
            said.append(Warn("scorecard_several", {"count": len(several), "units": names}))
        if self.outside:
            listed = first_of(self.outside, _NAMED)
            params = {"count": len(self.outside), "facilities": listed}
            said.append(Warn("scorecard_outside", params))
        return said
