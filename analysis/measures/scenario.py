"""What edits do to a city: every figure before and after, and who gains and who loses.

Cells that stay are compared with themselves: gained are residents who now reach a service and did
not, lost those who did. Residents who move in or out are told apart and are neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final, cast

import numpy as np

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.catchments.catchments import Catchments
from lifecircle.analysis.measures.catchments.population_rule import population_rule
from lifecircle.analysis.measures.catchments.rule_result import RuleResult
from lifecircle.analysis.measures.circles import Circles, circles
from lifecircle.analysis.measures.compare import covered_cells
from lifecircle.analysis.measures.edits.apply import Edited, apply_edits, with_catchments
from lifecircle.analysis.measures.edits.model import Edit
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import Asked, Question, Study, ask, level_of, settle
from lifecircle.analysis.measures.remarks import list_remarks
from lifecircle.analysis.measures.residents import (
    judged_persons,
    need_residents,
    sums_by,
    unknown_units,
)
from lifecircle.analysis.measures.scorecard.card import scorecard
from lifecircle.analysis.measures.scorecard.result import RowResult, ScorecardResult
from lifecircle.analysis.quantities import NOBODY, BoolArray, Int32Array, IntArray

PARTS: Final = ("services", "catchments", "circles", "scorecard")
_SIDES: Final = "scenario_sides"


@dataclass(frozen=True, slots=True)
class Sides:
    """Persons of a unit or the area before and after: all, covered; None = not known.

    `gained`, `lost`: of those who live there before and after.
    """

    code: str
    name: str
    name_en: str | None
    residents: tuple[int | None, int | None]
    covered: tuple[int | None, int | None]
    gained: int | None
    lost: int | None

    def share(self, side: int) -> float | None:
        """P before (0) or after (1); None where nobody is known."""
        residents, within = self.residents[side], self.covered[side]
        return within / residents if within is not None and residents else None


@dataclass(frozen=True, slots=True)
class ServiceChange:
    """One service before and after; `units`: those of which some figure differs.

    `groups`: persons of each group covered, and gained and lost of it. `gained_cells`,
    `lost_cells`: cells of the city after the edits.
    """

    asked: Asked
    total: Sides
    units: tuple[Sides, ...]
    groups: Mapping[str, tuple[int, int, int, int]]
    gained_cells: Int32Array
    lost_cells: Int32Array
    warnings: tuple[Warn, ...]


@dataclass(frozen=True, slots=True)
class Moved:
    """Residents, each once, in cells where something is gained (or lost), in all and by unit."""

    residents: int
    groups: Mapping[str, int]
    units: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a study comes to before any edit, worked out once and kept."""

    rule: RuleResult | None
    circles: Mapping[str, Circles]
    card: ScorecardResult | None

    @classmethod
    def of(cls, study: Study, question: Question, parts: Sequence[str] = PARTS) -> Baseline:
        """Rule, circles and scorecard as far as `parts` ask for them."""
        kinds = study.policy.circles if "circles" in parts else ()
        own = Question(walker=question.walker, by=question.by)
        card = None
        if "scorecard" in parts and study.policy.scorecard is not None:
            card = scorecard(study, walker=question.walker)
        return cls(
            population_rule(study) if "catchments" in parts else None,
            MappingProxyType({kind: circles(study, own, kind=kind) for kind in kinds}),
            card,
        )


@dataclass(frozen=True, slots=True)
class Scenario:
    """A study, the same after edits, and what differs.

    `catchments`: by service, before and after, None where there are none. `rows`: of the
    scorecard, those whose value or status changed, before and after.
    """

    before: Study
    edited: Edited
    after: Study
    question: Question
    by: str
    services: tuple[ServiceChange, ...]
    winners: Moved
    losers: Moved
    catchments: Mapping[str, tuple[Catchments | None, Catchments | None]]
    rule: tuple[RuleResult | None, RuleResult | None]
    circles: Mapping[str, tuple[Circles, Circles]]
    rows: tuple[tuple[RowResult, RowResult], ...]
    warnings: tuple[Warn, ...] = field(default=())


