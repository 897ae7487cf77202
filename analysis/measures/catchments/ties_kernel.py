"""Among equal optima the first: arc by arc, as many persons as the others allow (numba).

The graph holds what is still open: every flow on it that keeps the loads within their bounds is
an optimum. A cell's persons move along cycles: out of one centre into another, whose own move on,
until the cell they came for has room; centres whose load may vary exchange persons through one
further node.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray


class TieGraph(NamedTuple):
    """Arcs (r,) in order of (centre, cell), with CSR by centre (f + 1,) and by cell (n + 1,).

    `cell_arc` (r,): the arcs of each cell. `low`, `high` int64 (f,): bounds of the loads.
    """

    cell: Int32Array
    centre: Int32Array
    centre_start: IntArray
    cell_start: IntArray
    cell_arc: IntArray
    low: IntArray
    high: IntArray


class _Search(NamedTuple):
    """A walk through the graph: nodes are centres, then cells, then the node of varying loads.

    `stamp`: the search a node was last seen in; `next_`: where its arcs are read on; `via`: the
    arc by which it was entered; `goal_stamp`, `goal_arc` (f,): centres that hold persons of the
    cell that is looked for, by which arc.
    """

    stamp: IntArray
    next_: IntArray
    via: IntArray
    stack: IntArray
    goal_stamp: IntArray
    goal_arc: IntArray


@kernel
def prefer_first(graph: TieGraph, persons: IntArray, load: IntArray, budget: int) -> bool:
    """Raise the persons (r,) of each arc in turn as far as the arcs before it stay as they are.

    `persons` and `load` (f,) are changed in place. False when more than `budget` steps would be
    needed: then they are an optimum as any.
    """
    centres, nodes = len(graph.low), len(graph.low) + len(graph.cell_start)
    search = _Search(
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(nodes, dtype=np.int64),
        np.zeros(centres, dtype=np.int64),
        np.zeros(centres, dtype=np.int64),
    )
    number = 0
    left = budget
    for centre in range(centres):
        last = graph.centre_start[centre + 1] - 1
        failed = 0  # the last search from this centre in vain: what it did not see stays unseen
        for arc in range(graph.centre_start[centre], graph.centre_start[centre + 1]):
            while search.stamp[centres + graph.cell[arc]] >= failed:
                while last > arc and persons[last] == 0:
                    last -= 1
                if last <= arc and load[centre] == graph.high[centre]:
                    break  # nobody behind could make room
                number += 1
                if not _mark_goals(graph, persons, search, arc, number):
                    break
                depth, steps = _find_cycle(graph, persons, load, search, arc, last, number)
                left -= steps
                if left < 0:
                    return False
                if depth == 0:
                    failed = number
                    break
                _push(graph, persons, load, search, arc, depth)
    return True


@kernel
def _mark_goals(graph: TieGraph, persons: IntArray, search: _Search, arc: int, number: int) -> bool:
    """Note the centres from which persons of the arc's cell could come; whether there are any."""
    cell = graph.cell[arc]
    found = False
    for m in range(graph.cell_start[cell], graph.cell_start[cell + 1]):
        other = graph.cell_arc[m]
        if other > arc and persons[other] > 0:
            search.goal_stamp[graph.centre[other]] = number
            search.goal_arc[graph.centre[other]] = other
            found = True
    return found


@kernel
def _find_cycle(
    graph: TieGraph,
    persons: IntArray,
    load: IntArray,
    search: _Search,
    arc: int,
    last: int,
    number: int,
) -> tuple[int, int]:
    """A way from the arc's centre to a centre with persons of its cell: length (0 none), steps.

    Arcs up to `arc` are settled and not used; those of its own centre are empty after `last`.
    """
    stack, centres = search.stack, len(graph.low)
    stack[0] = graph.centre[arc]
    search.stamp[stack[0]] = number
    search.next_[stack[0]] = last
    depth, steps = 1, 0
    while depth > 0:
        node = stack[depth - 1]
        if node < centres and depth > 1 and search.goal_stamp[node] == number:
            return depth, steps
        child, read = _next_node(graph, persons, load, search, node, arc, number)
        steps += read
        if child < 0:
            depth -= 1
            continue
        search.stamp[child] = number
        if child < centres:
            search.next_[child] = graph.centre_start[child + 1] - 1
        elif child < len(search.stamp) - 1:
            search.next_[child] = graph.cell_start[child - centres]
        else:
            search.next_[child] = 0
        stack[depth] = child
        depth += 1
    return 0, steps


@kernel
def _next_node(
    graph: TieGraph,
    persons: IntArray,
    load: IntArray,
    search: _Search,
    node: int,
    arc: int,
    number: int,
) -> tuple[int, int]:
    """The next unseen node that persons can be passed on to (-1 none), and the steps it took."""
    centres, varying = len(graph.low), len(search.stamp) - 1
    at = search.next_[node]
    begin = at
    child: Any = -1
    if node < centres:
        if load[node] < graph.high[node] and search.stamp[varying] != number:
            search.via[varying] = node
            return varying, 1
        first = max(graph.centre_start[node], arc + 1)
        while at >= first and child < 0:
            if persons[at] > 0 and search.stamp[centres + graph.cell[at]] != number:
                child = centres + graph.cell[at]
                search.via[child] = at
            at -= 1
    elif node < varying:
        end = graph.cell_start[node - centres + 1]
        while at < end and child < 0:
            other = graph.cell_arc[at]
            if other > arc and search.stamp[graph.centre[other]] != number:
                child = graph.centre[other]
                search.via[child] = other
            at += 1
    else:
        while at < centres and child < 0:
            if load[at] > graph.low[at] and search.stamp[at] != number:
                child = at
                search.via[child] = -1
            at += 1
    search.next_[node] = at
    return child, abs(at - begin) + 1


@kernel
def _push(
    graph: TieGraph,
    persons: IntArray,
    load: IntArray,
    search: _Search,
    arc: int,
    depth: int,
) -> None:
    """Move as many persons as the found way lets through onto the arc."""
    centres, varying = len(graph.low), len(search.stamp) - 1
    goal = search.goal_arc[search.stack[depth - 1]]
    most = persons[goal]
    for k in range(1, depth):
        before, node = search.stack[k - 1], search.stack[k]
        if node == varying:
            most = min(most, graph.high[before] - load[before])
        elif node >= centres:
            most = min(most, persons[search.via[node]])
        elif before == varying:
            most = min(most, load[node] - graph.low[node])
    for k in range(1, depth):
        before, node = search.stack[k - 1], search.stack[k]
        if node == varying:
            load[before] += most
        elif node >= centres:
            persons[search.via[node]] -= most
        elif before == varying:
            load[node] -= most
        else:
            persons[search.via[node]] += most
    persons[goal] -= most
    persons[arc] += most
