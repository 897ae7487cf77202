"""Evaluators that walk: residents and land within reach, circles, neighbours, capacity."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.question import covered
from lifecircle.analysis.measures.scorecard.context import Ground, UnitSet
from lifecircle.analysis.measures.scorecard.result import (
    NO,
    UNKNOWN,
    YES,
    Atoms,
    Missing,
    Outcome,
    States,
    nothing,
)
from lifecircle.analysis.measures.scorecard.values import either
from lifecircle.analysis.policy.readings import Adjacent, Drive, LandWithin, ResidentsWithin
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    UNREACHED_CM,
    BoolArray,
    FloatArray,
    Int32Array,
    IntArray,
)
from lifecircle.analysis.texts import group_title, say_both

_NETWORK: Final = ("network", "network_only")
_OR_PARCEL: Final = ("network", "straight", "parcel")

_Within = ResidentsWithin | LandWithin | Drive


def residents_within(ground: Ground, reading: ResidentsWithin | Drive) -> Outcome:
    """Residents whose walk to the nearest qualifying facility is short enough ÷ residents (0-1)."""
    cells = ground.city.cells
    if reading.group is None:
        persons = cells.residents
    elif reading.group in cells.groups:
        persons = cells.groups[reading.group].value
    else:
        return nothing(Missing("group", reading.group, group_title(reading.group)))
    if int(persons.sum()) == 0:
        return nothing(Missing("group", "residents", say_both("missing_residents")))
    near = _near(ground, reading)
    if near.states is None:
        return nothing(*near.missing)
    state = _grounded(cells.position.edge, near.states[0])
    if reading.within_scope:
        scope = ground.unit_set(reading.units)
        state, whole = _inside(state, persons.astype(np.float64), scope, cells.unit)
        if not whole.any():
            return nothing(*near.missing, *scope.missing)
        return _weighed(ground, reading, "cell", state, whole, near)
    return _weighed(ground, reading, "cell", state, persons.astype(np.float64), near)


def land_within(ground: Ground, reading: LandWithin) -> Outcome:
    """Residential land within the walk of a qualifying facility ÷ residential land (0-1)."""
    land = ground.city.land
    near = _near(ground, reading)
    if land is None or len(land.area_m2) == 0:
        return nothing(*near.missing, Missing("land", "residential", say_both("missing_land")))
    if near.states is None:
        return nothing(*near.missing)
    state = _grounded(land.position.edge, near.states[1])
    if reading.within_scope:
        scope = ground.unit_set(reading.units)
        state, area_m2 = _inside(state, land.area_m2, scope, land.unit)
        if not area_m2.any():
            return nothing(*near.missing, *scope.missing)
        return _weighed(ground, reading, "sample", state, area_m2, near)
    return _weighed(ground, reading, "sample", state, land.area_m2, near)


def drive(ground: Ground, reading: Drive) -> Outcome:
    """Residents brought to (or reached from) a qualifying facility in time ÷ residents (0-1)."""
    driven = None if reading.profile is None else ground.by(reading.profile, reading)
    if driven is None or not reading.any_of:
        return nothing(Missing("network", "drive", say_both("missing_drive")))
    return residents_within(driven, reading)


def adjacent(ground: Ground, reading: Adjacent) -> Outcome:
    """Share of the facilities with one of another kind beside them (0-1).

    ``network``/``straight``: within the distance, or on the same parcel; ``*_only``: without
    parcels; ``parcel``: on the same parcel only.
    """
    kinds = (*reading.any_of, *reading.to)
    missing = (*ground.no_services(kinds), *ground.part_lists(tuple(dict.fromkeys(kinds))))
    if not ground.assessed(reading.any_of) or not ground.assessed(reading.to):
        return nothing(*missing)
    rows = ground.offering(reading.any_of)
    for selector in reading.except_in:
        index = ground.city.facilities.unit.get(selector.level)
        if index is not None:
            rows = rows[index[rows] == NOBODY]
    if len(rows) == 0:
        return nothing(*missing)
    others, fits, blank = ground.qualifying(reading.to, reading.to_where)
    doubtful = bool((fits == UNKNOWN).any())
    by = ground.word(reading.by)
    state, lacking = _beside_those(ground, reading, rows, others, fits)
    state = _listed(ground, reading, rows, state)
    missing = (*missing, *blank, *lacking)
    if (state == UNKNOWN).all() and ground.part_lists((*reading.any_of, *reading.to)):
        return nothing(*missing)
    if by == "parcel" and (state == UNKNOWN).all():
        return nothing(*missing)
    share = len(ground.assessed(reading.to)) / len(reading.to)
    yes, known = int(np.count_nonzero(state == YES)), int(np.count_nonzero(state != UNKNOWN))
    whole = len(rows)
    # where some of the others lack their parcel no is never said: all that is known is a yes
    blind = by == "parcel" and known < whole and bool(_without_parcel(ground, others))
    blind |= doubtful and yes == 0 and known < whole
    atoms = Atoms("facility", rows, state, (state == YES).astype(np.float64), np.ones(whole))
    said: tuple[Warn, ...] = ()
    if reading.distance is not None:
        metres = f"{ground.amount(reading.distance):g}"
        key = f"scorecard_adjacent_{by.removesuffix('_only')}"
        said = (Warn(key if reading.distance.setting else f"{key}_told", {"metres": metres}),)
    return Outcome(
        value=None if blind or not (yes or (known and share == 1)) else yes / known,
        lower=yes / whole,
        upper=(whole if share < 1 else yes + whole - known) / whole,
        assessed_share=known / whole * share,
        have=float(yes),
        of=float(known),
        atoms=atoms,
        missing=missing,
        warnings=said,
    )


# ---- parts they share ------------------------------------------------------------------------


def _inside(
    state: States, weight: FloatArray, scope: UnitSet, unit: Mapping[str, Int32Array]
) -> tuple[States, FloatArray]:
    """States and weights of what lies in the units of a scope; unknown where they are not sure."""
    sure, maybe = (np.zeros(len(state), dtype=np.bool_) for _ in range(2))
    for index in unit.values():
        sure |= np.isin(index, scope.index[scope.sure])
        maybe |= np.isin(index, scope.index[~scope.sure])
    open_ = maybe & ~sure
    shown = np.where(open_, UNKNOWN, state).astype(np.int8)
    return shown, np.where(sure | maybe, weight, 0.0)


def _grounded(edge: Int32Array, near: States) -> States:
    """Off the streets nothing is near; what a list says nothing of stays unknown all the same."""
    return np.where((edge == NOBODY) & (near == YES), NO, near).astype(np.int8)


@dataclass(frozen=True, slots=True)
class _Near:
    """Whether each cell and land sample is near: states, what is missing, share of the kinds.

    `listed`: which of them lie inside the lists of all the kinds.
    """

    states: tuple[States, States] | None
    missing: tuple[Missing, ...]
    kinds: float
    listed: tuple[BoolArray, BoolArray]


def _near(ground: Ground, reading: _Within) -> _Near:
    """Cells and samples within the walk of a facility that qualifies, or that might."""
    missing = [*ground.no_services(reading.any_of), *ground.part_lists(reading.any_of)]
    asked = ground.assessed(reading.any_of)
    cells, land = ground.city.cells, ground.city.land
    sizes = len(cells), 0 if land is None else len(land.area_m2)
    found: list[States] = [np.full(size, NO, dtype=np.int8) for size in sizes]
    listed = [np.ones(size, dtype=np.bool_) for size in sizes]
    known = False
    for service in asked:
        own = ground.policy.services[service].minutes.value
        minutes = own if reading.minutes is None else ground.amount(reading.minutes)
        limit = ground.limit_cm(minutes)
        rows, state, lacking = ground.qualifying((service,), reading.where)
        missing.extend(lacking)
        known |= not (len(rows) and bool((state == UNKNOWN).all()))
        yes = _within(ground, service, rows[state == YES], limit, whole=(state == YES).all())
        maybe = yes
        if (state == UNKNOWN).any():
            maybe = _within(ground, service, rows[state != NO], limit, whole=False)
        judged = ground.study.judged(service)
        for k, inside in enumerate((judged.cell, judged.land)):
            near = np.where(yes[k], YES, np.where(maybe[k], UNKNOWN, NO)).astype(np.int8)
            found[k] = either(found[k], np.where(inside, near, UNKNOWN).astype(np.int8))
            listed[k] &= inside
    both_listed = (listed[0], listed[1])
    if not known:
        return _Near(None, tuple(missing), 0.0, both_listed)
    kinds = len(asked) / len(reading.any_of)
    return _Near((found[0], found[1]), tuple(missing), kinds, both_listed)


def _within(
    ground: Ground, service: str, rows: np.ndarray, limit: int, *, whole: bool
) -> tuple[BoolArray, BoolArray]:
    """Whether cells and land samples have one of the facilities within a limit."""
    if len(rows) == 0:
        samples = 0 if ground.city.land is None else len(ground.city.land.area_m2)
        return np.zeros(len(ground.city.cells), bool), np.zeros(samples, bool)
    reach = ground.reach(service) if whole else ground.reach_of(rows)
    near_cell = covered(reach.cell_cm, ground.city.cells.position, limit)
    land = ground.city.land
    if land is None:
        return near_cell, np.zeros(0, bool)
    return near_cell, covered(reach.land_cm, land.position, limit)


def _weighed(
    ground: Ground, reading: _Within, where: str, state: States, weight: np.ndarray, near: _Near
) -> Outcome:
    found = _summed(where, state, weight, near.listed[where == "sample"])
    upper = 1.0 if near.kinds < 1 else found.upper
    share = None if found.assessed_share is None else found.assessed_share * near.kinds
    minutes = () if reading.minutes is None else (ground.amount(reading.minutes),)
    said = [Warn("scorecard_minutes", {"minutes": f"{m:g}"}) for m in minutes]
    return Outcome(
        value=found.value if found.have or near.kinds == 1 else None,
        lower=found.lower,
        upper=upper,
        assessed_share=share,
        have=found.have,
        of=found.of,
        atoms=found.atoms,
        missing=near.missing,
        warnings=tuple(said),
    )


def _summed(where: str, state: States, weight: np.ndarray, listed: BoolArray) -> Outcome:
    """Weight that is near ÷ weight that is settled, with the range the rest leaves.

    No value where nothing is surely near and something inside the lists may be: it would be a 0
    that only the missing data make. What lies outside the lists is not assessed, and no reason.
    """
    whole = float(weight.sum())
    doubtful = bool(weight[listed & (state == UNKNOWN)].any())
    yes, open_ = float(weight[state == YES].sum()), float(weight[state == UNKNOWN].sum())
    settled = whole - open_
    atoms = Atoms(
        "cell" if where == "cell" else "sample",
        np.arange(len(state), dtype=np.int32),
        state,
        np.where(state == YES, weight, 0.0),
        weight,
    )
    return Outcome(
        value=yes / settled if yes > 0 or (settled > 0 and not doubtful) else None,
        lower=yes / whole if whole > 0 else None,
        upper=(yes + open_) / whole if whole > 0 else None,
        assessed_share=settled / whole if whole > 0 else None,
        have=yes,
        of=settled,
        atoms=atoms,
    )


def _beside(
    ground: Ground, reading: Adjacent, rows: np.ndarray, others: np.ndarray, by: str
) -> tuple[States, tuple[Missing, ...]]:
    """Whether each facility has one of the others beside it; parcels are a yes, never a no."""
    near = np.full(len(rows), NO, dtype=np.int8)
    if reading.distance is not None:
        limit_m = ground.amount(reading.distance)
        within = (
            _walk_cm(ground, rows, others) <= round(limit_m * CM_PER_M)
            if by in _NETWORK
            else _straight_m(ground, rows, others) <= limit_m
        )
        near = np.where(within, YES, NO).astype(np.int8)
    if by not in _OR_PARCEL:
        return near, ()
    parcels = ground.city.facilities.texts("parcel")
    taken = {parcels[i] for i in others if parcels[i] is not None}
    own = parcels[rows]
    same = np.array([one is not None and one in taken for one in own], dtype=np.bool_)
    blank = sum(one is None for one in own)
    lacking = (ground.no_column("parcel", reading.any_of, blank, len(rows)),) if blank else ()
    if by == "parcel":
        lost = _without_parcel(ground, others)
        if lost and not blank:
            lacking = (ground.no_column("parcel", reading.to, lost, len(others)),)
        told = np.array([one is not None for one in own], dtype=np.bool_) & (lost == 0)
        return np.where(same, YES, np.where(told, NO, UNKNOWN)).astype(np.int8), lacking
    return np.where(same, YES, near).astype(np.int8), ()


def _beside_those(
    ground: Ground, reading: Adjacent, rows: Int32Array, others: Int32Array, fits: States
) -> tuple[States, tuple[Missing, ...]]:
    """Whether one of those that fit stands beside; unknown where only one that may fit does."""
    by = ground.word(reading.by)
    state, lacking = _beside(ground, reading, rows, others[fits == YES], by)
    if (fits == UNKNOWN).any():
        possible, _ = _beside(ground, reading, rows, others[fits != NO], by)
        state = np.where((state == NO) & (possible != NO), UNKNOWN, state).astype(np.int8)
    return state, lacking


def _listed(ground: Ground, reading: Adjacent, rows: Int32Array, state: States) -> States:
    """The states as far as the lists go.

    Nothing is known of a facility outside its own list; where a list of the others ends, no is
    never said, and only a neighbour whose own list goes so far is a yes.
    """
    if not ground.part_lists((*reading.any_of, *reading.to)):
        return state
    found = np.full(len(rows), NO, dtype=np.int8)
    for service in ground.assessed(reading.to):
        others, fits, _ = ground.qualifying((service,), reading.to_where)
        near, _ = _beside_those(ground, reading, rows, others, fits)
        there = ground.study.judged(service).facility[rows]
        found = either(found, np.where(there, near, UNKNOWN).astype(np.int8))
    found[~ground.judged_places(reading.any_of, rows)] = UNKNOWN
    return found


def _without_parcel(ground: Ground, rows: np.ndarray) -> int:
    """How many facilities do not tell their parcel."""
    return sum(one is None for one in ground.city.facilities.texts("parcel")[rows])


def _walk_cm(ground: Ground, rows: np.ndarray, others: np.ndarray) -> IntArray:
    """Walk from each facility to the nearest of the others, whole centimetres."""
    out = np.full(len(rows), UNREACHED_CM, dtype=np.int64)
    if len(others) == 0:
        return out
    goals = goals_of(ground.costs, ground.attachments(others))
    field = nearest_from_nodes(ground.costs, goals)
    own = ground.attachments(rows)
    found = nearest_from_positions(ground.costs, goals, field, own.position)
    where = {int(row): i for i, row in enumerate(rows)}
    for facility, cm in zip(own.facility.tolist(), found.cm.tolist(), strict=True):
        out[where[facility]] = min(out[where[facility]], cm)
    return out


def _straight_m(ground: Ground, rows: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Straight distance from each facility's outline to the nearest of the others, metres."""
    shapes = ground.city.facilities.geometry
    if len(others) == 0:
        return np.full(len(rows), np.inf)
    tree = shapely.STRtree(shapes[others])
    source, nearest = tree.query_nearest(shapes[rows], all_matches=False)
    out = np.full(len(rows), np.inf)
    out[source] = shapely.distance(shapes[rows][source], shapes[others][nearest])
    return out
