"""Isochrones as GeoJSON: how far people walk from a place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.point.isochrone import Direction, isochrone
from lifecircle.analysis.measures.unsnapped import unsnapped_place
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import in_degrees, remarks, snapped_at


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
    study = run.study
    walker = walker_of(study.policy, walker).id
    found = isochrone(study, (lon, lat), minutes, walker=walker, direction=direction)
    xy_m = to_metric(np.array([[lon, lat]]), run.city.crs)
    loose = () if found.position.snapped[0] else (unsnapped_place(study, xy_m),)
    shapes = in_degrees(found.polygons, run.city.crs)
    return {
        "type": "FeatureCollection",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "lon": lon,
        "lat": lat,
        "walker": walker,
        "direction": direction,
        "slope": run.city.network.slope is not None,
        "minutes": list(found.minutes[::-1]),
        "snapped": snapped_at(found.position, run.city.crs),
        "features": [
            {
                "type": "Feature",
                "id": f"{limit:g}",
                "geometry": shape,
                "properties": {"minutes": limit, "walker": walker},
            }
            for limit, shape in zip(found.minutes, shapes, strict=False)
        ],
        "warnings": remarks(loose, lang),
    }
