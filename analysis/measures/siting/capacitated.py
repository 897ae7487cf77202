"""Siting where places can be full (CMCLP): the policy's floor and ceiling per place."""

from __future__ import annotations

import time
from dataclasses import dataclass, replace

import numpy as np

from lifecircle.analysis.access.od_matrix import walks_within
from lifecircle.analysis.city.extents import judged_by
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.capacity import capacity_of
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.ties import Ranks
from lifecircle.analysis.measures.residents import persons_of
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign, settle
from lifecircle.analysis.measures.siting.capacitated_search import (
    CapacityChoice,
    choose,
    find_fewest,
)
from lifecircle.analysis.measures.siting.result import (
    Loaded,
    Siting,
    persons_for,
    round_up_percent,
)
from lifecircle.analysis.measures.siting.scene import (
    Scene,
    count_again,
    find_uncoverable,
    remarks_of,
)
from lifecircle.analysis.measures.siting.search import greedy_curve
from lifecircle.analysis.policy import Policy


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
    model = pose_capacitated(scene, policy)
    residents = int(model.flow.persons.sum())
    none = assign(model, np.zeros(0, dtype=np.int64))
    if target is None:
        answer = _choose(model, residents, int(add or 0), time_limit_s)
    else:
        answer = _find_fewest(model, none, residents, target, time_limit_s)
    loads, ties_open = settle(model, answer.found.sites, _ranks(scene, policy))
    found = replace(answer.found, loads=loads)
    cover = scene.maximal_covering()
    load = {int(j): int(loads.load[model.standing + j]) for j in found.sites}
    proposals, after = count_again(scene, found.sites, load)
    before = int(scene.persons[scene.covered].sum())
    capacity = capacity_of(scene.city, policy, scene.asked.service.id)
    remarks = (*capacity.warnings, *scene.sites.warnings, *remarks_of(scene, cover))
    return Siting(
        scene.asked,
        "capacity",
        add,
        target,
        scene.sites,
        proposals,
        int(scene.persons.sum()),
        before,
        int(scene.persons[scene.within(after)].sum()),
        before + cover.reachable,
        before + greedy_curve(cover, len(scene.sites)),
        answer.value,
        answer.bound,
        answer.gap,
        answer.proven,
        found.method,
        time.perf_counter() - started,
        _report_loads(model, none, found, ties_open=ties_open),
        scene.cell_cm,
        after,
        find_uncoverable(scene, cover),
        (*answer.warnings, *remarks),
    )


def pose_capacitated(scene: Scene, policy: Policy) -> CapacitatedModel:
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
    judged = judged_by(scene.city, scene.asked.service.id).cell
    persons = np.where(judged, persons_of(scene.city.cells, held.group), 0).astype(np.int64)
    arcs = Arcs.from_pairs(
        len(persons),
        np.concatenate((near.position, scene.near.cell)).astype(np.int32),
        np.concatenate((near.facility, scene.near.owner() + standing)).astype(np.int32),
        np.concatenate((near.cm, scene.near.cm)),
    )
    new = len(scene.sites)
    minimum = np.concatenate((held.minimum, np.full(new, int(rule.minimum.value))))
    maximum = np.concatenate((held.maximum, np.full(new, int(rule.maximum.value))))
    flow = FlowModel(persons, arcs, minimum.astype(np.int64), maximum.astype(np.int64))
    return CapacitatedModel(flow, standing)


def _ranks(scene: Scene, policy: Policy) -> Ranks:
    """The order of ids that settles ties: the places there are, then the sites."""
    held = capacity_of(scene.city, policy, scene.asked.service.id).facility
    there = Ranks.from_ids(scene.city.cells.id, scene.city.facilities.id[held])
    sites = Ranks.from_ids(np.zeros(0, dtype=object), scene.sites.id)
    return replace(there, centre=np.append(there.centre, len(held) + sites.centre))


@dataclass(frozen=True, slots=True)
class _Answer:
    """Sites chosen, what the objective counts for them, and what is proven about it."""

    found: CapacityChoice
    value: float
    bound: float
    gap: float
    proven: bool
    warnings: tuple[Warn, ...]


def _choose(model: CapacitatedModel, residents: int, asked: int, time_limit_s: float) -> _Answer:
    """At most `asked` sites that serve the most residents."""
    found = choose(model, min(asked, model.sites), time_limit_s)
    value, bound = float(residents - found.loads.total_unserved), float(residents - found.bound)
    warnings: list[Warn] = []
    if len(found.sites) < asked:
        told = {"asked": asked, "count": len(found.sites), "candidates": model.sites}
        warnings.append(Warn("siting_fewer", told))
    proven = found.proven >= 1
    if not proven:
        share = (bound - value) / value if value else 1.0
        warnings.append(Warn("siting_gap", {"gap": round_up_percent(share)}))
    return _Answer(found, value, bound, found.gap, proven, tuple(warnings))


def _find_fewest(
    model: CapacitatedModel, none: Flow, residents: int, target: float, time_limit_s: float
) -> _Answer:
    """The fewest sites with which a share of the residents is served."""
    most_unserved = residents - persons_for(target, residents)
    if none.total_unserved <= most_unserved:
        empty = np.zeros(0, dtype=np.int64)
        found = CapacityChoice(empty, none, none.total_unserved, 1, "greedy")
        return _Answer(found, 0.0, 0.0, 0.0, True, (Warn("siting_target_met"),))
    warnings: list[Warn] = []
    found, least = find_fewest(model, most_unserved, time_limit_s)
    if found.loads.total_unserved > most_unserved:
        served = 1 - found.loads.total_unserved / residents
        told = {"target": f"{target:.2%}", "most": f"{np.floor(served * 1e4) / 1e4:.2%}"}
        warnings.append(Warn("siting_target_impossible", told))
    count = len(found.sites)
    least = min(least, count)
    if least != count:
        warnings.append(Warn("siting_fewest_gap", {"count": count, "least": least}))
    gap = (count - least) / count if count else 0.0
    return _Answer(found, float(count), float(least), gap, least == count, tuple(warnings))


def _report_loads(
    model: CapacitatedModel, none: Flow, found: CapacityChoice, *, ties_open: bool
) -> Loaded:
    reachable = np.diff(model.with_open(found.sites).arcs.start) > 0
    unreachable = int(model.flow.persons[~reachable].sum())
    standing, loads = model.standing, found.loads
    bounds = zip(
        model.flow.minimum[:standing].tolist(),
        model.flow.maximum[:standing].tolist(),
        loads.load[:standing].tolist(),
        strict=True,
    )
    return Loaded(
        none.total_unserved,
        loads.total_unserved,
        loads.total_unserved - unreachable,
        unreachable,
        none.underload,
        loads.underload,
        tuple((int(a), int(b), int(c)) for a, b, c in bounds),
        found.proven,
        ties_open,
    )
