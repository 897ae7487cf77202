"""The kernels: shortest walks on integer centimetres with a bucket queue (numba).

Distances from many sources at once (every facility of a service) carry the source with them:
one int64 key holds (distance in cm, source), so that the smaller key is the nearer source and,
at equal distance, the lower source. Buckets are `2**shift` cm wide; inside a bucket nodes are
corrected until nothing improves, so the result is exact whatever the width.

Source: Dial (1969), Algorithm 360; Meyer and Sanders (2003), delta-stepping.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.quantities import Int32Array, IntArray

SHIFT = 11  # buckets of 2048 cm: measured best on street networks, never changes a result
_SOURCE_BITS = 32
_LOW = np.int64(0xFFFFFFFF)
_NO_KEY = np.iinfo(np.int64).max
_UNREACHED = np.iinfo(np.int32).max


@njit(cache=True, nogil=True)
def _settle(
    start: IntArray,
    link: IntArray,
    seed_node: Int32Array,
    seed_key: IntArray,
    limit_cm: int,
    shift: int,
    bucket: Int32Array,
    key: IntArray,
    pool: IntArray,
) -> int:
    """Lower `key` (int64 per node) to the smallest (cm, source) within `limit_cm`.

    `link` int64 (2m,): cost in cm in the upper half, far node in the lower. `bucket` int32, a
    power of two long, all -1 (left so). `pool` int64 (r, 2): entries (key; node in the upper
    half, next entry in the lower, -1 = last); the nodes of the entries are the nodes touched.
    Returns the number of entries used, negative when the pool was too small: then the work is
    undone and wants a larger pool.

    Indices are unsigned and no array is replaced inside: numba then leaves out its test for
    negative indices and keeps the addresses in registers, which doubles the speed.
    """
    mask = np.uint32(len(bucket) - 1)
    down = np.int64(_SOURCE_BITS + shift)
    beyond = (np.int64(limit_cm) + 1) << _SOURCE_BITS
    room = np.uint32(len(pool))
    used = np.uint32(0)
    one = np.uint32(1)
    waiting = 0
    fits = True
    now = np.int64(_NO_KEY) >> down
    for s in range(len(seed_node)):
        k = seed_key[s]
        node = np.uint32(seed_node[s])
        if k >= key[node] or k >= beyond:
            continue
        if used == room:
            fits = False
            break
        key[node] = k
        now = min(now, k >> down)
        slot = np.uint32(k >> down) & mask
        pool[used, 0] = k
        pool[used, 1] = (np.int64(node) << _SOURCE_BITS) | (np.int64(bucket[slot]) & _LOW)
        bucket[slot] = np.int32(used)
        used += one
        waiting += 1
    while waiting > 0 and fits:
        slot = np.uint32(now) & mask
        while bucket[slot] >= 0 and fits:
            entry = np.uint32(bucket[slot])
            k = pool[entry, 0]
            rest = pool[entry, 1]
            bucket[slot] = np.int32(rest & _LOW)
            waiting -= 1
            node = np.uint32(rest >> _SOURCE_BITS)
            if k != key[node]:
                continue
            for i in range(np.uint32(start[node]), np.uint32(start[node + one])):
                step = link[i]
                far = np.uint32(step & _LOW)
                reach = k + (step & ~_LOW)
                if reach >= key[far] or reach >= beyond:
                    continue
                if used == room:
                    fits = False
                    break
                key[far] = reach
                far_slot = np.uint32(reach >> down) & mask
                pool[used, 0] = reach
                pool[used, 1] = (np.int64(far) << _SOURCE_BITS) | (
                    np.int64(bucket[far_slot]) & _LOW
                )
                bucket[far_slot] = np.int32(used)
                used += one
                waiting += 1
        now += 1
    if fits:
        return np.int64(used)  # type: ignore[return-value]
    bucket[:] = -1
    for done in range(used):
        key[np.uint32(pool[done, 1] >> _SOURCE_BITS)] = _NO_KEY
    return np.int64(-1)  # type: ignore[return-value]


@njit(cache=True, nogil=True)
def nearest_sources(
    start: IntArray,
    link: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    seed_source: Int32Array,
    limit_cm: int,
    shift: int,
    bucket_count: int,
) -> tuple[Int32Array, Int32Array]:
    """Distance in cm to the nearest source and which one, for every node.

    Parameters
    ----------
    start, link : the graph in CSR form, link int64 (2m,) = cm << 32 | far node.
    seed_node, seed_cm, seed_source : where the sources touch the graph, and how far off.
    limit_cm : nothing farther is reached. bucket_count : power of two, longer than the largest
        cost and the spread of the seeds, in buckets.

    Returns
    -------
    cm : int32 (n,), ``2**31 - 1`` where unreached; source : int32 (n,), -1 where unreached.
    """
    count = len(start) - 1
    key = np.full(count, _NO_KEY, dtype=np.int64)
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    seed_key = np.empty(len(seed_node), dtype=np.int64)
    for s in range(len(seed_node)):
        seed_key[s] = (seed_cm[s] << _SOURCE_BITS) | np.int64(seed_source[s])
    size = len(seed_node) + 2 * count + 16
    used = -1
    while used < 0:
        size *= 2
        pool = np.empty((size, 2), dtype=np.int64)
        used = _settle(start, link, seed_node, seed_key, limit_cm, shift, bucket, key, pool)
    cm = np.empty(count, dtype=np.int32)
    source = np.empty(count, dtype=np.int32)
    for node in range(count):
        if key[node] == _NO_KEY:
            cm[node] = _UNREACHED
            source[node] = -1
        else:
            cm[node] = key[node] >> _SOURCE_BITS
            source[node] = key[node] & 0xFFFFFFFF
    return cm, source


@njit(cache=True, nogil=True)
def reach_from_each(
    start: IntArray,
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
    count = len(start) - 1
    key = np.full(count, _NO_KEY, dtype=np.int64)
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    pool = np.empty((4096, 2), dtype=np.int64)
    first = np.zeros(origins + 1, dtype=np.int64)
    size = 256 * origins + 1024
    node_out = np.empty(size, dtype=np.int32)
    cm_out = np.empty(size, dtype=np.int32)
    filled = 0
    for origin in range(origins):
        a, b = seed_start[origin], seed_start[origin + 1]
        seed_key = seed_cm[a:b] << _SOURCE_BITS
        used = _settle(
            start, link, seed_node[a:b], seed_key, limit_cm, shift,
            bucket, key, pool,
        )  # fmt: skip
        while used < 0:
            pool = np.empty((2 * len(pool), 2), dtype=np.int64)
            used = _settle(
                start, link, seed_node[a:b], seed_key, limit_cm, shift,
                bucket, key, pool,
            )  # fmt: skip
        if filled + used > size:
            size = 2 * (filled + used)
            more_node = np.empty(size, dtype=np.int32)
            more_cm = np.empty(size, dtype=np.int32)
            more_node[:filled] = node_out[:filled]
            more_cm[:filled] = cm_out[:filled]
            node_out, cm_out = more_node, more_cm
        for entry in range(used):
            node = pool[entry, 1] >> _SOURCE_BITS
            if key[node] != _NO_KEY:
                node_out[filled] = node
                cm_out[filled] = key[node] >> _SOURCE_BITS
                filled += 1
                key[node] = _NO_KEY
        first[origin + 1] = filled
    return first, node_out[:filled].copy(), cm_out[:filled].copy()


@njit(cache=True, nogil=True)
def nearest_of_positions(
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
    own positions, sorted by edge. Returns cm and source as `nearest_sources` does.
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
            best = min(best, (total << _SOURCE_BITS) | np.int64(node_source[u]))
        if node_source[v] >= 0:
            total = np.int64(leg_cm[k]) + uv_cm[e] - ahead_cm[k] + node_cm[v]
            best = min(best, (total << _SOURCE_BITS) | np.int64(node_source[v]))
        i = np.searchsorted(goal_edge, e)
        while i < len(goal_edge) and goal_edge[i] == e:
            along = max(
                np.int64(goal_ahead_cm[i]) - ahead_cm[k], np.int64(back_cm[k]) - goal_back_cm[i], 0
            )
            total = leg_cm[k] + along + goal_leg_cm[i]
            best = min(best, (total << _SOURCE_BITS) | np.int64(goal_source[i]))
            i += 1
        if best != _NO_KEY and (best >> _SOURCE_BITS) <= limit_cm:
            cm_out[k] = best >> _SOURCE_BITS
            source_out[k] = best & 0xFFFFFFFF
    return cm_out, source_out
