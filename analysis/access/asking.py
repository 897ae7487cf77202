"""The nearest facility of every service from one place at a time: for a click, not for a table."""

from __future__ import annotations

from dataclasses import dataclass

from analysis.access.shortest import nearest_of_positions
from analysis.access.travel import Goals, TravelTable, goals_of, service_attachments
from analysis.access.walking import WalkCosts, leg_cm
from analysis.city.model import City
from analysis.city.snap import Positions
from analysis.quantities import UNREACHED_CM


@dataclass(frozen=True, slots=True)
class PlaceAsker:
    """Goals and distance fields of all services of a run, worked out once."""

    costs: WalkCosts
    travel: TravelTable
    goals: tuple[Goals, ...]

    @classmethod
    def of(cls, city: City, costs: WalkCosts, travel: TravelTable) -> PlaceAsker:
        """Prepare the services of a travel table."""
        return cls(
            costs,
            travel,
            tuple(goals_of(costs, service_attachments(city, s)) for s in travel.services),
        )

    def nearest(self, position: Positions) -> tuple[list[int], list[int]]:
        """Centimetres to, and index of, the nearest facility of every service from one place.

        ``UNREACHED_CM`` and -1 where there is no way; figures as in `from_positions`.
        """
        costs = self.costs
        ahead, back, leg = costs.ahead_cm(position), costs.back_cm(position), leg_cm(position)
        metres, facilities = [], []
        for row, goals in enumerate(self.goals):
            cm, facility = nearest_of_positions(
                position.edge,
                ahead,
                back,
                leg,
                costs.edge_u,
                costs.edge_v,
                costs.uv_cm,
                self.travel.node_cm[row],
                self.travel.node_facility[row],
                goals.edge,
                goals.ahead_cm,
                goals.back_cm,
                goals.leg_cm,
                goals.facility,
                int(UNREACHED_CM) - 1,
            )
            metres.append(int(cm[0]))
            facilities.append(int(facility[0]))
        return metres, facilities
