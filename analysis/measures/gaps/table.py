"""Gaps of one service as columns, worked out for all of them at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.city.model import GeometryArray, StrArray
from lifecircle.analysis.measures.gaps.cells import FULL, REASONS, Without
from lifecircle.analysis.measures.gaps.street_names import named_street
from lifecircle.analysis.measures.outlines import outlines
from lifecircle.analysis.measures.question import WHOLE, Asked, Question, Study, Walks, ask
from lifecircle.analysis.measures.residents import persons_of, sums_by
from lifecircle.analysis.measures.unsnapped import near_short_piece
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
    minutes_of,
    read_only,
)
from lifecircle.analysis.readers.records.cells import object_array


@dataclass(frozen=True, slots=True)
class GapTable:
    """The gaps (g,) of one service, worst first; what a column holds is said of `gaps.Gap`.

    Where there is nothing, `nearest`, `near`, `street` and `unit` (int32) hold NOBODY, `minutes`
    and `near_m` (float64) NaN. `groups` are known where `whole`. `reason` int32: index into
    REASONS. `cells`: those of gap i stand from ``start[i]`` to ``end[i]``.
    """

    service: str
    id: StrArray
    region: StrArray
    residents: IntArray
    groups: Mapping[str, IntArray]
    whole: BoolArray
    minutes: FloatArray
    nearest: Int32Array
    near: Int32Array
    near_m: FloatArray
    street: Int32Array
    reason: Int32Array
    unit: Int32Array
    units: IntArray
    edge_of_list: IntArray
    short_piece: IntArray
    cells: Int32Array
    start: IntArray
    end: IntArray

    def __len__(self) -> int:
        return len(self.id)


def gap_table(
    study: Study,
    question: Question,
    walks: Walks,
    without: Without,
    min_residents: int,
) -> GapTable:
    """The gaps of labelled cells with at least so many residents."""
    asked = ask(study, question)
    sums = _sums(study, asked, walks, without)
    id_of = _Ids(asked, question.group)
    by = question.by if question.by not in (None, study.default_level) else ""
    row = np.flatnonzero(sums.residents >= min_residents)
    ids = id_of.each([sums.lowest[i] for i in row.tolist()], by)
    reason = without.reason[without.cell[sums.start[:-1]]]
    full = reason == REASONS.index(FULL)
    order = np.lexsort((ids.astype(np.str_), -sums.residents[row], full[row]))
    row, ids = row[order], ids[order]
    start, end = sums.start[:-1][row], sums.start[1:][row]
    whole = ~full | ~_differ(study, question, without, sums.start)
    read_only(without.cell)
    return GapTable(
        service=asked.service.id,
        id=ids,
        region=id_of.each([sums.region[i] for i in row.tolist()], WHOLE),
        residents=sums.residents[row],
        groups=MappingProxyType({name: each[row] for name, each in sums.groups.items()}),
        whole=whole[row],
        minutes=sums.minutes[row],
        nearest=sums.nearest[row],
        near=sums.near[row],
        near_m=sums.near_m[row],
        street=sums.street[row],
        reason=reason[row],
        unit=sums.unit[row],
        units=sums.units[row],
        edge_of_list=np.where(full, 0, sums.edge)[row],
        short_piece=sums.short[row],
        cells=without.cell,
        start=start,
        end=end,
    )


def draw_gaps(study: Study, tables: Sequence[GapTable]) -> list[GeometryArray]:
    """The outlines of the gaps of some tables, each (g,), in the city's metric CRS.

    Gaps of the same cells have one: what many services lack together is joined once.
    """
    groups: dict[bytes, int] = {}
    held: list[Int32Array] = []
    rows = []
    for table in tables:
        upto = zip(table.start.tolist(), table.end.tolist(), strict=True)
        row = np.empty(len(table), dtype=np.int64)
        for i, (start, end) in enumerate(upto):
            cell = table.cells[start:end]
            row[i] = at = groups.setdefault(cell.tobytes(), len(held))
            if at == len(held):
                held.append(cell)
        rows.append(row)
    end = np.cumsum([len(cell) for cell in held], dtype=np.int64)
    start = end - np.array([len(cell) for cell in held], dtype=np.int64)
    cells = np.concatenate([np.empty(0, dtype=np.int32), *held])
    radius_m = study.policy.gaps.disc_radius_m.value
    shapes = outlines(study.city.cells, (cells, start, end), radius_m)
    return [shapes[row] for row in rows]


def _differ(study: Study, question: Question, without: Without, start: IntArray) -> BoolArray:
    """Gaps (g,) with cells of which a part only is without."""
    persons = persons_of(study.city.cells, question.group)[without.cell]
    differ: BoolArray = np.logical_or.reduceat(persons != without.persons[without.cell], start[:-1])
    return differ


@dataclass(frozen=True, slots=True)
class _Sums:
    """What can be counted of all gaps at once, by label (g,)."""

    start: IntArray
    residents: IntArray
    groups: Mapping[str, IntArray]
    minutes: FloatArray
    nearest: Int32Array
    near: Int32Array
    near_m: FloatArray
    street: Int32Array
    unit: Int32Array
    units: IntArray
    edge: IntArray
    short: IntArray
    lowest: tuple[str, ...]
    region: tuple[str, ...]


def _sums(study: Study, asked: Asked, walks: Walks, without: Without) -> _Sums:
    """Sums, means and names of every gap; `minutes` is NaN where no cell has a way."""
    city = study.city
    cell, label = without.cell, without.label
    start = np.searchsorted(label, np.arange(int(label[-1]) + 2))
    size = len(start) - 1
    weight = without.persons[cell]
    cm = walks.cell_cm[cell]
    way = cm != UNREACHED_CM
    walked = minutes_of(cm[way], asked.walker.speed_m_per_s) * weight[way]
    walkers = sums_by(label[way], size, weight[way])
    minutes = np.full(size, np.nan)
    total = np.bincount(label[way], weights=walked, minlength=size)
    np.divide(total, walkers, out=minutes, where=walkers > 0)
    fullest = cell[np.lexsort((cell, -weight, label))[start[:-1]]]
    near, near_m = study.nearest_landmark(fullest)
    unit, units = _units_of(without.unit[cell], label, size)
    names, rank = study.cell_names
    lowest = np.minimum.reduceat(rank[cell], start[:-1])
    region = without.region[start[:-1]]
    first = np.full(int(region.max()) + 1, len(names))
    np.minimum.at(first, region, lowest)
    return _Sums(
        start,
        sums_by(label, size, weight),
        {
            name: sums_by(label, size, count.value[cell])
            for name, count in city.cells.groups.items()
        },
        minutes,
        _most(label[way], size, walks.cell_facility[cell][way], weight[way]),
        near,
        near_m,
        named_street(study, fullest),
        unit,
        units,
        sums_by(label, size, weight, _at_edge(study, asked)[cell]),
        sums_by(label, size, weight, near_short_piece(study)[cell]),
        tuple(names[lowest].tolist()),
        tuple(names[first[region]].tolist()),
    )


def _at_edge(study: Study, asked: Asked) -> BoolArray:
    """Which cells (c,) live nearer to the edge of the service's list than the limit is far."""
    at: BoolArray = study.judged(asked.service.id).edge_m * CM_PER_M < asked.limit_cm
    return at


