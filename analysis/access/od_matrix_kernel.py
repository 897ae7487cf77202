"""Kernels of the walking matrix: junction distances turned into rows, and k nearest labels.

Distances are whole centimetres. What a search outward from each facility finds at the junctions
is carried to the positions on edges by either end, or straight along the edge when both lie on
one. The k-nearest search keeps up to k labels (cm, source) per junction with the same ring of
buckets as `analysis.access.shortest`; a path's label never ranks higher upstream than it does
downstream, so k labels per junction are enough for the k nearest everywhere.

Source: Dial (1969), Algorithm 360, with k labels of distinct sources per node.
"""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.shortest import DEAD_END, along_edge, first_of_edge
from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

_NODE = DEAD_END - 1
_SOURCE_BITS = 32
_LOW = np.int64(0xFFFFFFFF)
_NO_KEY = np.iinfo(np.int64).max
_UNREACHED = np.iinfo(np.int32).max


@kernel
def full_rows(  # noqa: PLR0913 - numba takes arrays, not records
    first: IntArray,
    node: Int32Array,
    node_cm: Int32Array,
    edge: Int32Array,
    ahead_cm: Int32Array,
    back_cm: Int32Array,
    leg_cm: Int32Array,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    edge_start: IntArray,
    edge_position: Int32Array,
    goal_start: IntArray,
    goal_edge: Int32Array,
    goal_ahead_cm: Int32Array,
    goal_back_cm: Int32Array,
    goal_leg_cm: Int32Array,
    limit_cm: int,
    junctions: int,
    out: Int32Array,
) -> None:
    """Fill `out` int32 (rows, k): cm from every position to the facility of each row.

    `first, node, node_cm`: the junctions reached from each row's facility (CSR). `edge_start,
    edge_position`: the positions on each edge (CSR). `goal_start`: the goals of each row.
    """
    at_node = np.full(junctions, _UNREACHED, dtype=np.int32)
    for row in range(len(out)):
        for i in range(first[row], first[row + 1]):
            at_node[node[i]] = node_cm[i]
        for k in range(len(edge)):
            e = edge[k]
            out[row, k] = _UNREACHED
            if e < 0:
                continue
            best = np.int64(_UNREACHED)
            by_u, by_v = at_node[edge_u[e]], at_node[edge_v[e]]
            if by_u != _UNREACHED:
                best = np.int64(by_u) + leg_cm[k] + back_cm[k]
            if by_v != _UNREACHED:
                best = min(best, np.int64(by_v) + leg_cm[k] + uv_cm[e] - ahead_cm[k])
            if best <= limit_cm:
                out[row, k] = best
        for goal in range(goal_start[row], goal_start[row + 1]):
            e = goal_edge[goal]
            for i in range(edge_start[e], edge_start[e + 1]):
                k = edge_position[i]
                along = along_edge(ahead_cm[k], back_cm[k], goal_ahead_cm[goal], goal_back_cm[goal])
                if goal_leg_cm[goal] < 0 and along > 0:
                    continue  # a stretch inside an area, from outside
                total = leg_cm[k] + along + max(goal_leg_cm[goal], 0)
                if total <= limit_cm and total < out[row, k]:
                    out[row, k] = total
        for i in range(first[row], first[row + 1]):
            at_node[node[i]] = _UNREACHED


