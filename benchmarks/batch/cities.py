"""Cities for a batch: grids of streets drawn in a moment, and springcities of drawn sizes.

A springcity has a million residents and more. Smaller ones are cut from it: as many neighbouring
subdistricts as a drawn number of residents needs, with the streets of the whole.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import geopandas as gpd
import numpy as np
import pandas as pd

from lifecircle.analysis.demo.samples import SpringCityFiles, write_springcity

_DEGREE_M: Final = 111_320.0
_GRID_HEAD: Final = '[defaults]\ndatum = "wgs84"\npolicy = "cn-15min"\n'
_SPRING_HEAD: Final = '[defaults]\ndatum = "wgs84"\npolicy = "kunming-2022-77"\n'


def write_grids(folder: Path, count: int, rng: np.random.Generator, more: str = "") -> Path:
    """The file of a batch of so many grids; `more`: what all of them have besides."""
    return _written(
        folder, _GRID_HEAD + more, [_grid(folder, f"city{i:03}", rng) for i in range(count)]
    )


def write_springcities(
    folder: Path, residents: list[int], *, scale: float = 0.1, seeds: int = 6, more: str = ""
) -> Path:
    """The file of a batch of springcities, each of at least so many residents or whole."""
    wholes = [
        write_springcity(folder / f"whole{seed}", seed=seed, scale=scale)
        for seed in range(min(seeds, len(residents)))
    ]
    layers = [
        {file: gpd.read_file(file) for file in (*one.units, one.population)} for one in wholes
    ]
    tables = []
    for i, least in enumerate(residents):
        files = wholes[i % len(wholes)]
        name = f"spring{i:03}"
        _cut(files, layers[i % len(wholes)], folder / name, least, np.random.default_rng(i))
        tables.append(_springcity(folder / name, files, i))
    return _written(folder, _SPRING_HEAD + more, tables)


def draw_sizes(count: int, low: int, high: int, rng: np.random.Generator) -> list[int]:
    """Residents of so many cities, equally many of each order of size."""
    drawn = np.exp(rng.uniform(np.log(low), np.log(high), count))
    return [int(one) for one in drawn]


def contents(workspace: Path, cities: set[str] | None = None) -> dict[str, str]:
    """Digest of every file of every current run, but of those that hold the time."""
    found = {}
    for pointer in workspace.glob("*/current"):
        name = pointer.parent.name
        if cities is not None and name not in cities:
            continue
        run = pointer.parent / "runs" / pointer.read_text(encoding="utf-8").strip()
        for file in run.iterdir():
            if file.name != "manifest.json":
                found[f"{name}/{file.name}"] = hashlib.sha256(file.read_bytes()).hexdigest()
    return found


def _written(folder: Path, head: str, tables: list[str]) -> Path:
    plan = folder / "cities.toml"
    plan.write_text(head + "\n".join(tables), encoding="utf-8")
    return plan


def _grid(folder: Path, name: str, rng: np.random.Generator) -> str:
    """A grid of streets with residents and places; its table for the file of the batch."""
    side = int(rng.integers(4, 24))
    step = 120 / _DEGREE_M
    nodes = [
        f'<node id="{x * side + y + 1}" lon="{x * step:.7f}" lat="{y * step:.7f}"/>'
        for x in range(side)
        for y in range(side)
    ]
    lines = [[x * side + y + 1 for y in range(side)] for x in range(side)]
    lines += [[x * side + y + 1 for x in range(side)] for y in range(side)]
    ways = []
    for i, line in enumerate(lines, start=1):
        refs = "".join(f'<nd ref="{n}"/>' for n in line)
        ways.append(f'<way id="{i}">{refs}<tag k="highway" v="residential"/></way>')
    text = f'<osm version="0.6">{"".join(nodes)}{"".join(ways)}</osm>'
    (folder / f"{name}.osm").write_text(text, encoding="utf-8")
    spots = rng.uniform(0, side * step, (side * 20, 2))
    people = rng.integers(1, 400, len(spots))
    rows = [f"{x:.6f},{y:.6f},{n}" for (x, y), n in zip(spots, people, strict=True)]
    (folder / f"{name}.csv").write_text("lon,lat,population\n" + "\n".join(rows), encoding="utf-8")
    kinds = ("pharmacy", "park", "health_centre", "market")
    places = [
        f"{kinds[i % 4]},p{i},{x:.6f},{y:.6f}"
        for i, (x, y) in enumerate(rng.uniform(0, side * step, (side, 2)))
    ]
    (folder / f"{name}-places.csv").write_text(
        "type,name,lon,lat\n" + "\n".join(places), encoding="utf-8"
    )
    return (
        f'[cities.{name}]\nosm = "{name}.osm"\npopulation = ["{name}.csv"]\n'
        f'facilities = ["{name}-places.csv"]\n'
    )


def _cut(
    files: SpringCityFiles, layers: dict[Path, gpd.GeoDataFrame], folder: Path, least: int,
    rng: np.random.Generator,
) -> None:  # fmt: skip
    """Write the tables of neighbouring streets of a springcity that have so many residents."""
    folder.mkdir()
    by_level = {file.stem.removeprefix("units_"): one for file, one in layers.items()}
    streets = pd.concat([by_level["subdistrict"], by_level["township"]], ignore_index=True)
    middles = streets.geometry.to_crs(3857).centroid
    near = middles.distance(middles.iloc[int(rng.integers(len(streets)))]).sort_values().index
    taken = streets.loc[near[: 1 + int((streets["population"][near].cumsum() < least).sum())]]
    everything = len(taken) == len(streets)
    ground = taken.geometry.union_all()
    codes: set[str] = set()
    for file, frame in layers.items():
        kept = frame[everything | frame.geometry.representative_point().within(ground)]
        if file.stem == "units_district" and not everything:
            continue  # its total would not be that of the cells
        if len(kept):
            kept.to_file(folder / file.name)
            codes |= {*kept.get("code", ())}
    places = pd.read_csv(files.facilities, dtype=str, keep_default_na=False)
    spots = gpd.points_from_xy(places["lon"].astype(float), places["lat"].astype(float))
    of_it = everything | spots.within(ground)
    places[of_it].to_csv(folder / files.facilities.name, index=False)
    told = pd.read_csv(files.statistics, dtype=str, keep_default_na=False)
    told[told["unit_code"].isin(codes)].to_csv(folder / files.statistics.name, index=False)


def _springcity(folder: Path, files: SpringCityFiles, number: int) -> str:
    """Its table for the file of the batch."""
    name = folder.name
    surveyed = ", ".join(f'"{one}"' for one in files.surveyed)
    units = ", ".join(f'"{name}/{one.name}"' for one in sorted(folder.glob("units_*.gpkg")))
    return (
        f'[cities.{name}]\nzh = "示范市{number}"\nen = "Spring City {number}"\n'
        f'osm = "{files.osm.parent.name}/{files.osm.name}"\n'
        f'population = ["{name}/{files.population.name}"]\n'
        f"units = [{units}]\n"
        f'facilities = ["{name}/{files.facilities.name}"]\n'
        f'statistics = ["{name}/{files.statistics.name}"]\n'
        f"surveyed = [{surveyed}]\nyear = {files.year}\n"
    )
