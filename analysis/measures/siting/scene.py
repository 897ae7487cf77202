"""What the solvers of siting need of a city, and its figures counted again by the travel code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np

from lifecircle.analysis.access.nearest import (
    NodeField,
    goals_of,
    nearest_from_nodes,
    nearest_from_positions,
    service_attachments,
)
from lifecircle.analysis.access.sites import CellsOnEdges, SiteWalks, walks_improved, walks_to_sites
from lifecircle.analysis.access.walking import WalkCosts
from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.measures.names import TOTAL
from lifecircle.analysis.measures.question import (
    Asked,
    Question,
    Study,
    ask,
    covered,
    default_level,
    walks_to,
)
from lifecircle.analysis.measures.remarks import list_remarks, named
from lifecircle.analysis.measures.residents import judged_persons, unknown_units
from lifecircle.analysis.measures.siting.candidates import Sites
from lifecircle.analysis.measures.siting.problem import (
    SiteProblem,
    pose_maximal_covering,
    pose_p_median,
)
from lifecircle.analysis.quantities import (
    NOBODY,
    SECONDS_PER_MINUTE,
    UNREACHED_CM,
    BoolArray,
    Int32Array,
    IntArray,
)


@dataclass(frozen=True, slots=True)
class Proposal:
    """One site, in the order of what each adds; persons are whole, `residents_new` is marginal.

    `residents_new`: covered with it and not with those before it. `residents_reached`: all within
    the limit of it. `person_minutes_saved`: by everyone who has a way both before and after.
    `load`: residents it would serve (objective capacity only).
    """

    site: int
    residents_new: int
    groups_new: Mapping[str, int]
    residents_reached: int
    person_minutes_saved: float
    unit_code: str | None
    unit_name: str | None
    load: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """All the solvers need of a city: the question, who walks how far now, who gains by whom."""

    study: Study
    asked: Asked
    existing: Attachments
    sites: Sites
    persons: IntArray
    cell_cm: Int32Array
    node: NodeField
    near: SiteWalks

    @property
    def city(self) -> City:
        """The city of the study."""
        return self.study.city

    @property
    def costs(self) -> WalkCosts:
        """Walking costs of its streets."""
        return self.study.costs

    @property
    def covered(self) -> BoolArray:
        """Cells within the limit of an existing facility, bool (c,)."""
        return self.within(self.cell_cm)

    def within(self, cell_cm: Int32Array) -> BoolArray:
        """Cells covered by some walks (c,), bool (c,)."""
        return covered(cell_cm, self.city.cells.position, self.asked.limit_cm)

    def maximal_covering(self) -> SiteProblem:
        """The question of covering most residents."""
        return pose_maximal_covering(self.persons, self.covered, self.near)

    def p_median(self) -> SiteProblem:
        """The question of walking least; who has no way now walks as far as the farthest does."""
        cells = CellsOnEdges.of(self.costs, self.city.cells.position)
        walks = walks_improved(
            self.costs, cells, self.sites.attachments, len(self.sites), self.node, self.cell_cm
        )
        way = self.cell_cm != UNREACHED_CM
        farthest = max(int(self.cell_cm[way].max(initial=0)), int(walks.cm.max(initial=0)) + 1)
        return pose_p_median(
            self.persons, np.where(way, self.cell_cm, farthest).astype(np.int64), walks
        )

    def after(self, chosen: IntArray) -> Iterator[Int32Array]:
        """Walks (c,) with each further site, found by the ordinary travel code from the start."""
        for count in range(1, len(chosen) + 1):
            mine = [np.flatnonzero(self.sites.attachments.facility == j) for j in chosen[:count]]
            rows = np.concatenate(mine)
            facility = np.concatenate(
                (self.existing.facility, np.full(len(rows), _next(self.city), dtype=np.int32))
            )
            position = Positions.joined(
                (self.existing.position, self.sites.attachments.position.take(rows))
            )
            goals = goals_of(self.costs, Attachments(facility, position))
            field = nearest_from_nodes(self.costs, goals)
            yield nearest_from_positions(self.costs, goals, field, self.city.cells.position).cm


def scene_of(study: Study, question: Question, sites: Sites) -> Scene:
    """The question put before the solvers.

    Raises
    ------
    UnknownNameError : no such service or walker.
    ParameterError : impossible minutes, or a service nothing is known about.
    """
    city, costs = study.city, study.costs
    asked = ask(study, question)
    service = asked.service.id
    walks = walks_to(study, service)
    if walks is None:
        raise ParameterError("siting_not_assessed", title=asked.service.title)
    node = _field(study, service)
    return Scene(
        study,
        asked,
        service_attachments(city, service),
        sites,
        judged_persons(study, service, TOTAL).astype(np.int64),
        np.asarray(walks.cell_cm),
        node,
        walks_to_sites(costs, sites.attachments, len(sites), city.cells.position, asked.limit_cm),
    )


def _field(study: Study, service: str) -> NodeField:
    city, travel = study.city, study.travel
    if service in travel.services:
        row = travel.row(service)
        return NodeField(np.asarray(travel.node_cm[row]), np.asarray(travel.node_facility[row]))
    size = city.network.node_count
    return NodeField(
        np.full(size, UNREACHED_CM, dtype=np.int32), np.full(size, NOBODY, dtype=np.int32)
    )


def count_again(
    scene: Scene, chosen: IntArray, loads: Mapping[int, int] | None = None
) -> tuple[tuple[Proposal, ...], Int32Array]:
    """Each site's own share, by walks computed afresh with it added; and the walks with all."""
    city = scene.city
    level = default_level(city)
    before = scene.cell_cm
    made = []
    for j, after in zip(chosen.tolist(), scene.after(chosen), strict=True):
        new = scene.within(after) & ~scene.within(before) & (scene.persons > 0)
        both = (before != UNREACHED_CM) & (after != UNREACHED_CM)
        saved = scene.persons[both] @ (before[both].astype(np.int64) - after[both])
        unit = int(scene.sites.unit[level][j])
        cells, _ = scene.near.of(j)
        made.append(
            Proposal(
                j,
                int(scene.persons[new].sum()),
                MappingProxyType(
                    {g: int(n.value[new].sum()) for g, n in city.cells.groups.items()}
                ),
                int(scene.persons[cells].sum()),
                float(saved) * person_minutes(scene),
                None if unit == NOBODY else str(city.units.code[unit]),
                None if unit == NOBODY else str(city.units.name[unit]),
                None if loads is None else loads[j],
            )
        )
        before = after
    return tuple(made), before


