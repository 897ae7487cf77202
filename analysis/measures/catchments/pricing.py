"""Prices of the centres: the proof that a flow is the best, and the way to arcs left out.

A full matrix gives only its nearest arcs to the flow. Prices of the centres (dual variables)
then show whether any arc left out would help; such arcs are added until none does. The prices
also give a lower bound in exact arithmetic, and what is asserted is: bound = objective.

Source: Ahuja, Magnanti and Orlin (1993), Network Flows, chapter 9.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from lifecircle.analysis.errors import UnsolvedError
from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.min_cost_flow import solve
from lifecircle.analysis.measures.catchments.price_kernel import (
    FAR,
    cheapest,
    improving_arcs,
    least_prices,
    matching_arcs,
)
from lifecircle.analysis.quantities import UNREACHED_CM, BoolArray, Int32Array, IntArray

_FIRST_ARCS = 6  # nearest arcs a cell starts with, a matter of speed only
_MORE_ARCS = 4  # arcs a cell gains per round at most
_ALL_ARCS = 20_000  # so many arcs are given to the flow at once
LARGE = 10_000  # cells from which a smaller question is worth the time to make it
_NEARLY = 0.25  # share of the unused arcs that stay when the prices are nearly right


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of each centre (f,), what each cell pays (n,), and the bound on centimetres.

    `bound_cm`: person-centimetres of any flow that leaves as few unserved with as little
    underload are at least this. `nowhere`, `short`: what an unserved person and a person of
    underload cost.
    """

    price: IntArray
    paid: IntArray
    bound_cm: int
    nowhere: int
    short: int

    def are_tight(self, arcs: Arcs) -> BoolArray:
        """Arcs that an optimum may use: walk and price are what the cell pays, bool (r,)."""
        tight: BoolArray = arcs.cost + self.price[arcs.centre] == self.paid[arcs.cell]
        return tight


@dataclass(frozen=True, slots=True)
class Optimum:
    """A proven optimum: the model it solves, the flow, the prices that prove it.

    `cost`: the full matrix (f, n) of which the model holds some arcs, or None.
    """

    model: FlowModel
    flow: Flow
    prices: Prices
    cost: Int32Array | None = None

    @property
    def perfect(self) -> bool:
        """Whether everyone is served and every floor met: no arc could better that."""
        return is_perfect(self.model, self.flow)

    def tight_arcs(self) -> tuple[Int32Array, Int32Array, IntArray]:
        """Cell, centre and cost (r,) of all arcs that any optimum may use."""
        if self.cost is None:
            arcs = self.model.arcs.keep(self.prices.are_tight(self.model.arcs))
            return arcs.cell, arcs.centre, arcs.cost
        cell, centre = matching_arcs(self.cost, self.prices.price, self.prices.paid)
        return cell, centre, self.cost[centre, cell].astype(np.int64)


def is_perfect(model: FlowModel, flow: Flow) -> bool:
    """Whether everyone is served and every floor met."""
    return flow.total_unserved == 0 and bool((flow.load >= model.floor).all())


def find_optimum(
    model: FlowModel, cost: Int32Array | None = None, *, perfect: bool = False
) -> Optimum:
    """The proven optimum over the arcs of the model and, where it is given, a full matrix (f, n).

    `perfect`: it is known that the arcs of the model serve everyone and meet every floor.

    Raises
    ------
    UnsolvedError : the flow ends without an optimum, or the walks are too far to be summed.
    """
    narrowed = False
    longest = _longest(model, cost)
    while True:
        flow = solve(model, perfect=perfect)
        perfect = perfect or is_perfect(model, flow)
        prices = price_flow(model, flow, cost, longest)
        if cost is None:
            break
        cell, centre = improving_arcs(cost, prices.price, prices.paid, _MORE_ARCS)
        if len(cell) == 0:
            break
        if model.arcs.contain(cell, centre).any():
            raise ArithmeticError("prices contradict the flow")
        if not narrowed and len(model.persons) >= LARGE:
            narrowed = True
            model = _narrow(model, flow, prices)
        model = replace(model, arcs=model.arcs.add(cell, centre, cost[centre, cell]))
    if flow.person_cm != prices.bound_cm:
        raise ArithmeticError("the bound does not meet the assignment")
    return Optimum(model, flow, prices, cost)


