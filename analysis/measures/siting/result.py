"""The answer of siting: proposals, what they change, and how sure it is that nothing is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Final

import numpy as np

from lifecircle.analysis.errors import Warn
from lifecircle.analysis.measures.question import Asked
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.measures.siting.objectives import Objective
from lifecircle.analysis.measures.siting.scene import Proposal
from lifecircle.analysis.quantities import Int32Array, IntArray

#: Each objective by the name its model has in the literature: Church and ReVelle (1974); Hakimi
#: (1964); Toregas et al. (1971); Current and Storbeck (1988), with the minimum loads of
#: Balakrishnan and Storbeck (1991).
MODELS: Final[Mapping[Objective, str]] = MappingProxyType(
    {"covered": "MCLP", "person_minutes": "p-median", "all": "LSCP", "capacity": "CMCLP"}
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What capacities make of a choice: persons, per existing facility and per proposal.

    `existing`: (minimum, maximum, load) of each place there is. `aims_proven`: how many of
    unserved, underload and walks, in this order, are proven to be the least possible.
    `ties_open`: other loads would be as good, and might have been chosen.
    """

    unserved_before: int
    unserved: int
    reachable_full: int
    unreachable: int
    underload_before: int
    underload: int
    existing: tuple[tuple[int, int, int], ...]
    aims_proven: int
    ties_open: bool


@dataclass(frozen=True, slots=True)
class Siting:
    """Proposals of one question, what they change, and how sure it is that nothing is better.

    `value` and `bound` count what the objective counts: persons newly covered (covered, all),
    person-minutes saved (person_minutes), persons served (capacity), sites (a target or all:
    then `bound` <= `value`). `curve[k]` persons covered with k more sites, found one by one;
    `cell_cm_before`, `cell_cm_after` int32 (c,); `culprits` (cells that no candidate covers).
    """

    asked: Asked
    objective: Objective
    add: int | None
    target: float | None
    sites: Sites
    proposals: tuple[Proposal, ...]
    residents: int
    covered_before: int
    covered_after: int
    coverable: int
    curve: IntArray
    value: float
    bound: float
    gap: float
    proven: bool
    method: str
    seconds: float
    loads: Loaded | None
    cell_cm_before: Int32Array
    cell_cm_after: Int32Array
    culprits: Int32Array
    warnings: tuple[Warn, ...]

    @property
    def model(self) -> str:
        """The objective's name in the literature; `target` asks its question the other way."""
        return MODELS[self.objective]


def persons_for(target: float, residents: int) -> int:
    """The fewest whole persons that are at least a share of the residents."""
    exact = Fraction(target).limit_denominator(10**9) * residents
    return -int(-exact // 1)


def round_up_percent(share: float) -> str:
    """A share as percent with two digits that count, never rounded down."""
    digits = max(2, 1 - int(np.floor(np.log10(max(share, 1e-12) * 100))))
    return f"{np.ceil(share * 100 * 10**digits) / 10**digits:.{digits}f}%"
