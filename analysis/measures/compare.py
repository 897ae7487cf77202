"""Two runs of an area side by side: what changed, by service and unit, and who gained or lost.

Units are matched by level and code, cells by place (to the centimetre). Residents gained stand
in the later run where they are covered and were not; residents lost in the earlier run where
they were covered and are not; the rest of the change in covered residents is people who came,
went or moved. Where less than half of the residents stand in matched cells, gains and losses
are the rises and falls of the units.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from pyproj import Transformer

from lifecircle.analysis.city.model import Cells
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.coverage import Coverage, CoverageRow, coverage
from lifecircle.analysis.measures.question import (
    Question,
    Study,
    ask,
    covered,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import resting_on
from lifecircle.analysis.measures.residents import persons_of, sums_by
from lifecircle.analysis.quantities import CM_PER_M, BoolArray, Int32Array, IntArray

Matched = Literal["place", "unit"]
State = Literal["both", "appeared", "vanished"]


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One unit (or the area) in two runs; persons whole, shares 0-1, None = not computable.

    `gained` - `lost` + `moved` = `covered_to` - `covered_from`.
    """

    code: str
    name: str
    name_en: str | None
    state: State
    residents_from: int | None
    residents_to: int | None
    covered_from: int | None
    covered_to: int | None
    P_from: float | None
    P_to: float | None
    P_change: float | None
    gained: int | None
    lost: int | None
    moved: int | None


@dataclass(frozen=True, slots=True)
class Comparison:
    """One service in two runs. `matched`: whether gains are counted by place or by unit.

    `gained_cells` indexes the later run's cells, `lost_cells` the earlier run's.
    `facilities_from`, `facilities_to`: how many of the service each run holds.
    """

    service: str
    minutes: float
    walker: str
    group: str
    by: str
    matched: Matched
    facilities_from: int
    facilities_to: int
    total: CompareRow
    units: tuple[CompareRow, ...]
    gained_cells: Int32Array
    lost_cells: Int32Array
    warnings: tuple[Warn, ...]

    @property
    def changed(self) -> bool:
        """Whether any figure differs between the two runs."""
        return any(_differs(row) for row in (self.total, *self.units))


@dataclass(frozen=True, slots=True)
class Match:
    """Which cells of two runs are the same place, (p,) each, ascending in the later run.

    `share` is the smaller of the shares of residents who stand in matched cells.
    """

    before: Int32Array
    after: Int32Array
    share: float


def compare(
    before: Study,
    after: Study,
    question: Question,
    *,
    match: Match | None = None,
    names: tuple[str, str] = ("", ""),
    same_ground: bool = True,
) -> Comparison:
    """Coverage of one service in two runs.

    Parameters
    ----------
    before, after : the earlier and the later run; each is judged under its own policy.
    question : minutes None = the service's own in the later run's policy, by None = the default
        of the later run.
    match : of `match_cells`, to be handed to all questions about the same two runs.
    names : of the two runs, for remarks.
    same_ground : whether people walk alike in both: slope, barriers, closures.

    Raises
    ------
    UnknownNameError : one of the runs has no such service, walker, group or level.
    ParameterError : minutes not above 0 or beyond a day.
    """
    question = settle(after, question)
    asked = ask(after, question)
    service, group = asked.service.id, question.group
    level = level_of(after.city, question.by)
    same_question = replace(question, minutes=asked.minutes, by=level, at=None)
    old, new = (coverage(study, same_question, capacity=False) for study in (before, after))
    same = match or match_cells(
        before.city.cells, after.city.cells, before.city.crs, after.city.crs
    )
    by_place = 2 * same.share >= 1
    gained, lost = _moved(before, after, same, same_question)
    moves = _Moves.of(before, after, group, level, gained, lost) if by_place else None
    units = tuple(_units(old, new, moves))
    sides = ((names[0], before, old), (names[1], after, new))
    return Comparison(
        service,
        asked.minutes,
        asked.walker.id,
        group,
        level,
        "place" if by_place else "unit",
        int(before.city.facilities.of_service(service).sum()),
        int(after.city.facilities.of_service(service).sum()),
        _total(old, new, units, moves),
        units,
        gained if by_place else gained[:0],
        lost if by_place else lost[:0],
        tuple(_remarks(sides, units, same_ground=same_ground, by_place=by_place)),
    )


