"""The search around one place, beside scipy, whatever the width of its bands and its room."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import dijkstra

from lifecircle.analysis.access.shortest import DEAD_END, reach_from_each
from lifecircle.analysis.quantities import read_only

SIDE = 80  # more junctions than the lists have room for at first
LONGEST_CM = 30_000


def _grid() -> csr_array:
    """Junctions of a grid, of which a third of the links are missing; uphill is not downhill."""
    rng = np.random.default_rng(13)
    node = np.arange(SIDE * SIDE).reshape(SIDE, SIDE)
    pairs = np.concatenate([
        np.column_stack((node[:, :-1].ravel(), node[:, 1:].ravel())),
        np.column_stack((node[:-1].ravel(), node[1:].ravel())),
    ])  # fmt: skip
    pairs = pairs[rng.random(len(pairs)) < 2 / 3]
    tail, head = np.concatenate((pairs, pairs[:, ::-1])).T
    cm = rng.integers(1, LONGEST_CM, len(tail))
    graph = csr_array((cm, (tail, head)), shape=(SIDE * SIDE,) * 2)
    graph.sort_indices()
    return graph


@pytest.mark.parametrize("band_cm", [1, 20_000, 1 << 30])
@pytest.mark.parametrize("limit_cm", [150_000, 2**31 - 2])
def test_bands_and_room_change_no_distance(band_cm: int, limit_cm: int) -> None:
    graph = _grid()
    degree = np.diff(graph.indptr)
    far = graph.indices.astype(np.int64)
    far |= np.where(degree[far] == 1, DEAD_END, 0)
    link = (graph.data.astype(np.int64) << 32) | far
    rng = np.random.default_rng(31)
    lonely = np.flatnonzero(degree == 0)[:1]
    origin = np.concatenate((rng.choice(SIDE * SIDE, 5, replace=False), lonely))
    seed_node = np.column_stack((origin, np.roll(origin, 1))).astype(np.int32)
    seed_cm = rng.integers(0, 200_000, seed_node.shape)
    first, node, cm = reach_from_each(
        read_only(graph.indptr.astype(np.int32)), read_only(link),
        np.arange(0, seed_node.size + 1, 2), seed_node.ravel(), seed_cm.ravel(),
        limit_cm, band_cm,
    )  # fmt: skip
    from_seed = dijkstra(graph, indices=seed_node.ravel()).reshape(len(origin), 2, -1)
    true_cm = (from_seed + seed_cm[:, :, None]).min(axis=1)
    for row in range(len(origin)):
        found = slice(first[row], first[row + 1])
        order = np.argsort(node[found])
        within = np.flatnonzero(true_cm[row] <= limit_cm)
        assert node[found][order].tolist() == within.tolist()
        assert cm[found][order].tolist() == true_cm[row, within].astype(np.int64).tolist()
    assert first[-1] == len(node) > 4096 or limit_cm == 150_000
