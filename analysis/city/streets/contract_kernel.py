"""The compiled walk along chains of degree-2 nodes (numba)."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import BoolArray, Int32Array, IntArray


@kernel
def stable_order(key: IntArray, size: int) -> IntArray:
    """Rows (k,) by rising `key`, which is 0 to `size` - 1; equal keys as they stand (counted)."""
    start = np.zeros(size + 1, dtype=np.int64)
    for k in range(len(key)):
        start[key[k] + 1] += 1
    for one in range(size):
        start[one + 1] += start[one]
    order = np.empty(len(key), dtype=np.int64)
    for k in range(len(key)):
        order[start[key[k]]] = k
        start[key[k]] += 1
    return order


@kernel
def half_segments(
    a: IntArray, b: IntArray, size: int
) -> tuple[IntArray, Int32Array, Int32Array, IntArray]:
    """Both directions of distinct segments (a < b, sorted) in CSR form, neighbours ascending.

    Returns ``start`` int64 (size + 1,), ``neighbour`` and ``segment`` int32 (2 s,), ``degree``
    int64 (size,).
    """
    degree = np.zeros(size, dtype=np.int64)
    for s in range(len(a)):
        degree[a[s]] += 1
        degree[b[s]] += 1
    start = np.zeros(size + 1, dtype=np.int64)
    for node in range(size):
        start[node + 1] = start[node] + degree[node]
    filled = start[:-1].copy()
    neighbour = np.empty(2 * len(a), dtype=np.int32)
    segment = np.empty(2 * len(a), dtype=np.int32)
    for s in range(len(a)):  # the lower neighbours of every node
        neighbour[filled[b[s]]], segment[filled[b[s]]] = a[s], s
        filled[b[s]] += 1
    for s in range(len(a)):  # then the higher ones
        neighbour[filled[a[s]]], segment[filled[a[s]]] = b[s], s
        filled[a[s]] += 1
    return start, neighbour, segment, degree


@kernel
def break_rings(start: IntArray, neighbour: Int32Array, is_junction: BoolArray) -> None:
    """Make the first node of every ring without a junction a junction (in place).

    `start`, `neighbour`: as in `follow_chains`; all other nodes have two neighbours.
    """
    seen = is_junction.copy()
    for node in range(len(is_junction)):
        if seen[node]:
            continue
        for side in range(2):
            before, current = np.int64(node), np.int64(neighbour[start[node] + side])
            while not is_junction[current] and current != node:
                seen[current] = True
                onward = start[current]
                onward += neighbour[onward] == before
                before, current = current, np.int64(neighbour[onward])
            if current == node:
                is_junction[node] = True
                break


@kernel
def follow_chains(
    start: IntArray,
    neighbour: Int32Array,
    segment: Int32Array,
    is_junction: BoolArray,
    segment_count: int,
) -> tuple[IntArray, Int32Array]:
    """Chains of nodes between junctions of an undirected graph in CSR form.

    Parameters
    ----------
    start : int64 (n + 1,); neighbour, segment : int32 (2 s,): the far node and the segment id
        of each half-segment, sorted by (node, neighbour).
    is_junction : bool (n,).
    segment_count : s.

    Returns
    -------
    chain_start : int64 (m + 1,) and chain_node : int32 (p,), the nodes of each chain from
        junction to junction. Every segment is in exactly one chain, provided that each cycle
        holds a junction.
    """
    used = np.zeros(segment_count, dtype=np.bool_)
    chain_start = np.empty(segment_count + 1, dtype=np.int64)
    chain_node = np.empty(2 * segment_count + 1, dtype=np.int32)
    chains = 0
    filled = 0
    chain_start[0] = 0
    for node in range(len(start) - 1):
        if not is_junction[node]:
            continue
        for half in range(start[node], start[node + 1]):
            if used[segment[half]]:
                continue
            used[segment[half]] = True
            chain_node[filled] = node
            filled += 1
            current = neighbour[half]
            while not is_junction[current]:
                chain_node[filled] = current
                filled += 1
                onward = start[current]
                if used[segment[onward]]:
                    onward += 1
                used[segment[onward]] = True
                current = neighbour[onward]
            chain_node[filled] = current
            filled += 1
            chains += 1
            chain_start[chains] = filled
    return chain_start[: chains + 1].copy(), chain_node[:filled].copy()


@kernel
def curve_distance(x: IntArray, y: IntArray, bits: int) -> IntArray:
    """Distance along the Hilbert curve of an order (Hilbert 1891) of places on its grid, (k,)."""
    distance = np.zeros(len(x), dtype=np.int64)
    for k in range(len(x)):
        across, up, far = x[k], y[k], 0
        side = 1 << (bits - 1)
        while side > 0:
            right, upper = (across & side) > 0, (up & side) > 0
            far += side * side * ((3 * right) ^ upper)
            if not upper:
                if right:
                    across = side * 2 - 1 - (across & (side * 2 - 1))
                    up = side * 2 - 1 - (up & (side * 2 - 1))
                across, up = up, across
            side >>= 1
        distance[k] = far
    return distance


@kernel
def segment_rows(first: IntArray, b: IntArray, low: IntArray, high: IntArray) -> IntArray:
    """Rows of segments by their two nodes (k,), 0 where there is none.

    Segments are sorted by (a, b); `first` int64 (n + 1,): the first of those of each a.
    """
    row = np.zeros(len(low), dtype=np.int64)
    for k in range(len(low)):
        for s in range(first[low[k]], first[low[k] + 1]):
            if b[s] == high[k]:
                row[k] = s
                break
    return row
