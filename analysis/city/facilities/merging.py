"""Rows of several sources that are one place: found, merged, listed.

A row is taken for the same place as an earlier one of its service by name and distance
(`QualityRules`), or because someone said so (`MergeOrders`). The earlier row wins (a bureau's
table comes before OpenStreetMap); what it lacks is filled from the other, and the row says so.
Inside one file rows are merged only where they agree in name and nearly touch; what else looks
alike is listed as suspected and left alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.city.facilities.name_similarity import CoreName, NameLikeness
from lifecircle.analysis.city.frames import texts
from lifecircle.analysis.city.notes import Rule, SamePlace
from lifecircle.analysis.city.shapes import anchor_xy, metric_geometry
from lifecircle.analysis.errors import Fault, InputError, Warn
from lifecircle.analysis.policy import Policy, QualityRules
from lifecircle.analysis.quantities import Int32Array

FILLED = "filled_from"
_OWN = ("id", "service", "name", "source", "geometry")
_SHOWN = 10
_RANK: tuple[Rule, ...] = ("told", "same_name", "like_name", "nameless")


@dataclass(frozen=True, slots=True)
class MergeOrders:
    """What people decided: pairs of ids that are one place, and pairs that are not."""

    file: str = ""
    same: tuple[tuple[str, str], ...] = ()
    keep_apart: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class _Pair:
    """An earlier row and a later one that may be the same place."""

    earlier: int
    later: int
    rule: Rule
    metres: float
    sure: bool

    @property
    def order(self) -> tuple[int, float, int, int]:
        return _RANK.index(self.rule), self.metres, self.earlier, self.later


@dataclass(slots=True)
class _Rows:
    """All rows in order of their sources."""

    frame: gpd.GeoDataFrame
    source_no: Int32Array
    ids: list[str] = field(default_factory=list)
    cores: list[CoreName | None] = field(default_factory=list)


def merge_facilities(
    frames: Sequence[gpd.GeoDataFrame],
    crs: str,
    policy: Policy,
    orders: MergeOrders | None = None,
    place_words: Iterable[str] = (),
) -> tuple[gpd.GeoDataFrame, tuple[SamePlace, ...], tuple[Warn, ...]]:
    """All facilities in one frame (metric CRS), each place once per service.

    Parameters
    ----------
    frames : earlier ones win; columns may differ.
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
    if not frames:
        _refuse_orders(given, ())
        empty = {name: np.zeros(0, dtype=object) for name in _OWN[:-1]}
        return gpd.GeoDataFrame(empty, geometry=[], crs=crs), (), ()
    rows = _joined(frames, crs)
    _refuse_orders(given, rows.ids)
    rules = policy.quality
    if rules is not None:
        rows.cores = _cores(rows.frame, policy, rules, place_words)
    pairs = sorted(_pairs(rows, rules, given), key=lambda pair: pair.order)
    winner, notes = _settle(rows, pairs, given)
    kept = np.array(winner, dtype=np.int64) == np.arange(len(rows.frame))
    return rows.frame[kept].reset_index(drop=True), notes, _remarks(notes)


def _joined(frames: Sequence[gpd.GeoDataFrame], crs: str) -> _Rows:
    metric = [
        frame.set_geometry(gpd.GeoSeries(metric_geometry(frame, crs), index=frame.index, crs=crs))
        for frame in frames
    ]
    whole = pd.concat([frame.astype({"name": object}) for frame in metric], ignore_index=True)
    source = np.repeat(np.arange(len(frames)), [len(frame) for frame in frames])
    whole[FILLED] = pd.Series([None] * len(whole), dtype=object)
    return _Rows(whole, source.astype(np.int32), [str(one) for one in texts(whole["id"])])


def _cores(
    frame: gpd.GeoDataFrame, policy: Policy, rules: QualityRules, place_words: Iterable[str]
) -> list[CoreName | None]:
    places = (*rules.place_words, *place_words)
    readers: dict[str, NameLikeness] = {}
    cores: list[CoreName | None] = []
    for service, name in zip(frame["service"], frame["name"], strict=True):
        if service not in readers:
            known = policy.services[service]
            common = (known.title.zh, known.title.en, *known.aliases, *rules.company_words)
            readers[service] = NameLikeness(places, common, rules.telling)
        cores.append(readers[service].core(None if pd.isna(name) else str(name)))
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


def _pairs(rows: _Rows, rules: QualityRules | None, orders: MergeOrders) -> Iterable[_Pair]:
    apart = {frozenset(pair) for pair in orders.keep_apart}
    frame = rows.frame
    shapes = np.asarray(frame.geometry.array, dtype=object)
    service = frame["service"].to_numpy()
    told = {frozenset(pair) for pair in orders.same}
    for i, j in _told(rows, told, service):
        yield _Pair(i, j, "told", float(shapely.distance(shapes[i], shapes[j])), True)
    if rules is None:
        return
    for name in dict.fromkeys(service):
        members = np.flatnonzero(service == name)
        mine = shapes[members]
        left, right = shapely.STRtree(mine).query(
            mine, predicate="dwithin", distance=rules.same_name_m.value
        )
        for a, b in zip(members[left], members[right], strict=True):
            both = frozenset((rows.ids[a], rows.ids[b]))
            if a >= b or both in apart or both in told:
                continue
            pair = _judged(rows, int(a), int(b), shapes, rules)
            if pair is not None:
                yield pair


def _told(rows: _Rows, told: set[frozenset[str]], service: np.ndarray) -> Iterable[tuple[int, int]]:
    by_id: dict[str, list[int]] = {}
    for i, one in enumerate(rows.ids):
        by_id.setdefault(one, []).append(i)
    for pair in sorted(told, key=sorted):
        one, other = (sorted(pair) * 2)[:2]
        for a in by_id[one]:
            for b in by_id[other]:
                if a != b and service[a] == service[b]:
                    yield min(a, b), max(a, b)