def scenario(
    study: Study,
    edits: Sequence[Edit],
    question: Question,
    *,
    parts: Sequence[str] = PARTS,
    baseline: Baseline | None = None,
) -> Scenario:
    """Before and after some edits, for every service that they may change.

    Parameters
    ----------
    question : minutes None = each service's own; walker; `by` the level of the units. Catchments,
        circles and scorecard keep each service's own minutes.
    parts : which of `PARTS` are worked out.
    baseline : `Baseline.of` the study for the same walker, level and parts, where it is known.

    Raises
    ------
    UnknownNameError : no such walker or level.
    ParameterError : impossible minutes; nobody is counted; no street or nobody would be left.
    """
    need_residents(study.city)
    question = settle(study, question)
    level = study.default_level if question.by is None else level_of(study.city, question.by)
    asked = Question(None, question.minutes, question.walker, by=level)
    for service in list(study.policy.services)[:1]:  # minutes and walker are those of all
        ask(study, asked.about(service))
    edited = apply_edits(study, edits)
    solved = "catchments" in parts or "scorecard" in parts
    after = with_catchments(edited, study) if solved else edited.study
    was = baseline or Baseline.of(study, asked, parts)
    now = Baseline.of(after, asked, parts)
    services = tuple(
        _service_change(study, edited, asked.about(one), level) for one in edited.services
    )
    told = was.circles.keys() & now.circles.keys()
    return Scenario(
        study,
        edited,
        after,
        asked,
        level,
        services,
        _moved(edited, [one.gained_cells for one in services], level),
        _moved(edited, [one.lost_cells for one in services], level),
        _catchments(study, after) if "catchments" in parts else MappingProxyType({}),
        (was.rule, now.rule),
        MappingProxyType({k: (was.circles[k], now.circles[k]) for k in now.circles if k in told}),
        tuple(_changed_rows(was.card, now.card)),
        edited.warnings,
    )


@dataclass(frozen=True, slots=True)
class _Side:
    """One service before or after: who is covered (c,), and residents of the area and of units.

    `persons` int64 (c,): those judged; `people`, `reached`: of units, None where not known.
    """

    known: bool
    covered: BoolArray
    persons: IntArray
    within: int | None
    groups: Mapping[str, int]
    people: list[int | None]
    reached: list[int | None]

    @classmethod
    def of(cls, study: Study, question: Question, level: str, covered: BoolArray) -> _Side:
        city, cells = study.city, study.city.cells
        service, size = str(question.service), len(city.units.code)
        known, hidden = city.assessed(service), unknown_units(city, level).tolist()
        persons, index = judged_persons(study, service, TOTAL), cells.unit[level]
        reached = sums_by(index, size, persons, covered)
        return cls(
            known,
            covered,
            persons,
            int(persons[covered].sum()) if known else None,
            MappingProxyType({k: int(v.value[covered].sum()) for k, v in cells.groups.items()}),
            _held(sums_by(index, size, persons), hidden),
            _held(reached, hidden if known else [True] * size),
        )


_Kept = tuple[tuple[Question, str] | None, dict[str, _Side]]


def _side_before(study: Study, question: Question, level: str) -> _Side:
    """A service before any edit: kept for as long as the same is asked again and again."""
    wanted = (replace(question, service=None), level)
    asked, sides = cast(_Kept, study.kept.get(_SIDES, (None, {})))
    if asked != wanted:
        sides = {}
        study.kept[_SIDES] = (wanted, sides)
    service = str(question.service)
    if service not in sides:
        covered = covered_cells(study, question)
        sides[service] = _Side.of(study, question, level, covered)
    return sides[service]


