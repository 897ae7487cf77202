"""Residents: whole persons along the curve, homes of unit totals, tables as they came."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any

import numpy as np
import pandas as pd
import shapely

from tests.oracles.audit.checks import Check, Ledger
from tests.oracles.audit.ground import Land
from tests.oracles.audit.homes import LATTICE_M, HomeBook, Homes, units_of
from tests.oracles.audit.lists import read_lists
from tests.oracles.audit.persons import curve_order, whole
from tests.oracles.audit.scene import Scene

SQUARE_M = 500.0
SAME_SHARE = 0.999  # of persons, in the same square


def check_residents(scene: Scene, ledger: Ledger, land: Land | None) -> None:
    ledger.same(
        "residents.total", "residents of the cells, and of the summary",
        [("all", scene.summary["residents"], int(scene.residents.sum()))], unit="persons",
    )  # fmt: skip
    if scene.inputs.population is not None:
        _table(scene, ledger)
    elif scene.inputs.units and land is not None:
        _spread(scene, ledger, land)
    if scene.inputs.tags is not None:
        _lists(scene, ledger)
    if scene.inputs.facilities:
        _rows(scene, ledger)


def _table(scene: Scene, ledger: Ledger) -> None:
    """A table of cells: decimals made whole along the curve, whole numbers untouched."""
    frame = pd.read_csv(scene.inputs.population)
    order = curve_order(
        frame["lon"].to_numpy(), frame["lat"].to_numpy(), frame["population"].to_numpy(dtype=float)
    )
    persons = np.zeros(len(frame), dtype=np.int64)
    persons[order] = whole(frame["population"].to_numpy(dtype=float)[order].tolist())
    ours = dict(zip(frame["id"].astype(str), persons.tolist(), strict=True))
    theirs = dict(zip(scene.cells["id"].astype(str), scene.residents.tolist(), strict=True))
    ledger.same(
        "residents.table", "residents of cells from a table",
        [(name, theirs.get(name), ours.get(name)) for name in sorted({*ours, *theirs})],
        unit="persons",
    )  # fmt: skip


def _spread(scene: Scene, ledger: Ledger, land: Land) -> None:
    """Unit totals spread again: method and total of each unit, persons of each home."""
    units = scene.unit_files
    drawn = shapely.get_dimensions(scene.shapes) == 2
    lattice = drawn & ~scene.cells["id"].str.contains("/").to_numpy()
    points = (~drawn & ~scene.cells["id"].str.contains("/").to_numpy()).any()
    squares = bool(lattice.any()) or not points
    book = HomeBook.of(scene.joiner, land, scene.inputs.default_levels, squares)
    inside = units_of(book.middle, units, scene.joiner)
    shapes = scene.joiner.metric(np.asarray(units.geometry.array, dtype=object))
    homes: dict[str, Homes] = {}
    geodesic = book.geodesic()
    decided: list[tuple[str, Any, Any]] = []
    for row, code in enumerate(units["code"]):
        residents = units["residents"][row]
        if residents > 0:
            rows = np.flatnonzero(inside == row)
            homes[code] = book.of_unit(shapes[row], int(residents), rows)
            other = geodesic.choose(int(residents), rows)
            decided.append((code, homes[code].choice.believed, other.believed))
    ledger.same("residents.areas", "buildings believed, shoelace against geodesic areas", decided)
    _methods(scene, ledger, homes)
    _totals(scene, ledger)
    _cells(scene, ledger, homes)
    _squares_moved(scene, ledger, homes)


def _methods(scene: Scene, ledger: Ledger, homes: dict[str, Homes]) -> None:
    told = scene.product.layer("units").set_index("code")["spread_method"].to_dict()
    ledger.same(
        "residents.method", "how each unit's total is spread",
        [(f"{code} ({_why(one)})", told.get(code), one.method) for code, one in homes.items()],
        note=f"{sum(one.beyond for one in homes.values())} places of lattices lie beyond 250 m",
    )  # fmt: skip


def _why(one: Homes) -> str:
    each = "-" if one.choice.floor_each is None else f"{one.choice.floor_each:.1f} m2 each"
    return (
        each if one.choice.tagged_share is None else f"{each}, tagged {one.choice.tagged_share:.0%}"
    )


def _totals(scene: Scene, ledger: Ledger) -> None:
    units = scene.unit_files
    of_unit = pd.Series(scene.residents).groupby(scene.unit_of_cell.to_numpy()).sum()
    ledger.same(
        "residents.units", "residents of each unit against the file",
        [(code, int(of_unit.get(code, 0)), int(total))
         for code, total in zip(units["code"], units["residents"], strict=True)
         if np.isfinite(total)],
        unit="persons",
    )  # fmt: skip


def _cells(scene: Scene, ledger: Ledger, homes: dict[str, Homes]) -> None:
    """Persons home by home, by building id or place on the lattice."""
    theirs: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    middle = shapely.get_coordinates(shapely.centroid(scene.shapes))
    column = np.floor(middle / LATTICE_M + 1e-9).astype(int)
    for k, (name, unit) in enumerate(zip(scene.cells["id"], scene.unit_of_cell, strict=True)):
        key = name if "/" in name else f"{column[k, 0]}.{column[k, 1]}"
        theirs[unit][key] += int(scene.residents[k])
    same_rows: list[tuple[str, Any, Any]] = []
    moved = total = 0
    for code, one in homes.items():
        ours: dict[str, int] = defaultdict(int)
        for key, persons in zip(one.key, one.persons.tolist(), strict=True):
            ours[key] += persons
        keys = sorted({*ours, *theirs[code]})
        same_rows.extend(
            (f"{code} {key}", theirs[code].get(key, 0), ours.get(key, 0)) for key in keys
        )
        moved += sum(abs(theirs[code].get(key, 0) - ours.get(key, 0)) for key in keys)
        total += sum(ours.values())
    ledger.same(
        "residents.cells", "persons of each home", same_rows, unit="persons",
        note=f"{moved // 2:,} of {total:,} persons live in another home",
    )  # fmt: skip


def _squares_moved(scene: Scene, ledger: Ledger, homes: dict[str, Homes]) -> None:
    """Persons by squares of 500 m: what a reader of a map would see."""

    def count(middle: Any, persons: Any) -> dict[tuple[int, int], int]:
        found: dict[tuple[int, int], int] = defaultdict(int)
        for (i, j), n in zip(
            np.floor(middle / SQUARE_M).astype(int).tolist(), persons, strict=True
        ):
            found[i, j] += int(n)
        return found

    own = np.concatenate([one.shape for one in homes.values()])
    persons = np.concatenate([one.persons for one in homes.values()])
    ours = count(shapely.get_coordinates(shapely.centroid(own)), persons.tolist())
    theirs = count(
        shapely.get_coordinates(shapely.centroid(scene.shapes)), scene.residents.tolist()
    )
    keys = {*ours, *theirs}
    apart = [abs(ours.get(key, 0) - theirs.get(key, 0)) for key in keys]
    ledger.add(
        Check("residents.squares", "persons by squares of 500 m", int(persons.sum()),
              int(persons.sum()) - sum(apart) // 2, float(max(apart)), "persons",
              enough=SAME_SHARE)
    )  # fmt: skip


def _lists(scene: Scene, ledger: Ledger) -> None:
    """Facilities from OpenStreetMap by our own match of the rules."""
    assert scene.inputs.tags is not None
    listed = read_lists(scene.inputs.osm, scene.inputs.tags)
    frame = scene.facilities[scene.facilities["source"] == "osm"]
    theirs = frame.groupby("service")["place"].agg(set).to_dict()
    rows: list[tuple[str, Any, Any]] = []
    for service, ours in listed.of.items():
        for name in sorted(ours | theirs.get(service, set())):
            closed = " (closed)" if name in listed.closed[service] else ""
            rows.append(
                (f"{service} {name}{closed}", name in theirs.get(service, ()), name in ours)
            )
    ledger.same(
        "lists.osm", "places of OpenStreetMap that are a service", rows,
        note=f"{sum(map(len, listed.closed.values()))} left out: not open",
    )  # fmt: skip


def _rows(scene: Scene, ledger: Ledger) -> None:
    """Facilities of tables with the columns type, lon, lat: each row once, where it says."""
    tables = pd.concat([pd.read_csv(path) for path in scene.inputs.facilities])
    ours = Counter(
        (str(one.type), round(float(one.lon), 6), round(float(one.lat), 6))
        for one in tables.itertuples()
    )
    frame = scene.facilities[scene.facilities["source"] != "osm"]
    theirs = Counter(
        (service, round(place.x, 6), round(place.y, 6))
        for service, place in zip(
            frame["service"],
            shapely.centroid(np.asarray(frame.geometry.array, dtype=object)),
            strict=True,
        )
    )
    ledger.same(
        "lists.rows", "facilities of tables, type and place",
        [(" ".join(map(str, key)), theirs[key], ours[key]) for key in sorted({*ours, *theirs})],
    )  # fmt: skip
