"""What slope adds to the walk along each edge, point by point."""

from __future__ import annotations

from dataclasses import dataclass

from lifecircle.analysis.quantities import FloatArray, IntArray


@dataclass(frozen=True, slots=True)
class SlopeProfile:
    """Extra metres of walking on the flat along m edges, at q points of known height.

    `point_start` int64 (m + 1,), where each edge's points begin (from u to v, both ends among
    them); `point_at_m` float64 (q,), geodesic metres from u; `extra_uv_m`, `extra_vu_m` float64
    (q,), what slope and stairs add (negative: save) between u and the point, walking from u and
    walking to u. Between two points the extra grows evenly. All zero on the flat.
    """

    point_start: IntArray
    point_at_m: FloatArray
    extra_uv_m: FloatArray
    extra_vu_m: FloatArray
