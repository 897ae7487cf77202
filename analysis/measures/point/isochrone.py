"""How far people get from a place, or from where they come to it, in some minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from lifecircle.analysis.access.isochrone import isochrones
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.question import Study, checked_minutes
from lifecircle.analysis.quantities import limit_cm

Direction = Literal["from", "to"]


@dataclass(frozen=True, slots=True)
class Isochrone:
    """Polygons around one place, the widest first.

    `minutes` descending and `polygons` (the city's metric CRS) run in parallel; there are no
    polygons where the place is too far from any street. `position`: where it joined them.
    """

    minutes: tuple[float, ...]
    polygons: tuple[shapely.MultiPolygon, ...]
    position: Positions


def isochrone(
    study: Study,
    lonlat: tuple[float, float],
    minutes: Sequence[float] | None = None,
    *,
    walker: str = "adult",
    direction: Direction = "from",
) -> Isochrone:
    """How far one walks around a place in minutes, as nested polygons in metres.

    Parameters
    ----------
    lonlat : longitude and latitude, degrees (WGS84).
    minutes : None means the different minutes that the policy's services have.
    direction : how far people get ``from`` the place, or from where they come ``to`` it; on the
        flat the same.

    Raises
    ------
    UnknownNameError : the policy has no such walker.
    ParameterError : the minutes are not possible.

    Examples
    --------
    >>> import lifecircle as lc
    >>> found = lc.isochrone(lc.tiny_town().study, (102.7050, 25.0450), [5, 10])
    >>> found.minutes
    (10.0, 5.0)
    >>> found.polygons[0].area > found.polygons[1].area
    True
    """
    speed = walker_of(study.policy, walker).speed_m_per_s
    own = {service.minutes.value for service in study.policy.services.values()}
    asked = tuple(sorted({checked_minutes(t) for t in (minutes or own)}, reverse=True))
    max_leg_m = study.policy.attachment.max_leg_m.value
    position = study.edges.snap(to_metric(np.array([lonlat]), study.city.crs), max_leg_m)
    costs = study.costs if direction == "from" else study.costs.reversed()
    limits = [limit_cm(t, speed) for t in asked]
    snapped = bool(position.snapped[0])
    found = isochrones(study.city.network, costs, position, limits) if snapped else ()
    return Isochrone(asked, tuple(found), position)
