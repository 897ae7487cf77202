"""Which new place first, and in which year: places opened by stages, within their capacity.

Every stage has persons of its own (a flow model each, over the same sites); a site once open stays
open. The aims of all stages are added up and compared one after another: fewest unserved, then
least underload, then least walking, then fewest years of being open. An early opening thus waits
until there are enough residents for the minimum, unless somebody would be left out.

A path through the sets of open sites is best when its last step is best after the best path to it
(dynamic programming over the lattice of sets), which is exact for the sites it is given. Of many
sites a shortlist is given; the bound then is the sum of what no choice of as many sites can go
below in each stage by itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Final, Literal

import numpy as np

from lifecircle.analysis.measures.catchments.flow_model import Flow
from lifecircle.analysis.measures.siting.capacitated_model import CapacitatedModel, assign
from lifecircle.analysis.measures.siting.capacitated_search import choose
from lifecircle.analysis.quantities import NOBODY, Int32Array, IntArray

MOST_SETS: Final = 256  # sets of sites looked at in each stage

Aims = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Stages:
    """Which site opens in which stage, and the loads of every stage.

    `opens` int32 (s,): the stage, -1 never. `loads`: of each stage, over the places there are and
    all sites. `bound`: no choice of as many sites leaves fewer unserved over all stages.
    `considered`: the sites that the exact search chose among; `proven`: nothing is better in any
    of the aims.
    """

    opens: Int32Array
    loads: tuple[Flow, ...]
    bound: int
    proven: bool
    considered: IntArray
    method: Literal["exact", "shortlist"]

    @property
    def unserved(self) -> int:
        """Residents left unserved, added up over the stages."""
        return sum(one.total_unserved for one in self.loads)

    @property
    def gap(self) -> float:
        """Unserved above the bound, as a share of the unserved; 0 when proven."""
        return 0.0 if self.unserved == 0 else (self.unserved - self.bound) / self.unserved

    def open_in(self, stage: int) -> IntArray:
        """The sites that are open in a stage."""
        return np.flatnonzero((self.opens >= 0) & (self.opens <= stage))


def choose_stages(
    models: Sequence[CapacitatedModel],
    count: int,
    *,
    per_stage: int | None = None,
    most_sets: int = MOST_SETS,
    time_limit_s: float = 0.0,
) -> Stages:
    """At most `count` sites over all stages; the best found with its bound.

    Parameters
    ----------
    models : one for each stage in order of time, all with the same sites; the places there are
        may differ.
    per_stage : how many may open in one stage; None: any.
    most_sets : how many sets of sites are looked at in each stage.
    time_limit_s : for HiGHS, in each stage, to bound the unserved of a shortlist.
    """
    useful = np.unique(np.concatenate([_reaching(model) for model in models])).astype(np.int64)
    count = min(count, len(useful))
    if _sets(len(useful), count) <= most_sets:
        opens, loads = _best_path(models, useful, count, per_stage)
        unserved = sum(one.total_unserved for one in loads)
        return Stages(opens, loads, unserved, True, useful, "exact")
    each = count if per_stage is None else per_stage
    found = [
        choose(model, min(count, each * (k + 1)), time_limit_s) for k, model in enumerate(models)
    ]
    listed = _shortlist(models[-1], [one.sites for one in found], useful, count, most_sets)
    opens, loads = _best_path(models, listed, count, per_stage)
    unserved = sum(one.total_unserved for one in loads)
    bound = min(unserved, sum(one.bound for one in found))
    return Stages(opens, loads, bound, False, listed, "shortlist")


def _reaching(model: CapacitatedModel) -> IntArray:
    """Sites that somebody can walk to."""
    arcs = model.flow.arcs
    peopled = model.flow.persons[arcs.cell] > 0
    new = arcs.centre[peopled & (arcs.centre >= model.standing)]
    return np.unique(new).astype(np.int64) - model.standing


def _sets(sites: int, count: int) -> int:
    return sum(comb(sites, size) for size in range(count + 1))


def _shortlist(
    last: CapacitatedModel,
    chosen: Sequence[IntArray],
    useful: IntArray,
    count: int,
    most_sets: int,
) -> IntArray:
    """Sites good in a stage by itself, the last stage first, then those most residents reach."""
    arcs = last.flow.arcs
    reach = np.bincount(
        arcs.centre, weights=last.flow.persons[arcs.cell], minlength=last.standing + last.sites
    )[last.standing :]
    order = [int(site) for sites in reversed(chosen) for site in sites]
    order += useful[np.argsort(-reach[useful], kind="stable")].tolist()
    listed = list(dict.fromkeys(order))
    size = len(listed)
    while size > 1 and _sets(size, min(count, size)) > most_sets:
        size -= 1
    return np.array(sorted(listed[:size]), dtype=np.int64)


def _best_path(
    models: Sequence[CapacitatedModel], sites: IntArray, count: int, per_stage: int | None
) -> tuple[Int32Array, tuple[Flow, ...]]:
    """The growing sets of open sites with the least aims over all stages."""
    most = min(count, len(sites))
    every = range(len(sites))
    sets = [frozenset(one) for size in range(most + 1) for one in combinations(every, size)]
    best: dict[frozenset[int], Aims] = {frozenset(): (0, 0, 0, 0)}  # nothing is open before
    came: list[dict[frozenset[int], frozenset[int]]] = []
    for model in models:
        least, before = _least_inside(sets, best, most if per_stage is None else per_stage)
        came.append(before)
        best = {}
        for one in (one for one in sets if one in least):
            flow = assign(model, sites[sorted(one)])
            best[one] = _added((*flow.aims, len(one)), least[one])
    end = min(best, key=lambda one: (best[one], sorted(one)))
    path = [end]
    for before in reversed(came[1:]):
        path.append(before[path[-1]])
    path.reverse()
    opens = np.full(models[0].sites, NOBODY, dtype=np.int32)
    for stage in range(len(models) - 1, -1, -1):
        opens[sites[sorted(path[stage])]] = stage
    loads = (assign(model, sites[sorted(one)]) for model, one in zip(models, path, strict=True))
    return opens, tuple(loads)


def _added(one: Aims, other: Aims) -> Aims:
    return one[0] + other[0], one[1] + other[1], one[2] + other[2], one[3] + other[3]


def _least_inside(
    sets: Sequence[frozenset[int]], best: dict[frozenset[int], Aims], opened: int
) -> tuple[dict[frozenset[int], Aims], dict[frozenset[int], frozenset[int]]]:
    """For every set the least aims of a set inside it that lacks at most `opened` of it, and
    which that is; sets that no such set leads to are left out."""
    least, which = dict(best), {one: one for one in best}
    for _ in range(opened):
        held, came = dict(least), dict(which)
        for one in sets:
            for left_out in sorted(one):
                smaller = one - {left_out}
                if smaller not in held:
                    continue
                told = held[smaller], sorted(came[smaller])
                if one not in least or told < (least[one], sorted(which[one])):
                    least[one], which[one] = held[smaller], came[smaller]
    return least, which