def match_cells(before: Cells, after: Cells, crs_before: str, crs_after: str) -> Match:
    """Cells of two runs at the same place; several at one place are paired in the order of ids."""
    xy = before.xy_m
    if crs_before != crs_after and len(before):
        turn = Transformer.from_crs(crs_before, crs_after, always_xy=True)
        xy = np.column_stack(turn.transform(xy[:, 0], xy[:, 1]))
    place = {key: i for i, key in enumerate(_keys(xy, before))}
    pairs = [(place[key], j) for j, key in enumerate(_keys(after.xy_m, after)) if key in place]
    old = np.array([i for i, _ in pairs], dtype=np.int32)
    new = np.array([j for _, j in pairs], dtype=np.int32)
    shares = [
        int(cells.residents[index].sum()) / max(1, int(cells.residents.sum()))
        for cells, index in ((before, old), (after, new))
    ]
    return Match(old, new, min(shares))


def _keys(xy_m: np.ndarray, cells: Cells) -> Iterator[tuple[int, int, int]]:
    """Place in centimetres and the cell's number among those of the place, by id."""
    whole = np.rint(xy_m * CM_PER_M).astype(np.int64)
    order = sorted(range(len(cells)), key=lambda i: str(cells.id[i]))
    seen: dict[tuple[int, int], int] = {}
    number = np.zeros(len(cells), dtype=np.int64)
    for i in order:
        at = (int(whole[i, 0]), int(whole[i, 1]))
        number[i] = seen.get(at, 0)
        seen[at] = int(number[i]) + 1
    return ((int(x), int(y), int(n)) for (x, y), n in zip(whole, number, strict=True))


def covered_cells(study: Study, question: Question) -> BoolArray:
    """Whether each cell is covered, bool (c,); none where the service is not assessed."""
    asked = ask(study, question)
    walks = walks_to(study, asked.service.id)
    if walks is None:
        return np.zeros(len(study.city.cells), dtype=np.bool_)
    near = covered(walks.cell_cm, study.city.cells.position, asked.limit_cm)
    return near & study.judged(asked.service.id).cell


def _moved(
    before: Study, after: Study, same: Match, question: Question
) -> tuple[Int32Array, Int32Array]:
    """Cells of the later run that gained the service and of the earlier run that lost it."""
    nothing, service = np.zeros(0, dtype=np.int32), str(question.service)
    if not (before.city.assessed(service) and after.city.assessed(service)):
        return nothing, nothing
    was = covered_cells(before, question)[same.before]
    now = covered_cells(after, question)[same.after]
    both = before.judged(service).cell[same.before] & after.judged(service).cell[same.after]
    gained, lost = same.after[now & ~was & both], same.before[was & ~now & both]
    there = persons_of(after.city.cells, question.group)[gained] > 0
    were = persons_of(before.city.cells, question.group)[lost] > 0
    return gained[there], lost[were]


@dataclass(frozen=True, slots=True)
class _Moves:
    """Persons gained and lost by unit code of the level, and in the area."""

    gained: dict[str, int]
    lost: dict[str, int]
    gained_in_all: int
    lost_in_all: int

    @classmethod
    def of(
        cls,
        before: Study,
        after: Study,
        group: str,
        level: str,
        gained: Int32Array,
        lost: Int32Array,
    ) -> _Moves:
        return cls(
            _by_code(after, group, level, gained),
            _by_code(before, group, level, lost),
            int(persons_of(after.city.cells, group)[gained].sum()),
            int(persons_of(before.city.cells, group)[lost].sum()),
        )


