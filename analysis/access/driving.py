"""What it costs to go along the roads of a profile, each way."""

from __future__ import annotations

import numpy as np

from lifecircle.analysis.access.walking import BARRED_CM, WalkCosts, costs_of
from lifecircle.analysis.city.streets.roads import RoadNetwork
from lifecircle.analysis.policy.sections.profiles import TravelProfile
from lifecircle.analysis.quantities import CM_PER_M, FloatArray, Int32Array

_M_PER_S = 1 / 3.6  # of a kilometre an hour


def road_costs(roads: RoadNetwork, profile: TravelProfile) -> WalkCosts:
    """Costs of both directions of every edge, in centimetres at the speed of the access legs.

    A limit in minutes is so many centimetres of that speed, as for walkers; against a one-way an
    edge costs ``BARRED_CM``.
    """
    leg_m_per_s = float(profile.leg_m_per_s)
    uv_cm, vu_cm = (
        _cost_cm(roads.network.edge_length_m, km_h, leg_m_per_s)
        for km_h in (roads.uv_km_h, roads.vu_km_h)
    )
    return costs_of(roads.network, uv_cm, vu_cm)


def _cost_cm(length_m: FloatArray, km_h: FloatArray, leg_m_per_s: float) -> Int32Array:
    open_ = km_h > 0
    seconds = np.divide(length_m, km_h * _M_PER_S, out=np.zeros_like(length_m), where=open_)
    cost: Int32Array = np.where(open_, np.rint(seconds * leg_m_per_s * CM_PER_M), BARRED_CM).astype(
        np.int32
    )
    return cost
