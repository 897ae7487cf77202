"""The kernels: shortest walks on integer centimetres with a bucket queue (numba).

Distances from many sources at once (every facility of a service) carry the source with them:
one int64 key holds (distance in cm, source), so that the smaller key is the nearer source and,
at equal distance, the lower source. Buckets are `2**shift` cm wide; inside a bucket nodes are
corrected until nothing improves, so the result is exact whatever the width. A junction with
one street only (`DEAD_END`) gets its distance and is not looked at again: nothing lies beyond.

Source: Dial (1969), Algorithm 360; Meyer and Sanders (2003), delta-stepping.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

SHIFT = 10  # buckets of 1024 cm: measured best on street networks, never changes a result
REACH_SHIFT = 12  # the same for short searches from one place
DEAD_END = np.int64(1) << 31  # flag in a link's lower half: the far node has no other street
BARRED = np.int64(1) << 29  # costs along an edge from here on lead against a one-way
_NODE = DEAD_END - 1
_HALF = 32
_LOW = np.int64(0xFFFFFFFF)
_NO_KEY = np.iinfo(np.int64).max
_UNREACHED = np.iinfo(np.int32).max
# Indices are unsigned and no array is replaced inside a search: numba then leaves out its test
# for negative indices and keeps the addresses in registers, which doubles the speed.


@kernel
def _settle(
    start: Int32Array,
    link: IntArray,
    seed_node: Int32Array,
    seed_key: IntArray,
    shift: int,
    bucket: Int32Array,
    key: IntArray,
    pool: IntArray,
) -> bool:
    """Lower `key` (int64 per node) to the smallest (cm, source); what it holds is the limit.

    `link` int64 (2m,): cost in cm in the upper half, far node and `DEAD_END` in the lower.
    `bucket` int32, a power of two long, all -1 (left so on success). `pool` int64 (r,): entries
    (node in the upper half, next entry in the lower, -1 = last). False when the pool was too
    small: `key` and `bucket` are then half-done.
    """
    mask = np.uint32(len(bucket) - 1)
    down = np.int64(_HALF + shift)
    room = np.uint32(len(pool))
    used = np.uint32(0)
    one = np.uint32(1)
    waiting = 0
    now = np.int64(_NO_KEY) >> down
    if used + np.uint32(len(seed_node)) > room:
        return False
    for s in range(len(seed_node)):
        k = seed_key[s]
        node = np.uint32(seed_node[s])
        if k >= key[node]:
            continue
        key[node] = k
        now = min(now, k >> down)
        slot = np.uint32(k >> down) & mask
        pool[used] = (np.int64(node) << _HALF) | (np.int64(bucket[slot]) & _LOW)
        bucket[slot] = np.int32(used)
        used += one
        waiting += 1
    while waiting > 0:
        slot = np.uint32(now) & mask
        while bucket[slot] >= 0:
            rest = pool[np.uint32(bucket[slot])]
            bucket[slot] = np.int32(rest & _LOW)
            waiting -= 1
            node = np.uint32(rest >> _HALF)
            k = key[node]
            if (k >> down) != now:
                continue  # it was settled from an earlier bucket
            first = np.uint32(start[node])
            last = np.uint32(start[node + one])
            if used + (last - first) > room:
                return False
            for i in range(first, last):
                step = link[i]
                far = np.uint32(step & _NODE)
                reach = k + (step & ~_LOW)
                if reach >= key[far]:
                    continue
                key[far] = reach
                if step & DEAD_END:
                    continue
                far_slot = np.uint32(reach >> down) & mask
                pool[used] = (np.int64(far) << _HALF) | (np.int64(bucket[far_slot]) & _LOW)
                bucket[far_slot] = np.int32(used)
                used += one
                waiting += 1
        now += 1
    return True


@kernel
def nearest_sources(  # noqa: PLR0913 - numba takes arrays, not records
    start: Int32Array,
    link: IntArray,
    seed_start: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    seed_source: Int32Array,
    limit_cm: int,
    shift: int,
    bucket_count: int,
    cm: Int32Array,
    source: Int32Array,
) -> None:
    """Distance in cm to the nearest source and which one, for every node and set of sources.

    Parameters
    ----------
    start, link : the graph in CSR form, link int64 (2m,) = cm << 32 | `DEAD_END` | far node.
    seed_start : int64 (s + 1,), where the seeds of each set begin.
    seed_node, seed_cm, seed_source : where the sources touch the graph, and how far off.
    limit_cm : nothing farther is reached. bucket_count : power of two, longer than the largest
        cost and the spread of the seeds, in buckets.
    cm, source : int32 (s, n), filled: ``2**31 - 1`` and -1 where unreached.
    """
    count = len(start) - 1
    beyond = (np.int64(limit_cm) + 1) << _HALF
    key = np.empty(count, dtype=np.int64)
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    pool = np.empty(len(seed_node) + 2 * count + 16, dtype=np.int64)
    for row in range(len(seed_start) - 1):
        a, b = seed_start[row], seed_start[row + 1]
        seed_key = (seed_cm[a:b] << _HALF) | seed_source[a:b].astype(np.int64)
        key[:] = beyond
        while not _settle(start, link, seed_node[a:b], seed_key, shift, bucket, key, pool):
            key[:] = beyond
            bucket[:] = -1
            pool = np.empty(2 * len(pool), dtype=np.int64)
        row_cm, row_source = cm[row], source[row]
        for node in range(count):
            k = key[node]
            row_cm[node] = _UNREACHED if k >= beyond else k >> _HALF
            row_source[node] = -1 if k >= beyond else k & _LOW


@kernel
def _spread_out(  # noqa: PLR0913 - numba takes arrays, not records
    start: Int32Array,
    link: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    beyond_cm: int,
    shift: int,
    bucket: Int32Array,
    at_cm: Int32Array,
    pool: IntArray,
    touched: Int32Array,
) -> int:
    """Lower `at_cm` (int32 per node, `beyond_cm` where untouched) outward from the seeds.

    The nodes touched stand in `touched`, whose number is returned; negative when `pool` or
    `touched` was too small: the work is then undone and wants more room.
    """
    mask = np.uint32(len(bucket) - 1)
    down = np.uint32(shift)
    room = np.uint32(min(len(pool), len(touched)))
    used = np.uint32(0)
    one = np.uint32(1)
    waiting = 0
    found = np.uint32(0)
    fits = bool(np.uint32(len(seed_node)) <= room)
    now = np.uint32(beyond_cm) >> down
    for s in range(len(seed_node) if fits else 0):
        cm = seed_cm[s]
        node = np.uint32(seed_node[s])
        if cm >= at_cm[node]:
            continue
        if at_cm[node] == beyond_cm:
            touched[found] = np.int32(node)
            found += one
        at_cm[node] = cm
        now = min(now, np.uint32(cm) >> down)
        slot = (np.uint32(cm) >> down) & mask
        pool[used] = (np.int64(node) << _HALF) | (np.int64(bucket[slot]) & _LOW)
        bucket[slot] = np.int32(used)
        used += one
        waiting += 1
    while waiting > 0 and fits:
        slot = now & mask
        while bucket[slot] >= 0:
            rest = pool[np.uint32(bucket[slot])]
            bucket[slot] = np.int32(rest & _LOW)
            waiting -= 1
            node = np.uint32(rest >> _HALF)
            cm = np.int64(at_cm[node])
            if (np.uint32(cm) >> down) != now:
                continue
            first = np.uint32(start[node])
            last = np.uint32(start[node + one])
            if max(used, found) + (last - first) > room:
                fits = False
                break
            for i in range(first, last):
                step = link[i]
                far = np.uint32(step & _NODE)
                reach = cm + (step >> _HALF)
                before = at_cm[far]
                if reach >= before:
                    continue
                at_cm[far] = np.int32(reach)
                if before == beyond_cm:
                    touched[found] = np.int32(far)
                    found += one
                if step & DEAD_END:
                    continue
                far_slot = (np.uint32(reach) >> down) & mask
                pool[used] = (np.int64(far) << _HALF) | (np.int64(bucket[far_slot]) & _LOW)
                bucket[far_slot] = np.int32(used)
                used += one
                waiting += 1
        now += one
    if fits:
        return np.int64(found)  # type: ignore[return-value]
    bucket[:] = -1
    for done in range(found):
        at_cm[np.uint32(touched[done])] = beyond_cm
    return np.int64(-1)  # type: ignore[return-value]


@kernel
def reach_from_each(
    start: Int32Array,
    link: IntArray,
    seed_start: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    limit_cm: int,
    shift: int,
    bucket_count: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """All nodes within `limit_cm` of each of many origins, in CSR form.

    `seed_start` int64 (o + 1,): the seeds of each origin. Returns first int64 (o + 1,), node
    int32 (r,) and cm int32 (r,): the nodes reached from origin i are first[i]:first[i + 1].
    """
    origins = len(seed_start) - 1
    beyond_cm = min(limit_cm, _UNREACHED - 1) + 1
    at_cm = np.full(len(start) - 1, beyond_cm, dtype=np.int32)
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    pool = np.empty(4096, dtype=np.int64)
    first = np.zeros(origins + 1, dtype=np.int64)
    size = 256 * origins + 4096
    node_out = np.empty(size, dtype=np.int32)
    cm_out = np.empty(size, dtype=np.int32)
    filled = 0
    for origin in range(origins):
        a, b = seed_start[origin], seed_start[origin + 1]
        found = -1
        while found < 0:
            found = _spread_out(
                start, link, seed_node[a:b], seed_cm[a:b], beyond_cm, shift,
                bucket, at_cm, pool, node_out[filled:],
            )  # fmt: skip
            if found < 0:
                pool = np.empty(2 * len(pool), dtype=np.int64)
                size = 2 * size
                more_node = np.empty(size, dtype=np.int32)
                more_cm = np.empty(size, dtype=np.int32)
                more_node[:filled] = node_out[:filled]
                more_cm[:filled] = cm_out[:filled]
                node_out, cm_out = more_node, more_cm
        for i in range(filled, filled + found):
            node = np.uint32(node_out[i])
            cm_out[i] = at_cm[node]
            at_cm[node] = beyond_cm
        filled += found
        first[origin + 1] = filled
    return first, node_out[:filled], cm_out[:filled]


@kernel
def along_edge(ahead: int, back: int, goal_ahead: int, goal_back: int) -> int:
    """Way between two positions of one edge, cm; against a one-way beyond any limit."""
    forth, home = np.int64(goal_ahead) - ahead, np.int64(back) - goal_back
    if (forth > 0 and goal_ahead >= BARRED) or (home > 0 and back >= BARRED):
        return BARRED  # type: ignore[return-value]
    return max(forth, home, np.int64(0))  # type: ignore[return-value]


@kernel
def first_of_edge(edges: Int32Array, edge: int) -> int:
    """Where an edge begins, or would, among sorted ones.

    `numpy.searchsorted` says so too, but a kernel that calls it takes a tenth of a second to load.
    """
    low, high = 0, len(edges)
    while low < high:
        middle = (low + high) // 2
        if edges[middle] < edge:
            low = middle + 1
        else:
            high = middle
    return low


@kernel
def nearest_of_positions(  # noqa: PLR0913 - numba takes arrays, not records
    edge: Int32Array,
    ahead_cm: Int32Array,
    back_cm: Int32Array,
    leg_cm: Int32Array,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    node_cm: Int32Array,
    node_source: Int32Array,
    goal_edge: Int32Array,
    goal_ahead_cm: Int32Array,
    goal_back_cm: Int32Array,
    goal_leg_cm: Int32Array,
    goal_source: Int32Array,
    limit_cm: int,
) -> tuple[Int32Array, Int32Array]:
    """Nearest source of points at positions on edges: by either end, or along the same edge.

    For a position, `ahead_cm` is the walk from the edge's u to it and `back_cm` the walk from
    it to u; `uv_cm` is the walk along each whole edge from u to v. `goal_*` are the sources'
    own positions, sorted by edge; a stretch inside an area has a leg of -1 and is reached from
    between its ends only. Returns cm and source as `nearest_sources` does.
    """
    cm_out = np.full(len(edge), _UNREACHED, dtype=np.int32)
    source_out = np.full(len(edge), -1, dtype=np.int32)
    for k in range(len(edge)):
        e = edge[k]
        if e < 0:
            continue
        best = np.int64(_NO_KEY)
        u, v = edge_u[e], edge_v[e]
        if node_source[u] >= 0:
            total = np.int64(leg_cm[k]) + back_cm[k] + node_cm[u]
            best = min(best, (total << _HALF) | np.int64(node_source[u]))
        if node_source[v] >= 0:
            total = np.int64(leg_cm[k]) + uv_cm[e] - ahead_cm[k] + node_cm[v]
            best = min(best, (total << _HALF) | np.int64(node_source[v]))
        i = first_of_edge(goal_edge, e)
        while i < len(goal_edge) and goal_edge[i] == e:
            along = along_edge(ahead_cm[k], back_cm[k], goal_ahead_cm[i], goal_back_cm[i])
            total = leg_cm[k] + along + max(goal_leg_cm[i], 0)
            if goal_leg_cm[i] >= 0 or along == 0:
                best = min(best, (total << _HALF) | np.int64(goal_source[i]))
            i += 1
        if best != _NO_KEY and (best >> _HALF) <= limit_cm:
            cm_out[k] = best >> _HALF
            source_out[k] = best & 0xFFFFFFFF
    return cm_out, source_out
