"""Which nodes of a graph hang together (a compiled walk; loading scipy's costs a build more)."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import Int32Array, IntArray


def connected_pieces(
    size: int, one: IntArray | Int32Array, other: IntArray | Int32Array
) -> Int32Array:
    """The piece of each of `size` nodes, int32 (size,), numbered by their lowest nodes.

    `one`, `other` (s,): the nodes that each link joins, either way.
    """
    return _join(size, one.astype(np.int64), other.astype(np.int64))


@kernel
def _join(size: int, one: IntArray, other: IntArray) -> Int32Array:
    """Union-find with path halving; the lower root wins, so that a root is its lowest node."""
    root = np.arange(size)
    for link in range(len(one)):
        a, b = one[link], other[link]
        while root[a] != a:
            root[a] = root[root[a]]
            a = root[a]
        while root[b] != b:
            root[b] = root[root[b]]
            b = root[b]
        if a < b:
            root[b] = a
        else:
            root[a] = b
    piece = np.empty(size, dtype=np.int32)
    count = 0
    for node in range(size):
        if root[node] == node:
            piece[node] = count
            count += 1
        else:  # the root of a lower node is known by then
            piece[node] = piece[root[node]]
    return piece


@kernel
def root_of(root: IntArray, node: int) -> int:
    """The root of a node (compiled): `root` (n,) leads on from each, halved on the way."""
    while root[node] != node:
        root[node] = root[root[node]]
        node = root[node]
    return node
