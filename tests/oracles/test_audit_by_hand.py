"""The auditor itself, against values by hand: an oracle that errs is worse than none."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from fractions import Fraction
from itertools import product
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.oracles.audit.__main__ import TAGS
from tests.oracles.audit.areas import meeting, outline_of, polygon_area, to_grid
from tests.oracles.audit.attach import Joiner
from tests.oracles.audit.barriers import read_barriers
from tests.oracles.audit.check_loads import least_loads
from tests.oracles.audit.checks import Ledger
from tests.oracles.audit.goals import GoalFinder, Goals
from tests.oracles.audit.ground import read_land
from tests.oracles.audit.homes import HomeBook, units_of
from tests.oracles.audit.lists import fits, gone, read_lists, read_rules
from tests.oracles.audit.persons import hilbert_key, on_curve, share_out, whole
from tests.oracles.audit.scene import Scene
from tests.oracles.audit.shortest import build_walks
from tests.oracles.audit.streets import may_walk, off_ground, read_streets
from tests.oracles.audit.words import stands_in

KUNMING = "EPSG:4543"
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


def test_the_curve_passes_every_place_once_and_steps_to_a_neighbour() -> None:
    n = 32
    place = np.array(list(product(range(n), range(n))), dtype=float)
    lon, lat = (place[:, 0] + 0.5) / n * 360 - 180, (place[:, 1] + 0.5) / n * 180 - 90
    key = hilbert_key(lon, lat, order=5)
    assert sorted(key.tolist()) == list(range(n * n))
    along = place[np.argsort(key)]
    assert (np.abs(np.diff(along, axis=0)).sum(axis=1) == 1).all()
    south_west, north_west = hilbert_key(np.array([-90.0, -90.0]), np.array([-45.0, 45.0]), 1)
    assert (south_west, north_west) == (0, 1)


def test_whole_persons_by_hand() -> None:
    assert whole([0.4] * 5) == [0, 1, 0, 1, 0]  # 0.4 0.8 1.2 1.6 2.0
    assert whole([Fraction(1, 2)] * 4) == [1, 0, 1, 0]  # a half goes up
    assert share_out(2, [1, 1, 1, 1]) == [1, 0, 1, 0]
    assert share_out(7, [1, 0, 2]) == [2, 0, 5]
    assert share_out(5, [0.0, 0.0]) == [0, 0]


@given(
    st.integers(0, 10**7),
    st.lists(st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=40),
)
def test_a_stretch_of_the_curve_keeps_its_people_to_one_person(
    total: int, weights: list[float]
) -> None:
    exact = [Fraction(weight) for weight in weights]
    if not sum(exact):
        return
    persons = share_out(total, weights)
    assert sum(persons) == total
    shares = [total * one / sum(exact) for one in exact]
    assert persons == whole(shares)
    for low in range(len(weights)):
        for high in range(low, len(weights)):
            assert abs(sum(persons[low:high]) - sum(shares[low:high])) <= 1


def test_the_order_of_rows_changes_nothing() -> None:
    rng = np.random.default_rng(7)
    lon, lat, weight = rng.uniform(102, 103, 200), rng.uniform(24, 25, 200), rng.random(200)
    persons = on_curve(777, weight, lon, lat)
    turn = rng.permutation(200)
    assert np.array_equal(on_curve(777, weight[turn], lon[turn], lat[turn]), persons[turn])


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


class World:
    """Streets, places and barriers of a drawn OSM file, walked by the auditor."""

    def __init__(self, osm: Path) -> None:
        self.osm = osm
        self.streets = read_streets(osm)
        self.joiner = Joiner.of(self.streets, KUNMING)

    def goals(self, facilities: Sequence[tuple[str, Any]]) -> list[Goals]:
        frame = gpd.GeoDataFrame(
            {"place": [name for name, _ in facilities]},
            geometry=[shape for _, shape in facilities],
            crs="EPSG:4326",
        )
        return GoalFinder.of(self.joiner, read_barriers(self.osm)).goals(frame)

    def minutes(self, cells: Any, facilities: Sequence[tuple[str, Any]]) -> Any:
        homes = self.joiner.join(shapely.points(np.asarray(cells, dtype=float)))
        walks = build_walks(self.streets, homes, self.goals(facilities))
        return walks.nearest_m(np.arange(len(facilities))) * 0.9 / 60


def closed_way(osm: Path, key: str, value: str) -> tuple[str, Any]:
    """The first closed way with a tag, as a facility."""
    import osmium

    for way in osmium.FileProcessor(str(osm)).with_locations():
        if way.is_way() and way.tags.get(key) == value:
            ring = [(node.lon, node.lat) for node in way.nodes]
            return f"way/{way.id}", shapely.Polygon(ring)
    raise AssertionError(key)


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


def test_unit_totals_spread_alike_whatever_their_size(shared_data: Path) -> None:
    """FIELD 1c: 400 residents over a town give the share that 160,000 give, 37.4 %."""
    world = World(shared_data / "field" / "town.osm")
    centre = pd.read_csv(shared_data / "field" / "01_east_centre.csv")
    lon, lat = [name for name in centre.columns if name in {"lon", "lat", "经度", "纬度"}]
    place = [("row/1", shapely.Point(*centre[[lon, lat]].to_numpy()[0]))]
    for residents in (400, 160_000):
        unit = gpd.read_file(shared_data / "field" / f"01_unit_{residents}.geojson")
        land = read_land(world.osm)
        book = HomeBook.of(world.joiner, land, default_levels=3, squares=True)
        shape = world.joiner.metric(np.asarray(unit.geometry.array, dtype=object))[0]
        homes = book.of_unit(shape, residents, np.array([], dtype=int))
        assert (homes.method, int(homes.persons.sum())) == ("unit", residents)
        starts = world.joiner.degrees(shapely.get_coordinates(shapely.centroid(homes.shape)))
        covered = homes.persons[world.minutes(starts, place) <= 15].sum()
        assert covered / residents == pytest.approx(0.374, abs=0.01)


def test_tagged_houses_too_few_are_joined_by_the_plain_ones(shared_data: Path) -> None:
    """t_spread: 40 houses are tagged of 440, so all of them are meant.

    At three floors they hold 220 m2 for each of 3,000 residents: no set to believe in.
    """
    world = World(shared_data / "field" / "t_spread.osm")
    units = gpd.read_file(shared_data / "field" / "t_spread_units.geojson")
    book = HomeBook.of(world.joiner, read_land(world.osm), default_levels=3, squares=True)
    inside = np.flatnonzero(units_of(book.middle, units, world.joiner) == 0)
    choice = book.choose(int(units["population"][0]), inside)
    assert len(choice.rows) == 440
    assert choice.tagged_share == pytest.approx(40 / 440, abs=1e-3)
    assert choice.floor_each == pytest.approx(440 * 500 * 3 / 3000, abs=0.5)
    assert not choice.believed
    shape = world.joiner.metric(np.asarray(units.geometry.array, dtype=object))[0]
    assert book.of_unit(shape, 3000, inside).method == "unit"
    homes = book.of_unit(shape, 15_000, inside)
    assert (homes.method, len(homes.key), int(homes.persons.sum())) == ("buildings", 440, 15_000)


def test_an_enclave_belongs_to_itself(shared_data: Path) -> None:
    """FIELD 12: 3,840 and 160."""
    units = gpd.read_file(shared_data / "field" / "10_enclave.geojson")
    units = units.sort_values("code", ignore_index=True)
    cells = pd.read_csv(shared_data / "field" / "town_cells.csv")
    world = World(shared_data / "field" / "town.osm")
    points = world.joiner.metric(shapely.points(cells[["lon", "lat"]].to_numpy()))
    row = units_of(points, units, world.joiner)
    assert sorted(cells["population"].groupby(row).sum()) == [160, 3840]


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


def test_rules_of_places() -> None:
    rule = {"tags": {"shop": ["a", "b"]}, "without": {"access": ["no"]}, "name_lacks": ["Old"]}
    assert fits({"shop": "x;b"}, rule)
    assert not fits({"shop": "b", "access": "no"}, rule)
    assert fits({"shop": "b", "access": "no;yes"}, rule)
    assert not fits({"shop": "b", "name:en": "The OLD shop"}, rule)
    assert fits({"shop": "b", "name:etymology": "old"}, rule)
    named = {"tags": {"office": "*"}, "name_has": ["社区"]}
    assert fits({"office": "x", "name": "社区服务中心"}, named)
    assert not fits({"office": "x"}, named)


@pytest.mark.parametrize(
    ("word", "name", "stands"),
    [
        ("bar", "Barbara", False),
        ("bar", "Snack-BAR", True),
        ("bar", "ABC店bar", True),
        ("dent*", "Dental", True),
        ("dent*", "Student", False),
        ("saude", "Posto de Saúde", True),
        ("centro de saúde", "CENTRO  DE SAUDE", True),
        ("環保加Fun站", "环境", False),
        ("環保加Fun站", "北區環保加ＦＵＮ站", True),
        ("saħħa", "Centru tas-Sahha", True),
    ],
)
def test_words_in_names(word: str, name: str, stands: bool) -> None:
    assert stands_in(word, name) is stands


@pytest.mark.parametrize(
    ("said", "is_gone"),
    [
        ({"disused": "yes"}, True),
        ({"disused": "no"}, False),
        ({"building": "ruins"}, True),
        ({"construction": "minor"}, False),
        ({"disused:amenity": "clinic"}, False),  # closes that clinic, not what stands there now
        ({"opening_hours": 'off "renovation"'}, True),
        ({"operational_status": "closed"}, True),
        ({"name": "新站（拟建）"}, True),
        ({"end_date": "1999"}, True),
        ({"end_date": "2999"}, False),
        ({"end_date": "2026"}, False),  # it may end in December
        ({"end_date": "after 1999"}, False),
        ({"start_date": "2027-03"}, True),
        ({"start_date": "before 2030"}, False),
    ],
)
def test_what_is_not_open(said: dict[str, str], is_gone: bool) -> None:
    _, life = read_rules(TAGS)
    assert gone({"shop": "b", **said}, life, date(2026, 11, 29)) is is_gone


def test_a_list_of_lists_and_lines(tmp_path: Path) -> None:
    """An open track counts by its rule, an open park does not."""
    rules, _ = read_rules(TAGS)
    assert {"not_freely_open", "closed_to_public"}.isdisjoint(str(rules))
    osm = tmp_path / "lines.osm"
    nodes = "".join(f'<node id="{k}" lon="102.{k}" lat="25"/>' for k in range(1, 5))
    ways = "".join(
        f'<way id="{k}">{refs}<tag k="leisure" v="{value}"/></way>'
        for k, value, refs in (
            (1, "track", '<nd ref="1"/><nd ref="2"/>'),
            (2, "park", '<nd ref="1"/><nd ref="2"/>'),
            (3, "park", '<nd ref="1"/><nd ref="2"/><nd ref="3"/><nd ref="1"/>'),
        )
    )
    osm.write_text(f'<osm version="0.6">{nodes}{ways}</osm>', encoding="utf-8")
    listed = read_lists(osm, TAGS)
    assert {name: ids for name, ids in listed.of.items() if ids} == {
        "fitness_trail": {"way/1"}, "park": {"way/3"},
    }  # fmt: skip


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
    from tests.oracles.audit.check_gaps import own_gaps

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
        told_s=lambda service: np.array([1200.0, 1200.0, np.inf, 1200.0]),
    )
    gaps = own_gaps(cast(Scene, scene), "park")
    assert sorted(gaps) == [("A", "cut_off", 4), ("A", "too_far", 3), ("B", "too_far", 8)]