def _judged(rows: _Rows, i: int, j: int, shapes: np.ndarray, rules: QualityRules) -> _Pair | None:
    """Whether rows i and j, near each other, are one place; None when nothing speaks for it."""
    metres = float(shapely.distance(shapes[i], shapes[j]))
    one, other = rows.cores[i], rows.cores[j]
    within = rows.source_no[i] == rows.source_no[j]
    from_osm = rows.frame["source"].iloc[j] == "osm"
    if one is None or other is None:
        if metres > rules.nameless_m.value or within:
            return None
        return _Pair(i, j, "nameless", metres, sure=True)
    likeness = NameLikeness.alike(one, other)
    if likeness < rules.likeness.value:
        return None
    rule: Rule = "same_name" if likeness == 1.0 else "like_name"
    reach = rules.same_name_m if rule == "same_name" else rules.like_name_m
    if within:
        sure = rule == "same_name" and metres <= rules.nameless_m.value and not from_osm
    else:
        sure = metres <= reach.value
    return _Pair(i, j, rule, metres, sure)


def _settle(
    rows: _Rows, pairs: Sequence[_Pair], orders: MergeOrders
) -> tuple[list[int], tuple[SamePlace, ...]]:
    """Who wins over whom (an index per row, its own for those kept), and the notes of it."""
    apart = {frozenset(pair) for pair in orders.keep_apart}
    winner = list(range(len(rows.frame)))
    group = {i: [i] for i in winner}  # all rows of one place, by the one that wins
    alone: set[int] = set()  # rows that have taken a nameless one, or were taken as such
    merged: list[_Pair] = []
    for pair in pairs:
        if not pair.sure or winner[pair.later] != pair.later:
            continue
        top = _top(winner, pair.earlier)
        if top == pair.later or (pair.rule == "nameless" and top in alone):
            continue
        if any(
            frozenset((rows.ids[a], rows.ids[b])) in apart
            for a in group[top]
            for b in group[pair.later]
        ):
            continue
        if pair.rule == "nameless":
            alone.add(top)
        winner[pair.later] = top
        group[top] += group.pop(pair.later)
        merged.append(pair)
    notes = [
        _merged(rows, pair, _top(winner, pair.later))
        for pair in sorted(merged, key=lambda pair: pair.later)
    ]
    seen: set[tuple[int, int]] = set()
    for pair in pairs:
        ends = (_top(winner, pair.earlier), _top(winner, pair.later))
        if pair.sure or ends[0] == ends[1] or ends in seen:
            continue
        seen.add(ends)
        notes.append(_noted(rows, pair, min(ends), max(ends), "suspected", ()))
    return [_top(winner, i) for i in range(len(winner))], tuple(notes)


def _top(winner: list[int], row: int) -> int:
    while winner[row] != row:
        row = winner[row]
    return row


def _merged(rows: _Rows, pair: _Pair, top: int) -> SamePlace:
    """Fill what the winner lacks from the other row, and note the merge."""
    frame, other = rows.frame, pair.later
    filled = []
    for at, column in enumerate(frame.columns):
        if column in (*_OWN, FILLED) and column != "name":
            continue
        mine, theirs = frame.iloc[top, at], frame.iloc[other, at]
        if pd.isna(mine) and not pd.isna(theirs):
            frame.iloc[top, at] = theirs
            filled.append(str(column))
    if filled:
        at = frame.columns.get_loc(FILLED)
        said = f"{', '.join(filled)} ← {rows.ids[other]}"
        before = frame.iloc[top, at]
        frame.iloc[top, at] = said if before is None else f"{before}; {said}"
    return _noted(rows, pair, top, other, "merged", tuple(filled))


def _noted(
    rows: _Rows, pair: _Pair, kept: int, other: int, state: str, filled: tuple[str, ...]
) -> SamePlace:
    frame = rows.frame
    (x, y), *_ = anchor_xy(np.array([frame.geometry.iloc[kept]], dtype=object)).tolist()
    names = [frame["name"].iloc[i] for i in (kept, other)]
    metres = float(frame.geometry.iloc[kept].distance(frame.geometry.iloc[other]))
    one, two = (rows.cores[i] if rows.cores else None for i in (kept, other))
    likeness = None if one is None or two is None else NameLikeness.alike(one, two)
    return SamePlace(
        state="merged" if state == "merged" else "suspected",
        service=str(frame["service"].iloc[kept]),
        kept=rows.ids[kept],
        kept_name=None if pd.isna(names[0]) else str(names[0]),
        kept_source=str(frame["source"].iloc[kept]),
        other=rows.ids[other],
        other_name=None if pd.isna(names[1]) else str(names[1]),
        other_source=str(frame["source"].iloc[other]),
        rule=pair.rule,
        distance_m=round(metres, 2),
        likeness=None if likeness is None else round(likeness, 3),
        filled=filled,
        x_m=float(x),
        y_m=float(y),
    )


def _remarks(notes: Sequence[SamePlace]) -> tuple[Warn, ...]:
    remarks = []
    for state, key in (("merged", "facilities_merged"), ("suspected", "facilities_suspected")):
        mine = [note for note in notes if note.state == state]
        if mine:
            shown = ", ".join(note.other for note in mine[:_SHOWN])
            more = " …" if len(mine) > _SHOWN else ""
            remarks.append(Warn(key, {"count": len(mine), "ids": shown + more}))
    return tuple(remarks)
