"""Who lives where: counted, spread from units' totals, reckoned from floors, or not known."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lifecircle.analysis.city.model import StrArray, Units
from lifecircle.analysis.city.notes import Calibrated, Spread
from lifecircle.analysis.city.residents.calibrate import (
    describe_calibration,
    join_seeds,
    only_units,
    scale_to_totals,
)
from lifecircle.analysis.city.residents.dasymetric import spread_unit_totals
from lifecircle.analysis.city.residents.dasymetric_doubt import compare_spreads
from lifecircle.analysis.city.residents.homes import Ground, NearStreets
from lifecircle.analysis.city.residents.part_spread import PartSpread, join_doubts, join_spreads
from lifecircle.analysis.city.residents.population import CellSeed, cells_from_table
from lifecircle.analysis.city.residents.uncounted import (
    mapped_area,
    reckon_from_floor,
    stand_uncounted,
)
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.units.units import (
    area_polygon_from,
    assign_units,
    build_units,
    group_totals,
    sort_declared,
)
from lifecircle.analysis.errors import ParameterError, Warn
from lifecircle.analysis.policy import Policy
from lifecircle.analysis.policy.sections.plausible import plausible
from lifecircle.analysis.quantities import Int32Array
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.records.tables import CellTable, UnitTable
from lifecircle.analysis.working_copy import begin_in_copy

Doubt = tuple[tuple[Spread, ...], tuple[Warn, ...]]


def _no_doubt() -> Doubt:
    return (), ()


@dataclass(frozen=True, slots=True)
class Settled:
    """Units, populated cells, and the unit of each cell by level.

    `doubt` waits for how sure the residents are that were spread, which is found beside what
    follows: a row a unit, and remarks that go behind `warnings`.
    """

    units: Units
    seed: CellSeed
    unit_of: Mapping[str, Int32Array]
    doubt: Callable[[], Doubt]
    warnings: tuple[Warn, ...]
    calibrated: tuple[Calibrated, ...] = ()


@dataclass(frozen=True, slots=True)
class People:
    """What is said of residents: a table of cells, units, floor (m²) per resident of homes.

    `calibrate`: whether the cells are scaled to the totals of the units.
    """

    cells: CellTable | None
    units: UnitTable | None
    m2_per_resident: float | None = None
    calibrate: bool = False

    @property
    def with_totals(self) -> bool:
        """Whether a unit says how many live in it."""
        return self.units is not None and bool(self.units.residents.known.any())

    def check(self) -> None:
        """Refuse floors beside people who are counted already, and what cannot be calibrated.

        Raises
        ------
        ParameterError : more than one source of residents, impossible m², nothing to calibrate.
        """
        if self.calibrate and (self.cells is None or not self.with_totals):
            raise ParameterError("pipeline_calibrate_what")
        check_floor(self.m2_per_resident)
        if self.m2_per_resident is None:
            return
        if self.cells is not None:
            raise ParameterError("pipeline_residents_twice")
        if self.units is not None and self.with_totals:
            known = self.units.residents.known
            told = {"known": int(known.sum()), "count": len(known)}
            raise ParameterError("pipeline_totals_beside_floor", **told)


def check_floor(m2_per_resident: float | None) -> None:
    """Refuse floor (m²) per resident that no home has; None is not asked.

    Raises
    ------
    ParameterError : too small or too large.
    """
    low, high = plausible().least_floor_m2.value, plausible().most_floor_m2.value
    if m2_per_resident is not None and not low <= m2_per_resident <= high:
        told = {"area": f"{m2_per_resident:g}", "low": int(low), "high": int(high)}
        raise ParameterError("pipeline_floor_per_resident", **told)


def settle(
    people: People,
    places: OsmPlaces | None,
    network: WalkNetwork,
    policy: Policy,
    parts: Sequence[PartSpread] = (),
) -> Settled:
    """Units and cells of a city.

    `parts`: the totals of the units spread already, some units in each; then of `places` no
    buildings are asked for.

    Raises
    ------
    ParameterError : no place to walk from is known, or no home where residents are to be reckoned
        from floors.
    InputError : totals of units that cannot be.
    """
    streets = NearStreets(network)
    ground = Ground(streets=streets)
    if places is not None:
        ground = Ground(places.buildings, places.residential, places.no_homes, streets)
    if people.cells is not None and people.units is not None and people.calibrate:
        return _calibrated(people.cells, people.units, ground, network, policy)
    if people.cells is not None:
        return _counted(people.cells, people.units, network, policy)
    if people.units is not None and people.with_totals:
        return _spread(people.units, ground, network, policy, parts)
    levels, crs = tuple(policy.unit_levels), network.crs
    if people.units is None:
        area = mapped_area(ground, crs, policy.attachment.max_leg_m.value)
        units = build_units(None, crs, levels, area)
    else:
        units = build_units(people.units, crs, levels)
    if people.m2_per_resident is None:
        seed = stand_uncounted(units, ground, policy.spread, crs)
    else:
        seed = reckon_from_floor(units, ground, policy.spread, people.m2_per_resident, crs)
    return Settled(units, seed, assign_units(seed.xy_m, units), _no_doubt, seed.warnings)


def _counted(
    cells: CellTable, borders: UnitTable | None, network: WalkNetwork, policy: Policy
) -> Settled:
    levels = tuple(policy.unit_levels)
    if borders is None:
        seed = cells_from_table(cells, network.crs)
        hull = area_polygon_from(seed.xy_m, policy.attachment.max_leg_m.value)
        units = build_units(None, network.crs, levels, hull)
    else:
        units = build_units(borders, network.crs, levels)
        seed = cells_from_table(cells, network.crs, units)
    return Settled(units, seed, assign_units(seed.xy_m, units), _no_doubt, seed.warnings)


def _spread(
    borders: UnitTable,
    ground: Ground,
    network: WalkNetwork,
    policy: Policy,
    parts: Sequence[PartSpread],
) -> Settled:
    units = build_units(borders, network.crs, tuple(policy.unit_levels))
    totals = group_totals(borders, units)
    if parts:
        spread = join_spreads(units, tuple(totals), parts, policy.spread)
    else:
        spread = spread_unit_totals(units, totals, ground, policy.spread, network.crs)
    codes: StrArray = units.code[spread.unit]
    unit_of = assign_units(spread.seed.xy_m, units, sort_declared(codes, units))
    if parts:
        told = join_doubts(units, parts, policy)
        return Settled(units, spread.seed, unit_of, lambda: told, spread.warnings)
    doubt = begin_in_copy(lambda: compare_spreads(units, spread, ground, policy, network.crs))
    return Settled(units, spread.seed, unit_of, doubt, spread.warnings)


def _calibrated(
    cells: CellTable, borders: UnitTable, ground: Ground, network: WalkNetwork, policy: Policy
) -> Settled:
    """Cells scaled to the totals of units; units in which the file has nobody are spread."""
    crs = network.crs
    units = build_units(borders, crs, tuple(policy.unit_levels))
    totals = group_totals(borders, units)
    scaled = scale_to_totals(cells, units, totals, crs)
    seed = cells_from_table(scaled.table, crs, units, scaled.block)
    told = describe_calibration(units, scaled)
    if len(scaled.empty) == 0:
        unit_of = assign_units(seed.xy_m, units)
        return Settled(units, seed, unit_of, _no_doubt, (told, *seed.warnings), scaled.rows)
    bare = only_units(units, scaled.empty)
    spread = spread_unit_totals(bare, totals, ground, policy.spread, crs)
    joined, order = join_seeds((seed, spread.seed))
    declared = np.full(len(order), None, dtype=np.object_)
    declared[len(seed) :] = units.code[spread.unit]
    unit_of = assign_units(joined.xy_m, units, sort_declared(declared[order], units))
    doubt = begin_in_copy(lambda: compare_spreads(bare, spread, ground, policy, crs))
    of_spread = [one for one in spread.warnings if one.key != "units_without_residents"]
    said = (told, *seed.warnings, *of_spread)
    return Settled(units, joined, unit_of, doubt, said, scaled.rows)
