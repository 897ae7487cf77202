"""Cities for a batch: grids of streets drawn in a moment, and springcities of drawn sizes."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.demo.samples import write_springcity

_DEGREE_M: Final = 111_320.0
_GRID_HEAD: Final = '[defaults]\ndatum = "wgs84"\npolicy = "cn-15min"\n'
_SPRING_HEAD: Final = '[defaults]\ndatum = "wgs84"\npolicy = "kunming-2022-77"\n'


def write_grids(folder: Path, count: int, rng: np.random.Generator, more: str = "") -> Path:
    """The file of a batch of so many grids; `more`: what all of them have besides."""
    return _written(
        folder, _GRID_HEAD + more, [_grid(folder, f"city{i:03}", rng) for i in range(count)]
    )


def write_springcities(folder: Path, scales: list[float], more: str = "") -> Path:
    """The file of a batch of springcities, each drawn from a seed of its own."""
    tables = [_springcity(folder, f"spring{i:03}", i, one) for i, one in enumerate(scales)]
    return _written(folder, _SPRING_HEAD + more, tables)


def draw_scales(count: int, low: float, high: float, rng: np.random.Generator) -> list[float]:
    """Scales of springcity, equally many of each order of size; 1 is a million residents."""
    drawn = np.exp(rng.uniform(np.log(low), np.log(high), count))
    return [round(float(one), 4) for one in drawn]


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


def _springcity(folder: Path, name: str, seed: int, scale: float) -> str:
    """Its files in a folder of its own; its table for the file of the batch."""
    files = write_springcity(folder / name, seed=seed, scale=scale)
    surveyed = ", ".join(f'"{one}"' for one in files.surveyed)
    units = ", ".join(f'"{name}/{one.name}"' for one in files.units)
    return (
        f'[cities.{name}]\nzh = "示范市{seed}"\nen = "Spring City {seed}"\n'
        f'osm = "{name}/{files.osm.name}"\npopulation = ["{name}/{files.population.name}"]\n'
        f"units = [{units}]\n"
        f'facilities = ["{name}/{files.facilities.name}"]\n'
        f'statistics = ["{name}/{files.statistics.name}"]\n'
        f"surveyed = [{surveyed}]\nyear = {files.year}\n"
    )
