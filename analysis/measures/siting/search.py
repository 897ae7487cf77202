"""Sites at once: greedy, interchange, and a bound in whole numbers that proves how good."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np

from lifecircle.analysis.measures.siting import kernel
from lifecircle.analysis.measures.siting.problem import SiteProblem
from lifecircle.analysis.quantities import Int32Array, IntArray

Method = Literal["greedy", "interchange", "exact"]

SWAPS: Final = 10_000  # a stop for the clock only: every swap gains, so none is made twice
PRICE_ROUNDS: Final = 400
_WORK: Final = 400_000_000  # rows read by the price steps at most: about a second


@dataclass(frozen=True, slots=True)
class Chosen:
    """Sites found, what they gain, and the proven most that as many sites could gain.

    `sites` int32 (k,) in the order of what each adds; `gain` int64 (k,) is what each adds.
    `bound` >= `value`: no choice of as many sites gains more. `method` found the sites.
    """

    sites: Int32Array
    gain: IntArray
    value: int
    bound: int
    method: Method

    @property
    def proven(self) -> bool:
        """Whether nothing better exists."""
        return self.value == self.bound

    @property
    def gap(self) -> float:
        """How far the bound is above what was found, as a share of the bound; 0 when proven."""
        return 0.0 if self.bound <= 0 else (self.bound - self.value) / self.bound


@dataclass(frozen=True, slots=True)
class Prices:
    """Prices of cells from which a bound follows for any number of sites.

    `total`: sum of the prices; `worth` int64 (s,): what each site gains beyond them.
    """

    total: int
    worth: IntArray

    def bound(self, count: int) -> int:
        """No `count` sites gain more than this."""
        top = np.sort(self.worth)[::-1][:count]
        return self.total + int(top.sum())

    def open_question(self, count: int, value: int) -> tuple[IntArray, IntArray]:
        """Sites that any better choice must hold, and those it may hold besides.

        Better means a gain above `value`, in whole numbers. Every other site is in no better
        choice: leaving it out changes nothing.
        """
        order = np.argsort(-self.worth, kind="stable")
        inside, outside = order[:count], order[count:]
        bound = self.bound(count)
        last = int(self.worth[inside].min()) if len(inside) else 0
        next_ = int(self.worth[outside].max()) if len(outside) else 0
        without = bound - self.worth[inside] + next_
        with_it = bound - last + self.worth[outside]
        must = inside[without <= value]
        may = np.concatenate((inside[without > value], outside[with_it > value]))
        return np.sort(must), np.sort(may)


def price_cells(problem: SiteProblem, count: int, value: int) -> Prices:
    """Prices that make the bound for `count` sites small; `value` is what is known to be gained."""
    rounds = int(np.clip(_WORK // max(1, 2 * len(problem.cell)), 30, PRICE_ROUNDS))
    found = kernel.best_prices(*problem.arrays, count, value, rounds)
    price = np.floor(found).astype(np.int64)
    return Prices(int(price.sum()), kernel.worth(*problem.arrays, price))


def search(problem: SiteProblem, count: int) -> tuple[Chosen, Prices]:
    """Greedy, then interchange from there and from the sites the bound itself would take.

    `count` at most the number of sites; fewer come back where more would gain nothing.
    """
    everyone = np.ones(problem.sites, dtype=np.bool_)
    first, gain = kernel.greedy(*problem.arrays, count, everyone)
    best, value = swap_sites(problem, first)
    method: Method = "interchange" if value > int(gain.sum()) else "greedy"
    prices = price_cells(problem, count, value)
    if prices.bound(count) > value:
        dearest = np.argsort(-prices.worth, kind="stable")[: len(first)].astype(np.int32)
        other, more = swap_sites(problem, np.sort(dearest))
        if more > value:
            best, value, method = other, more, "interchange"
            prices = price_cells(problem, count, value)
    bound = max(value, min(prices.bound(count), problem.reachable))
    return order_sites(problem, best, bound, method), prices


def swap_sites(problem: SiteProblem, sites: Int32Array) -> tuple[Int32Array, int]:
    """The sites after all swaps that gain, and what they gain."""
    found, _ = kernel.interchange(*problem.arrays, np.asarray(sites, dtype=np.int32), SWAPS)
    return found, problem.value(found)


def order_sites(problem: SiteProblem, sites: Int32Array, bound: int, method: Method) -> Chosen:
    """Sites in order, with what each adds."""
    order, gain = problem.in_order(sites)
    return Chosen(order, gain, int(gain.sum()), bound, method)


def greedy_curve(problem: SiteProblem, most: int) -> IntArray:
    """What 0, 1, 2 ... sites gain, each added to those before, int64: rising, ever less steeply."""
    everyone = np.ones(problem.sites, dtype=np.bool_)
    _, gain = kernel.greedy(*problem.arrays, min(most, problem.sites), everyone)
    return np.concatenate(([0], np.cumsum(gain))).astype(np.int64)