@kernel
def short_rows(  # noqa: PLR0913 - numba takes arrays, not records
    first: IntArray,
    node: Int32Array,
    node_cm: Int32Array,
    node_start: IntArray,
    node_position: Int32Array,
    node_add_cm: Int32Array,
    ahead_cm: Int32Array,
    back_cm: Int32Array,
    leg_cm: Int32Array,
    edge_start: IntArray,
    edge_position: Int32Array,
    goal_start: IntArray,
    goal_edge: Int32Array,
    goal_ahead_cm: Int32Array,
    goal_back_cm: Int32Array,
    goal_leg_cm: Int32Array,
    limit_cm: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """Positions within `limit_cm` of the facility of each row, ascending, in CSR form by row.

    `node_start, node_position, node_add_cm`: for each junction the positions on its edges and
    their walk to it (CSR). Work grows with what is reached, not with all positions.
    """
    rows = len(first) - 1
    best = np.full(len(leg_cm), _UNREACHED, dtype=np.int64)
    touched = np.empty(len(leg_cm), dtype=np.int32)
    begin = np.zeros(rows + 1, dtype=np.int64)
    size = 1024
    position = np.empty(size, dtype=np.int32)
    cm = np.empty(size, dtype=np.int32)
    filled = 0
    for row in range(rows):
        count = 0
        for i in range(first[row], first[row + 1]):
            for s in range(node_start[node[i]], node_start[node[i] + 1]):
                total = np.int64(node_cm[i]) + node_add_cm[s]
                k = node_position[s]
                if total > limit_cm or total >= best[k]:
                    continue
                if best[k] == _UNREACHED:
                    touched[count] = k
                    count += 1
                best[k] = total
        for goal in range(goal_start[row], goal_start[row + 1]):
            e = goal_edge[goal]
            for i in range(edge_start[e], edge_start[e + 1]):
                k = edge_position[i]
                along = along_edge(ahead_cm[k], back_cm[k], goal_ahead_cm[goal], goal_back_cm[goal])
                if goal_leg_cm[goal] < 0 and along > 0:
                    continue  # a stretch inside an area, from outside
                total = leg_cm[k] + along + max(goal_leg_cm[goal], 0)
                if total > limit_cm or total >= best[k]:
                    continue
                if best[k] == _UNREACHED:
                    touched[count] = k
                    count += 1
                best[k] = total
        if filled + count > size:
            size = 2 * (filled + count)
            more_position = np.empty(size, dtype=np.int32)
            more_cm = np.empty(size, dtype=np.int32)
            more_position[:filled] = position[:filled]
            more_cm[:filled] = cm[:filled]
            position, cm = more_position, more_cm
        touched[:count].sort()
        for i in range(count):
            k = touched[i]
            position[filled + i] = k
            cm[filled + i] = best[k]
            best[k] = _UNREACHED
        filled += count
        begin[row + 1] = filled
    return begin, position[:filled].copy(), cm[:filled].copy()


@kernel
def _put(keys: IntArray, key: int) -> int:
    """Put a label (cm << 32 | source) into an ascending list of distinct sources.

    Returns 1 when the list changed, 0 when the label is no better than what is there.
    """
    k = len(keys)
    if key >= keys[k - 1]:
        return 0
    source = key & _LOW
    at = k - 1
    for i in range(k):
        if keys[i] == _NO_KEY:
            at = i
            break
        if keys[i] & _LOW == source:
            if keys[i] <= key:
                return 0
            at = i
            break
    while at > 0 and keys[at - 1] > key:
        keys[at] = keys[at - 1]
        at -= 1
    keys[at] = key
    return 1


@kernel
def nearest_labels(  # noqa: PLR0913 - numba takes arrays, not records
    start: Int32Array,
    link: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    seed_source: Int32Array,
    limit_cm: int,
    shift: int,
    bucket_count: int,
    nearest: int,
) -> IntArray:
    """The `nearest` smallest labels (cm << 32 | source) of distinct sources per junction.

    Returns int64 (n, nearest), ascending, ``2**63 - 1`` where there are fewer. The graph and
    seeds are those of `lifecircle.analysis.access.shortest.nearest_sources`.
    """
    count = len(start) - 1
    keys = np.full((count, nearest), _NO_KEY, dtype=np.int64)
    bucket = np.full(bucket_count, -1, dtype=np.int64)
    mask = np.int64(bucket_count - 1)
    down = np.int64(_SOURCE_BITS + shift)
    beyond = (np.int64(limit_cm) + 1) << _SOURCE_BITS
    size = 2 * len(seed_node) + 4 * count + 16
    entry_key = np.empty(size, dtype=np.int64)
    entry_node = np.empty(size, dtype=np.int32)
    entry_next = np.empty(size, dtype=np.int64)
    used = 0
    spare = np.int64(-1)  # entries done with, for use again
    waiting = 0
    now = np.int64(_NO_KEY) >> down
    for s in range(len(seed_node)):
        k = (seed_cm[s] << _SOURCE_BITS) | np.int64(seed_source[s])
        if k >= beyond or _put(keys[seed_node[s]], k) == 0:
            continue
        slot = (k >> down) & mask
        entry_key[used], entry_node[used], entry_next[used] = k, seed_node[s], bucket[slot]
        bucket[slot] = used
        used += 1
        waiting += 1
        now = min(now, k >> down)
    while waiting > 0:
        slot = now & mask
        while bucket[slot] >= 0:
            entry = bucket[slot]
            k, node = entry_key[entry], entry_node[entry]
            bucket[slot] = entry_next[entry]
            entry_next[entry] = spare
            spare = entry
            waiting -= 1
            current = False
            for i in range(nearest):
                if keys[node, i] == k:
                    current = True
            if not current:
                continue
            for i in range(start[node], start[node + 1]):
                step = link[i]
                far = step & _NODE
                reach = k + (step & ~_LOW)
                if reach >= beyond or _put(keys[far], reach) == 0 or step & DEAD_END:
                    continue
                if spare >= 0:
                    fresh = spare
                    spare = entry_next[spare]
                else:
                    if used == size:
                        size *= 2
                        more_key = np.empty(size, dtype=np.int64)
                        more_node = np.empty(size, dtype=np.int32)
                        more_next = np.empty(size, dtype=np.int64)
                        more_key[:used] = entry_key
                        more_node[:used] = entry_node
                        more_next[:used] = entry_next
                        entry_key, entry_node, entry_next = more_key, more_node, more_next
                    fresh = np.int64(used)
                    used += 1
                far_slot = (reach >> down) & mask
                entry_key[fresh], entry_node[fresh] = reach, far
                entry_next[fresh] = bucket[far_slot]
                bucket[far_slot] = fresh
                waiting += 1
        now += 1
    return keys


@kernel
def nearest_rows(  # noqa: PLR0913 - numba takes arrays, not records
    keys: IntArray,
    edge: Int32Array,
    ahead_cm: Int32Array,
    back_cm: Int32Array,
    leg_cm: Int32Array,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    goal_edge: Int32Array,
    goal_ahead_cm: Int32Array,
    goal_back_cm: Int32Array,
    goal_leg_cm: Int32Array,
    goal_source: Int32Array,
    limit_cm: int,
) -> IntArray:
    """The nearest labels of each position, int64 (k, nearest), from those of the junctions.

    `goal_*` are the goals of all sources, sorted by edge.
    """
    nearest = keys.shape[1]
    out = np.full((len(edge), nearest), _NO_KEY, dtype=np.int64)
    for k in range(len(edge)):
        e = edge[k]
        if e < 0:
            continue
        row = out[k]
        for end in range(2):
            node = edge_u[e] if end == 0 else edge_v[e]
            step = np.int64(leg_cm[k])
            step += back_cm[k] if end == 0 else uv_cm[e] - ahead_cm[k]
            for i in range(nearest):
                label = keys[node, i]
                if label == _NO_KEY:
                    break
                if (label >> _SOURCE_BITS) + step <= limit_cm:
                    _put(row, label + (step << _SOURCE_BITS))
        i = first_of_edge(goal_edge, e)
        while i < len(goal_edge) and goal_edge[i] == e:
            along = along_edge(ahead_cm[k], back_cm[k], goal_ahead_cm[i], goal_back_cm[i])
            total = np.int64(leg_cm[k]) + along + max(goal_leg_cm[i], 0)
            if total <= limit_cm and (goal_leg_cm[i] >= 0 or along == 0):
                _put(row, (total << _SOURCE_BITS) | np.int64(goal_source[i]))
            i += 1
    return out
