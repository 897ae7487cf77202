"""Circles: the set of services each cell reaches, and whether it is complete."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.names import TOTAL, circle_of, walker_of
from lifecircle.analysis.measures.question import (
    Question,
    Study,
    ask,
    checked_minutes,
    circle_state,
    covered,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import outside_units, resting_on, units_unknown
from lifecircle.analysis.measures.residents import sums_by, unknown_units
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray, read_only
from lifecircle.analysis.texts import listed


@dataclass(frozen=True, slots=True)
class CircleTable:
    """One kind of circle for every cell (c cells, k services of the kind).

    `reach` bool (k, c): within time; rows of services that are not assessed are all False and
    `assessed[k]` is False. `judged` bool (k, c): whether the list of a
    service covers a cell. `state` int32 (c,): 1 complete, 0 incomplete, -1 not assessed
    (the headline: all required, or at least `required` of them); `state_all`: all services.
    """

    kind: str
    minutes: float | None
    walker: str
    services: tuple[str, ...]
    assessed: BoolArray
    required: int
    reach: BoolArray
    judged: BoolArray
    reached: Int32Array
    state: Int32Array
    state_all: Int32Array


@dataclass(frozen=True, slots=True)
class CircleRow:
    """Residents of one unit with a complete, incomplete or not assessed circle.

    `score`: share of the assessed types that a resident reaches, mean over residents, 0-1.
    `unsnapped`: those who join no street; of them `unsnapped_short_piece` are near a piece too
    short to join, the others near none.
    """

    code: str
    name: str
    residents: int | None
    complete: int | None
    incomplete: int | None
    not_assessed: int | None
    share: float | None
    share_all: float | None
    score: float | None
    missing: tuple[tuple[str, int], ...]
    unsnapped: int | None
    unsnapped_short_piece: int | None

    @property
    def unsnapped_no_street(self) -> int | None:
        """Those of `unsnapped` who are near no street at all."""
        return (
            None if self.unsnapped is None else self.unsnapped - (self.unsnapped_short_piece or 0)
        )


@dataclass(frozen=True, slots=True)
class Circles:
    """A kind of circle by unit; `missing` lists (service, residents who miss it), worst first.

    A share is None while it is unknown for some of the residents.
    """

    kind: str
    minutes: float | None
    walker: str
    by: str
    required: int
    assessed: tuple[str, ...]
    not_assessed: tuple[str, ...]
    total: CircleRow
    units: tuple[CircleRow, ...]
    warnings: tuple[Warn, ...]


def circle_table(
    study: Study,
    question: Question,
    *,
    kind: str,
    optional: bool = False,
    upgraded: bool = False,
    limit_of: Callable[[float], int] | None = None,
) -> CircleTable:
    """Which services of a kind every cell reaches within the minutes of the question.

    Parameters
    ----------
    question : minutes None = each service's own, a number = all of them at that time.
    optional : whether the policy's optional services count too.
    upgraded : the kind's upgraded types (品质提升类) instead; all of them are the circle.
    limit_of : centimetres walked in some minutes; None = by the walker's speed.

    Raises
    ------
    UnknownNameError : no such kind of circle or walker.
    ParameterError : minutes not above 0 or beyond a day.
    """
    question = settle(study, question)
    city, policy = study.city, study.policy
    kind = circle_of(policy, kind)
    rule = policy.circles[kind]
    walker_of(policy, question.walker)
    time = None if question.minutes is None else checked_minutes(question.minutes)
    listed = rule.upgraded if upgraded else rule.services
    services = tuple(s for s in listed if optional or not policy.services[s].optional)
    reach = np.zeros((len(services), len(city.cells)), dtype=np.bool_)
    judged = np.zeros_like(reach)
    for k, service in enumerate(services):
        walks = walks_to(study, service)
        if walks is not None:
            judged[k] = study.judged(service).cell
            asked = ask(study, question.about(service))
            limit = asked.limit_cm if limit_of is None else limit_of(asked.minutes)
            reach[k] = judged[k] & covered(walks.cell_cm, city.cells.position, limit)
    assessed = np.array([city.assessed(service) for service in services], dtype=np.bool_)
    reached = reach.sum(axis=0).astype(np.int32)
    whole = upgraded or rule.required is None
    required = len(services) if whole else int(rule.required.value)  # type: ignore[union-attr]
    open_ = (len(services) - judged.sum(axis=0)).astype(np.int32)
    state = circle_state(reached, required, open_)
    state_all = circle_state(reached, len(services), open_)
    for array in (reach, judged, assessed, reached, state, state_all):
        read_only(array)
    return CircleTable(
        kind, time, question.walker, services, assessed, required, reach, judged, reached, state,
        state_all,
    )  # fmt: skip


def circles(
    study: Study,
    question: Question,
    *,
    kind: str,
    optional: bool = False,
    upgraded: bool = False,
) -> Circles:
    """Residents with a complete circle, for the area and every unit of a level.

    Parameters and errors as in `circle_table`; `by` as in `coverage`.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.circles(lc.tiny_town().study, lc.Question(), kind="convenience")
    >>> found.total.residents, found.total.not_assessed
    (900, 900)
    """
    city = study.city
    level = level_of(city, question.by)
    table = circle_table(study, question, kind=kind, optional=optional, upgraded=upgraded)
    rows = city.units.of_level(level)
    units = city.units
    unknown_total = unknown_units(city, level)
    everyone = np.zeros(len(city.cells), dtype=np.int32)
    residents = city.cells.residents
    loose = (~city.cells.position.snapped, near_short_piece(study))
    per_unit = _Counts.of(table, residents, city.cells.unit[level], len(units.code), loose)
    in_area = _Counts.of(table, residents, everyone, 1, loose)
    names = tuple(zip(table.services, table.assessed, strict=True))
    return Circles(
        kind=kind,
        minutes=table.minutes,
        walker=table.walker,
        by=level,
        required=table.required,
        assessed=tuple(service for service, known in names if known),
        not_assessed=tuple(service for service, known in names if not known),
        total=in_area.row(TOTAL, TOTAL, 0, not city.cells.counted),
        units=tuple(
            per_unit.row(str(units.code[i]), str(units.name[i]), int(i), bool(unknown_total[i]))
            for i in rows
        ),
        warnings=tuple(_remarks(city, study.policy, table, level, rows[unknown_total[rows]])),
    )


@dataclass(frozen=True, slots=True)
class _Counts:
    """Residents per unit (k,) by state; `missing` (services, k), assessed services only.

    `loose`: who join no street, and who of them are near a piece too short to join.
    """

    table: CircleTable
    known: IntArray
    states: dict[int, IntArray]
    complete_all: IntArray
    open_all: IntArray
    reached: IntArray
    types: IntArray
    missing: dict[str, IntArray]
    loose: tuple[IntArray, IntArray]

    @classmethod
    def of(
        cls,
        table: CircleTable,
        residents: IntArray,
        index: Int32Array,
        size: int,
        loose: tuple[BoolArray, BoolArray],
    ) -> _Counts:
        """Count the residents of every unit; `loose` by cell (c,)."""
        return cls(
            table,
            sums_by(index, size, residents),
            {s: sums_by(index, size, residents, table.state == s) for s in (1, 0, -1)},
            sums_by(index, size, residents, table.state_all == 1),
            sums_by(index, size, residents, table.state_all == -1),
            sums_by(index, size, residents * table.reached),
            sums_by(index, size, residents * table.judged.sum(axis=0)),
            {
                service: sums_by(index, size, residents, table.judged[k] & ~table.reach[k])
                for k, service in enumerate(table.services)
                if table.assessed[k]
            },
            (
                sums_by(index, size, residents, loose[0]),
                sums_by(index, size, residents, loose[1]),
            ),
        )

    def row(self, code: str, name: str, i: int, unknown_total: bool) -> CircleRow:
        """The row of one unit."""
        if unknown_total:
            return CircleRow(code, name, *(None,) * 7, (), None, None)
        known, types = int(self.known[i]), int(self.types[i])
        complete, incomplete, open_ = (int(self.states[s][i]) for s in (1, 0, -1))
        missing = [(service, int(count[i])) for service, count in self.missing.items()]
        return CircleRow(
            code,
            name,
            known,
            complete,
            incomplete,
            open_,
            complete / known if known and not open_ else None,
            int(self.complete_all[i]) / known if known and not self.open_all[i] else None,
            int(self.reached[i]) / types if types else None,
            tuple(sorted((m for m in missing if m[1] > 0), key=lambda m: (-m[1], m[0]))),
            int(self.loose[0][i]),
            int(self.loose[1][i]),
        )


def _remarks(
    city: City, policy: Policy, table: CircleTable, level: str, missing: Int32Array
) -> Iterator[Warn]:
    absent = [
        policy.services[s] for s, ok in zip(table.services, table.assessed, strict=True) if not ok
    ]
    if absent:
        rule = policy.circles[table.kind]
        yield Warn(
            "circle_not_assessed",
            {
                "title": rule.title,
                "count": len(absent),
                "services": listed(service.title for service in absent),
            },
        )
    yield from resting_on(city)
    if not city.cells.counted:
        return
    yield from units_unknown(city.units, missing)
    yield from outside_units(city, level, city.cells.residents)
