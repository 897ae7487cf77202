"""Between the points of an edge's profile: values at places, and places of values (numba)."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.kernel import kernel
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray


@kernel
def between_points(
    start: IntArray, known: FloatArray, value: FloatArray, edge: Int32Array, asked: FloatArray
) -> FloatArray:
    """`value` where `known` is `asked`, evenly between the points of one edge each.

    The points of edge e are ``start[e]:start[e + 1]`` with `known` ascending; beyond the first
    or last point its value holds. `edge`, `asked` (k,); returns float64 (k,).
    """
    found = np.empty(len(edge))
    for k in range(len(edge)):
        low, high = start[edge[k]], start[edge[k] + 1] - 1
        x = asked[k]
        if x <= known[low]:
            found[k] = value[low]
            continue
        if x >= known[high]:
            found[k] = value[high]
            continue
        while high - low > 1:
            middle = (low + high) >> 1
            if known[middle] <= x:
                low = middle
            else:
                high = middle
        share = (x - known[low]) / (known[high] - known[low])
        found[k] = value[low] + share * (value[high] - value[low])
    return found
