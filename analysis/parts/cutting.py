"""Cutting an area into parts: which units and which things of the map each part takes.

Every unit with residents to spread belongs to one part, and every thing of the map is at home in
one: that of the unit whose middle is nearest to that of its box. Beside those a part takes as
guests all things whose box touches one of its units or the margin around it. ::

    FOLDER/cut.json       what the area is measured in, how many parts there are
    FOLDER/cut.npz        homes, guests and units of the parts
    FOLDER/*.npy          the streets as lines, for parts to see how near they are
    FOLDER/ordered.osm.pbf    the map in order, where the one given is not
    FOLDER/part-0/ ...    what the parts answer (`answer`)
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import shapely

from lifecircle.analysis.build_request import BuildRequest, check_request
from lifecircle.analysis.city.crs import to_lonlat, to_metric
from lifecircle.analysis.city.model import Units
from lifecircle.analysis.city.residents.dasymetric import level_with_totals, refuse_totals
from lifecircle.analysis.city.shapes import anchor_xy
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.walkable import walkable_network
from lifecircle.analysis.city.units.units import build_units, group_totals
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.facts import Facts, read_facts
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.quantities import FloatArray, Int32Array, IntArray
from lifecircle.analysis.readers.osm.aside import has_places_on_ways, in_order
from lifecircle.analysis.readers.osm.boxes import Boxes, read_boxes
from lifecircle.analysis.readers.osm.extract import OnlyStreets
from lifecircle.analysis.readers.osm.places import place_keys
from lifecircle.analysis.readers.osm.source import header_of
from lifecircle.analysis.whole_persons import hilbert_keys
from lifecircle.analysis.writing import write_aside

CUT: Final = "cut.json"
ORDERED: Final = "ordered.osm.pbf"
_TABLES: Final = "cut.npz"
_LINES: Final = ("vertex_start", "vertex_xy_m")
_EARTH_M: Final = 6_371_000.0
_AT_ONCE: Final = 100_000


@dataclass(frozen=True, slots=True)
class Part:
    """What one part takes: things of the map, and units whose residents it spreads.

    `home`: names (``way/2``) of the things that it answers for; `things` holds the guests too.
    `units` int32: indices into the area's units. `crs`: the metric CRS of the whole area.
    """

    things: Boxes
    home: frozenset[str]
    units: Int32Array
    crs: str
    map: Path


def cut_area(request: BuildRequest, count: int, folder: Path, clock: Clock) -> None:
    """Cut what a request asks for into at most so many parts; `folder` then has them.

    Raises
    ------
    ParameterError : the streets are no OpenStreetMap file; fewer than one part.
    InputError : files that cannot be used: every fault found in any table.
    """
    if request.osm is None:
        raise ParameterError("parts_need_osm")
    if count < 1:
        raise ParameterError("parts_count", count=count)
    given = request.policy
    policy = given if isinstance(given, Policy) else load_policy(given)
    check_request(request, policy)
    folder.mkdir(parents=True, exist_ok=True)
    clock.start("places")
    boxes = _find_things(request.osm, place_keys(policy), folder)
    facts = read_facts(request, policy, clock, OnlyStreets())
    clock.start("network")
    network = walkable_network(
        facts.streets, request.terrain, policy, request.osm, facts.closures
    ).network
    clock.start("residents")
    tables = _cut_by_units(request, facts, network, boxes, policy, count)
    for name in _LINES:
        np.save(folder / f"{name}.npy", getattr(network, name))
    np.savez(folder / _TABLES, kind=boxes.kind, number=boxes.number, **tables)  # type: ignore[arg-type]
    said = {"crs": network.crs, "parts": count, "spread": spreads_units(request, facts)}
    write_aside(folder / CUT, json.dumps(said).encode())


def _find_things(osm: Path, keys: Sequence[str], folder: Path) -> Boxes:
    """The things of a map with one of some keys.

    Where the map is out of order, as its things show, `folder` gets it in order.
    """
    with in_order(osm, doubted=False) as ordered:
        boxes = read_boxes(ordered.path, keys)
        if ordered.path != osm:
            shutil.copyfile(ordered.path, folder / ORDERED)
            return boxes
        if boxes.rising and not has_places_on_ways(header_of(osm)):
            return boxes
    with in_order(osm) as ordered:
        if ordered.path == osm:
            return boxes
        shutil.copyfile(ordered.path, folder / ORDERED)
        return read_boxes(ordered.path, keys)


def spreads_units(request: BuildRequest, facts: Facts) -> bool:
    """Whether residents are those of the units' totals, so that parts can spread them."""
    people = request.people_of(facts.population, facts.units)
    return people.cells is None and people.with_totals


def is_cut(folder: Path) -> bool:
    """Whether a folder holds an area cut into parts."""
    return (folder / CUT).is_file()


def part_count(folder: Path) -> int:
    """Into how many parts an area is cut; some may be empty."""
    return int(_said(folder)["parts"])


def spreads(folder: Path) -> bool:
    """Whether the parts of an area spread its residents."""
    return bool(_said(folder)["spread"])


def _said(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / CUT).read_text(encoding="utf-8"))
    return found


def read_part(request: BuildRequest, folder: Path, number: int) -> Part:
    """What a part takes; `number` counts from 0."""
    with np.load(folder / _TABLES) as held:
        home = held["home"] == number
        rows = np.union1d(np.flatnonzero(home), held["guest"][held["guest_part"] == number])
        every = Boxes(held["kind"], held["number"], np.full((len(home), 4), np.nan))
        units = np.flatnonzero(held["unit_part"] == number).astype(np.int32)
    ordered = folder / ORDERED
    assert request.osm is not None
    return Part(
        every.take(rows), frozenset(every.take(home).names()), units, str(_said(folder)["crs"]),
        ordered if ordered.is_file() else request.osm,
    )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Courses:
    """Lines with their vertices, as `homes.Lines` asks for them."""

    vertex_start: IntArray
    vertex_xy_m: FloatArray


