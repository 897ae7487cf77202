"""Choosing sites on whole numbers: greedy, interchange, and the bound that proves how good it is.

One question for covering and for walking less: cell i costs ``base[i]`` as things are and
``cost`` with a site that improves it; find k sites that gain the most, a cell counting its best
site only. All sums are int64 and exact.

Source: Cornuéjols, Fisher and Nemhauser (1977), greedy and Lagrangian bound; Teitz and Bart
(1968), interchange, in the form of Whitaker (1983); Minoux (1978), lazy greedy.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import BoolArray, FloatArray, Int32Array, IntArray

_HALVE_AFTER = 15
_MOMENTUM = 0.6


@kernel
def improving(
    start: IntArray, cell: Int32Array, cost: IntArray, weight: IntArray, base: IntArray
) -> tuple[IntArray, Int32Array, IntArray]:
    """The rows that improve a cell with weight: their starts, cells and costs."""
    size = np.int64(0)
    for a in range(len(cell)):
        i = cell[a]
        size += np.int64((cost[a] < base[i]) & (weight[i] > 0))
    kept_start = np.zeros(len(start), dtype=np.int64)
    kept_cell = np.empty(size, dtype=np.int32)
    kept_cost = np.empty(size, dtype=np.int64)
    filled = 0
    for j in range(len(start) - 1):
        for a in range(start[j], start[j + 1]):
            i = cell[a]
            if cost[a] < base[i] and weight[i] > 0:
                kept_cell[filled] = i
                kept_cost[filled] = cost[a]
                filled += 1
        kept_start[j + 1] = filled
    return kept_start, kept_cell, kept_cost


@kernel
def greedy(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    most: int,
    allowed: BoolArray,
) -> tuple[Int32Array, IntArray]:
    """Sites in the order of what each adds to those before, and what it adds; at most `most`.

    Stops where nothing more is gained. Ties go to the lower site. `allowed` bool (s,).
    Sites wait in a heap by what they gained when last asked, which never grows.
    """
    sites = len(start) - 1
    now = base.copy()
    upper = np.zeros(sites, dtype=np.int64)
    stamp = np.full(sites, -1, dtype=np.int64)
    heap = np.empty(sites, dtype=np.int32)
    size = 0
    for j in range(sites):
        if allowed[j]:
            upper[j] = np.iinfo(np.int64).max
            heap[size] = j
            size += 1
    chosen = np.empty(min(most, sites), dtype=np.int32)
    gain = np.empty(min(most, sites), dtype=np.int64)
    count = 0
    while count < len(chosen) and size > 0:
        j = heap[0]
        while stamp[j] != count and upper[j] > 0:
            total = np.int64(0)
            for a in range(start[j], start[j + 1]):
                i = cell[a]
                if cost[a] < now[i]:
                    total += weight[i] * (now[i] - cost[a])
            upper[j] = total
            stamp[j] = count
            _sink(heap, size, upper)
            j = heap[0]
        if upper[j] == 0:
            break
        chosen[count] = j
        gain[count] = upper[j]
        count += 1
        upper[j] = 0
        _sink(heap, size, upper)
        for a in range(start[j], start[j + 1]):
            i = cell[a]
            now[i] = min(now[i], cost[a])
    return chosen[:count].copy(), gain[:count].copy()


@kernel
def _sink(heap: Int32Array, size: int, upper: IntArray) -> None:
    """Lower the first site of a heap to its place: most first, on a tie the lower site."""
    site = heap[0]
    at = 0
    while 2 * at + 1 < size:
        child = 2 * at + 1
        if child + 1 < size:
            one, other = heap[child], heap[child + 1]
            if upper[other] > upper[one] or (upper[other] == upper[one] and other < one):
                child += 1
        down = heap[child]
        if upper[site] > upper[down] or (upper[site] == upper[down] and site < down):
            break
        heap[at] = down
        at = child
    heap[at] = site


@kernel
def interchange(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    chosen: Int32Array,
    rounds: int,
) -> tuple[Int32Array, int]:
    """Swap one chosen site for another, the best swap each round, until none gains.

    Returns the sites and how many swaps were made.
    """
    open_ = chosen.copy()
    is_open = np.zeros(len(start) - 1, dtype=np.bool_)
    is_open[open_] = True
    saved = np.zeros(len(open_), dtype=np.int64)
    done = 0
    while done < rounds:
        two = _two_best(start, cell, cost, base, open_)
        near, best, second = two
        loss = np.zeros(len(open_), dtype=np.int64)
        for i in range(len(base)):
            if near[i] >= 0:
                loss[near[i]] += weight[i] * (second[i] - best[i])
        top = np.int64(0)
        into = -1
        out = -1
        for j in range(len(start) - 1):
            if is_open[j]:
                continue
            a, b = start[j], start[j + 1]
            gain = _gains(cell[a:b], cost[a:b], weight, two, saved)
            for o in range(len(open_)):
                total = gain + saved[o] - loss[o]
                if total > top:
                    top = total
                    into = j
                    out = o
        if into < 0:
            break
        is_open[open_[out]] = False
        is_open[into] = True
        open_[out] = into
        done += 1
    return open_, done


@kernel
def _two_best(
    start: IntArray, cell: Int32Array, cost: IntArray, base: IntArray, open_: Int32Array
) -> tuple[Int32Array, IntArray, IntArray]:
    """Which open site (its place in `open_`) each cell has, -1 as it was; best and second cost."""
    near = np.full(len(base), -1, dtype=np.int32)
    best = base.copy()
    second = base.copy()
    for o in range(len(open_)):
        for a in range(start[open_[o]], start[open_[o] + 1]):
            i = cell[a]
            if cost[a] < best[i]:
                second[i] = best[i]
                best[i] = cost[a]
                near[i] = o
            elif cost[a] < second[i]:
                second[i] = cost[a]
    return near, best, second


@kernel
def _gains(
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    two: tuple[Int32Array, IntArray, IntArray],
    saved: IntArray,
) -> int:
    """What one more site gains; fills in `saved` (k,): what it saves of each open site's loss."""
    near, best, second = two
    gain = np.int64(0)
    saved[:] = 0
    for a in range(len(cell)):
        i = cell[a]
        if cost[a] < best[i]:
            gain += weight[i] * (best[i] - cost[a])
        if near[i] >= 0 and cost[a] < second[i]:
            saved[near[i]] += weight[i] * (second[i] - max(best[i], cost[a]))
    return gain  # type: ignore[return-value]


