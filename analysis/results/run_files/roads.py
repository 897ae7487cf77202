"""The roads of profiles as files of a run: ``roads.<profile>.*.npy``, memory-mapped.

Of large cities it is kept where cells, facilities and land join them:
``roads.<profile>.cells.* .attachment.* .land.*``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.city.model import City
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.roads import RoadJoins, RoadNetwork
from lifecircle.analysis.city.streets.snap import Positions
from lifecircle.analysis.results.run_files.arrays import load, read_arrays, write_arrays

_ROADS: Final = "roads."
_SPEED: Final = ".uv_km_h.npy"


def write_roads(folder: Path, city: City) -> None:
    """The roads of every profile: nothing where there are none."""
    for profile, roads in city.roads.items():
        write_arrays(folder, f"{_ROADS}{profile}", roads)
        write_arrays(folder, f"{_ROADS}{profile}.network", roads.network)
        if roads.joins is not None:
            _write_joins(folder, f"{_ROADS}{profile}", roads.joins)


def read_roads(folder: Path, city: City) -> Mapping[str, RoadNetwork]:
    """The roads of every profile of a city; runs from before have none."""
    found = sorted(folder.glob(f"{_ROADS}*{_SPEED}"))
    names = [path.name.removeprefix(_ROADS).removesuffix(_SPEED) for path in found]
    return {name: _read_roads(folder, f"{_ROADS}{name}", city) for name in names}


def _write_joins(folder: Path, prefix: str, joins: RoadJoins) -> None:
    write_arrays(folder, f"{prefix}.cells", joins.cells)
    write_arrays(folder, f"{prefix}.attachment", joins.places.position)
    np.save(folder / f"{prefix}.attachment.facility.npy", joins.places.facility)
    if joins.land is not None:
        write_arrays(folder, f"{prefix}.land", joins.land)


def _read_joins(folder: Path, prefix: str, city: City) -> RoadJoins | None:
    """Where the city joins the roads of a profile: small cities and earlier runs keep it not."""
    facility = folder / f"{prefix}.attachment.facility.npy"
    if not facility.exists():
        return None
    places = Attachments(load(facility), read_positions(folder, f"{prefix}.attachment"))
    land = None if city.land is None else read_positions(folder, f"{prefix}.land")
    return RoadJoins(
        read_positions(folder, f"{prefix}.cells"), places, land,
        city.cells.xy_m, city.facilities.geometry, None if city.land is None else city.land.xy_m,
    )  # fmt: skip


def read_positions(folder: Path, prefix: str) -> Positions:
    """Positions, with the ends of stretches where there are any (none in earlier runs)."""
    stretches = folder / f"{prefix}.until_m.npy"
    until_m = load(stretches) if stretches.exists() else None
    return read_arrays(folder, prefix, Positions, until_m=until_m)


def _read_roads(folder: Path, prefix: str, city: City) -> RoadNetwork:
    forms = folder / f"{prefix}.network.vertex_form.npy"
    form = load(forms) if forms.exists() else None
    network = read_arrays(
        folder, f"{prefix}.network", WalkNetwork, crs=city.crs, vertex_form=form, slope=None
    )
    return read_arrays(
        folder, prefix, RoadNetwork, network=network, joins=_read_joins(folder, prefix, city)
    )
