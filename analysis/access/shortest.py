"""The kernels: shortest walks on integer centimetres, a stretch of distance at a time (numba).

Distances from many sources at once (every facility of a service) carry the source with them:
one int64 key holds (distance in cm, source), so that the smaller key is the nearer source and,
at equal distance, the lower source. Buckets are `2**shift` cm wide; inside a bucket nodes are
corrected until nothing improves, so the result is exact whatever the width. A junction with
one street only (`DEAD_END`) gets its distance and is not looked at again: nothing lies beyond.

Around one place, where few nodes are reached, two lists do what the buckets do: the nodes of the
band now at work, first in, first out, and those that lie beyond it. Entries are written whether
they count or not, and only a counter decides: what a processor cannot foretell (is this way
shorter?) then costs no wrong guess, and the search half of what it did in buckets.

Source: Dial (1969), Algorithm 360; Meyer and Sanders (2003), delta-stepping; Davidson et al.
(2014), near and far piles.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

SHIFT = 10  # buckets of 1024 cm: measured best on street networks, never changes a result
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
    band_cm: int,
    at_cm: Int32Array,
    near: IntArray,
    later: IntArray,
    touched: Int32Array,
) -> int:
    """Lower `at_cm` (int32 per node, `beyond_cm` where untouched) outward from the seeds.

    What lies within the band is in `near`, first in, first out, what lies beyond it in `later`:
    entries are cm in the upper half, node in the lower, and one whose node was lowered since is
    passed over. The nodes touched stand in `touched`, whose number is returned; its complement when
    a list was too small: the work then wants more room, and those touched to be undone.
    """
    one = np.uint32(1)
    room = np.uint32(min(len(near), len(later), len(touched)))
    read, used, waiting, found = np.uint32(0), np.uint32(0), np.uint32(0), np.uint32(0)
    if np.uint32(len(seed_node)) > room:
        return np.int64(-1)  # type: ignore[return-value]
    end_cm = np.int64(beyond_cm)
    for s in range(len(seed_node)):
        cm = np.int64(seed_cm[s])
        node = np.uint32(seed_node[s])
        before = at_cm[node]
        if cm >= before:
            continue
        touched[found] = np.int32(node)
        found += np.uint32(before == beyond_cm)
        at_cm[node] = np.int32(cm)
        end_cm = min(end_cm, cm)
        later[waiting] = (cm << _HALF) | np.int64(node)
        waiting += one
    while waiting > 0:
        end_cm += band_cm
        used, kept, next_cm = np.uint32(0), np.uint32(0), np.int64(beyond_cm)
        for i in range(waiting):
            entry = later[np.uint32(i)]
            cm = entry >> _HALF
            current = np.uint32(np.int64(at_cm[np.uint32(entry & _NODE)]) == cm)
            inside = current & np.uint32(cm < end_cm)
            near[used] = entry
            used += inside
            later[kept] = entry
            kept += current - inside
            next_cm = min(next_cm, cm) if cm >= end_cm else next_cm
        waiting = kept
        if used == 0:
            end_cm = next_cm
        read = np.uint32(0)
        while read < used:
            entry = near[read]
            read += one
            node = np.uint32(entry & _NODE)
            cm = entry >> _HALF
            if np.int64(at_cm[node]) != cm:
                continue
            first = np.uint32(start[node])
            last = np.uint32(start[node + one])
            if max(used, waiting, found) + (last - first) > room:
                return ~np.int64(found)  # type: ignore[return-value]
            for i in range(first, last):
                step = link[i]
                far = np.uint32(step & _NODE)
                reach = cm + (step >> _HALF)
                before = np.int64(at_cm[far])
                nearer = np.uint32(reach < before)
                touched[found] = np.int32(far)
                found += nearer & np.uint32(before == beyond_cm)
                at_cm[far] = np.int32(min(reach, before))
                onward = nearer & np.uint32((step & DEAD_END) == 0)
                inside = onward & np.uint32(reach < end_cm)
                entry = (reach << _HALF) | np.int64(far)
                near[used] = entry
                used += inside
                later[waiting] = entry
                waiting += onward - inside
    return np.int64(found)  # type: ignore[return-value]


@kernel
def _spread_from_each(  # noqa: PLR0913 - numba takes arrays, not records
    start: Int32Array,
    link: IntArray,
    seed_start: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    beyond_cm: int,
    band_cm: int,
    at_cm: Int32Array,
    near: IntArray,
    later: IntArray,
    origin: int,
    first: IntArray,
    node_out: Int32Array,
    cm_out: Int32Array,
) -> int:
    """Fill the rows from `origin` on; the first that found no room, the number of all if none."""
    filled = first[origin]
    for row in range(origin, len(seed_start) - 1):
        a, b = seed_start[row], seed_start[row + 1]
        found = _spread_out(
            start, link, seed_node[a:b], seed_cm[a:b], beyond_cm, band_cm,
            at_cm, near, later, node_out[filled:],
        )  # fmt: skip
        for i in range(filled, filled + max(found, ~found)):
            node = np.uint32(node_out[i])
            cm_out[i] = at_cm[node]
            at_cm[node] = beyond_cm
        if found < 0:
            return row
        filled += found
        first[row + 1] = filled
    return len(seed_start) - 1


@kernel
def reach_from_each(
    start: Int32Array,
    link: IntArray,
    seed_start: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    limit_cm: int,
    band_cm: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """All nodes within `limit_cm` of each of many origins, in CSR form.

    `seed_start` int64 (o + 1,): the seeds of each origin. `band_cm`: how far ahead nodes are
    corrected before they are settled, a matter of speed only. Returns first int64 (o + 1,), node
    int32 (r,) and cm int32 (r,): the nodes reached from origin i are first[i]:first[i + 1].
    """
    origins = len(seed_start) - 1
    beyond_cm = min(limit_cm, _UNREACHED - 1) + 1
    at_cm = np.full(len(start) - 1, beyond_cm, dtype=np.int32)
    first = np.zeros(origins + 1, dtype=np.int64)
    size = 256 * origins + 4096
    node_out, cm_out = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
    entries = 4096
    done = 0
    while done < origins:
        near, later = np.empty(entries, dtype=np.int64), np.empty(entries, dtype=np.int64)
        done = _spread_from_each(
            start, link, seed_start, seed_node, seed_cm, beyond_cm, band_cm,
            at_cm, near, later, done, first, node_out, cm_out,
        )  # fmt: skip
        if done < origins:
            filled, entries, size = first[done], 2 * entries, 2 * size
            more_node, more_cm = np.empty(size, dtype=np.int32), np.empty(size, dtype=np.int32)
            more_node[:filled] = node_out[:filled]
            more_cm[:filled] = cm_out[:filled]
            node_out, cm_out = more_node, more_cm
    return first, node_out[: first[origins]], cm_out[: first[origins]]


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
