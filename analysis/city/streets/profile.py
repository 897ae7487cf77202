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

    def first_edge(self) -> SlopeProfile:
        """What slope adds along the first edge alone."""
        size = int(self.point_start[1])
        extra = (self.extra_uv_m[:size], self.extra_vu_m[:size])
        return SlopeProfile(self.point_start[:2], self.point_at_m[:size], *extra)
