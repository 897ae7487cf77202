"""What lies across the cuts of an area in parts: facilities, gaps, catchments."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import shapely

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.measures.siting.place import Siting
from lifecircle.analysis.quantities import Int32Array, IntArray
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run

KINDS: Final = ("facility", "gap", "catchment")


def across_cuts(run: Run, parts: Sequence[Int32Array]) -> dict[str, set[int]]:
    """Of each kind the parts over whose border one of them lies.

    `parts`: the units (indices) of each part. A facility lies across where its shape touches units
    of two parts, a gap where its connected region has residents in two, a catchment where people of
    two parts have one nearest place.
    """
    city = run.city
    part_of: IntArray = np.full(len(city.units.code), -1)
    for number, units in enumerate(parts):
        part_of[units] = number
    of_code = dict(zip(city.units.code.tolist(), part_of.tolist(), strict=True))
    own = np.flatnonzero(part_of >= 0)
    tree = shapely.STRtree(city.units.geometry[own])
    facility, unit = tree.query(city.facilities.geometry, predicate="intersects")
    gaps = layer_frame(run, "gaps")
    regions = zip(gaps["service"], gaps["region"], strict=True)
    cell_part = np.max([np.where(u >= 0, part_of[u], -1) for u in city.cells.unit.values()], axis=0)
    found = {
        "facility": _shared(zip(facility.tolist(), part_of[own[unit]].tolist(), strict=True)),
        "gap": _shared(zip(regions, map(of_code.get, gaps["unit_code"]), strict=True)),
        "catchment": set[int](),
    }
    for nearest in run.travel.cell_facility:
        found["catchment"] |= _shared(zip(nearest.tolist(), cell_part.tolist(), strict=True))
    return found


def write_border_sites(file: Path, run: Run, parts: Sequence[Int32Array]) -> Path:
    """Candidate sites on the borders between units of two parts, in the middle of each."""
    units = run.city.units
    part_of = {int(unit): number for number, held in enumerate(parts) for unit in held}
    own = np.array(sorted(part_of))
    tree = shapely.STRtree(units.geometry[own])
    spots = []
    for one, other in tree.query(units.geometry[own], predicate="intersects").T:
        if one < other and part_of[int(own[one])] != part_of[int(own[other])]:
            border = shapely.intersection(units.geometry[own[one]], units.geometry[own[other]])
            if not shapely.is_empty(border):
                spots.append(shapely.get_coordinates(shapely.point_on_surface(border))[0])
    lonlat = to_lonlat(np.array(spots), run.city.crs)
    rows = [f"k{i},{lon:.7f},{lat:.7f}" for i, (lon, lat) in enumerate(lonlat.tolist())]
    file.write_text("\n".join(["name,lon,lat", *rows]) + "\n", encoding="utf-8")
    return file


def parts_of_site(found: Siting, run: Run, parts: Sequence[Int32Array]) -> set[int]:
    """The parts in which residents live whom proposed places newly cover."""
    cells, limit = run.city.cells, found.asked.limit_cm
    won = (found.cell_cm_after <= limit) & (found.cell_cm_before > limit) & (cells.residents > 0)
    homes = {int(unit) for units in cells.unit.values() for unit in units[won]}
    return {number for number, units in enumerate(parts) if homes.intersection(units.tolist())}


def _shared(pairs: Iterable[tuple[object, int | None]]) -> set[int]:
    """The parts of things that have more than one of them."""
    held: defaultdict[object, set[int]] = defaultdict(set)
    for thing, part in pairs:
        if thing != -1 and part is not None and part >= 0:
            held[thing].add(part)
    return {part for parts in held.values() if len(parts) > 1 for part in parts}
