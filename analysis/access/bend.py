"""Where along an edge a walk has got, when slope makes its cost uneven."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from analysis.city.network import WalkNetwork
from analysis.quantities import CM_PER_M, FloatArray, Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class Bend:
    """How the cost between an edge's u and a place on it departs from an even share (q points).

    `edge_place_m` (m,) and `place_m` (q,): where edges begin and points lie when all edges are
    laid in a row, a metre between each two. `bent_m` float64 (q,): the departure, 0 at both
    ends of every edge and all along a flat one; even between points. `edge_place_cm`,
    `place_cm`: the same row in costs, for the way back from a cost to a place.
    """

    edge_place_m: FloatArray
    place_m: FloatArray
    bent_m: FloatArray
    edge_place_cm: FloatArray
    place_cm: FloatArray

    @classmethod
    def of(
        cls,
        network: WalkNetwork,
        point_start: IntArray,
        point_at_m: FloatArray,
        extra_m: FloatArray,
        whole_cm: Int32Array,
    ) -> Bend:
        """The bends of one direction: `extra_m` of `SlopeProfile`, `whole_cm` of whole edges."""
        length_m = network.edge_length_m
        edge = np.repeat(np.arange(len(length_m)), np.diff(point_start))
        last = point_start[1:] - 1
        share = point_at_m / np.maximum(length_m, np.finfo(np.float64).tiny)[edge]
        share[last] = 1.0
        bent_m = extra_m - share * extra_m[last][edge]
        row_m = np.cumsum(length_m + 1.0) - (length_m + 1.0)
        row_cm = np.cumsum(whole_cm + 1.0) - (whole_cm + 1.0)
        cost_cm = share * whole_cm[edge] + CM_PER_M * bent_m
        return cls(row_m, row_m[edge] + point_at_m, bent_m, row_cm, row_cm[edge] + cost_cm)

    def at(self, edge: Int32Array, at_m: FloatArray) -> FloatArray:
        """Departures in metres at places on edges, float64 (k,)."""
        between: FloatArray = np.interp(self.edge_place_m[edge] + at_m, self.place_m, self.bent_m)
        return between

    def place_of(self, edge: Int32Array, cm: FloatArray) -> FloatArray:
        """Metres from each edge's u where the cost between u and there is `cm`, float64 (k,)."""
        row: FloatArray = np.interp(self.edge_place_cm[edge] + cm, self.place_cm, self.place_m)
        return row - self.edge_place_m[edge]
