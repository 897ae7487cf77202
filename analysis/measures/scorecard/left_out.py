"""Whom a promise has not reached: units left out, units unknown, the figure of every unit."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

import numpy as np

from lifecircle.analysis.measures.question import home_unit
from lifecircle.analysis.measures.scorecard.context import Ground
from lifecircle.analysis.measures.scorecard.result import (
    NO,
    UNKNOWN,
    YES,
    Atoms,
    LeftOut,
    Outcome,
    States,
    UnitFigure,
)
from lifecircle.analysis.policy.scorecard_model import AT_MOST, Row
from lifecircle.analysis.quantities import NOBODY, Int32Array


def left_out(
    ground: Ground,
    row: Row,
    outcomes: Mapping[str, Outcome],
    judged: Sequence[str],
    target: float | None,
) -> Iterator[LeftOut]:
    """Units (or facilities, or residents by unit) that keep the judged readings from the target.

    They are without what is to be reached, or have what is not to be exceeded.
    """
    at_most = row.direction == AT_MOST
    for name in judged:
        atoms = outcomes[name].atoms
        if atoms is None or row.readings[name].kind == "count":
            continue
        if row.readings[name].kind == "ratio":
            chosen = _short(atoms, target, at_most=at_most) == NO
        else:
            chosen = atoms.state == (YES if at_most else NO)
        for one in _listed(ground, outcomes[name], atoms, chosen):
            yield replace(one, reading=name)


def unsettled(
    ground: Ground, outcomes: Mapping[str, Outcome], judged: Sequence[str]
) -> Iterator[LeftOut]:
    """Units (or facilities) of which it is unknown."""
    for name in judged:
        atoms = outcomes[name].atoms
        if atoms is not None and atoms.where in ("unit", "facility"):
            for one in _listed(ground, outcomes[name], atoms, atoms.state == UNKNOWN):
                yield replace(one, reading=name)


def by_unit(ground: Ground, outcome: Outcome, level: str) -> Iterator[UnitFigure]:
    """The headline within every unit of a level, from the same atoms as the whole."""
    atoms, units = outcome.atoms, ground.city.units
    members = units.of_level(level)
    if atoms is None:
        for unit in members.tolist():
            yield UnitFigure(
                str(units.code[unit]), str(units.name[unit]), units.name_en[unit],
                None, None, None, 0,
            )  # fmt: skip
        return
    home = home_of(ground, atoms, level)
    known = (atoms.state != UNKNOWN) & (home != NOBODY)
    open_ = (atoms.state == UNKNOWN) & (home != NOBODY)
    have = np.bincount(home[known], weights=atoms.have[known], minlength=ground.size)
    of = np.bincount(home[known], weights=atoms.of[known], minlength=ground.size)
    unknown = np.bincount(home[open_], minlength=ground.size)
    there = np.bincount(home[known], minlength=ground.size)
    for unit in members.tolist():
        value = float(have[unit] / of[unit]) if of[unit] > 0 else None
        yield UnitFigure(
            str(units.code[unit]),
            str(units.name[unit]),
            units.name_en[unit],
            value,
            float(have[unit]) if there[unit] else None,
            float(of[unit]) if there[unit] else None,
            int(unknown[unit]),
        )


def home_of(ground: Ground, atoms: Atoms, level: str) -> Int32Array:
    """The unit of a level that holds each atom, int32 (n,), -1 if none."""
    if atoms.where == "cell":
        return ground.city.cells.unit[level][atoms.index]
    if atoms.where == "facility":
        return ground.city.facilities.unit[level][atoms.index]
    if atoms.where == "sample":
        assert ground.city.land is not None
        return ground.city.land.unit[level][atoms.index]
    units = ground.city.units
    home = np.full(len(atoms.index), NOBODY, dtype=np.int32)
    for i, own in enumerate(atoms.index.tolist()):
        unit = own if own < ground.size else NOBODY
        while unit != NOBODY and units.level[unit] != level:
            unit = int(units.parent[unit])
        home[i] = unit
    return home


def _short(atoms: Atoms, target: float | None, *, at_most: bool) -> States:
    """For a ratio: no where an atom's own figure misses the target."""
    state = atoms.state.copy()
    if target is None:
        return state
    own = np.full(len(state), -np.inf if at_most else np.inf)
    np.divide(atoms.have, atoms.of, out=own, where=atoms.of > 0)
    misses = own > target if at_most else own < target
    state[(atoms.state != UNKNOWN) & misses] = NO
    return state


def _listed(
    ground: Ground, outcome: Outcome, atoms: Atoms, chosen: np.ndarray
) -> Iterator[LeftOut]:
    places = ground.city.facilities
    if atoms.where == "unit":
        for i in np.flatnonzero(chosen).tolist():
            unit = int(atoms.index[i])
            if unit == ground.size:
                continue
            value = float(atoms.have[i] / atoms.of[i]) if atoms.of[i] > 1 else None
            label = None if outcome.labels is None else outcome.labels.get(unit)
            yield _unit(ground, unit, value=value, label=label)
    elif atoms.where == "facility":
        homes = ground.once("facility_home", lambda: home_unit(ground.city, places.unit))
        for i in np.flatnonzero(chosen).tolist():
            row = int(atoms.index[i])
            unit = int(homes[row])
            one = _unit(ground, unit) if unit != NOBODY else LeftOut(None, None, None, None)
            name = places.name[row]
            yield replace(one, facility=str(places.id[row] if name is None else name))
    elif atoms.where == "cell":
        cells = ground.city.cells
        home = ground.once("cell_home", lambda: home_unit(ground.city, cells.unit))[atoms.index]
        inside = chosen & (home != NOBODY)
        persons = np.bincount(home[inside], weights=atoms.of[inside], minlength=ground.size)
        order = sorted(np.flatnonzero(persons > 0).tolist(), key=lambda u: (-persons[u], u))
        for unit in order:
            yield _unit(ground, unit, persons=int(persons[unit]))
        loose = int(atoms.of[chosen & (home == NOBODY)].sum())
        if loose:
            yield LeftOut(None, None, None, None, persons=loose)


def _unit(
    ground: Ground,
    unit: int,
    *,
    persons: int | None = None,
    value: float | None = None,
    label: str | None = None,
) -> LeftOut:
    units = ground.city.units
    return LeftOut(
        str(units.level[unit]),
        str(units.code[unit]),
        str(units.name[unit]),
        units.name_en[unit],
        persons=persons,
        value=value,
        label=label,
    )
