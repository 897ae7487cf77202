"""Rows of several sources that are one place: found, merged, listed.

A row is taken for the same place as an earlier one of its service by name and distance
(`QualityRules`), or because someone said so (`MergeOrders`). The earlier row wins (a bureau's
table comes before OpenStreetMap); what it lacks is filled from the other, and the row says so.
Inside one file rows are merged only where they agree in name and nearly touch; what else looks
alike is listed as suspected and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from lifecircle.analysis.city.facilities.candidate_pairs import (
    NAMELESS,
    RANKED,
    Gathered,
    Pairs,
    find_pairs,
)
from lifecircle.analysis.city.facilities.name_similarity import CoreName, NameSimilarity
from lifecircle.analysis.city.facilities.rows import FacilityRows
from lifecircle.analysis.city.notes import SamePlace
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.policy import Policy, QualityRules
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.readers.records.attributes import FILLED, known_attribute
from lifecircle.analysis.readers.tables.merge_orders import MergeOrders

_SHOWN = 10


def merge_facilities(
    parts: Sequence[FacilityRows],
    policy: Policy,
    orders: MergeOrders | None = None,
    place_words: Iterable[str] = (),
) -> tuple[FacilityRows, tuple[SamePlace, ...], tuple[Warn, ...]]:
    """All facilities, each place once per service.

    Parameters
    ----------
    parts : the rows of each source; earlier ones win; attributes may differ.
    orders : decisions that overrule the rules.
    place_words : names of districts and the like, which say nothing in front of a name.

    Returns
    -------
    The rows kept, with `filled_from` where something was filled; every pair merged or suspected;
    remarks.

    Raises
    ------
    InputError : the decisions name ids that no row has, or contradict each other.
    """
    given = orders or MergeOrders()
    gathered = _gather(parts)
    _refuse_orders(given, gathered.rows.id)
    rules = policy.quality
    if rules is not None:
        gathered = replace(gathered, cores=_find_cores(gathered.rows, policy, rules, place_words))
    pairs = find_pairs(gathered, rules, given)
    winner, notes = _Settling(gathered, pairs, given).settle()
    kept = np.flatnonzero(winner == np.arange(len(winner)))
    return gathered.rows.take(kept), notes, _describe_merges(notes)


def _gather(parts: Sequence[FacilityRows]) -> Gathered:
    rows = FacilityRows.joined(parts)
    source = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    if parts:
        none = np.full(len(rows), None, dtype=np.object_)
        rows = replace(rows, attributes={**rows.attributes, FILLED: none})
    return Gathered(rows, source.astype(np.int32), [None] * len(rows))


def _find_cores(
    rows: FacilityRows, policy: Policy, rules: QualityRules, place_words: Iterable[str]
) -> list[CoreName | None]:
    places = (*rules.place_words, *place_words)
    readers: dict[str, NameSimilarity] = {}
    cores: list[CoreName | None] = []
    for service, name in zip(rows.service, rows.name, strict=True):
        if service not in readers:
            known = policy.services[service]
            common = (known.title.zh, known.title.en, *known.aliases, *rules.company_words)
            readers[service] = NameSimilarity(places, common, rules.telling)
        cores.append(readers[service].find_core(name))
    return cores


def _refuse_orders(orders: MergeOrders, ids: Iterable[str]) -> None:
    known = set(ids)
    named = dict.fromkeys(one for pair in (*orders.same, *orders.keep_apart) for one in pair)
    faults = [
        Fault("merges_unknown_id", orders.file, params={"id": one})
        for one in named
        if one not in known
    ]
    both = {frozenset(pair) for pair in orders.same} & {frozenset(p) for p in orders.keep_apart}
    faults += [
        Fault("merges_both", orders.file, params={"ids": " / ".join(sorted(pair))})
        for pair in sorted(both, key=sorted)
    ]
    if faults:
        raise InputError(faults)


class _Settling:
    """Who wins over whom, pair by pair."""

    def __init__(self, gathered: Gathered, pairs: Pairs, orders: MergeOrders) -> None:
        self.gathered, self.pairs = gathered, pairs
        self.winner = np.arange(len(gathered.rows))
        self._apart: dict[str, set[str]] = {}
        for one, other in orders.keep_apart:
            self._apart.setdefault(one, set()).add(other)
            self._apart.setdefault(other, set()).add(one)
        # the ids of all rows of one place, by the row that wins; only where some are kept apart
        self._ids: dict[int, set[str]] = {}

    def settle(self) -> tuple[IntArray, tuple[SamePlace, ...]]:
        """The winner of every row (its own index for those kept), and the notes of it."""
        merged = self._merge()
        later = self.pairs.later
        merged.sort(key=later.__getitem__)
        notes = [self._fill(k, self._top(int(later[k]))) for k in merged]
        tops = np.array([self._top(row) for row in range(len(self.winner))], dtype=np.int64)
        ends = np.sort(tops[np.column_stack((self.pairs.earlier, later))], axis=1)
        open_ = np.flatnonzero(~self.pairs.sure & (ends[:, 0] != ends[:, 1]))
        _, first = np.unique(ends[open_], axis=0, return_index=True)
        notes += [
            self._note(k, int(ends[k, 0]), int(ends[k, 1]), "suspected", ())
            for k in open_[np.sort(first)].tolist()
        ]
        return tops, tuple(notes)

    def _merge(self) -> list[int]:
        """The pairs, by index, by which a row was merged into another."""
        alone: set[int] = set()  # rows that have taken a nameless one, or were taken as such
        merged = []
        pairs = self.pairs
        sure = np.flatnonzero(pairs.sure)
        rows = zip(sure.tolist(), pairs.earlier[sure].tolist(), pairs.later[sure].tolist(),
                   (pairs.rank[sure] == NAMELESS).tolist(), strict=True)  # fmt: skip
        for k, earlier, later, nameless in rows:
            if self.winner[later] != later:
                continue
            top = self._top(earlier)
            if top == later or (nameless and top in alone) or self._keeps_apart(top, later):
                continue
            if nameless:
                alone.add(top)
            self.winner[later] = top
            merged.append(k)
        return merged

    def _keeps_apart(self, top: int, later: int) -> bool:
        """Whether someone keeps a row of one place apart from one of the other; else they join."""
        if not self._apart:
            return False
        mine, theirs = (
            self._ids.setdefault(row, {self.gathered.rows.id[row]}) for row in (top, later)
        )
        if any(self._apart.get(one, set()) & mine for one in theirs):
            return True
        mine |= self._ids.pop(later)
        return False

    def _top(self, row: int) -> int:
        """The row that wins over a row in the end; the way there is halved for the next one."""
        while (above := int(self.winner[row])) != row:
            self.winner[row] = self.winner[above]
            row = above
        return row

    def _fill(self, k: int, top: int) -> SamePlace:
        """Fill what the winner lacks from the other row, and note the merge."""
        rows, other = self.gathered.rows, int(self.pairs.later[k])
        filled = []
        for name, values in {"name": rows.name, **rows.attributes}.items():
            mine, theirs = known_attribute(values[[top, other]]).tolist()
            if name != FILLED and theirs and not mine:
                values[top] = values[other]
                filled.append(name)
        if filled:
            said = f"{', '.join(filled)} ← {rows.id[other]}"
            before = rows.attributes[FILLED][top]
            rows.attributes[FILLED][top] = said if before is None else f"{before}; {said}"
        return self._note(k, top, other, "merged", tuple(filled))

    def _note(
        self, k: int, kept: int, other: int, state: str, filled: tuple[str, ...]
    ) -> SamePlace:
        rows, shapes = self.gathered.rows, self.gathered.rows.geometry
        (x, y), *_ = anchor_xy(shapes[[kept]]).tolist()
        one, two = self.gathered.cores[kept], self.gathered.cores[other]
        likeness = None if one is None or two is None else NameSimilarity.compare(one, two)
        return SamePlace(
            state="merged" if state == "merged" else "suspected",
            service=str(rows.service[kept]),
            kept=str(rows.id[kept]),
            kept_name=rows.name[kept],
            kept_source=str(rows.source[kept]),
            other=str(rows.id[other]),
            other_name=rows.name[other],
            other_source=str(rows.source[other]),
            rule=RANKED[int(self.pairs.rank[k])],
            distance_m=round(float(shapes[kept].distance(shapes[other])), 2),
            likeness=None if likeness is None else round(likeness, 3),
            filled=filled,
            x_m=float(x),
            y_m=float(y),
        )


def _describe_merges(notes: Sequence[SamePlace]) -> tuple[Warn, ...]:
    remarks = []
    for state, key in (("merged", "facilities_merged"), ("suspected", "facilities_suspected")):
        mine = [note for note in notes if note.state == state]
        if mine:
            shown = ", ".join(note.other for note in mine[:_SHOWN])
            more = " …" if len(mine) > _SHOWN else ""
            remarks.append(Warn(key, {"count": len(mine), "ids": shown + more}))
    return tuple(remarks)
