"""Siting where places can be full: the policy's floor and ceiling per place."""

from __future__ import annotations

import time

import numpy as np

from lifecircle.analysis.access.od_matrix import walks_within
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.question import persons_of
from lifecircle.analysis.measures.siting.capacitated_flow import LoadProblem, Loads, assign
from lifecircle.analysis.measures.siting.capacitated_search import CapacityChoice, choose, fewest
from lifecircle.analysis.measures.siting.result import Loaded, Siting, above, persons_for
from lifecircle.analysis.measures.siting.scene import Scene, counted_again, culprits_of, remarks_of
from lifecircle.analysis.measures.siting.search import greedy_curve
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.quantities import IntArray


def place_with_capacity(
    scene: Scene,
    policy: Policy,
    add: int | None,
    target: float | None,
    time_limit_s: float,
    started: float,
) -> Siting:
    """Sites that leave the fewest residents unserved when every place holds the policy's bounds.

    Raises
    ------
    ParameterError : the policy gives the service no capacity.
    """
    if scene.asked.service.capacity is None:
        raise ParameterError("siting_no_capacity", title=scene.asked.service.title)
    problem, standing = load_problem(scene, policy)
    residents = int(problem.persons.sum())
    none = assign(problem, np.zeros(0, dtype=np.int64))
    warnings: list[Warn] = []
    if target is not None:
        found, least = _fewest(problem, none, residents, target, time_limit_s, warnings)
        value, bound = float(len(found.sites)), float(least)
        gap, proven = ((value - bound) / value if value else 0.0), value == bound
        if not proven:
            warnings.append(Warn("siting_fewest_gap", {"count": int(value), "least": least}))
    else:
        found = choose(problem, min(int(add or 0), problem.sites), time_limit_s)
        value, bound = float(residents - found.loads.unserved), float(residents - found.bound)
        gap, proven = found.gap, found.proven >= 1
        if len(found.sites) < int(add or 0):
            told = {"asked": add, "count": len(found.sites), "candidates": problem.sites}
            warnings.append(Warn("siting_fewer", told))
        if not proven:
            share = (bound - value) / value if value else 1.0
            warnings.append(Warn("siting_gap", {"gap": above(share)}))
    cover = scene.covering()
    loads = {int(j): int(found.loads.load[standing + j]) for j in found.sites}
    proposals, after = counted_again(scene, found.sites, loads)
    before = int(scene.persons[scene.covered].sum())
    warnings += capacity_of(scene.city, policy, scene.asked.service.id).warnings
    warnings += [*scene.sites.warnings, *remarks_of(scene, cover)]
    return Siting(
        scene.asked,
        "capacity",
        add,
        target,
        scene.sites,
        proposals,
        int(scene.persons.sum()),
        before,
        int(scene.persons[after <= scene.asked.limit_cm].sum()),
        before + cover.reachable,
        before + greedy_curve(cover, len(scene.sites)),
        value,
        bound,
        gap,
        proven,
        found.method,
        time.perf_counter() - started,
        _loaded(problem, none, found, standing),
        scene.cell_cm,
        after,
        culprits_of(scene, cover),
        tuple(warnings),
    )


def load_problem(scene: Scene, policy: Policy) -> tuple[LoadProblem, int]:
    """Persons, the places there are with what they hold, the sites with the policy's bounds.

    Places whose capacity is not known serve no one here (`capacity_of` names them).
    """
    rule = scene.asked.service.capacity
    if rule is None:
        raise ParameterError("siting_no_capacity", title=scene.asked.service.title)
    held = capacity_of(scene.city, policy, scene.asked.service.id)
    near = walks_within(
        scene.costs,
        scene.existing,
        scene.city.cells.position,
        held.facility,
        scene.asked.limit_cm,
    )
    standing = len(held.facility)
    persons = persons_of(scene.city.cells, held.group).astype(np.int64)
    cell = np.concatenate((near.position, scene.near.cell))
    place = np.concatenate((near.facility, scene.near.owner() + standing)).astype(np.int32)
    new = len(scene.sites)
    return LoadProblem(
        persons,
        np.concatenate((held.minimum, np.full(new, int(rule.minimum.value)))).astype(np.int64),
        np.concatenate((held.maximum, np.full(new, int(rule.maximum.value)))).astype(np.int64),
        standing,
        cell.astype(np.int32),
        place,
        np.concatenate((near.cm, scene.near.cm)),
    ), standing


def _fewest(
    problem: LoadProblem,
    none: Loads,
    residents: int,
    target: float,
    time_limit_s: float,
    warnings: list[Warn],
) -> tuple[CapacityChoice, int]:
    most_unserved = residents - persons_for(target, residents)
    if none.unserved <= most_unserved:
        warnings.append(Warn("siting_target_met"))
        empty: IntArray = np.zeros(0, dtype=np.int64)
        return CapacityChoice(empty, none, none.unserved, 1, "greedy"), 0
    found, least = fewest(problem, most_unserved, time_limit_s)
    if found.loads.unserved > most_unserved:
        served = 1 - found.loads.unserved / residents
        told = {"target": f"{target:.2%}", "most": f"{np.floor(served * 1e4) / 1e4:.2%}"}
        warnings.append(Warn("siting_target_impossible", told))
    return found, min(least, len(found.sites))


def _loaded(problem: LoadProblem, none: Loads, found: CapacityChoice, standing: int) -> Loaded:
    near = np.zeros(len(problem.persons), dtype=np.bool_)
    near[problem.cell[problem.opened(found.sites)[problem.place]]] = True
    unreachable = int(problem.persons[~near].sum())
    bounds = zip(
        problem.minimum[:standing].tolist(),
        problem.maximum[:standing].tolist(),
        found.loads.load[:standing].tolist(),
        strict=True,
    )
    return Loaded(
        none.unserved,
        found.loads.unserved,
        found.loads.unserved - unreachable,
        unreachable,
        none.underload,
        found.loads.underload,
        tuple((int(a), int(b), int(c)) for a, b, c in bounds),
        found.proven,
    )
