"""The nearest facility of every service from one position, compiled."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.shortest import along_edge
from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import UNREACHED_CM, Int32Array

_UNREACHED = np.int32(UNREACHED_CM)
_HALF = 32
_NO_KEY = np.iinfo(np.int64).max


@kernel
def nearest_of_each_service(  # noqa: PLR0913 - numba takes arrays, not records
    edge: int,
    ahead_cm: int,
    back_cm: int,
    leg_cm: int,
    edge_u: Int32Array,
    edge_v: Int32Array,
    uv_cm: Int32Array,
    node_cm: Int32Array,
    node_source: Int32Array,
    goal_edge: Int32Array,
    goal_service: Int32Array,
    goal_ahead_cm: Int32Array,
    goal_back_cm: Int32Array,
    goal_leg_cm: Int32Array,
    goal_source: Int32Array,
    limit_cm: int,
) -> tuple[Int32Array, Int32Array]:
    """`nearest_of_positions` of one position for s services: cm and source int32 (s,).

    `node_cm`, `node_source` int32 (n, s); `goal_*` are those of all services, sorted by edge.
    """
    count = node_cm.shape[1]
    cm = np.full(count, _UNREACHED, dtype=np.int32)
    source = np.full(count, -1, dtype=np.int32)
    if edge < 0:
        return cm, source
    best = np.full(count, _NO_KEY, dtype=np.int64)
    u, v = edge_u[edge], edge_v[edge]
    by_u, by_v = np.int64(leg_cm) + back_cm, np.int64(leg_cm) + uv_cm[edge] - ahead_cm
    for k in range(count):
        if node_source[u, k] >= 0:
            best[k] = ((by_u + node_cm[u, k]) << _HALF) | np.int64(node_source[u, k])
        if node_source[v, k] >= 0:
            key = ((by_v + node_cm[v, k]) << _HALF) | np.int64(node_source[v, k])
            best[k] = min(best[k], key)
    i = np.searchsorted(goal_edge, edge)
    while i < len(goal_edge) and goal_edge[i] == edge:
        along = along_edge(ahead_cm, back_cm, goal_ahead_cm[i], goal_back_cm[i])
        if goal_leg_cm[i] >= 0 or along == 0:
            k, total = goal_service[i], np.int64(leg_cm) + along + max(goal_leg_cm[i], 0)
            best[k] = min(best[k], (total << _HALF) | np.int64(goal_source[i]))
        i += 1
    for k in range(count):
        if best[k] != _NO_KEY and (best[k] >> _HALF) <= limit_cm:
            cm[k] = best[k] >> _HALF
            source[k] = best[k] & 0xFFFFFFFF
    return cm, source