def _narrow(model: FlowModel, flow: Flow, prices: Prices) -> FlowModel:
    """The model with the arcs in use and those that cost nearly nothing more.

    Once the prices are nearly right most cells have nothing left to choose; an arc that is
    missed comes back by its price.
    """
    arcs = model.arcs
    over = arcs.cost + prices.price[arcs.centre] - prices.paid[arcs.cell]
    choices = np.flatnonzero(over > 0)
    near = np.quantile(over[choices], _NEARLY) if len(choices) else 0
    keep = over <= near
    keep[arcs.find(flow.cell, flow.centre)] = True
    return replace(model, arcs=arcs.keep(keep))


def first_arcs(cost: Int32Array) -> Arcs:
    """Arcs of a full matrix to begin with: all when few, else the nearest of every cell."""
    centres, cells = cost.shape
    if centres <= _FIRST_ARCS or centres * cells <= _ALL_ARCS:
        return Arcs.from_matrix(cost)
    return nearest_arcs(cost, _FIRST_ARCS)


def nearest_arcs(cost: Int32Array, most: int) -> Arcs:
    """The arcs of a full matrix to the `most` nearest centres of every cell, by (cm, centre)."""
    centres, cells = cost.shape
    free = np.zeros(centres, dtype=np.int64)
    cell, centre = improving_arcs(cost, free, np.full(cells, FAR), most)
    return Arcs.from_pairs(cells, cell, centre, cost[centre, cell])


def _longest(model: FlowModel, cost: Int32Array | None) -> int:
    """The longest walk among all arcs."""
    if cost is None:
        return int(model.arcs.cost.max(initial=0))
    return int(cost.max(where=cost != UNREACHED_CM, initial=0))


def price_flow(
    model: FlowModel, flow: Flow, cost: Int32Array | None = None, longest: int | None = None
) -> Prices:
    """Dual prices of a flow over its arcs, and the bound they prove over all arcs.

    `longest`: the longest walk among them, where it is known.

    One sum stands for the three aims: M1 an unserved person, M2 a person of underload. A
    cycle of exchanges visits a centre once, so its centimetres stay below f times the longest
    walk: that is M2, and M1 = 3 M2 is more than two of underload and such a cycle.
    """
    arcs, people, low = model.arcs, model.persons, model.floor
    centres = len(low)
    farthest = _longest(model, cost) if longest is None else longest
    short = centres * farthest + 1  # M2
    nowhere = 3 * short  # M1
    if nowhere * (centres + 2) >= int(FAR):
        raise UnsolvedError("assignment_too_large", centres=centres)
    first = np.where(flow.load < low, -short, np.where(flow.load < model.maximum, 0, nowhere))
    np.minimum.at(first, flow.centre, nowhere - flow.walk_cm)
    price, sound = least_prices(
        len(people), arcs.cell, arcs.centre, arcs.cost, flow.cell, flow.centre, flow.walk_cm, first
    )
    if not sound:
        raise ArithmeticError("the flow is not optimal over its own arcs")
    paid = np.full(len(people), nowhere, dtype=np.int64)
    np.minimum.at(paid, flow.cell, flow.walk_cm + price[flow.centre])
    paid[flow.unserved > 0] = nowhere
    if cost is None:
        least = np.full(len(people), nowhere, dtype=np.int64)
        np.minimum.at(least, arcs.cell, arcs.cost + price[arcs.centre])
    else:
        least = cheapest(cost, price, nowhere)
    bound = _dot(people, least) - _dot(model.maximum, np.maximum(price, 0))
    bound += _dot(low, np.maximum(-price, 0))
    lacking = int(np.maximum(low - flow.load, 0).sum())
    bound -= nowhere * flow.total_unserved + short * lacking
    return Prices(price, paid, bound, nowhere, short)


def _dot(a: IntArray, b: IntArray) -> int:
    """The exact sum of products, as one Python integer."""
    upper, lower = b >> 24, b & 0xFFFFFF
    return (int((a * upper).sum()) << 24) + int((a * lower).sum())
