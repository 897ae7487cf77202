"""Which arcs a large question begins with: those a coarse question of joined cells points at.

Cells near each other are joined, ten or so at a time, and the coarse question is solved. Its
prices tell for every cell which centres are worth looking at; most cells have one. Where a group
goes its cells may go, so what the coarse answer serves can be served. A matter of speed only:
`pricing` adds what is missing until the optimum is proven.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.measures.catchments.arcs import Arcs
from lifecircle.analysis.measures.catchments.flow_model import Flow, FlowModel
from lifecircle.analysis.measures.catchments.price_kernel import (
    FAR,
    improving_arcs,
    joined_costs,
)
from lifecircle.analysis.measures.catchments.pricing import LARGE, find_optimum, first_arcs
from lifecircle.analysis.quantities import Int32Array, IntArray

_JOINED = 10  # cells in a group
_CENTRES = 4  # centres a cell looks at by their prices
_UNDECIDED = 0.25  # share of cells that keep more than one of them


def begin(
    persons: IntArray, cost: Int32Array, minimum: IntArray, maximum: IntArray
) -> tuple[FlowModel, bool]:
    """A flow model with few arcs, and whether it is known to serve everyone and fill each floor.

    Parameters as those of `assignment.balanced_assignment`; every cell has persons and an arc.
    """
    centres, cells = cost.shape
    if cells < LARGE or centres <= _CENTRES:
        return FlowModel(persons, first_arcs(cost), minimum, maximum), False
    group = join_cells(cost)
    coarse = joined_costs(cost, group, persons, int(group.max()) + 1)
    people = np.bincount(group, persons).astype(np.int64)
    found = find_optimum(FlowModel(people, first_arcs(coarse), minimum, maximum), coarse)
    cell, centre = _worth_a_look(cost, found.prices.price)
    more, there = _where_groups_go(found.flow, group)
    keys = np.unique(np.append(cell.astype(np.int64) * centres + centre, more * centres + there))
    cell, centre = (part.astype(np.int32) for part in np.divmod(keys, centres))
    arcs = Arcs.from_pairs(cells, cell, centre, cost[centre, cell])
    return FlowModel(persons, arcs, minimum, maximum), found.perfect


def join_cells(cost: Int32Array) -> IntArray:
    """Groups of cells near each other, int64 (n,) from 0.

    The cells of one nearest centre are cut into strips by how far they are from the next centre
    of its surroundings, and the strips by how far they are from the one after.
    """
    centres, cells = cost.shape
    home = cost.argmin(axis=0)
    nearest = cost[home, np.arange(cells)]
    by_home = np.lexsort((nearest, home))
    start = np.searchsorted(home[by_home], np.arange(centres + 1))
    size = np.diff(start)
    heart = by_home[np.minimum(start[:-1], cells - 1)]  # of each region: its nearest cell
    seen = np.argsort(cost[:, heart], axis=0, kind="stable")
    across, along = seen[1][home], seen[2][home]
    order = np.lexsort((cost[across, np.arange(cells)], home))
    place = np.empty(cells, dtype=np.int64)
    place[order] = np.arange(cells) - start[home[order]]
    strips = np.maximum(1, np.sqrt(size / _JOINED).round()).astype(np.int64)
    strip = place * strips[home] // size[home]
    order = np.lexsort((cost[along, np.arange(cells)], strip, home))
    region = (home * (strip.max() + 1) + strip)[order]
    new = np.append(True, region[1:] != region[:-1])
    since = np.arange(cells) - np.maximum.accumulate(np.where(new, np.arange(cells), 0))
    group = np.empty(cells, dtype=np.int64)
    group[order] = np.cumsum(new | (since % _JOINED == 0)) - 1
    return group


def _worth_a_look(cost: Int32Array, price: IntArray) -> tuple[Int32Array, Int32Array]:
    """The cheapest centre of every cell by the prices, and others nearly as cheap."""
    cells = cost.shape[1]
    cell, centre = improving_arcs(cost, price, np.full(cells, FAR), _CENTRES)
    value = cost[centre, cell] + price[centre]
    start = np.searchsorted(cell, np.arange(cells + 1))
    over = value - value[start[:-1]][cell]
    second = over[start[:-1][np.diff(start) > 1] + 1]
    near = np.quantile(second, _UNDECIDED) if len(second) else 0
    keep = over <= near
    return cell[keep], centre[keep]


def _where_groups_go(flow: Flow, group: IntArray) -> tuple[IntArray, IntArray]:
    """Cell and centre of every cell and each centre its group goes to, int64 (r,)."""
    order = np.argsort(group, kind="stable")
    start = np.searchsorted(group[order], np.arange(int(group.max()) + 2))
    size = np.diff(start)[flow.cell]
    first = np.cumsum(size) - size
    member = np.arange(int(size.sum())) - np.repeat(first - start[flow.cell], size)
    return order[member], np.repeat(flow.centre.astype(np.int64), size)