def person_minutes(scene: Scene) -> float:
    """Minutes per centimetre walked."""
    return 1 / (100 * float(scene.asked.walker.speed_m_per_s) * SECONDS_PER_MINUTE)


def find_uncoverable(scene: Scene, cover: SiteProblem) -> Int32Array:
    """Cells with residents that no facility and no candidate covers: indices, int32 (k,)."""
    helped = np.zeros(len(scene.persons), dtype=np.bool_)
    helped[cover.cell] = True
    return np.flatnonzero(~helped & ~scene.covered & (scene.persons > 0)).astype(np.int32)


def remarks_of(scene: Scene, cover: SiteProblem) -> Iterator[Warn]:
    """Who cannot be covered, whom the list leaves out, and whose residents are not known."""
    yield from list_remarks(scene.study, scene.asked.service)
    lost = find_uncoverable(scene, cover)
    if len(lost):
        off = ~scene.city.cells.position.snapped[lost]
        persons = scene.persons[lost]
        yield Warn(
            "siting_culprits",
            {
                "cells": len(lost),
                "residents": int(persons.sum()),
                "unsnapped": int(persons[off].sum()),
                "no_candidate": int(persons[~off].sum()),
            },
        )
    level = default_level(scene.city)
    rows = scene.city.units.of_level(level)
    missing = rows[unknown_units(scene.city, level)[rows]]
    if len(missing):
        told = {"count": len(missing), "units": named(scene.city.units, missing)}
        yield Warn("siting_unknown_population", told)


def _next(city: City) -> int:
    return len(city.facilities)