def _units_of(unit: Int32Array, label: Int32Array, size: int) -> tuple[Int32Array, IntArray]:
    """The unit of each gap, int32 (size,), NOBODY where it is not one, and how many there are."""
    inside = unit != NOBODY
    span = int(unit.max(initial=0)) + 1
    gap, held = np.divmod(np.unique(label[inside].astype(np.int64) * span + unit[inside]), span)
    units = np.bincount(gap, minlength=size)
    one = np.full(size, NOBODY, dtype=np.int32)
    one[gap] = held
    one[units != 1] = NOBODY
    return one, units


def _most(label: Int32Array, size: int, index: Int32Array, weight: IntArray) -> Int32Array:
    """Per group the index most persons share (the lowest on a tie), int32 (size,).

    NOBODY where that is nothing, or where a group has no member.
    """
    most = np.full(size, NOBODY, dtype=np.int32)
    if len(index) == 0:
        return most
    span = int(index.max()) - NOBODY + 1
    keys, inverse = np.unique(label.astype(np.int64) * span + (index - NOBODY), return_inverse=True)
    persons = np.bincount(inverse.ravel(), weights=weight)
    owner, value = np.divmod(keys, span)
    best = np.lexsort((value, -persons, owner))
    owners, first = np.unique(owner[best], return_index=True)
    most[owners] = value[best][first] + NOBODY
    return most


class _Ids:
    """Short names of gaps: the same question about the same cells gives the same one."""

    def __init__(self, asked: Asked, group: str) -> None:
        self._service = asked.service.id
        self._asked = f"{asked.service.id}|{asked.walker.id}|{asked.minutes:.6f}|{group}|"

    def each(self, lowest_cells: Sequence[str], by: str) -> StrArray:
        """The names (g,) of gaps by their lowest cells; equal ones are worked out once."""
        known = {
            cell: self._of(f"{self._asked}{cell}|{by}" if by else f"{self._asked}{cell}")
            for cell in set(lowest_cells)
        }
        return object_array([known[cell] for cell in lowest_cells])

    def _of(self, text: str) -> str:
        return f"{self._service}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"
