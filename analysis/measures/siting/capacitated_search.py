"""Sites where places can be full: at most k, fewest unserved, then least underload, then walks.

Greedy and interchange on exact loads, then HiGHS on the whole question within a time limit, with
what was found as its start and its own bound on the residents left unserved.
Source: Current and Storbeck (1988); Balakrishnan and Storbeck (1991), floors.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from lifecircle.analysis.access.sites import SiteWalks
from lifecircle.analysis.measures.catchments.flow_model import Flow
from lifecircle.analysis.measures.siting.capacitated_exact import LARGEST, PairGroups, solve_stage
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign
from lifecircle.analysis.measures.siting.problem import pose_maximal_covering
from lifecircle.analysis.measures.siting.search import search
from lifecircle.analysis.quantities import IntArray

TRIED: Final = 12  # sites looked at exactly in each step, the most promising by a quick estimate
_WHOLE: Final = 1e-6
_STAGES: Final = ("unserved", "underload", "person_cm")


@dataclass(frozen=True, slots=True)
class CapacityChoice:
    """Sites (indices, in the order found), their loads, and what is proven.

    `bound`: no choice of as many sites leaves fewer unserved. `proven` counts how many of the
    three aims (unserved, underload, walks) are shown to be the best possible, one after another.
    """

    sites: IntArray
    loads: Flow
    bound: int
    proven: int
    method: str

    @property
    def gap(self) -> float:
        """Unserved above the bound, as a share of the unserved; 0 when proven."""
        unserved = self.loads.total_unserved
        return 0.0 if unserved == 0 else (unserved - self.bound) / unserved


def choose(model: CapacitatedModel, count: int, time_limit_s: float) -> CapacityChoice:
    """At most `count` sites; the best found with its bound."""
    ends = time.perf_counter() + time_limit_s
    sites, loads = _add_greedily(model, count, None)
    widest, floor = _reach_most(model, count)
    method = "greedy"
    if (other := assign(model, widest)).aims < loads.aims:
        sites, loads, method = widest, other, "interchange"
    swapped, better = _interchange(model, sites, loads, ends)
    if better.aims < loads.aims:
        method = "interchange"
    found = CapacityChoice(swapped, better, floor, 0, method)
    return _improve(model, count, found, ends)


def find_fewest(
    model: CapacitatedModel, most_unserved: int, time_limit_s: float
) -> tuple[CapacityChoice, int]:
    """The fewest sites that leave at most so many unserved, and a number no fewer can be."""
    ends = time.perf_counter() + time_limit_s
    sites, loads = _add_greedily(model, model.sites, most_unserved)
    best = CapacityChoice(sites, loads, _reach_most(model, len(sites))[1], 0, "greedy")
    none = assign(model, np.zeros(0, dtype=np.int64)).total_unserved
    at_least = 0 if none <= most_unserved else 1
    while len(best.sites) > at_least and best.loads.total_unserved <= most_unserved:
        left = ends - time.perf_counter()
        if left <= 0:
            break
        tried = choose(model, len(best.sites) - 1, left)
        if tried.loads.total_unserved <= most_unserved:
            best = tried
        elif tried.bound > most_unserved:
            at_least = len(best.sites)
        else:
            break
    return best, at_least


def _reach_most(model: CapacitatedModel, count: int) -> tuple[IntArray, int]:
    """Sites that reach most residents, and a number of unserved that no `count` sites go below.

    Each site serves at most its maximum, and all of them at most whom they reach.
    """
    none = assign(model, np.zeros(0, dtype=np.int64)).total_unserved
    persons, arcs, maximum = model.flow.persons, model.flow.arcs, model.flow.maximum
    room = np.sort(maximum[model.standing :])[::-1][:count]
    held = maximum[arcs.centre] > 0
    near = np.zeros(len(persons), dtype=np.bool_)
    near[arcs.cell[held & (arcs.centre < model.standing)]] = True
    new = np.flatnonzero(held & (arcs.centre >= model.standing))
    order = new[np.lexsort((arcs.cell[new], arcs.centre[new]))]
    start = np.searchsorted(arcs.centre[order] - model.standing, np.arange(model.sites + 1))
    walks = SiteWalks(start.astype(np.int64), arcs.cell[order], arcs.cost[order].astype(np.int32))
    cover = pose_maximal_covering(persons, near, walks)
    lost = int(persons[~near].sum())
    if count == 0 or model.sites == 0:
        return np.zeros(0, dtype=np.int64), max(0, none)
    found, _ = search(cover, count)
    return found.sites.astype(np.int64), max(0, none - int(room.sum()), lost - found.bound)


def _add_greedily(model: CapacitatedModel, count: int, enough: int | None) -> tuple[IntArray, Flow]:
    sites: list[int] = []
    loads = assign(model, np.zeros(0, dtype=np.int64))
    while len(sites) < count and (enough is None or loads.total_unserved > enough):
        best: tuple[Flow, int] | None = None
        for site in _rank_promising(model, loads, sites):
            tried = assign(model, np.array([*sites, site]))
            better = best is None or tried.aims < best[0].aims
            if tried.total_unserved < loads.total_unserved and better:
                best = (tried, int(site))
        if best is None:
            break
        loads = best[0]
        sites.append(best[1])
    return np.array(sites, dtype=np.int64), loads


def _rank_promising(model: CapacitatedModel, loads: Flow, taken: list[int]) -> IntArray:
    """Sites by an estimate of whom they would serve besides: at most `TRIED` of them.

    A site serves the unserved near it, and makes room in full places near it for theirs.
    """
    arcs, maximum = model.flow.arcs, model.flow.maximum
    lacking = np.bincount(arcs.centre, weights=loads.unserved[arcs.cell], minlength=len(maximum))
    full = (loads.load >= maximum) & (lacking > 0)
    moving = full[loads.centre]
    room = np.zeros(len(model.flow.persons))
    np.add.at(
        room,
        loads.cell[moving],
        np.minimum(loads.persons[moving], lacking[loads.centre[moving]]),
    )
    gain = lacking + np.bincount(arcs.centre, weights=room[arcs.cell], minlength=len(maximum))
    gain = np.minimum(gain, maximum)[model.standing :]
    gain[taken] = 0
    order: IntArray = np.argsort(-gain, kind="stable")
    order = order[gain[order] > 0]
    return order[:TRIED]


def _interchange(
    model: CapacitatedModel, sites: IntArray, loads: Flow, ends: float
) -> tuple[IntArray, Flow]:
    """Swap, or leave out, one site while that is better and there is time."""
    improved = True
    while improved and len(sites):
        improved = False
        for k in range(len(sites)):
            rest = np.delete(sites, k)
            without = assign(model, rest)
            options = [rest] if without.aims < loads.aims else []
            options += [
                np.insert(rest, k, site)
                for site in _rank_promising(model, without, rest.tolist())
                if site != sites[k]
            ]
            for tried in options:
                if time.perf_counter() > ends:
                    return sites, loads
                found = assign(model, tried)
                if found.aims < loads.aims:
                    sites, loads, improved = tried, found, True
            if improved:
                break
    return sites, loads


def _improve(
    model: CapacitatedModel, count: int, found: CapacityChoice, ends: float
) -> CapacityChoice:
    """HiGHS on the three aims in turn, each with those before held at their best."""
    if found.loads.total_unserved <= found.bound:
        found = replace(found, proven=1)
    held: list[int] = []
    for stage, name in enumerate(_STAGES):
        left = ends - time.perf_counter()
        if left <= 0 or count == 0 or model.sites == 0:
            break
        if found.proven > stage:
            held.append(found.loads.aims[stage])
            continue
        pairs = PairGroups.join(model.flow, by_walk=name == "person_cm")
        if len(pairs.group) > LARGEST:
            break
        sites, bound = solve_stage(model, pairs, count, held, found.sites, left)
        if sites is not None:
            loads = assign(model, sites)
            if loads.aims < found.loads.aims:
                found = replace(found, sites=sites, loads=loads, method="exact")
        if stage == 0:
            least = min(found.loads.total_unserved, max(found.bound, bound))
            found = replace(found, bound=least)
        value = found.loads.aims[stage]
        if bound < value - max(0, int(_WHOLE * value)):
            break
        held.append(value)
        found = replace(found, proven=stage + 1)
    return found
