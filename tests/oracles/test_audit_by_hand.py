"""The auditor itself, against values by hand: an oracle that errs is worse than none."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from tests.oracles.audit.areas import meeting, outline_of, polygon_area, to_grid
from tests.oracles.audit.attach import Joiner
from tests.oracles.audit.checking.check_loads import least_loads
from tests.oracles.audit.checks import Ledger
from tests.oracles.audit.scene import Scene
from tests.oracles.audit.streets import may_walk, off_ground, read_streets
from tests.oracles.audit_world import KUNMING, World, closed_way

DEGREE_M = 110_800.0  # of latitude at 25°; longitude times cos 25°


@pytest.mark.parametrize(
    ("tags", "answer"),
    [
        ({}, False),
        ({"highway": "residential"}, True),
        ({"highway": "motorway", "foot": "yes"}, False),
        ({"highway": "busway"}, False),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "trunk", "motorroad": "yes", "foot": "designated"}, True),
        ({"highway": "trunk", "motorroad": "yes", "foot": "permissive"}, False),
        ({"highway": "path", "foot": "use_sidepath"}, False),
        ({"highway": "pedestrian", "area": "yes", "foot": "yes"}, False),
        ({"highway": "service", "access": "private"}, False),
        ({"highway": "service", "access": "private", "foot": "destination"}, True),
    ],
)
def test_who_may_walk(tags: dict[str, str], answer: bool) -> None:
    assert may_walk(tags) is answer


def test_off_the_ground() -> None:
    assert off_ground({"bridge": "viaduct"})
    assert off_ground({"tunnel": "yes"})
    assert not off_ground({"bridge": "no"})
    assert not off_ground({"covered": "yes"})
    assert not off_ground({"tunnel": "building_passage"})
    assert not off_ground({"bridge": "boardwalk"})


def test_stretches_between_junctions_are_walked_in_whole_centimetres(tmp_path: Path) -> None:
    """A way of two segments and two of one meet at a junction: three stretches."""
    osm = tmp_path / "fork.osm"
    places = {1: (0, 0), 2: (11, 3), 3: (25, 0), 4: (40, 7), 5: (40, -9)}
    nodes = "".join(
        f'<node id="{k}" lon="{102.7 + x * 1e-5:.7f}" lat="{25 + y * 1e-5:.7f}"/>'
        for k, (x, y) in places.items()
    )
    ways = "".join(
        f'<way id="{k}">{"".join(f"<nd ref={chr(34)}{n}{chr(34)}/>" for n in refs)}'
        '<tag k="highway" v="path"/></way>'
        for k, refs in enumerate(([1, 2, 3], [3, 4], [5, 3]), 1)
    )
    osm.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    streets = read_streets(osm)
    cm = streets.length_m * 100
    whole = np.rint([cm[0] + cm[1], cm[2], cm[3]])
    walked = streets.walked_m * 100
    assert [walked[0] + walked[1], walked[2], walked[3]] == pytest.approx(whole, abs=1e-9)
    assert walked[0] / walked[1] == pytest.approx(cm[0] / cm[1])
    assert not np.allclose(walked, cm, atol=1e-3)


SQUARE = shapely.box(0, 0, 0.001, 0.001)


@pytest.mark.parametrize(
    ("start", "end", "on", "inside"),
    [
        ((-0.001, 0.0005), (0.002, 0.0005), [1 / 3, 2 / 3], [(1 / 3, 2 / 3)]),  # through it
        ((-0.001, 0.0005), (0.0005, 0.0005), [2 / 3], [(2 / 3, 1)]),  # ends inside
        ((0.0002, 0.0002), (0.0008, 0.0008), [], [(0, 1)]),  # lies inside
        ((-0.001, 0.0005), (0, 0.0005), [1], []),  # comes up to it
        ((-0.001, 0.001), (0.001, 0.003), [], []),  # passes by
        ((-0.001, 0.001), (0.001, -0.001), [0.5], []),  # touches a corner
        ((-0.001, 0), (0.002, 0), [1 / 3, 2 / 3], [(1 / 3, 2 / 3)]),  # along its edge
    ],
)
def test_how_a_street_meets_an_area(
    start: tuple[float, float],
    end: tuple[float, float],
    on: list[float],
    inside: list[tuple[float, float]],
) -> None:
    a, b = to_grid(np.array([start, end]))
    met = meeting(a, b, outline_of(SQUARE))
    found = ([], []) if met is None else ([t for t, _ in met.on], list(met.inside))
    assert found[0] == pytest.approx(on)
    assert [one for pair in found[1] for one in pair] == pytest.approx(
        [one for pair in inside for one in pair]
    )


def test_a_hole_is_outside() -> None:
    ring = shapely.difference(shapely.box(0, 0, 0.003, 0.003), shapely.box(0.001, 0, 0.002, 0.003))
    a, b = to_grid(np.array([(-0.001, 0.0015), (0.004, 0.0015)]))
    met = meeting(a, b, outline_of(ring))
    assert met is not None
    assert [one for pair in met.inside for one in pair] == pytest.approx([0.2, 0.4, 0.6, 0.8])


def test_the_shoelace_takes_holes_out() -> None:
    shape = shapely.difference(shapely.box(0, 0, 10, 10), shapely.box(2, 2, 4, 5))
    assert polygon_area(shape) == pytest.approx(94)


def test_a_town_of_two_centres(shared_data: Path) -> None:
    """FIELD: 2,600 of 4,000 residents; 38 cells stand within a twentieth of a second of 15 min."""
    world = World(shared_data / "field" / "town.osm")
    cells = pd.read_csv(shared_data / "field" / "town_cells.csv")
    centres = pd.read_csv(shared_data / "field" / "town_centres.csv")
    lon, lat = [name for name in centres.columns if name in {"lon", "lat", "经度", "纬度"}]
    places = [
        (f"row/{k}", shapely.Point(x, y)) for k, (x, y) in enumerate(centres[[lon, lat]].to_numpy())
    ]
    minutes = world.minutes(cells[["lon", "lat"]], places)
    low, high = (cells["population"][minutes * 60 <= 900 + s].sum() for s in (-0.05, 0.05))
    assert (low, high) == (2390, 2770)
    assert low <= 2600 <= high


@pytest.mark.parametrize(
    ("file", "minutes"), [("05_park_bridge.osm", 23.25), ("05_park_without_bridge.osm", 23.25)]
)
def test_a_bridge_over_a_park_is_no_entrance(shared_data: Path, file: str, minutes: float) -> None:
    """FIELD 6: 11.25 minutes would be over the bridge."""
    osm = shared_data / "field" / file
    cells = pd.read_csv(shared_data / "field" / "05_three_cells.csv").set_index("id")
    found = World(osm).minutes(cells[["lon", "lat"]], [closed_way(osm, "leisure", "park")])
    assert found[:2] == pytest.approx([minutes] * 2, abs=0.01)


def test_school_gates_and_paths_inside_a_park(shared_data: Path) -> None:
    """t_campus: 20 m from either gate of the school, and on a path inside the park."""
    osm = shared_data / "field" / "t_campus.osm"
    cells = pd.read_csv(shared_data / "field" / "t_campus.csv").set_index("id")
    world = World(osm)
    school = world.minutes(cells[["lon", "lat"]], [closed_way(osm, "amenity", "school")])
    assert school[:2] * 60 / 0.9 == pytest.approx([20, 20], abs=1)
    park = world.minutes(cells[["lon", "lat"]], [closed_way(osm, "leisure", "park")])
    assert park[2] == pytest.approx(0, abs=0.01)


def test_a_campus_of_short_streets_is_served_by_its_own_clinic(shared_data: Path) -> None:
    """FIELD 20: 2.4 km of streets are a short piece."""
    world = World(shared_data / "field" / "14_small.osm")
    cells = pd.read_csv(shared_data / "field" / "14_small_cells.csv")
    homes = world.joiner.join(shapely.points(cells[["lon", "lat"]].to_numpy()))
    assert homes.short_piece.all()
    assert world.streets.length_m.sum() == pytest.approx(2400, abs=10)


GATES: dict[str, tuple[dict[str, str] | None, str | None, bool]] = {
    "no gate": (None, None, True),
    "a gate": ({"barrier": "gate"}, None, True),
    "a private gate": ({"barrier": "gate", "access": "private"}, None, False),
    "private, yet on foot": ({"barrier": "gate", "access": "private", "foot": "yes"}, None, True),
    "a fence without a gate": (None, "fence", False),
    "a gate in a wall": ({"barrier": "gate"}, "wall", True),
    "an entrance in a hedge": ({"entrance": "yes"}, "hedge", True),
    "a private gate in a fence": ({"barrier": "lift_gate", "foot": "no"}, "fence", False),
}


@pytest.mark.parametrize(("gate", "fence", "is_open"), GATES.values(), ids=list(GATES))
@pytest.mark.parametrize("bridge", [False, True], ids=["on the ground", "bridge up to it"])
def test_gates_and_fences(
    tmp_path: Path, gate: dict[str, str] | None, fence: str | None, is_open: bool, bridge: bool
) -> None:
    """A park of 200 m in the middle of a street of 6 km that ends at its west and east sides.

    ::

        ────────── A ┌──────┐ B ──────────      one path goes in at A (the gate), one at B
                     └──────┘
    """
    osm = tmp_path / "gate.osm"
    draw(osm, gate, fence, bridge=bridge)
    world = World(osm)
    goals = world.goals([closed_way(osm, "leisure", "park")])[0]
    west = [leg for row, share, leg in goals.at if _lon(world, row, share) < 102.7]
    assert bool(west) is is_open
    assert {leg for _, _, leg in goals.at} == {0.0}
    assert len(goals.closed | goals.fenced) == (0 if is_open else 1)


def _lon(world: World, row: int, share: float) -> float:
    ends = world.streets.lonlat[[world.streets.a[row], world.streets.b[row]]]
    return float(ends[0, 0] + share * (ends[1, 0] - ends[0, 0]))


def draw(
    osm: Path, gate: dict[str, str] | None, fence: str | None, *, bridge: bool = False
) -> None:
    """The drawing above: nodes by metres east and north of 102.7, 25."""

    def at(east: float, north: float) -> str:
        lon = 102.7 + east / (DEGREE_M * np.cos(np.radians(25)))
        return f'lon="{lon:.7f}" lat="{25 + north / DEGREE_M:.7f}"'

    def tags(said: dict[str, str] | None) -> str:
        return "".join(f'<tag k="{k}" v="{v}"/>' for k, v in (said or {}).items())

    nodes = {
        1: (-3100, 0), 2: (-100, 0), 3: (-50, 0), 4: (100, 0), 5: (3100, 0),
        6: (-100, -100), 7: (100, -100), 8: (100, 100), 9: (-100, 100),
        10: (-3100, 500), 11: (3100, 500),
    }  # fmt: skip
    drawn = [
        f'<node id="{k}" {at(*xy)}>{tags(gate if k == 2 else None)}</node>'
        for k, xy in nodes.items()
    ]
    ways = [
        ([1, 2], {"highway": "footway", **({"bridge": "yes"} if bridge else {})}),
        ([2, 3], {"highway": "footway"}),
        ([4, 5], {"highway": "footway"}),
        ([1, 10, 11, 5], {"highway": "residential"}),
        ([6, 7, 4, 8, 9, 2, 6], {"leisure": "park"}),
    ]
    if fence:
        ways.append(([9, 2, 6], {"barrier": fence}))
    for k, (refs, said) in enumerate(ways, 1):
        inner = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        drawn.append(f'<way id="{k}">{inner}{tags(said)}</way>')
    osm.write_text(f'<osm version="0.6">{"".join(drawn)}</osm>', encoding="utf-8")


def test_ties_go_to_the_lower_edge(tmp_path: Path) -> None:
    """Two streets cross a house; whichever of the two the product lists first is joined."""
    osm = tmp_path / "two.osm"
    nodes = "".join(
        f'<node id="{k}" lon="{lon}" lat="{lat}"/>'
        for k, (lon, lat) in enumerate(
            [(102.70, 25.0), (102.71, 25.0), (102.70, 25.001), (102.71, 25.001)], 1
        )
    )
    ways = "".join(
        f'<way id="{k}"><nd ref="{a}"/><nd ref="{b}"/><tag k="highway" v="path"/></way>'
        for k, (a, b) in enumerate([(1, 2), (3, 4), (1, 3)], 1)
    )
    osm.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    streets = read_streets(osm)
    house = shapely.boundary(shapely.box(102.704, 24.999, 102.706, 25.002))
    lines = [shapely.LineString([(102.70, lat), (102.71, lat)]) for lat in (25.0, 25.001)]
    for order in ([0, 1], [1, 0]):
        edges = gpd.GeoDataFrame({"id": order}, geometry=lines, crs="EPSG:4326")
        joined = Joiner.of(streets, KUNMING, edges).join(np.array([house], dtype=object))
        ends = streets.lonlat[[streets.a[joined.segment[0]], streets.b[joined.segment[0]]]]
        assert set(ends[:, 1]) == {25.0 if order == [0, 1] else 25.001}
        assert joined.leg_m[0] == 0


def exhaustive(
    metres: Any, persons: Sequence[int], limit: float, least: Sequence[int], most: Sequence[int]
) -> tuple[int, int, float]:
    """The lexicographic minimum over every way to send whole persons."""
    choices = []
    for cell, count in enumerate(persons):
        near = [k for k in range(len(least)) if metres[k][cell] <= limit]
        ways = product(range(count + 1), repeat=len(near))
        choices.append([dict(zip(near, way, strict=True)) for way in ways if sum(way) <= count])
    best = (10**9, 10**9, 1e18)
    for plan in product(*choices):
        load = [sum(one.get(k, 0) for one in plan) for k in range(len(least))]
        if any(one > top for one, top in zip(load, most, strict=True)):
            continue
        walked = sum(n * metres[k][cell] for cell, one in enumerate(plan) for k, n in one.items())
        below = sum(max(0, low - one) for low, one in zip(least, load, strict=True))
        best = min(best, (sum(persons) - sum(load), below, walked))
    return best


@pytest.mark.parametrize("seed", range(25))
def test_flows_equal_every_way_tried(seed: int) -> None:
    rng = np.random.default_rng(seed)
    metres = rng.integers(1, 12, size=(2, 4)).astype(float)
    persons = rng.integers(0, 4, size=4)
    most = rng.integers(1, 7, size=2)
    least = np.minimum(rng.integers(0, 5, size=2), most)
    found = least_loads(metres, persons, 9.0, least, most)
    told = exhaustive(metres.tolist(), persons.tolist(), 9.0, least.tolist(), most.tolist())
    assert (found.unserved, found.underload) == told[:2]
    assert found.person_m == pytest.approx(told[2])


def test_the_ledger_measures_and_lists() -> None:
    ledger = Ledger()
    ledger.same("a", "numbers", [("x", 1.0, 1.05), ("y", 1.0, 3.0)], within=0.1)
    ledger.same("b", "words", [("x", "one", "one"), ("y", None, "one")])
    numbers, words = ledger.checks
    assert (numbers.compared, numbers.equal, numbers.largest) == (2, 1, 2.0)
    assert numbers.examples == ("y: product 1, audit 3",)
    assert (words.equal, words.holds) == (1, False)


def test_gaps_stay_in_their_unit_and_reason() -> None:
    """Three cells in a row 100 m apart: one of another unit, one cut off."""
    from tests.oracles.audit.checking.check_gaps import own_gaps

    cells = pd.DataFrame(
        {"snapped": [True] * 4, "minutes_park": [20.0, 20.0, np.nan, 20.0], "id": list("abcd")}
    )
    scene = SimpleNamespace(
        services={"park": 5.0},
        cells=cells,
        residents=np.array([1, 2, 4, 8]),
        unit_of_cell=pd.Series(["A", "A", "A", "B"]),
        linkable=np.array([[0, 1], [1, 2]]),
        facilities_of=lambda service: np.array([0]),
        assessed=lambda service: np.array([1, 2, 4, 8]),
        told_s=lambda service: np.array([1200.0, 1200.0, np.inf, 1200.0]),
    )
    gaps = own_gaps(cast(Scene, scene), "park")
    assert sorted(gaps) == [("A", "cut_off", 4), ("A", "too_far", 3), ("B", "too_far", 8)]
