"""One place: who serves it, in how many minutes, and what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from lifecircle.analysis.city.crs import to_metric_of_one
from lifecircle.analysis.city.units.units_at import units_meeting
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.point.point import PlaceCircle, PlaceService, PointPlan
from lifecircle.analysis.measures.question import Question, settle
from lifecircle.analysis.measures.unsnapped import unsnapped_place
from lifecircle.analysis.quantities import CM_PER_M
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids, remarks, snapped_at


@dataclass(frozen=True)
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

    @cached_property
    def unit_rows(self) -> list[dict[str, str | None]]:
        """What is told of each unit."""
        units, names = self.run.city.units, ("level", "code", "name", "name_en")
        columns = [list(getattr(units, name)) for name in names]
        return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]

    @cached_property
    def facility_names(self) -> list[str | None]:
        """The names of the facilities."""
        return list(self.run.city.facilities.name)

    def remarks(self, loose: Warn | None, lang: Language) -> list[dict[str, Any]]:
        """What the build noticed, behind what is said of a place that joins no street."""
        key = (None if loose is None else loose.key, lang)
        if key not in self._remarks:
            said = self.run.city.warnings if loose is None else (loose, *self.run.city.warnings)
            self._remarks[key] = remarks(said, lang)
        return self._remarks[key]

    @cached_property
    def _remarks(self) -> dict[tuple[str | None, Language], list[dict[str, Any]]]:
        return {}


def point_document(
    desk: PointDesk, lon: float, lat: float, *, lang: Language = "zh"
) -> dict[str, Any]:
    """Minutes to the nearest facility of every service from a place in degrees (WGS84)."""
    run, plan = desk.run, desk.plan
    xy_m = np.array([to_metric_of_one(lon, lat, run.city.crs)])
    position = plan.position(xy_m)
    services = plan.services(position, xy_m)
    snapped = snapped_at(position, run.city.crs)
    loose = None if snapped else unsnapped_place(run.study, xy_m)
    return {
        **place_head(desk, lon, lat, snapped=snapped),
        "units": _units(desk, xy_m[0]),
        "services": _rows(desk, services),
        "missing": [one.service for one in services if one.within is False],
        "circles": {one.kind: _circle(one) for one in plan.circle_states(services)},
        "warnings": desk.remarks(loose, lang),
    }


def place_head(
    desk: PointDesk, lon: float, lat: float, *, snapped: dict[str, float] | None
) -> dict[str, Any]:
    """What is asked, of which run, and where the place joins a street."""
    told, question = desk.run.manifest, desk.plan.question
    return {
        "area": told.area,
        "run": told.run,
        "lon": lon,
        "lat": lat,
        "walker": question.walker,
        "minutes": question.minutes,
        "snapped": snapped,
    }


def _rows(desk: PointDesk, services: Sequence[PlaceService]) -> list[dict[str, Any]]:
    ids, names, per_minute = desk.facility_id, desk.facility_names, desk.plan.cm_per_minute
    return [
        {
            "service": service,
            "facility": None if place is None else ids[place],
            "name": None if place is None else names[place],
            "minutes": None if cm is None else cm / per_minute,
            "metres": None if cm is None else cm / CM_PER_M,
            "within": within,
        }
        for service, place, cm, within in services
    ]


def _circle(one: PlaceCircle) -> dict[str, Any]:
    return {
        "complete": one.complete,
        "reached": one.reached,
        "assessed": one.assessed,
        "required": one.required,
        "missing": one.missing,
    }


def _units(desk: PointDesk, xy_m: np.ndarray) -> list[dict[str, str | None]]:
    x_m, y_m = xy_m.tolist()
    return [desk.unit_rows[i] for i in units_meeting(desk.plan.unit_tree, x_m, y_m)]
