"""Springcity's tables and layers on disk: ordinary files, the same bytes every time."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pyogrio
import shapely

from lifecircle.analysis.demo.springcity.facts import Facts
from lifecircle.analysis.demo.springcity.ground.terrain import height_m
from lifecircle.analysis.demo.springcity.places import Place
from lifecircle.analysis.demo.springcity.plan import MARK_ZH, to_city, to_lonlat
from lifecircle.analysis.demo.springcity.residents import People, level_totals
from lifecircle.analysis.demo.springcity.units import LEVELS, UnitTable

_TREND: Final = ("residents", "households")
_NO_DATE: Final = "2025-01-01T00:00:00.000Z"
_FACILITY_COLUMNS: Final = (
    "ownership", "level", "opening_hours", "daily_hours", "status", "unit_code", "parcel",
    "built_area", "activity_area", "indoor_area", "outdoor_area", "effective_area", "capacity",
    "beds", "places", "inclusive", "standardised", "lit", "age_friendly", "child_friendly",
    "barrier_free", "open_saturday", "open_sunday", "open_late", "community_hospital",
    "smart_security", "charity_supermarket",
)  # fmt: skip
_PIXEL_DEG: Final = 0.0005


@contextmanager
def _without_clock() -> Iterator[None]:
    """GDAL writes the date of now into a GeoPackage; here it writes one fixed date."""
    pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": _NO_DATE})
    try:
        yield
    finally:
        pyogrio.set_gdal_config_options({"OGR_CURRENT_DATE": None})


def _layer(frame: gpd.GeoDataFrame, path: Path) -> None:
    path.unlink(missing_ok=True)
    with _without_clock():
        frame.to_file(path, layer=path.stem, driver="GPKG", engine="pyogrio")


def write_population(path: Path, people: People) -> None:
    """Cells as polygons with residents, groups and households."""
    frame = gpd.GeoDataFrame(
        {
            "id": people.id,
            "population": people.residents,
            "pop_0_3": people.children,
            "pop_65": people.older,
            "households": people.households,
            "source": MARK_ZH,
        },
        geometry=people.polygon,
        crs="EPSG:4326",
    )
    _layer(frame, path)


def write_units(folder: Path, units: UnitTable, people: People) -> tuple[Path, ...]:
    """One layer per level, with totals that are the sums of the cells."""
    paths = []
    for level in LEVELS:
        table = units.of_level(level)
        sums = list(level_totals(people, units, level).values())
        outlines = [shapely.transform(unit.outline, to_lonlat) for unit in table]
        frame = gpd.GeoDataFrame(
            {
                "code": [unit.code for unit in table],
                "name": [unit.name for unit in table],
                "name_en": [unit.name_en for unit in table],
                "level": level,
                "class": ["城" if unit.urban else "乡" for unit in table],
                "parent_code": [unit.parent or None for unit in table],
                "population": [total.residents for total in sums],
                "pop_0_3": [total.children for total in sums],
                "pop_65": [total.older for total in sums],
                "households": [total.households for total in sums],
                "source": MARK_ZH,
            },
            geometry=outlines,
            crs="EPSG:4326",
        )
        paths.append(folder / f"units_{level}.gpkg")
        _layer(frame, paths[-1])
    return tuple(paths)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """A plain table, UTF-8, the same bytes on every machine."""
    with path.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle, lineterminator="\n")
        table.writerow(header)
        table.writerows(rows)


def write_facilities(path: Path, places: Sequence[Place], until: int) -> None:
    """The bureau's table of facilities open by a year, degrees WGS84; a place keeps its id."""
    listed = [place for place in places if place.file in {"table", "both"}]
    known = [(k, place) for k, place in enumerate(listed, start=1) if place.opened <= until]
    header = (
        "id", "type", "name", "name_en", "lon", "lat", *_FACILITY_COLUMNS, "opened", "source",
    )  # fmt: skip
    rows = (
        (
            f"F{number:05d}",
            place.service,
            place.name,
            place.name_en,
            f"{place.lonlat[0]:.7f}",
            f"{place.lonlat[1]:.7f}",
            *(place.attributes.get(c, "") for c in _FACILITY_COLUMNS),
            place.opened,
            MARK_ZH,
        )
        for number, place in known
    )
    write_csv(path, header, rows)


def write_statistics(path: Path, years: Mapping[int, Facts]) -> None:
    """Long table of unit statistics: all of the last year, of earlier ones residents and
    households. What is not known has no row."""
    last = max(years)
    rows = (
        (code, attribute, value, year, MARK_ZH)
        for year, facts in sorted(years.items())
        for (code, attribute), value in facts.items()
        if year == last or attribute in _TREND
    )
    write_csv(path, ("unit_code", "attribute", "value", "year", "source"), rows)


def write_elevation(path: Path, people: People) -> bool:
    """Heights as a GeoTIFF; False, and no file, where rasterio is not installed."""
    try:
        import rasterio
    except ImportError:
        return False
    west, south, east, north = shapely.total_bounds(people.polygon)
    margin = 20 * _PIXEL_DEG
    lon = np.arange(west - margin, east + margin, _PIXEL_DEG)
    lat = np.arange(north + margin, south - margin, -_PIXEL_DEG)
    gx, gy = np.meshgrid(lon, lat)
    heights = height_m(to_city(np.column_stack([gx.ravel(), gy.ravel()])))
    half = _PIXEL_DEG / 2
    corner = rasterio.Affine(_PIXEL_DEG, 0.0, lon[0] - half, 0.0, -_PIXEL_DEG, lat[0] + half)
    with rasterio.open(
        path, "w", driver="GTiff", width=len(lon), height=len(lat), count=1, dtype="float32",
        crs="EPSG:4326", transform=corner, compress="deflate",
    ) as raster:  # fmt: skip
        raster.write(heights.reshape(gx.shape).astype(np.float32), 1)
        raster.update_tags(source=MARK_ZH)
    return True
