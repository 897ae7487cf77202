"""Isochrones as GeoJSON: how far people walk from a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from lifecircle.analysis.access.isochrone import isochrones
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.question import checked_minutes, walker_of
from lifecircle.analysis.quantities import NOBODY, limit_cm
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import in_degrees, remarks, snapped_at

Direction = Literal["from", "to"]


def isochrone_document(
    run: Run,
    lon: float,
    lat: float,
    *,
    minutes: Sequence[float] | None = None,
    walker: str = "adult",
    direction: Direction = "from",
    lang: Language = "zh",
) -> dict[str, Any]:
    """A FeatureCollection with one polygon per limit, the widest first so that small ones show.

    `minutes` None means the different minutes that the policy's services have. `direction`:
    how far people get ``from`` the place, or from where they come ``to`` it; on the flat the
    same.

    Raises
    ------
    UnknownNameError
        The policy has no such walker.
    ParameterError
        The minutes are not possible.
    """
    speed = walker_of(run.policy, walker).speed_m_per_s
    own = {service.minutes.value for service in run.policy.services.values()}
    asked = sorted({checked_minutes(t) for t in (minutes or own)}, reverse=True)
    max_leg_m = run.policy.attachment.max_leg_m.value
    position = run.study.edges.snap(to_metric(np.array([[lon, lat]]), run.city.crs), max_leg_m)
    limits = [limit_cm(t, speed) for t in asked]
    snapped = bool(position.edge[0] != NOBODY)
    costs = run.study.costs if direction == "from" else run.study.costs.reversed()
    found = isochrones(run.city.network, costs, position, limits) if snapped else []
    loose = () if snapped else (Warn("point_unsnapped", {"limit_m": f"{max_leg_m:g}"}),)
    shapes = in_degrees(found, run.city.crs)
    return {
        "type": "FeatureCollection",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "lon": lon,
        "lat": lat,
        "walker": walker,
        "direction": direction,
        "slope": run.city.network.slope is not None,
        "minutes": asked[::-1],
        "snapped": snapped_at(position, run.city.crs),
        "features": [
            {
                "type": "Feature",
                "id": f"{limit:g}",
                "geometry": shape,
                "properties": {"minutes": limit, "walker": walker},
            }
            for limit, shape in zip(asked, shapes, strict=False)
        ],
        "warnings": remarks(loose, lang),
    }