def _by_code(study: Study, group: str, level: str, cells: Int32Array) -> dict[str, int]:
    units = study.city.units
    persons: IntArray = persons_of(study.city.cells, group)[cells]
    held = sums_by(study.city.cells.unit[level][cells], len(units.code), persons)
    return {str(units.code[i]): int(held[i]) for i in np.flatnonzero(held)}


def _units(old: Coverage, new: Coverage, moves: _Moves | None) -> Iterator[CompareRow]:
    was = {row.code: row for row in old.units}
    for row in new.units:
        yield _row(was.get(row.code), row, moves)
    now = {row.code for row in new.units}
    for row in old.units:
        if row.code not in now:
            yield _row(row, None, moves)


def _row(old: CoverageRow | None, new: CoverageRow | None, moves: _Moves | None) -> CompareRow:
    shown = new if new is not None else old
    assert shown is not None
    state: State = "appeared" if old is None else "vanished" if new is None else "both"
    change = _less(None if old is None else old.covered, None if new is None else new.covered)
    gained = lost = moved = None
    if change is not None and state == "both":
        gained = max(0, change) if moves is None else moves.gained.get(shown.code, 0)
        lost = max(0, -change) if moves is None else moves.lost.get(shown.code, 0)
        moved = change - gained + lost
    return _compared(shown, state, old, new, gained, lost, moved)


def _total(
    old: Coverage, new: Coverage, units: tuple[CompareRow, ...], moves: _Moves | None
) -> CompareRow:
    change = _less(old.total.covered, new.total.covered)
    if change is None:
        return _compared(new.total, "both", old.total, new.total, None, None, None)
    gained = sum(row.gained or 0 for row in units) if moves is None else moves.gained_in_all
    lost = sum(row.lost or 0 for row in units) if moves is None else moves.lost_in_all
    return _compared(new.total, "both", old.total, new.total, gained, lost, change - gained + lost)


def _compared(
    shown: CoverageRow,
    state: State,
    old: CoverageRow | None,
    new: CoverageRow | None,
    gained: int | None,
    lost: int | None,
    moved: int | None,
) -> CompareRow:
    was, now = (None if row is None else row.P for row in (old, new))
    return CompareRow(
        shown.code,
        shown.name,
        shown.name_en,
        state,
        residents_from=None if old is None else old.residents,
        residents_to=None if new is None else new.residents,
        covered_from=None if old is None else old.covered,
        covered_to=None if new is None else new.covered,
        P_from=was,
        P_to=now,
        P_change=None if was is None or now is None else now - was,
        gained=gained,
        lost=lost,
        moved=moved,
    )


def _less(old: int | None, new: int | None) -> int | None:
    return None if old is None or new is None else new - old


def _differs(row: CompareRow) -> bool:
    return (
        row.state != "both"
        or row.residents_from != row.residents_to
        or row.covered_from != row.covered_to
        or row.P_from != row.P_to
        or bool(row.gained)
        or bool(row.lost)
        or bool(row.moved)
    )


def _remarks(
    sides: tuple[tuple[str, Study, Coverage], tuple[str, Study, Coverage]],
    units: tuple[CompareRow, ...],
    *,
    same_ground: bool,
    by_place: bool,
) -> Iterator[Warn]:
    (_, before, _), (_, after, _) = sides
    if before.policy.digest != after.policy.digest:
        yield Warn("compare_policies")
    if not same_ground:
        yield Warn("compare_walking")
    if not by_place:
        yield Warn("compare_by_unit")
    for state in ("appeared", "vanished"):
        named = [f"{row.name} ({row.code})" for row in units if row.state == state]
        if named:
            yield Warn(f"compare_{state}", {"count": len(named), "units": ", ".join(named)})
    yield from (*resting_on(before.city), *resting_on(after.city))
    for name, study, found in sides:
        if found.total.covered is None:
            title = study.policy.services[found.service].title
            yield Warn(
                "compare_not_assessed",
                {"run": name, "title": title},
            )
