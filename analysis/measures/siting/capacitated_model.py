"""Siting where places can be full: the flow model of catchments, and which places are open.

On top of `catchments.flow_model` stands y_j, 1 where a place is open: those there are always,
sites when they are chosen (CMCLP with minimum loads; Current and Storbeck 1988, Balakrishnan and
Storbeck 1991).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.min_cost_flow import solve
from lifecircle.analysis.measures.catchments.pricing import find_optimum
from lifecircle.analysis.measures.catchments.ties import Ranks, settle_ties
from lifecircle.analysis.quantities import BoolArray, IntArray


@dataclass(frozen=True, slots=True)
class CapacitatedModel:
    """A flow model whose first `standing` centres exist; the others are sites."""

    flow: FlowModel
    standing: int

    @property
    def sites(self) -> int:
        """Number of sites that may be opened."""
        return len(self.flow.maximum) - self.standing

    def is_open(self, sites: IntArray) -> BoolArray:
        """Which places are open with these sites, bool (n,)."""
        is_open = np.zeros(len(self.flow.maximum), dtype=np.bool_)
        is_open[: self.standing] = True
        is_open[self.standing + np.asarray(sites, dtype=np.int64)] = True
        return is_open

    def with_open(self, sites: IntArray) -> FlowModel:
        """The flow model of the standing places and these sites."""
        return self.flow.with_open(self.is_open(sites))


def assign(model: CapacitatedModel, sites: IntArray) -> Flow:
    """The best loads of the standing places and these sites.

    Raises
    ------
    UnsolvedError : the flow solver gave up (it never should: leaving persons unserved is allowed).
    """
    return solve(model.with_open(sites))


def settle(model: CapacitatedModel, sites: IntArray, ranks: Ranks) -> tuple[Flow, bool]:
    """The loads that `ranks` choose among the best ones, proven, and whether ties are open."""
    return settle_ties(find_optimum(model.with_open(sites)), lambda: ranks)
