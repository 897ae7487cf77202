"""How far the lists of facilities may be wrong: places they miss and places that are not there."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

from lifecircle.analysis.measures.completeness import completeness
from lifecircle.analysis.measures.question import Study, home_unit
from lifecircle.analysis.measures.siting.candidates import generated_sites, siting_rules
from lifecircle.analysis.policy.sections.doubts import doubts
from lifecircle.analysis.policy.sections.robustness import ranges
from lifecircle.analysis.quantities import BoolArray, Int32Array


@dataclass(frozen=True, slots=True)
class ListDoubt:
    """How far one service's list may be wrong.

    `rows` int32: its facilities where the list is complete. `missed`, `spread`: places that the
    list misses by Chapman's estimate and the deviation of their logarithm; None where there are
    no two lists, then the policy's range stands.
    """

    service: str
    rows: Int32Array
    missed: float | None
    spread: float

    @property
    def estimated(self) -> bool:
        """Whether two lists say how many places are missed."""
        return self.missed is not None

    def missed_share(self, quantile: float) -> float:
        """Places missed at a quantile (0-1), as a share of those on the list."""
        told = ranges()
        if not len(self.rows):
            return 0.0
        if self.missed is None:
            return quantile * told.missed_most.value
        if self.missed == 0:
            return 0.0
        from scipy.special import ndtri  # a quarter of a second to load, and few commands draw

        places = self.missed * math.exp(self.spread * float(ndtri(quantile)))
        return min(places / len(self.rows), told.missed_ceiling.value)

    def wrong_share(self, quantile: float) -> float:
        """Places that are not there at a quantile (0-1), as a share of those on the list."""
        return quantile * ranges().wrong_most.value


@dataclass(frozen=True, slots=True)
class CandidateCells:
    """Where missed places may lie: populated cells on the streets, by the unit that names them.

    `unit` int32 (c,) the unit of each cell; `place_unit` int32 (f,) that of each facility;
    `candidates` int32: cells that are candidate positions; `of_unit`: the same by unit.
    """

    unit: Int32Array
    place_unit: Int32Array
    candidates: Int32Array
    of_unit: Mapping[int, Int32Array] = field(repr=False)

    @classmethod
    def of(cls, study: Study) -> CandidateCells:
        """The candidate positions of a study: those that siting would generate."""
        city = study.city
        unit, place_unit = home_unit(city, city.cells.unit), home_unit(city, city.facilities.unit)
        cells = np.flatnonzero(city.cells.position.snapped & (city.cells.residents > 0))
        if study.policy.siting is not None:
            nobody = np.zeros(len(city.cells), dtype=np.bool_)
            spacing_m = siting_rules(study.policy).spacing_m.value
            sites = generated_sites(city, study.costs, spacing_m, nobody, None)
            row = {name: i for i, name in enumerate(city.cells.id)}
            cells = np.array([row[name.removeprefix("street/")] for name in sites.id], np.int64)
        chosen = cells.astype(np.int32)
        by_unit = {int(u): chosen[unit[chosen] == u] for u in np.unique(unit[chosen])}
        return cls(unit, place_unit, chosen, by_unit)

    def near(self, unit: int, judged: BoolArray) -> Int32Array:
        """Candidate positions of a unit that the list covers; of the whole list where none is."""
        own = self.of_unit.get(unit, self.candidates[:0])
        own = own[judged[own]]
        return own if len(own) else self.candidates[judged[self.candidates]]


def list_doubts(study: Study, services: Sequence[str]) -> tuple[ListDoubt, ...]:
    """How far the lists of the assessed of some services may be wrong."""
    found = []
    for service in services:
        if not study.city.assessed(service):
            continue
        rows = _listed(study, service)
        told = completeness(study, service)
        missed, spread = None, 0.0
        if told is not None and told.whole is not None:
            missed = max(0.0, told.whole.missed)
            if missed > 0:
                wide = (told.whole.high - told.whole.known) / missed
                spread = math.log(wide) / doubts().interval_deviations.value
        found.append(ListDoubt(service, rows, missed, spread))
    return tuple(found)


def _listed(study: Study, service: str) -> Int32Array:
    """The facilities of a service where its list is complete."""
    places, extent = study.city.facilities, study.city.extents.get(service)
    rows = np.flatnonzero(places.of_service(service)).astype(np.int32)
    if extent is None:
        return rows
    shapely.prepare(extent.geometry)
    return rows[shapely.intersects(extent.geometry, places.geometry[rows])]


def drop_rows(doubt: ListDoubt, share: float, seed: Sequence[int]) -> Int32Array:
    """Facilities that are not there: a part of the list, nested as the share grows."""
    order = np.random.default_rng([*seed, 0]).permutation(len(doubt.rows))
    return doubt.rows[order[: round(share * len(doubt.rows))]]


def draw_missed(
    study: Study, candidates: CandidateCells, doubt: ListDoubt, share: float, seed: Sequence[int]
) -> tuple[Int32Array, Int32Array]:
    """Missed places, nested as the share grows: like which listed one each is, and its cell.

    A missed place has the attributes of a listed one drawn with equal chances, and lies at a
    candidate position of that one's unit.
    """
    size = round(share * len(doubt.rows))
    chance = np.random.default_rng([*seed, 1]).random((size, 2))
    like = doubt.rows[(chance[:, 0] * len(doubt.rows)).astype(np.int64)]
    judged = study.judged(doubt.service).cell
    cells = np.full(size, -1, dtype=np.int32)
    for i, row in enumerate(like.tolist()):
        near = candidates.near(int(candidates.place_unit[row]), judged)
        if len(near):
            cells[i] = near[int(chance[i, 1] * len(near))]
    return like[cells >= 0], cells[cells >= 0]