def streets_near(folder: Path, units: Units, chosen: Int32Array, policy: Policy) -> Courses:
    """The streets that come into the margin of some units; the file is mapped, not read whole."""
    start, xy = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in _LINES)
    west, south, east, north = shapely.total_bounds(units.geometry[chosen])
    low = np.array([west, south]) - margin_m(policy)
    high = np.array([east, north]) + margin_m(policy)
    least, most = (reach.reduceat(xy, start[:-1], axis=0) for reach in (np.minimum, np.maximum))
    near = np.flatnonzero(((least <= high) & (most >= low)).all(axis=1))
    size = np.diff(start)[near]
    begin = np.concatenate(([0], np.cumsum(size)))
    within = np.arange(begin[-1]) - np.repeat(begin[:-1], size)
    return Courses(begin, np.asarray(xy[np.repeat(start[:-1][near], size) + within]))


def margin_m(policy: Policy) -> float:
    """How far around its units a part looks: as far as people live or join a street."""
    homes = policy.spread.homes
    least = policy.attachment.max_leg_m.value
    return least if homes is None else max(least, homes.max_street_m.value)


# ---- which part takes what -----------------------------------------------------------------------


def _cut_by_units(
    request: BuildRequest,
    facts: Facts,
    network: WalkNetwork,
    boxes: Boxes,
    policy: Policy,
    count: int,
) -> dict[str, IntArray | Int32Array]:
    """`home` of each thing, `guest` things and the part of each, `unit_part` (-1 = in none)."""
    none = np.empty(0, dtype=np.int64)
    unit_part = np.full(0, -1, dtype=np.int32)
    if not spreads_units(request, facts) or facts.units is None:
        home = _share_out(_middles(boxes), np.ones(len(boxes)), count)
        return {"home": home, "guest": none, "guest_part": none, "unit_part": unit_part}
    units = build_units(facts.units, network.crs, tuple(policy.unit_levels))
    members = units.of_level(level_with_totals(units))
    refuse_totals(units, members, group_totals(facts.units, units))
    known = members[units.residents.known[members]]
    placed = ~shapely.is_missing(units.geometry[known])
    chosen = known[placed]
    near = _nearest(units, chosen, boxes, network.crs)
    load = (np.bincount(near, minlength=len(chosen)) + 1).astype(np.float64)
    middles = to_lonlat(anchor_xy(units.geometry[chosen]), network.crs)
    of_unit = _share_out(middles, load, count)
    unit_part = np.full(len(units.code), -1, dtype=np.int32)
    unit_part[known] = 0  # a unit without a place has nobody
    unit_part[chosen] = of_unit
    guest, guest_part = _guests(units, chosen, of_unit, boxes, network.crs, margin_m(policy))
    return {
        "home": of_unit[near], "guest": guest, "guest_part": guest_part, "unit_part": unit_part,
    }  # fmt: skip


def _middles(boxes: Boxes) -> FloatArray:
    """The middles (n, 2) of boxes; 0, 0 where nothing is known."""
    return np.nan_to_num((boxes.box[:, :2] + boxes.box[:, 2:]) / 2)


def _share_out(lonlat: FloatArray, load: FloatArray, count: int) -> Int32Array:
    """The part of each of k places: equal loads along a Hilbert curve, which keeps them compact."""
    order = np.argsort(hilbert_keys(lonlat), kind="stable")
    part = np.empty(len(order), dtype=np.int32)
    before = np.cumsum(load[order]) - load[order] / 2
    part[order] = np.minimum(before * count // max(load.sum(), 1.0), count - 1).astype(np.int32)
    return part


def _nearest(units: Units, chosen: Int32Array, boxes: Boxes, crs: str) -> IntArray:
    """Which of some units has its middle nearest to that of each box."""
    from scipy.spatial import cKDTree  # a fifth of a second to load, and few builds are cut

    _, near = cKDTree(anchor_xy(units.geometry[chosen])).query(to_metric(_middles(boxes), crs))
    return np.asarray(near, dtype=np.int64)


def _guests(
    units: Units, chosen: Int32Array, part: Int32Array, boxes: Boxes, crs: str, margin: float
) -> tuple[IntArray, IntArray]:
    """Things whose box touches a unit's, widened, and the part of that unit: pairs, each once."""
    frames: Any = shapely.box(*shapely.bounds(units.geometry[chosen]).T)
    tree = shapely.STRtree(frames)
    placed = np.flatnonzero(~np.isnan(boxes.box).any(axis=1))
    pairs: list[IntArray] = [np.empty((2, 0), dtype=np.int64)]
    for start in range(0, len(placed), _AT_ONCE):
        rows = placed[start : start + _AT_ONCE]
        frame = _boxes_in_metres(boxes.box[rows], crs, margin)
        thing, unit = tree.query(frame)
        pairs.append(np.unique(np.vstack((rows[thing], part[unit])), axis=1))
    guest, guest_part = np.concatenate(pairs, axis=1)
    return guest, guest_part


def _boxes_in_metres(box: FloatArray, crs: str, margin: float) -> np.ndarray:
    """Boxes of degrees as boxes in a metric CRS, as much wider as their sides may bend there."""
    corners = [to_metric(box[:, list(pair)], crs) for pair in ((0, 1), (2, 1), (0, 3), (2, 3))]
    low, high = np.min(corners, axis=0), np.max(corners, axis=0)
    across_m = np.hypot(*(high - low).T)
    wider = (margin + across_m**2 / _EARTH_M)[:, None]
    return np.asarray(shapely.box(*(low - wider).T, *(high + wider).T))
