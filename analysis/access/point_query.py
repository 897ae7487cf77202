"""The nearest facility of every service from one place at a time: for a click, not for a table."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.access.nearest import Goals, NearestFacility, goals_of, service_attachments
from lifecircle.analysis.access.shortest import nearest_of_each_service
from lifecircle.analysis.access.walking import WalkCosts, leg_cm_of_one
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.quantities import Int32Array, IntArray


@dataclass(frozen=True, slots=True)
class NearestQuery:
    """Goals and distance fields of all services of a run, worked out once.

    `goals` are those of all services one after another; those of service k (the row in
    `travel`) are ``start[k]:start[k + 1]``.
    """

    costs: WalkCosts
    travel: NearestFacility
    goals: Goals
    start: IntArray

    @classmethod
    def of(cls, city: City, costs: WalkCosts, travel: NearestFacility) -> NearestQuery:
        """Prepare the services of a travel table."""
        each = [goals_of(costs, service_attachments(city, s)) for s in travel.services]
        joined = (
            np.concatenate([getattr(goals, name) for goals in each])
            for name in ("facility", "edge", "ahead_cm", "back_cm", "leg_cm")
        )
        start = np.cumsum([0, *(len(goals.edge) for goals in each)])
        return cls(costs, travel, Goals(*joined), start)

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
            self.travel.node_cm,
            self.travel.node_facility,
            self.start,
            goals.edge,
            goals.ahead_cm,
            goals.back_cm,
            goals.leg_cm,
            goals.facility,
            costs.most_cm,
        )
