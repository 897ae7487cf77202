"""One place: the nearest facility of every service, and which circles are complete there."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np
import shapely

from lifecircle.analysis.access.point_query import NearestQuery
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.names import walker_of
from lifecircle.analysis.measures.question import Question, Study, ask, one_circle
from lifecircle.analysis.quantities import (
    CM_PER_M,
    NOBODY,
    SECONDS_PER_MINUTE,
    UNREACHED_CM,
    FloatArray,
)

UNREACHED: Final = int(UNREACHED_CM)


class PlaceService(NamedTuple):
    """One service at one place: centimetres to, and row of, its nearest facility; None where
    there is no way. `within` the limit: None where the service is not assessed."""

    service: str
    facility: int | None
    cm: int | None
    within: bool | None


class PlaceCircle(NamedTuple):
    """One kind of circle at one place; `complete` None where unassessed types could decide it."""

    kind: str
    complete: bool | None
    reached: int
    assessed: int
    required: int
    missing: list[str]


@dataclass(frozen=True)
class PointPlan:
    """What a question about any place of a study needs, worked out once per walker and minutes.

    `limit_cm[k]` is the cut-off of ``study.travel.services[k]``; `assessed[k]` whether it can be
    judged; `circles` holds (kind, rows of its services, required number).
    """

    study: Study
    question: Question
    nearest: NearestQuery
    limit_cm: tuple[int, ...]
    assessed: tuple[bool, ...]
    circles: tuple[tuple[str, tuple[int, ...], int], ...]
    cm_per_minute: float

    @classmethod
    def of(cls, study: Study, question: Question) -> PointPlan:
        """The plan for a walker; minutes None means each service's own.

        Raises
        ------
        UnknownNameError : the policy has no such walker.
        ParameterError : the minutes are not possible.
        """
        policy, services = study.policy, study.travel.services
        row = {service: k for k, service in enumerate(services)}
        circles = []
        for rule in policy.circles.values():
            wanted = [s for s in rule.services if not policy.services[s].optional]
            needed = len(wanted) if rule.required is None else int(rule.required.value)
            circles.append((rule.id, tuple(row.get(s, NOBODY) for s in wanted), needed))
        speed = float(walker_of(policy, question.walker).speed_m_per_s)
        return cls(
            study,
            question,
            NearestQuery.of(study.city, study.costs, study.travel),
            _limits_cm(study, question),
            tuple(study.city.assessed(service) for service in services),
            tuple(circles),
            speed * SECONDS_PER_MINUTE * CM_PER_M,
        )

    def with_minutes(self, minutes: float | None) -> PointPlan:
        """The same plan with other minutes."""
        asked = replace(self.question, minutes=minutes)
        return replace(self, question=asked, limit_cm=_limits_cm(self.study, asked))

    @cached_property
    def unit_tree(self) -> shapely.STRtree:
        """A tree over the polygons of the units."""
        return shapely.STRtree(self.study.city.units.geometry)

    def position(self, xy_m: FloatArray) -> Positions:
        """Where a place, (1, 2) in the city's CRS, joins the streets."""
        return self.position_at(float(xy_m[0, 0]), float(xy_m[0, 1]))

    def position_at(self, x_m: float, y_m: float) -> Positions:
        """The same of two numbers."""
        limit_m = self.study.policy.attachment.max_leg_m.value
        return self.study.edges.snap_one(x_m, y_m, limit_m)

    def services(self, position: Positions, xy_m: FloatArray | None = None) -> list[PlaceService]:
        """Every service from one position; of a place (1, 2), as far as the lists go there."""
        cm, facility = self.nearest.nearest(position)
        assessed = self.assessed if xy_m is None else self._assessed_at(xy_m)
        told = zip(self.study.travel.services, facility, cm, self.limit_cm, assessed, strict=True)
        return [
            PlaceService(service, None, None, False if judged else None)
            if walk == UNREACHED
            else PlaceService(service, place, walk, walk <= limit if judged else None)
            for service, place, walk, limit, judged in told
        ]

    def _assessed_at(self, xy_m: FloatArray) -> tuple[bool, ...]:
        """Whether each service can be judged at a place: not beyond what its list covers."""
        extents = self.study.city.extents
        if not extents:
            return self.assessed
        place = shapely.points(xy_m[0])
        beyond = {s for s, one in extents.items() if not shapely.intersects(one.geometry, place)}
        shape = self.study.city.units.geometry
        undrawn = {s for s in beyond if any(shape[i] is None for i in extents[s].units)}
        if undrawn and (home := self._home(xy_m)) is not None:
            beyond -= {s for s in undrawn if self.study.judged(s).cell[home]}
        return tuple(
            known and service not in beyond
            for service, known in zip(self.study.travel.services, self.assessed, strict=True)
        )

    def _home(self, xy_m: FloatArray) -> int | None:
        """The cell nearest to a place, no farther than anybody walks to a street; None if none.

        Units without a polygon are known by who lives in them alone.
        """
        if not len(self.study.city.cells):
            return None
        limit_m = self.study.policy.attachment.max_leg_m.value
        near = self._cell_tree.query_nearest(shapely.points(xy_m[0]), max_distance=limit_m)
        return int(near.min()) if len(near) else None

    @cached_property
    def _cell_tree(self) -> shapely.STRtree:
        """A tree over the places of the cells."""
        return shapely.STRtree(np.asarray(shapely.points(self.study.city.cells.xy_m), dtype=object))

    def circle_states(self, services: list[PlaceService]) -> list[PlaceCircle]:
        """Every kind of circle, from the services of the place."""
        found = []
        for kind, rows, required in self.circles:
            known = [services[k] for k in rows if k != NOBODY and services[k].within is not None]
            reached = sum(bool(one.within) for one in known)
            unassessed = len(rows) - len(known)
            missing = [one.service for one in known if not one.within]
            complete = one_circle(reached, required, unassessed)
            found.append(PlaceCircle(kind, complete, reached, len(known), required, missing))
        return found


def _limits_cm(study: Study, question: Question) -> tuple[int, ...]:
    asked = (ask(study, question.about(service)) for service in study.travel.services)
    return tuple(one.limit_cm for one in asked)
