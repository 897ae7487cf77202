"""The work of one part: its places read from the map, the residents of its units spread."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import geopandas as gpd
import numpy as np

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.residents.homes import Ground, NearStreets
from lifecircle.analysis.city.residents.part_spread import PartSpread, spread_part
from lifecircle.analysis.city.units.units import build_units, group_totals
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.parts.answer import FRAMES, Answer, is_answered, write_answer
from lifecircle.analysis.parts.cutting import Part, read_part, spreads, streets_near
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.osm.boxes import write_things
from lifecircle.analysis.readers.osm.place_rows import OsmPlaces
from lifecircle.analysis.readers.osm.places import read_places
from lifecircle.analysis.readers.records.tables import FacilityTable
from lifecircle.analysis.readers.tables.units import read_units


def part_folder(folder: Path, number: int) -> Path:
    """The folder of a part's answer; `number` counts from 0."""
    return folder / f"part-{number}"


def work_part(request: BuildRequest, folder: Path, number: int, clock: Clock) -> None:
    """Do the work of a part of a cut area, unless its answer is there.

    Raises
    ------
    InputError : the map cannot be read.
    """
    target = part_folder(folder, number)
    if is_answered(target):
        return
    given = request.policy
    policy = given if isinstance(given, Policy) else load_policy(given)
    part = read_part(request, folder, number)
    clock.start("places")
    with TemporaryDirectory(prefix="lifecircle-") as aside:
        extract = Path(aside) / "part.osm.pbf"
        write_things(part.map, part.things, extract)
        places = read_places(extract, policy, request.today)
    clock.start("residents")
    spread = None
    if spreads(folder):
        spread = _spread(request, folder, part, places, policy)
    at_home = _only(places, part.home)
    houses = tuple(at_home.buildings["id"])
    if spread is not None:
        at_home = replace(at_home, buildings=at_home.buildings.iloc[:0])
    write_answer(Answer(at_home, houses, spread), target)


def _spread(
    request: BuildRequest, folder: Path, part: Part, places: OsmPlaces, policy: Policy
) -> PartSpread | None:
    """The residents of the part's units; None where it has none."""
    if len(part.units) == 0:
        return None
    borders = read_units(request.units, policy, request.declared(), request.year)
    units = build_units(borders, part.crs, tuple(policy.unit_levels))
    near = NearStreets(streets_near(folder, units, part.units, policy))
    ground = Ground(places.buildings, places.residential, places.no_homes, near)
    totals = group_totals(borders, units)
    return spread_part(units, part.units, totals, ground, policy, part.crs)


def _only(places: OsmPlaces, home: Collection[str]) -> OsmPlaces:
    """The places that are at home in a part."""

    def chosen(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return frame[frame["id"].isin(home)].reset_index(drop=True)

    frames = {name: chosen(getattr(places, name)) for name in FRAMES}
    return replace(
        places,
        facilities=_rows(places.facilities, home),
        **frames,
        incomplete=tuple(one for one in places.incomplete if one.id in home),
    )


def _rows(table: FacilityTable, home: Collection[str]) -> FacilityTable:
    rows = np.flatnonzero([one in home for one in table.id])
    return replace(
        table,
        id=table.id[rows],
        service=table.service[rows],
        name=table.name[rows],
        source=table.source[rows],
        attributes={name: values[rows] for name, values in table.attributes.items()},
        where=table.where.take(rows),
        rows=np.arange(1, len(rows) + 1, dtype=np.int64),
    )