def _service_change(before: Study, edited: Edited, question: Question, level: str) -> ServiceChange:
    after = edited.study
    asked = ask(after, question)
    was = _side_before(before, question, level)
    covered = covered_cells(after, question)
    same = was.known == after.city.assessed(asked.service.id)
    same = same and after.city.cells.residents is before.city.cells.residents
    if same and np.array_equal(was.covered, covered):
        now, nobody = was, np.zeros(0, dtype=np.int32)
        gained, lost = nobody, nobody
    else:
        now = _Side.of(after, question, level, covered)
        gained, lost = _gained_lost(edited, was.covered, covered)
        if not (was.known and now.known):
            gained, lost = gained[:0], lost[:0]
    held = {
        name: (
            was.groups[name],
            now.groups[name],
            int(count.value[gained].sum()),
            int(count.value[lost].sum()),
        )
        for name, count in after.city.cells.groups.items()
    }
    total, units = _rows(after, level, (was, now), (gained, lost))
    return ServiceChange(
        asked, total, units, MappingProxyType(held), gained, lost,
        tuple(list_remarks(after, asked.service)),
    )  # fmt: skip


def _gained_lost(edited: Edited, was: BoolArray, now: BoolArray) -> tuple[Int32Array, Int32Array]:
    """Cells (of the city after) that stay, and gain or lose."""
    stays = edited.cell_before != NOBODY
    had = stays & was[np.where(stays, edited.cell_before, 0)]
    lives = edited.study.city.cells.residents > 0
    gained = np.flatnonzero(stays & now & ~had & lives)
    lost = np.flatnonzero(had & ~now & lives)
    return gained.astype(np.int32), lost.astype(np.int32)


def _rows(
    after: Study, level: str, sides: tuple[_Side, _Side], moved: tuple[Int32Array, Int32Array]
) -> tuple[Sides, tuple[Sides, ...]]:
    """The area and the units of a level where something differs."""
    units, cells, (was, now) = after.city.units, after.city.cells, sides
    known = was.known and now.known
    won, gone = (int(cells.residents[rows].sum()) if known else None for rows in moved)
    total = Sides(
        TOTAL, TOTAL, None, (int(was.persons.sum()), int(now.persons.sum())),
        (was.within, now.within), won, gone,
    )  # fmt: skip
    if was is now:
        return total, ()
    size, index = len(units.code), cells.unit[level]
    silent = [not known] * size
    gains, losses = (
        _held(sums_by(index[rows], size, cells.residents[rows]), silent) for rows in moved
    )
    rows = tuple(
        Sides(
            units.code[i], units.name[i], units.name_en[i], (was.people[i], now.people[i]),
            (was.reached[i], now.reached[i]), gains[i], losses[i],
        )
        for i in units.of_level(level).tolist()
        if was.people[i] != now.people[i] or was.reached[i] != now.reached[i]
        or gains[i] or losses[i]
    )  # fmt: skip
    return total, rows


def _held(persons: IntArray, hidden: Sequence[bool]) -> list[int | None]:
    """Persons of each unit, None where they are not known."""
    return [None if no else n for n, no in zip(persons.tolist(), hidden, strict=True)]


def _moved(edited: Edited, cells: Sequence[Int32Array], level: str) -> Moved:
    """Residents of any of some cells, each once."""
    table = edited.study.city.cells
    every = np.unique(np.concatenate([np.zeros(0, dtype=np.int32), *cells]))
    held = sums_by(
        table.unit[level][every], len(edited.study.city.units.code), table.residents[every]
    )
    return Moved(
        int(table.residents[every].sum()),
        MappingProxyType({k: int(v.value[every].sum()) for k, v in table.groups.items()}),
        MappingProxyType({int(i): int(held[i]) for i in np.flatnonzero(held)}),
    )


def _catchments(
    before: Study, after: Study
) -> Mapping[str, tuple[Catchments | None, Catchments | None]]:
    found = {}
    for service in before.policy.capacity_services:
        pair = [study.catchments.get(service) for study in (before, after)]
        first, last = (one if isinstance(one, Catchments) else None for one in pair)
        if first is not None or last is not None:
            found[service] = (first, last)
    return MappingProxyType(found)


def _changed_rows(
    old: ScorecardResult | None, new: ScorecardResult | None
) -> list[tuple[RowResult, RowResult]]:
    """Rows whose value or status differs, in the scorecard's order."""
    if old is None or new is None:
        return []
    was = {row.row.id: row for row in old.rows}
    pairs = [(was[row.row.id], row) for row in new.rows if row.row.id in was]
    return [(a, b) for a, b in pairs if (a.status, a.figure.value) != (b.status, b.figure.value)]
