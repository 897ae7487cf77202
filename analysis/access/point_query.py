"""The nearest facility of every service from one place at a time: for a click, not for a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from lifecircle.analysis.access.nearest import Goals, NearestFacility, goals_of, service_attachments
from lifecircle.analysis.access.point_query_kernel import nearest_of_each_service
from lifecircle.analysis.access.walking import WalkCosts, leg_cm_of_one
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import Int32Array

_MOST_COPIED: Final = 2**25  # bytes; a matter of speed and memory only


@dataclass(frozen=True, slots=True)
class NearestQuery:
    """Goals and distance fields of all services of a run, worked out once.

    `goals` are those of all services, sorted by edge, of `service` int32 (a row in the table of
    travel); `node_cm` and `node_facility` int32 (n, s): the table turned, so that what is asked of
    one junction lies together (where that is not too much to be held twice).
    """

    costs: WalkCosts
    goals: Goals
    service: Int32Array
    node_cm: Int32Array
    node_facility: Int32Array

    @classmethod
    def of(cls, city: City, costs: WalkCosts, travel: NearestFacility) -> NearestQuery:
        """Prepare the services of a travel table."""
        each = [goals_of(costs, service_attachments(city, s)) for s in travel.services]
        count = [len(goals.edge) for goals in each]
        service = np.repeat(np.arange(len(each), dtype=np.int32), count)
        edge = np.concatenate([np.empty(0, dtype=np.int32), *(goals.edge for goals in each)])
        order = np.argsort(edge, kind="stable")
        joined = (
            np.concatenate([np.empty(0, dtype=np.int32), *(getattr(g, name) for g in each)])[order]
            for name in ("facility", "edge", "ahead_cm", "back_cm", "leg_cm")
        )
        node_cm, facility = _turned(travel.node_cm), _turned(travel.node_facility)
        return cls(costs, Goals(*joined), service[order], node_cm, facility)

    @classmethod
    def without_goals(cls, costs: WalkCosts, travel: NearestFacility) -> NearestQuery:
        """The walks from junctions alone, as if no facility lay on any edge."""
        none = np.empty(0, dtype=np.int32)
        node_cm, facility = _turned(travel.node_cm), _turned(travel.node_facility)
        return cls(costs, Goals(none, none, none, none, none), none, node_cm, facility)

    def nearest(self, position: Positions) -> tuple[list[int], list[int]]:
        """Centimetres to, and index of, the nearest facility of every service from one place.

        ``UNREACHED_CM`` and -1 where there is no way; figures as in `from_positions`.
        """
        cm, facility = self.walks(position)
        return cm.tolist(), facility.tolist()

    def walks(self, position: Positions) -> tuple[Int32Array, Int32Array]:
        """`nearest` as arrays (s,)."""
        costs, goals = self.costs, self.goals
        ahead_cm, back_cm = costs.shares_of_one(position)
        return nearest_of_each_service(
            int(position.edge[0]),
            ahead_cm,
            back_cm,
            leg_cm_of_one(position),
            costs.edge_u,
            costs.edge_v,
            costs.uv_cm,
            self.node_cm,
            self.node_facility,
            goals.edge,
            self.service,
            goals.ahead_cm,
            goals.back_cm,
            goals.leg_cm,
            goals.facility,
            costs.most_cm,
        )


def _turned(table: Int32Array) -> Int32Array:
    """A table (s, n) as (n, s)."""
    return np.ascontiguousarray(table.T) if table.nbytes <= _MOST_COPIED else table.T
