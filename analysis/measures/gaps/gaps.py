"""Gaps: neighbouring cells of one unit whose residents are without, for one reason."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import repeat, starmap
from types import MappingProxyType

import shapely

from lifecircle.analysis.city.model import StrArray
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.gaps.cells import (
    REASONS,
    Bridge,
    Reason,
    not_judged,
    who_is_without,
)
from lifecircle.analysis.measures.gaps.table import GapTable, draw_gaps, gap_table
from lifecircle.analysis.measures.question import (
    WHOLE,
    Question,
    Study,
    ask,
    level_of,
    settle,
    walks_to,
)
from lifecircle.analysis.measures.remarks import not_assessed
from lifecircle.analysis.measures.residents import NOBODY_COUNTED, persons_of
from lifecircle.analysis.quantities import (
    NOBODY,
    Int32Array,
)

__all__ = ["REASONS", "Bridge", "Gap", "GapsFound", "Reason", "find_gaps", "gap_warnings", "gaps"]


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap; `cells` indexes ``city.cells``.

    `residents` counts the persons of the group that was asked for who are without; of
    `groups` those of whom it is known: where facilities are full only the number of the unserved
    is, and it is empty unless whole cells are. `region`: the id that the connected region has
    when it is not cut at the borders of units. `unit`: index into ``city.units``, None outside
    all, or where `units` is more than one.
    `minutes_to_nearest`: resident-weighted mean of its cells' walks to their nearest facility,
    None where no cell has a way. `nearest_facility`: index into ``city.facilities`` of the
    facility nearest to most of its residents, None when there is none. `edge_of_list`: those of its
    residents who live nearer to the edge of the service's list than the limit is far.
    `short_piece`: those who join no street, but are near a piece too short to join.
    `near`: index of the named place of any service nearest to the cell of most of its residents,
    `near_m` metres away in a straight line.
    `street`: row in ``city.street_names`` of the named street that cell joins, or the nearest.
    `geometry`: polygon(s) in the city's metric CRS.
    """

    id: str
    region: str
    service: str
    residents: int
    groups: Mapping[str, int]
    minutes_to_nearest: float | None
    nearest_facility: int | None
    near: int | None
    near_m: float | None
    street: int | None
    reason: Reason
    unit: int | None
    units: int
    unit_code: str | None
    unit_name: str | None
    edge_of_list: int
    short_piece: int
    cells: Int32Array
    geometry: shapely.Geometry


@dataclass(frozen=True, slots=True)
class GapsFound:
    """The gaps of one service and the sums they must add up to."""

    gaps: tuple[Gap, ...]
    bridge: Bridge


def gaps(
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
) -> tuple[Gap, ...]:
    """Gaps of one service, most residents first; walks in minutes, polygons in the city's CRS.

    Uncovered cells with residents are linked when their attachment points lie within the
    policy's `link_m` on one component, for one reason and in one unit; cells off the streets are
    linked by their own points. Units are those of the default level and the one beside it, of
    the level ``question.by``, or none at all (``by="none"``).
    A service that is not assessed has no gaps (see `gap_warnings`). Residents in reach whom no
    facility has room for (`balanced` catchments) make gaps of their own after all others,
    `over_capacity`; a cell served in part counts with its unserved residents only.

    Raises
    ------
    UnknownNameError : no such service, walker, group or level.
    ParameterError : minutes not above 0 or beyond a day, or `min_residents` below 0.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.gaps(lc.tiny_town().study, lc.Question("health_centre"))
    >>> [(gap.residents, gap.reason, gap.unit_code) for gap in found[:1]]
    [(100, 'too_far', 'E')]
    """
    return find_gaps(study, question, min_residents=min_residents).gaps


def find_gaps(
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
    drawn: bool = True,
) -> GapsFound:
    """As `gaps`, with the sums of all residents without, those of left out gaps too.

    Not `drawn` their geometries are empty: drawing takes most of the time and memory.
    """
    table, bridge = find_gap_table(study, question, min_residents=min_residents)
    return GapsFound(() if table is None else _rows(study, table, drawn), bridge)


def gap_warnings(study: Study, question: Question) -> tuple[Warn, ...]:
    """Why a service shows no gaps although nothing is known about it."""
    service = ask(study, question).service
    if not study.city.cells.counted:
        return (NOBODY_COUNTED,)
    return () if study.city.assessed(service.id) else (not_assessed(service),)


def find_gap_table(
    study: Study,
    question: Question,
    *,
    min_residents: int = 0,
) -> tuple[GapTable | None, Bridge]:
    """As `find_gaps`, as columns; None where there are none."""
    question = settle(study, question)
    city, group = study.city, question.group
    asked = ask(study, question)
    persons = persons_of(city.cells, group)
    if question.by not in (None, WHOLE):
        level_of(city, question.by)
    if min_residents < 0:
        raise ParameterError("min_residents_negative", value=min_residents)
    walks = walks_to(study, asked.service.id)
    if walks is None or not city.cells.counted:
        return None, not_judged(asked, persons if city.cells.counted else None)
    without, bridge = who_is_without(study, question, walks)
    if without is None:
        return None, bridge
    return gap_table(study, question, walks, without, min_residents), bridge


def _rows(study: Study, table: GapTable, drawn: bool) -> tuple[Gap, ...]:
    """The gaps of a table, one by one."""
    city = study.city
    columns = zip(
        table.id.tolist(),
        table.region.tolist(),
        repeat(table.service),
        table.residents.tolist(),
        _groups(table),
        map(_number, table.minutes.tolist()),
        map(_index, table.nearest.tolist()),
        map(_index, table.near.tolist()),
        map(_number, table.near_m.tolist()),
        map(_index, table.street.tolist()),
        [REASONS[i] for i in table.reason.tolist()],
        map(_index, table.unit.tolist()),
        table.units.tolist(),
        _texts(city.units.code, table.unit),
        _texts(city.units.name, table.unit),
        table.edge_of_list.tolist(),
        table.short_piece.tolist(),
        [table.cells[i:k] for i, k in zip(table.start, table.end, strict=True)],
        draw_gaps(study, [table])[0].tolist() if drawn else repeat(shapely.Polygon()),
        strict=False,
    )
    return tuple(starmap(Gap, columns))


def _groups(table: GapTable) -> list[Mapping[str, int]]:
    """Of whom it is known, the persons of each gap by group."""
    whole = table.whole.tolist()
    names = tuple(table.groups)
    each = zip(*(values.tolist() for values in table.groups.values()), strict=True)
    rows = list(each) if names else [()] * len(whole)
    return [
        MappingProxyType(dict(zip(names, row, strict=True)) if known else {})
        for row, known in zip(rows, whole, strict=True)
    ]


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value


def _index(value: int) -> int | None:
    return None if value == NOBODY else value


def _texts(table: StrArray, index: Int32Array) -> list[str | None]:
    """``table[index]`` as texts, None where the index is NOBODY."""
    known = [*map(str, table), None]  # NOBODY is the last
    return [known[i] for i in index.tolist()]
