"""One place: who serves it, in how many minutes, and what is missing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import shapely

from lifecircle.analysis.access.point_query import NearestQuery
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.errors import Language, Warn
from lifecircle.analysis.measures.question import ask, walker_of
from lifecircle.analysis.quantities import CM_PER_M, NOBODY, SECONDS_PER_MINUTE, UNREACHED_CM
from lifecircle.analysis.results.model import Run
from lifecircle.service.catalog.common import facility_ids, remarks, snapped_at
from lifecircle.service.state import Streets


@dataclass(frozen=True)
class PointPlan:
    """What a question about any place of a run needs, worked out once per walker and minutes.

    `limit_cm[k]` is the cut-off of ``run.travel.services[k]``; `assessed[k]` whether it can be
    judged; `circles` holds (kind, rows of its services, required number).
    """

    run: Run
    streets: Streets
    walker: str
    minutes: float | None
    asker: NearestQuery
    limit_cm: tuple[int, ...]
    assessed: tuple[bool, ...]
    circles: tuple[tuple[str, tuple[int, ...], int], ...]
    cm_per_minute: float
    facility_id: tuple[str, ...]

    @classmethod
    def of(
        cls, run: Run, streets: Streets, walker: str = "adult", minutes: float | None = None
    ) -> PointPlan:
        """The plan for a walker; `minutes` None means each service's own.

        Raises
        ------
        UnknownNameError
            The policy has no such walker.
        ParameterError
            The minutes are not possible.
        """
        policy, services = run.policy, run.travel.services
        row = {service: k for k, service in enumerate(services)}
        circles = []
        for rule in policy.circles.values():
            wanted = [s for s in rule.services if not policy.services[s].optional]
            needed = len(wanted) if rule.required is None else int(rule.required.value)
            circles.append((rule.id, tuple(row.get(s, NOBODY) for s in wanted), needed))
        speed = float(walker_of(policy, walker).speed_m_per_s)
        return cls(
            run,
            streets,
            walker,
            minutes,
            NearestQuery.of(run.city, streets.costs, run.travel),
            tuple(ask(policy, service, minutes, walker).limit_cm for service in services),
            tuple(run.city.assessed(service) for service in services),
            tuple(circles),
            speed * SECONDS_PER_MINUTE * CM_PER_M,
            tuple(facility_ids(run)),
        )

    def at(self, minutes: float | None) -> PointPlan:
        """The same plan with other minutes."""
        asked = [ask(self.run.policy, s, minutes, self.walker) for s in self.run.travel.services]
        return replace(self, minutes=minutes, limit_cm=tuple(one.limit_cm for one in asked))

    @cached_property
    def unit_tree(self) -> shapely.STRtree:
        """A tree over the polygons of the units."""
        return shapely.STRtree(self.run.city.units.geometry)


def point_document(
    plan: PointPlan, lon: float, lat: float, *, lang: Language = "zh"
) -> dict[str, Any]:
    """Minutes to the nearest facility of every service from a place in degrees (WGS84)."""
    run, limit_m = plan.run, plan.run.policy.attachment.max_leg_m.value
    xy_m = to_metric(np.array([[lon, lat]]), run.city.crs)
    position = plan.streets.index.snap(xy_m, limit_m)
    services = _services(plan, *plan.asker.nearest(position))
    snapped = snapped_at(position, run.city.crs)
    loose = () if snapped else (Warn("point_unsnapped", {"limit_m": f"{limit_m:g}"}),)
    return {
        "area": run.manifest.area,
        "run": run.manifest.run,
        "lon": lon,
        "lat": lat,
        "walker": plan.walker,
        "minutes": plan.minutes,
        "snapped": snapped,
        "units": _units(plan, xy_m[0]),
        "services": services,
        "missing": [row["service"] for row in services if row["within"] is False],
        "circles": {
            kind: _circle(services, rows, required) for kind, rows, required in plan.circles
        },
        "warnings": remarks(loose, lang) + remarks(run.city.warnings, lang),
    }


def _services(plan: PointPlan, cm: list[int], facility: list[int]) -> list[dict[str, Any]]:
    places = plan.run.city.facilities
    rows = []
    for k, service in enumerate(plan.run.travel.services):
        reached = cm[k] != UNREACHED_CM
        rows.append(
            {
                "service": service,
                "facility": plan.facility_id[facility[k]] if reached else None,
                "name": places.name[facility[k]] if reached else None,
                "minutes": cm[k] / plan.cm_per_minute if reached else None,
                "metres": cm[k] / CM_PER_M if reached else None,
                "within": (reached and cm[k] <= plan.limit_cm[k]) if plan.assessed[k] else None,
            }
        )
    return rows


def _circle(services: list[dict[str, Any]], rows: tuple[int, ...], required: int) -> dict[str, Any]:
    known = [services[k] for k in rows if k != NOBODY and services[k]["within"] is not None]
    reached = sum(row["within"] for row in known)
    complete = None
    if reached >= required:
        complete = True
    elif reached + len(rows) - len(known) < required:
        complete = False
    return {
        "complete": complete,
        "reached": reached,
        "assessed": len(known),
        "required": required,
        "missing": [row["service"] for row in known if not row["within"]],
    }


def _units(plan: PointPlan, xy_m: np.ndarray) -> list[dict[str, str]]:
    units = plan.run.city.units
    point = shapely.points(xy_m[0], xy_m[1])
    held = np.sort(plan.unit_tree.query(point, predicate="intersects")).tolist()
    return [{"level": units.level[i], "code": units.code[i], "name": units.name[i]} for i in held]
