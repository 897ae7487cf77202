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
)
from lifecircle.analysis.quantities import UNREACHED_CM, Int32Array, IntArray

_FIRST_ARCS = 6  # nearest arcs a cell starts with, a matter of speed only
_MORE_ARCS = 4  # arcs a cell gains per round at most
_ALL_ARCS = 20_000  # so many arcs are given to the flow at once


@dataclass(frozen=True, slots=True)
class Prices:
    """Price of each centre (f,), what each cell pays (n,), and the bound on centimetres.

    `bound_cm`: person-centimetres of any flow that leaves as few unserved with as little
    underload are at least this.
    """

    price: IntArray
    paid: IntArray
    bound_cm: int


def find_optimum(model: FlowModel, cost: Int32Array | None = None) -> Flow:
    """The proven optimum over the arcs of the model and, where it is given, a full matrix (f, n).

    Raises
    ------
    UnsolvedError : the flow ends without an optimum, or the walks are too far to be summed.
    """
    if len(model.persons) == 0 or len(model.minimum) == 0:
        return solve(model)
    perfect = False  # everyone served and no floor missed: no arc can better that
    while True:
        flow = solve(model, perfect=perfect)
        perfect = perfect or (flow.total_unserved == 0 and bool((flow.load >= model.floor).all()))
        prices = price_flow(model, flow, cost)
        if cost is None:
            break
        cell, centre = improving_arcs(cost, prices.price, prices.paid, _MORE_ARCS)
        if len(cell) == 0:
            break
        if model.arcs.contain_any(cell, centre):
            raise ArithmeticError("prices contradict the flow")
        model = replace(model, arcs=model.arcs.add(cell, centre, cost[centre, cell]))
    if flow.person_cm != prices.bound_cm:
        raise ArithmeticError("the bound does not meet the assignment")
    return flow


def first_arcs(cost: Int32Array) -> Arcs:
    """Arcs of a full matrix to begin with: all when few, else the nearest of every cell."""
    centres, cells = cost.shape
    if centres <= _FIRST_ARCS or centres * cells <= _ALL_ARCS:
        return Arcs.from_matrix(cost)
    free = np.zeros(centres, dtype=np.int64)
    cell, centre = improving_arcs(cost, free, np.full(cells, FAR), _FIRST_ARCS)
    return Arcs.from_pairs(cells, cell, centre, cost[centre, cell])


def price_flow(model: FlowModel, flow: Flow, cost: Int32Array | None = None) -> Prices:
    """Dual prices of a flow over its arcs, and the bound they prove over all arcs.

    One sum stands for the three aims: M1 an unserved person, M2 a person of underload. A
    cycle of exchanges visits a centre once, so its centimetres stay below f times the longest
    walk: that is M2, and M1 = 3 M2 is more than two of underload and such a cycle.
    """
    arcs, people, low = model.arcs, model.persons, model.floor
    centres = len(low)
    longest = int(
        arcs.cost.max(initial=0)
        if cost is None
        else cost.max(where=cost != UNREACHED_CM, initial=0)
    )
    short = centres * longest + 1  # M2
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
    return Prices(price, paid, bound - nowhere * flow.total_unserved - short * lacking)


def _dot(a: IntArray, b: IntArray) -> int:
    """The exact sum of products, as one Python integer."""
    upper, lower = b >> 24, b & 0xFFFFFF
    return (int((a * upper).sum()) << 24) + int((a * lower).sum())
