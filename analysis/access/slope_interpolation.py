"""Where along an edge a walk has got, when slope makes its cost uneven."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.slope_interpolation_kernel import between_points
from lifecircle.analysis.city.streets.profile import SlopeProfile
from lifecircle.analysis.quantities import CM_PER_M, FloatArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class Bend:
    """How the cost between an edge's u and a place on it departs from an even share (q points).

    `start` int64 (m + 1,) and `at_m` float64 (q,) as in `SlopeProfile`. `bent_m` float64 (q,):
    the departure, 0 at both ends of every edge and all along a flat one; even between points.
    `cost_cm` float64 (q,): the cost between u and each point.
    """

    start: IntArray
    at_m: FloatArray
    bent_m: FloatArray
    cost_cm: FloatArray

    @classmethod
    def of(
        cls, slope: SlopeProfile, length_m: FloatArray, extra_m: FloatArray, whole_cm: Int32Array
    ) -> Bend:
        """The bends of one direction: its extra of `slope`, and the costs of whole edges."""
        edge = np.repeat(np.arange(len(length_m)), np.diff(slope.point_start))
        last = slope.point_start[1:] - 1
        share = slope.point_at_m / np.maximum(length_m, np.finfo(np.float64).tiny)[edge]
        share[last] = 1.0
        bent_m = extra_m - share * extra_m[last][edge]
        cost_cm = share * whole_cm[edge] + CM_PER_M * bent_m
        return cls(slope.point_start, slope.point_at_m, bent_m, cost_cm)

    def at(self, edge: Int32Array, at_m: FloatArray) -> FloatArray:
        """Departures in metres at places on edges, float64 (k,)."""
        found: FloatArray = between_points(self.start, self.at_m, self.bent_m, edge, at_m)
        return found

    def place_of(self, edge: Int32Array, cm: FloatArray) -> FloatArray:
        """Metres from each edge's u where the cost between u and there is `cm`, float64 (k,)."""
        found: FloatArray = between_points(self.start, self.cost_cm, self.at_m, edge, cm)
        return found
