"""Walks from every cell to each of many sites, searched only where a site is an improvement."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.shortest import DEAD_END
from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray

_HALF = 32
_LOW = np.int64(0xFFFFFFFF)
_NODE = _LOW ^ np.int64(DEAD_END)


@kernel
def _improve(  # noqa: PLR0913 - numba takes arrays, not records
    start: Int32Array,
    link: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    shift: int,
    bucket: Int32Array,
    at_cm: Int32Array,
    pool: IntArray,
    mark: Int32Array,
    number: int,
    touched: Int32Array,
) -> tuple[int, IntArray, Int32Array]:
    """Lower `at_cm` where the seeds lead to less; junctions lowered stand in `touched`.

    `bucket` int32, a power of two long, all -1 (left so). `pool` int64 (r,): entries (node in the
    upper half, next entry in the lower). `mark` int32 (n,): `number` where a junction is already
    in `touched`. Returns how many were lowered, and pool and list, which may have grown.
    """
    mask = len(bucket) - 1
    waiting = 0
    count = 0
    used = 0
    now = np.int64(np.iinfo(np.int64).max)
    for s in range(len(seed_node)):
        node, reach = seed_node[s], seed_cm[s]
        if reach >= at_cm[node]:
            continue
        at_cm[node] = reach
        if mark[node] != number:
            mark[node] = number
            if count == len(touched):
                touched = np.concatenate((touched, np.empty_like(touched)))
            touched[count] = node
            count += 1
        if used == len(pool):
            pool = np.concatenate((pool, np.empty_like(pool)))
        slot = (reach >> shift) & mask
        pool[used] = (np.int64(node) << _HALF) | (np.int64(bucket[slot]) & _LOW)
        bucket[slot] = used
        used += 1
        waiting += 1
        now = min(now, reach >> shift)
    while waiting > 0:
        slot = now & mask
        while bucket[slot] >= 0:
            entry = pool[bucket[slot]]
            bucket[slot] = np.int32(entry & _LOW)
            waiting -= 1
            node = np.int32(entry >> _HALF)
            cm = np.int64(at_cm[node])
            if (cm >> shift) != now:
                continue
            for i in range(start[node], start[node + 1]):
                far = np.int32(link[i] & _NODE)
                reach = cm + (link[i] >> _HALF)
                if reach >= at_cm[far]:
                    continue
                at_cm[far] = reach
                if mark[far] != number:
                    mark[far] = number
                    if count == len(touched):
                        touched = np.concatenate((touched, np.empty_like(touched)))
                    touched[count] = far
                    count += 1
                if used == len(pool):
                    pool = np.concatenate((pool, np.empty_like(pool)))
                far_slot = (reach >> shift) & mask
                pool[used] = (np.int64(far) << _HALF) | (np.int64(bucket[far_slot]) & _LOW)
                bucket[far_slot] = used
                used += 1
                waiting += 1
        now += 1
    return count, pool, touched


@kernel
def improved_walks(  # noqa: C901, PLR0913 - numba takes arrays, not records; one pass over the queue
    start: Int32Array,
    link: IntArray,
    half_edge: Int32Array,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    node_cm: Int32Array,
    site_start: IntArray,
    site_edge: Int32Array,
    site_ahead_cm: Int32Array,
    site_back_cm: Int32Array,
    site_leg_cm: Int32Array,
    seed_start: IntArray,
    seed_node: Int32Array,
    seed_cm: IntArray,
    cell_start: IntArray,
    cell_id: Int32Array,
    cell_ahead_cm: Int32Array,
    cell_back_cm: Int32Array,
    cell_leg_cm: Int32Array,
    cell_most_cm: IntArray,
    shift: int,
    bucket_count: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """Cells that walk at most `cell_most_cm` to each site, in CSR form by site.

    `node_cm` int32 (n,): the walk from every junction to its nearest facility. Only what a site
    makes shorter is searched: beyond a junction that has a nearer facility no one gains.
    `cell_start` int64 (m + 1,): the cells of
    each edge (`cell_id` and brothers). Returns first (s + 1,), cell (a,), cm (a,).
    """
    sites = len(site_start) - 1
    at_cm = node_cm.copy()
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    pool = np.empty(4096, dtype=np.int64)
    mark = np.full(len(node_cm), -1, dtype=np.int32)
    lowered = np.empty(4096, dtype=np.int32)
    seen = np.full(len(edge_u), -1, dtype=np.int32)
    touched = np.empty(1024, dtype=np.int32)
    first = np.zeros(sites + 1, dtype=np.int64)
    size = 1024 + 64 * sites
    cell_out = np.empty(size, dtype=np.int32)
    cm_out = np.empty(size, dtype=np.int32)
    filled = 0
    for site in range(sites):
        a, b = seed_start[site], seed_start[site + 1]
        count, pool, lowered = _improve(
            start, link, seed_node[a:b], seed_cm[a:b], shift, bucket, at_cm, pool,
            mark, site, lowered,
        )  # fmt: skip
        edges = 0
        for k in range(count):
            node = lowered[k]
            for row in range(start[node], start[node + 1]):
                e = half_edge[row]
                if seen[e] == site or cell_start[e] == cell_start[e + 1]:
                    continue
                seen[e] = site
                if edges == len(touched):
                    touched = np.concatenate((touched, np.empty_like(touched)))
                touched[edges] = e
                edges += 1
        for p in range(site_start[site], site_start[site + 1]):
            e = site_edge[p]
            if seen[e] == site or cell_start[e] == cell_start[e + 1]:
                continue
            seen[e] = site
            if edges == len(touched):
                touched = np.concatenate((touched, np.empty_like(touched)))
            touched[edges] = e
            edges += 1
        for t in range(edges):
            e = touched[t]
            by_u = np.int64(at_cm[edge_u[e]])
            by_v = np.int64(at_cm[edge_v[e]])
            for k in range(cell_start[e], cell_start[e + 1]):
                leg = np.int64(cell_leg_cm[k])
                best = min(leg + cell_back_cm[k] + by_u, leg + uv_cm[e] - cell_ahead_cm[k] + by_v)
                for p in range(site_start[site], site_start[site + 1]):
                    if site_edge[p] == e:
                        along = max(
                            np.int64(site_ahead_cm[p]) - cell_ahead_cm[k],
                            np.int64(cell_back_cm[k]) - site_back_cm[p],
                            0,
                        )
                        if site_leg_cm[p] >= 0 or along == 0:
                            best = min(best, leg + along + max(site_leg_cm[p], 0))
                c = cell_id[k]
                if best > cell_most_cm[c]:
                    continue
                if filled == size:
                    size *= 2
                    more_cell = np.empty(size, dtype=np.int32)
                    more_cm = np.empty(size, dtype=np.int32)
                    more_cell[:filled] = cell_out
                    more_cm[:filled] = cm_out
                    cell_out, cm_out = more_cell, more_cm
                cell_out[filled] = c
                cm_out[filled] = best
                filled += 1
        first[site + 1] = filled
        for k in range(count):
            at_cm[lowered[k]] = node_cm[lowered[k]]
    return first, cell_out[:filled].copy(), cm_out[:filled].copy()
