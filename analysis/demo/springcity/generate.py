"""From a drawn springcity to a folder of files: reads like the list of what an area needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from lifecircle.analysis.demo.springcity import kinds
from lifecircle.analysis.demo.springcity.facts import NOW, PAST, Facts
from lifecircle.analysis.demo.springcity.future import people_after, write_years
from lifecircle.analysis.demo.springcity.osm_file import write_osm
from lifecircle.analysis.demo.springcity.residents import People
from lifecircle.analysis.demo.springcity.world import Progress, TwoYears, World, draw_world
from lifecircle.analysis.demo.springcity.write import (
    write_elevation,
    write_facilities,
    write_population,
    write_statistics,
    write_units,
)


@dataclass(frozen=True, slots=True)
class SpringCityFiles:
    """Where everything of one springcity lies.

    `units`: one layer per level, from district down. `elevation` is None without rasterio.
    `surveyed`: services to declare as completely surveyed. `year`: of residents, facilities,
    statistics. `before`: the files of five years earlier, with the same streets and heights.
    `years`: residents of 2025, 2028 and 2030 in columns of their own.
    """

    osm: Path
    population: Path
    units: tuple[Path, ...]
    facilities: Path
    statistics: Path
    elevation: Path | None
    surveyed: tuple[str, ...]
    year: int = NOW
    before: SpringCityFiles | None = None
    years: Path | None = None


def write_springcity(
    folder: Path,
    *,
    seed: int = 77,
    scale: float = 1.0,
    progress: Progress | None = None,
) -> SpringCityFiles:
    """Write springcity's files into a folder (made if need be); same seed, same bytes.

    Parameters
    ----------
    seed
        Another seed, another city.
    scale
        1 is one district of a million residents; 5 is five districts and five million;
        below 1 the built-up ground shrinks and the residents stay, so that everything
        planted still holds.
    progress
        Called with a message key and the share done (0-1) before each step.

    Raises
    ------
    ParameterError
        A scale outside 0.1-10.
    """
    step = progress or silent
    return write_world(folder, draw_world(seed, scale, step), step)


def write_world(folder: Path, drawn: TwoYears, step: Progress) -> SpringCityFiles:
    """Write both years of a drawn city."""
    folder.mkdir(parents=True, exist_ok=True)
    step("samples_step_write", 0.7)
    now, past = drawn.now, drawn.past
    files = SpringCityFiles(
        osm=folder / "springcity.osm.pbf",
        population=folder / "population.gpkg",
        units=write_units(folder, now.units, now.people),
        facilities=folder / "facilities.csv",
        statistics=folder / "statistics.csv",
        elevation=_elevation(folder / "elevation.tif", now.people),
        surveyed=kinds.SURVEYED,
        years=folder / "population_years.csv",
    )
    write_years(
        folder / "population_years.csv", now.people, people_after(now.mesh.plan, now.people)
    )
    write_osm(files.osm, now.streets, now.areas, now.places, now.units, drawn.terrain)
    _write_year(files, now, {PAST: past.facts, NOW: now.facts})
    before = folder / str(PAST)
    before.mkdir(exist_ok=True)
    old = replace(
        files,
        population=before / "population.gpkg",
        units=write_units(before, past.units, past.people),
        facilities=before / "facilities.csv",
        statistics=before / "statistics.csv",
        year=PAST,
    )
    # What stood five years before is told by `opened` of today's places.
    _write_year(old, replace(past, places=now.places), {PAST: past.facts})
    if files.elevation is None:
        step("samples_step_no_heights", 0.99)
    step("samples_step_done", 1.0)
    return replace(files, before=old)


def _write_year(files: SpringCityFiles, world: World, years: Mapping[int, Facts]) -> None:
    write_population(files.population, world.people)
    write_facilities(files.facilities, world.places, max(years))
    write_statistics(files.statistics, years)


def silent(step: str, share: float) -> None:
    """Progress that nobody wants to see."""
    del step, share


def _elevation(path: Path, people: People) -> Path | None:
    return path if write_elevation(path, people) else None
