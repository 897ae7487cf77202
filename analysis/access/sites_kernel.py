"""Walks from every cell to each of many sites, searched only where a site is an improvement."""

from __future__ import annotations

import numpy as np
from numba import njit

from analysis.access.shortest import _settle
from analysis.quantities import Int32Array, IntArray

_SOURCE_BITS = 32


@njit(cache=True, nogil=True)
def improved_walks(
    start: IntArray,
    link: IntArray,
    half_edge: Int32Array,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    node_key: IntArray,
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
    limit_cm: int,
    shift: int,
    bucket_count: int,
) -> tuple[IntArray, Int32Array, Int32Array]:
    """Cells that walk at most `cell_most_cm` to each site, in CSR form by site.

    `node_key` int64 (n,): a walk to a junction that is not shorter than ``key >> 32`` is not
    followed; all int64 max to follow every walk within `limit_cm`. With the walk from every
    junction to its nearest facility, only what a new site improves is searched: beyond a
    junction that has a nearer facility no one gains. `cell_start` int64 (m + 1,): the cells of
    each edge (`cell_id` and brothers). Returns first (s + 1,), cell (a,), cm (a,).
    """
    sites = len(site_start) - 1
    key = node_key.copy()
    bucket = np.full(bucket_count, -1, dtype=np.int32)
    pool = np.empty((4096, 2), dtype=np.int64)
    seen = np.full(len(edge_u), -1, dtype=np.int32)
    touched = np.empty(1024, dtype=np.int32)
    first = np.zeros(sites + 1, dtype=np.int64)
    size = 1024 + 64 * sites
    cell_out = np.empty(size, dtype=np.int32)
    cm_out = np.empty(size, dtype=np.int32)
    filled = 0
    for site in range(sites):
        a, b = seed_start[site], seed_start[site + 1]
        seed_key = seed_cm[a:b] << _SOURCE_BITS
        used = _settle(
            start, link, seed_node[a:b], seed_key, limit_cm, shift, bucket, key, pool
        )
        while used < 0:
            # `_settle` undid its work with "no way" everywhere it went: put the bounds back
            for entry in range(len(pool)):
                node = pool[entry, 1] >> _SOURCE_BITS
                key[node] = node_key[node]
            pool = np.empty((2 * len(pool), 2), dtype=np.int64)
            used = _settle(
                start, link, seed_node[a:b], seed_key, limit_cm, shift, bucket, key, pool
            )
        edges = 0
        for entry in range(used):
            node = pool[entry, 1] >> _SOURCE_BITS
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
            by_u = key[edge_u[e]] >> _SOURCE_BITS
            by_v = key[edge_v[e]] >> _SOURCE_BITS
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
                        best = min(best, leg + along + site_leg_cm[p])
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
        for entry in range(used):
            node = pool[entry, 1] >> _SOURCE_BITS
            key[node] = node_key[node]
    return first, cell_out[:filled].copy(), cm_out[:filled].copy()
