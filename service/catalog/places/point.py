"""One place: who serves it, in how many minutes, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.errors import Language
from lifecircle.analysis.measures.point import PlaceCircle, PlaceService, PointPlan
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.unsnapped import unsnapped_place
from lifecircle.analysis.quantities import CM_PER_M
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids, remarks, snapped_at


@dataclass(frozen=True, slots=True)
class PointDesk:
    """A run ready to answer about any place."""

    run: Run
    plan: PointPlan
    facility_id: Sequence[str]

    @classmethod
    def of(cls, run: Run, question: Question) -> PointDesk:
        """The desk for a walker; minutes None means each service's own."""
        return cls(
            run, PointPlan.of(run.study, settle(run.study, question)), tuple(facility_ids(run))
        )

    def with_minutes(self, minutes: float | None) -> PointDesk:
        """The same with other minutes."""
        return replace(self, plan=self.plan.with_minutes(minutes))


def point_document(
    desk: PointDesk, lon: float, lat: float, *, lang: Language = "zh"
) -> dict[str, Any]:
    """Minutes to the nearest facility of every service from a place in degrees (WGS84)."""
    run, plan = desk.run, desk.plan
    xy_m = to_metric(np.array([[lon, lat]]), run.city.crs)
    position = plan.position(xy_m)
    services = plan.services(position, xy_m)
    snapped = snapped_at(position, run.city.crs)
    loose = () if snapped else (unsnapped_place(run.study, xy_m),)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "lon": lon,
        "lat": lat,
        "walker": plan.question.walker,
        "minutes": plan.question.minutes,
        "snapped": snapped,
        "units": _units(plan, xy_m[0]),
        "services": [_service(desk, one) for one in services],
        "missing": [one.service for one in services if one.within is False],
        "circles": {one.kind: _circle(one) for one in plan.circle_states(services)},
        "warnings": remarks(loose, lang) + remarks(run.city.warnings, lang),
    }


def _service(desk: PointDesk, one: PlaceService) -> dict[str, Any]:
    there = one.facility is not None and one.cm is not None
    return {
        "service": one.service,
        "facility": desk.facility_id[one.facility] if one.facility is not None else None,
        "name": desk.run.city.facilities.name[one.facility] if there else None,
        "minutes": None if one.cm is None else one.cm / desk.plan.cm_per_minute,
        "metres": None if one.cm is None else one.cm / CM_PER_M,
        "within": one.within,
    }


def _circle(one: PlaceCircle) -> dict[str, Any]:
    return {
        "complete": one.complete,
        "reached": one.reached,
        "assessed": one.assessed,
        "required": one.required,
        "missing": one.missing,
    }


def _units(plan: PointPlan, xy_m: np.ndarray) -> list[dict[str, str | None]]:
    units = plan.study.city.units
    point = shapely.points(xy_m[0], xy_m[1])
    held = np.sort(plan.unit_tree.query(point, predicate="intersects")).tolist()
    names = ("level", "code", "name", "name_en")
    return [{name: getattr(units, name)[i] for name in names} for i in held]
