"""The walk from a place to its nearest facility, or to another place, as GeoJSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.access.nearest import (
    NodeField,
    goals_of,
    nearest_from_nodes,
    service_attachments,
)
from lifecircle.analysis.access.route import Route, find_route, route_ascent_m, route_line
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import Language, ParameterError
from lifecircle.analysis.measures.names import service_of, walker_of
from lifecircle.analysis.measures.question import Question, Study, ask
from lifecircle.analysis.measures.unsnapped import unsnapped_place
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    SECONDS_PER_MINUTE,
    FloatArray,
)
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids, in_degrees, remarks, snapped_at

Place = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a walk leads: the nearest facility of a service, or another place in degrees."""

    service: str | None = None
    place: Place | None = None


def route_document(
    run: Run,
    lonlat: Place,
    destination: Destination,
    *,
    walker: str = "adult",
    lang: Language = "zh",
) -> dict[str, Any]:
    """A Feature with the walk as a line, its metres, minutes and metres climbed.

    The geometry is null where there is no way; the line begins at the place itself and ends at
    the facility, with the straight access legs at both ends.

    Raises
    ------
    UnknownNameError : the policy has no such service or walker.
    ParameterError : neither a service nor a place, or both.
    """
    if (destination.service is None) == (destination.place is None):
        raise ParameterError("route_where_to")
    study = run.study
    asked = walker_of(run.policy, walker)
    xy_m = to_metric(np.array([lonlat]), run.city.crs)
    start = _joined(study, xy_m)
    service = None
    if destination.service is not None:
        service = service_of(run.policy, destination.service).id
        found, end_m = _to_service(run, start, service)
        limit_cm = ask(study, Question(service=service, walker=asked.id)).limit_cm
        assessed = run.city.assessed(service)
        within = None if not assessed else found is not None and found.cm <= limit_cm
    else:
        end_m = to_metric(np.array([destination.place]), run.city.crs)[0]
        found, within = _to_place(study, start, end_m), None
    facility = None if found is None or service is None else found.facility
    per_minute = float(asked.speed_m_per_s) * SECONDS_PER_MINUTE * CM_PER_M
    loose = () if start.snapped[0] else (unsnapped_place(study, xy_m),)
    return {
        "type": "Feature",
        "area": run.manifest.area,
        "run": run.manifest.run,
        "geometry": None if found is None else _line(run, found, xy_m, end_m),
        "properties": {
            "lon": lonlat[0],
            "lat": lonlat[1],
            "walker": asked.id,
            "service": service,
            "facility": None if facility is None else facility_ids(run)[facility],
            "name": None if facility is None else run.city.facilities.name[facility],
            "minutes": None if found is None else found.cm / per_minute,
            "metres": None if found is None else found.cm / CM_PER_M,
            "length_m": None if found is None else found.length_m,
            "ascent_m": _ascent(run, found),
            "within": within,
            "slope": run.city.network.slope is not None,
            "snapped": snapped_at(start, run.city.crs),
        },
        "warnings": remarks(loose, lang),
    }


def _joined(study: Study, xy_m: FloatArray) -> Positions:
    return study.edges.snap(xy_m, study.policy.attachment.max_leg_m.value)


def _to_service(run: Run, start: Positions, service: str) -> tuple[Route | None, FloatArray | None]:
    """The walk to the nearest facility of a service, and where its access leg ends (metres)."""
    travel = run.travel
    if start.edge[0] == NOBODY or service not in travel.services:
        return None, None
    row = travel.row(service)
    field = NodeField(travel.node_cm[row], travel.node_facility[row])
    found = find_route(run.study.costs, service_attachments(run.city, service), field, start)
    if found is None or found.goal is None:
        return found, None
    shape = run.city.facilities.geometry[found.facility]
    nearest = shapely.shortest_line(shapely.Point(found.goal.xy_m[0]), shape)
    return found, shapely.get_coordinates(nearest)[-1]


def _to_place(study: Study, start: Positions, end_m: FloatArray) -> Route | None:
    """The walk to another place."""
    end = _joined(study, end_m[None])
    if NOBODY in (start.edge[0], end.edge[0]):
        return None
    there = Attachments(np.zeros(1, dtype=np.int32), end)
    field = nearest_from_nodes(study.costs, goals_of(study.costs, there))
    return find_route(study.costs, there, field, start)


def _line(run: Run, found: Route, start_m: FloatArray, end_m: FloatArray | None) -> Any:
    """The whole way in degrees, from door to door."""
    parts = [start_m, route_line(run.city.network, found)]
    if end_m is not None:
        parts.append(end_m[None])
    return in_degrees([shapely.LineString(np.concatenate(parts))], run.city.crs)[0]


def _ascent(run: Run, found: Route | None) -> float | None:
    if found is None or run.policy.terrain is None:
        return None
    return route_ascent_m(run.city.network, found, run.policy.terrain)
