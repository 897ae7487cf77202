"""The same city told otherwise: runs beside the one asked about, and cells held to unit totals."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import Cells, City
from lifecircle.analysis.city.residents.calibrate import scale_cells
from lifecircle.analysis.city.residents.dasymetric import level_with_totals
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.measures.question import Study
from lifecircle.analysis.quantities import Counts

UNIT_TOTALS: Final = "unit_totals"  # this run's cells, scaled to the totals of the units
_OF_UNITS: Final = "units"  # where a figure of the units' own table says it is from


@dataclass(frozen=True, slots=True)
class Beside:
    """Runs beside the one asked about, built from the same files with one other answer.

    `rule`: the other rule of barriers. `residents`, by the name of the run: another source or
    model of who lives where (other files, scaled to totals or not, spread otherwise).
    """

    rule: Study | None = None
    residents: Mapping[str, Study] = field(default_factory=lambda: MappingProxyType({}))

    def usable(self, study: Study) -> Beside:
        """Those that are the same city but for that answer."""
        rule = self.rule if self.rule is not None and is_twin(study, self.rule) else None
        fitting = {name: one for name, one in self.residents.items() if lives_otherwise(study, one)}
        return Beside(rule, MappingProxyType(fitting))


NOTHING: Final = Beside()


def is_twin(study: Study, other: Study) -> bool:
    """Whether two studies have the same residents, units and facilities on different streets."""
    a, b = study.city, other.city
    return (
        _same_places(a, b)
        and np.array_equal(a.cells.id, b.cells.id)
        and np.array_equal(a.cells.xy_m, b.cells.xy_m)
        and np.array_equal(a.cells.residents, b.cells.residents)
    )


def lives_otherwise(study: Study, other: Study) -> bool:
    """Whether two studies have the same walks, units and facilities, and others live there."""
    a, b = study.city, other.city
    return (
        _same_places(a, b)
        and b.cells.counted
        and study.travel.services == other.travel.services
        and np.array_equal(study.costs.uv_cm, other.costs.uv_cm)  # slope weighed in
        and np.array_equal(study.costs.vu_cm, other.costs.vu_cm)
        and not same_homes(a.cells, b.cells)
    )


def _same_places(a: City, b: City) -> bool:
    return (
        a.crs == b.crs
        and np.array_equal(a.facilities.id, b.facilities.id)
        and np.array_equal(a.facilities.service, b.facilities.service)
        and np.array_equal(a.units.code, b.units.code)
    )


def same_homes(a: Cells, b: Cells) -> bool:
    """Whether cells lie alike and hold as many."""
    return (
        np.array_equal(a.id, b.id)
        and np.array_equal(a.xy_m, b.xy_m)
        and np.array_equal(a.residents, b.residents)
    )


def held_to_totals(city: City) -> Cells | str:
    """The cells scaled to the totals of the units, or why they cannot be (a reason's name).

    As a build with ``--calibrate`` scales them, from the whole persons of the run: for cells that
    were fractions (a raster) a cell may be a person apart from that build.
    """
    units, cells = city.units, city.cells
    if not units.residents.known.any():
        return "no_totals"
    if cells.modelled.all():
        return "no_cells"
    if city.notes.calibrated:
        return "scaled_already"
    level = level_with_totals(units)
    held = cells.unit[level]
    sums = np.bincount(held[held >= 0], weights=cells.residents[held >= 0],
                       minlength=len(units.code))  # fmt: skip
    known = units.residents.known & (units.level == level)
    if (sums[known] == units.residents.value[known]).all():
        return "totals_agree"
    if (known & (sums == 0) & (units.residents.value > 0)).any():
        return "units_empty"
    return scale_cells(cells, units, _group_totals(city), city.crs)


def _group_totals(city: City) -> Mapping[str, Counts]:
    """Totals of groups that the table of units holds, in the order of the units."""
    told, size = city.statistics, len(city.units.code)
    if told is None:
        return {}
    own = np.equal(told.source, _OF_UNITS) & ~told.year.known & (told.unit >= 0)
    totals = {}
    for group in city.cells.groups:
        rows = np.flatnonzero(own & np.isin(told.attribute, (group, f"pop_{group}")))
        value, known = np.zeros(size, np.int64), np.zeros(size, np.bool_)
        value[told.unit[rows]] = told.value[rows].astype(np.int64)
        known[told.unit[rows]] = True
        totals[group] = Counts.of(value, known)
    return totals


def on_other_streets(lived_in: City, streets: City, position: Positions) -> City:
    """The residents of one city on the streets of another, joined to them at `position`."""
    cells = replace(lived_in.cells, position=position)
    return replace(streets, cells=cells, units=lived_in.units, statistics=lived_in.statistics)