@kernel
def value_of(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    chosen: Int32Array,
) -> int:
    """What a set of sites gains."""
    now = base.copy()
    for j in chosen:
        for a in range(start[j], start[j + 1]):
            now[cell[a]] = min(now[cell[a]], cost[a])
    total = np.int64(0)
    for i in range(len(base)):
        total += weight[i] * (base[i] - now[i])
    return total  # type: ignore[return-value]


@kernel
def worth(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    price: IntArray,
) -> IntArray:
    """What each site gains beyond the prices (c,) of its cells, int64 (s,)."""
    out = np.zeros(len(start) - 1, dtype=np.int64)
    for j in range(len(start) - 1):
        total = np.int64(0)
        for a in range(start[j], start[j + 1]):
            i = cell[a]
            over = weight[i] * (base[i] - cost[a]) - price[i]
            if over > 0:
                total += over
        out[j] = total
    return out


@kernel
def best_prices(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    count: int,
    reached: int,
    rounds: int,
) -> FloatArray:
    """Prices (c,) of the cells that make the bound small, by subgradient steps.

    For any prices >= 0 no `count` sites gain more than the sum of the prices and of the `count`
    largest `worth`. `reached`: what is known to be gained, which sets the length of the steps.
    Source: Held, Wolfe and Crowder (1974); Camerini, Fratta and Maffioli (1975), the momentum.
    """
    top = _dearest(start, cell, cost, weight, base)
    price = np.zeros(len(base), dtype=np.float64)
    kept = price.copy()
    least = np.inf
    scale = 1.0
    since = 0
    push = np.zeros(len(base), dtype=np.float64)
    for _ in range(rounds):
        over = _worth_of_prices(start, cell, cost, weight, base, price)
        order = np.argsort(-over, kind="mergesort")[:count]
        bound = price.sum() + over[order].sum()
        if bound < least:
            if bound < least - 1e-4 * (least - reached):
                since = 0
            least = bound
            kept[:] = price
        since += 1
        if least < reached + 1.0:
            break
        if since > _HALVE_AFTER:
            scale *= 0.5
            since = 0
            price[:] = kept
            push[:] = 0.0
            if scale < 1e-3:
                break
            continue
        slope = _slope(start, cell, cost, weight, base, price, order)
        slope[top <= 0] -= 1.0
        norm = 0.0
        for i in range(len(base)):
            push[i] = slope[i] + _MOMENTUM * push[i]
            if push[i] > 0 and price[i] <= 0:
                push[i] = 0.0
            norm += top[i] * push[i] * push[i]
        if norm == 0:
            break
        step = scale * max(bound - reached, 1.0) / norm
        for i in range(len(base)):
            price[i] = min(top[i], max(0.0, price[i] - step * top[i] * push[i]))
    return kept


@kernel
def _dearest(
    start: IntArray, cell: Int32Array, cost: IntArray, weight: IntArray, base: IntArray
) -> FloatArray:
    """The most any site gains at each cell (c,): no price needs to be above it."""
    top = np.zeros(len(base), dtype=np.float64)
    for a in range(start[-1]):
        i = cell[a]
        top[i] = max(top[i], float(weight[i] * (base[i] - cost[a])))
    return top


@kernel
def _worth_of_prices(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    price: FloatArray,
) -> FloatArray:
    """As `worth`, for prices that are not whole, float64 (s,)."""
    over = np.empty(len(start) - 1, dtype=np.float64)
    for j in range(len(over)):
        total = 0.0
        for a in range(start[j], start[j + 1]):
            i = cell[a]
            total += max(0.0, float(weight[i] * (base[i] - cost[a])) - price[i])
        over[j] = total
    return over


@kernel
def _slope(
    start: IntArray,
    cell: Int32Array,
    cost: IntArray,
    weight: IntArray,
    base: IntArray,
    price: FloatArray,
    order: IntArray,
) -> FloatArray:
    """How the bound moves with each price (c,) when it rests on the sites of `order`."""
    slope = np.ones(len(base), dtype=np.float64)
    for j in order:
        for a in range(start[j], start[j + 1]):
            i = cell[a]
            if float(weight[i] * (base[i] - cost[a])) > price[i]:
                slope[i] -= 1.0
    return slope
