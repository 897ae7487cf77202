"""Rivers, railways and main roads: the detour by hand, and the rule that cuts."""

from __future__ import annotations

from pathlib import Path

import networkx as nx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.streets.main_roads import part_by_main_roads
from lifecircle.analysis.city.streets.walkable import Terrain, walkable_network
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.graphs.nodes import streets_of_graph
from tests.worlds.drawn import STREET, Town, Way, draw, near, walk_rules
from tests.worlds.hills import forms
from tests.worlds.walked import keys, metres, streets_of, walkable

CRS = "EPSG:4543"
BRIDGE = STREET | {"bridge": "yes"}
MAIN = {"highway": "primary"}
RAIL = {"railway": "rail"}
RIVER = {"waterway": "river"}


# ---- what crosses and what does not, without any rule ---------------------------------------

TWO_BANKS = draw(
    {"a": (0, 100), "b": (0, 20), "c": (1000, 20), "d": (1000, -20), "e": (0, -20), "f": (0, -100),
     "w": (-200, 0), "x": (1200, 0)},
    "a b c", Way(("c", "d"), BRIDGE), "d e f", Way(("w", "x"), RIVER),
)  # fmt: skip


def test_a_river_with_one_bridge_is_walked_around_by_hand(tmp_path: Path) -> None:
    """From bank to bank, 200 m apart: 80 + 1000 to the bridge, 40 over it, 1000 + 80 back."""
    town = Town.build(TWO_BANKS, tmp_path)
    walked, _ = town.nearest(["a"], ["f"])
    assert walked == near([80 + 1000 + 40 + 1000 + 80])


@pytest.mark.parametrize("line", [RIVER, RAIL])
def test_a_way_is_no_crossing_where_it_shares_no_node(tmp_path: Path, line: dict[str, str]) -> None:
    world = draw({"a": (0, 100), "b": (0, 20), "c": (0, -20), "d": (0, -100), "w": (-50, 0),
                  "x": (50, 0)}, "a b", "c d", Way(("w", "x"), line))  # fmt: skip
    walked, _ = Town.build(world, tmp_path).nearest(["a"], ["d"])
    assert walked == [None]


# ---- the rule -----------------------------------------------------------------------------


def test_with_the_rule_a_river_is_not_crossed_at_all(tmp_path: Path) -> None:
    plain, ruled = walkable(TWO_BANKS, tmp_path), walkable(TWO_BANKS, tmp_path, "river")
    assert metres(plain.network, TWO_BANKS, "a", "f") == near(2200)
    assert metres(ruled.network, TWO_BANKS, "a", "f") is None
    assert plain.warnings == ()
    assert keys(ruled) == ["barrier_rule_on"]
    assert "rivers" in ruled.warnings[0].text("en")
    assert "河流" in ruled.warnings[0].text("zh")
    assert ruled.parameters["barrier_rule"] == ["river"]


def test_with_the_rule_a_railway_is_passed_by_bridge_and_not_by_level_crossing(
    tmp_path: Path,
) -> None:
    places = {"a": (0, 200), "m": (0, 0), "b": (0, -200), "c": (600, 200), "d": (600, -200),
              "w": (-300, 0), "x": (900, 0)}  # fmt: skip
    rail = Way(("w", "m", "x"), RAIL)  # m: a level crossing, a node of both
    world = draw(places, "a m b", "a c", Way(("c", "d"), BRIDGE), "d b", rail)
    plain, ruled = walkable(world, tmp_path), walkable(world, tmp_path, "railway")
    assert metres(plain.network, world, "a", "b") == near(400)
    assert metres(ruled.network, world, "a", "b") == near(600 + 400 + 600)
    # both arms are still there, up to a metre before the rails
    stub = metres(ruled.network, world, "a", (0.0, 1.0))
    assert stub == near(199)
    flat = draw(places, "a m b", "a c", "c d", "d b", rail)  # no bridge: a way drawn across
    assert metres(walkable(flat, tmp_path, "railway").network, flat, "a", "b") is None
    above = draw(places, "a m b", Way(("w", "m", "x"), RAIL | {"bridge": "viaduct"}))
    found = walkable(above, tmp_path, "railway")
    assert metres(found.network, above, "a", "b") == near(400)
    assert keys(found) == ["barrier_rule_on", "barrier_none"]


CROSSROADS = {
    "w": (-500, 0), "m": (0, 0), "k": (300, 0), "e": (500, 0),
    "n": (0, 200), "s": (0, -200), "kn": (300, 200), "ks": (300, -200),
}  # fmt: skip


def test_with_the_rule_one_walks_along_a_main_road_and_not_across(tmp_path: Path) -> None:
    world = draw(CROSSROADS, Way(("w", "m", "k", "e"), MAIN), "n m s", "kn k")
    plain, ruled = walkable(world, tmp_path), walkable(world, tmp_path, "main_road")
    assert metres(plain.network, world, "n", "s") == near(400)
    # along the north side, a metre beside the middle: as far as before, within a metre or two
    assert metres(ruled.network, world, "n", "kn") == pytest.approx(700, abs=2.1)
    assert metres(plain.network, world, "n", "kn") == near(700)
    # across: only around an end of the main road, 500 m there and 500 m back
    assert metres(ruled.network, world, "n", "s") == pytest.approx(200 + 1000 + 200, abs=2.1)
    assert keys(ruled) == ["barrier_rule_on"]


def test_a_footbridge_stays_a_crossing(tmp_path: Path) -> None:
    world = draw(
        CROSSROADS, Way(("w", "m", "k", "e"), MAIN), "n m s", "n kn", "s ks",
        Way(("kn", "ks"), {"highway": "footway", "bridge": "yes"}),
    )  # fmt: skip
    ruled = walkable(world, tmp_path, "main_road")
    assert metres(ruled.network, world, "n", "s") == near(300 + 400 + 300)


def test_where_main_roads_cross_each_corner_is_alone(tmp_path: Path) -> None:
    places = {"w": (-400, 0), "m": (0, 0), "e": (400, 0), "n": (0, 400), "s": (0, -400),
              "a": (150, 200), "b": (150, -200), "c": (-150, -200), "an": (0, 200),
              "ae": (150, 0), "bs": (0, -200)}  # fmt: skip
    world = draw(
        places, Way(("w", "m", "ae", "e"), MAIN), Way(("n", "an", "m", "bs", "s"), MAIN),
        "a an", "a ae", "b ae", "b bs", "c bs",
    )  # fmt: skip
    ruled = walkable(world, tmp_path, "main_road").network
    plain = walkable(world, tmp_path).network
    assert metres(plain, world, "a", "b") == near(400)
    # a's corner holds together: 140 m of one street, 190 m of the other
    assert metres(ruled, world, (10.0, 200.0), (150.0, 10.0)) == near(140 + 190)
    # to b's corner around the east end: 200 to the road, 250 out, 250 back, 200 down
    assert metres(ruled, world, "a", "b") == pytest.approx(900, abs=3)
    # to c's corner from b's, around the south end: 150 + 200 out, 200 back + 150
    assert metres(ruled, world, "b", "c") == pytest.approx(700, abs=3)


def test_a_path_drawn_upon_a_main_road_opens_no_hole(tmp_path: Path) -> None:
    world = draw(
        CROSSROADS, Way(("w", "m", "k", "e"), MAIN), "n m s",
        Way(("m", "k"), {"highway": "cycleway"}),
    )  # fmt: skip
    ruled = walkable(world, tmp_path, "main_road")
    assert metres(ruled.network, world, "n", "s") == pytest.approx(1400, abs=2.1)


def test_a_main_road_closed_to_walkers_bars_the_way_too(tmp_path: Path) -> None:
    world = draw(
        CROSSROADS, Way(("w", "m", "k", "e"), MAIN | {"foot": "no"}), "n m s", "kn k ks", "n kn",
        Way(("s", "ks"), STREET),
    )  # fmt: skip
    plain, ruled = walkable(world, tmp_path), walkable(world, tmp_path, "main_road")
    assert metres(plain.network, world, "n", "s") == near(400)
    assert metres(ruled.network, world, "n", "s") is None
    assert metres(ruled.network, world, "n", "kn") == near(300)
    assert keys(ruled) == ["barrier_rule_on"]
    # half of it open: along there, and around its end in the west alone
    half = draw(
        CROSSROADS, Way(("w", "m"), MAIN), Way(("m", "k", "e"), MAIN | {"foot": "no"}),
        "n m s", "kn k ks",
    )  # fmt: skip
    ruled = walkable(half, tmp_path, "main_road")
    assert metres(ruled.network, half, "n", "s") == pytest.approx(200 + 1000 + 200, abs=2.1)
    assert metres(ruled.network, half, "kn", "ks") is None


def test_the_rule_must_find_something_and_be_known(tmp_path: Path) -> None:
    world = draw({"a": (0, 0), "b": (100, 0)}, "a b")
    found = walkable(world, tmp_path, "railway", "main_road", "river")
    assert keys(found) == ["barrier_rule_on", "barrier_none"]
    assert metres(found.network, world, "a", "b") == near(100)
    with pytest.raises(ParameterError, match="motorway") as refused:
        Terrain(barrier_rule=("motorway",)).check(with_osm=True)
    assert refused.value.key == "barrier_kinds"
    with pytest.raises(ParameterError) as refused:
        Terrain(barrier_rule=("river",)).check(with_osm=False)
    assert refused.value.key == "barrier_needs_osm"
    Terrain(barrier_rule=("main_road",)).check(with_osm=False)


GRID = st.integers(2, 4)


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(GRID, GRID, st.data())
def test_a_straight_main_road_always_parts_two_sides(
    tmp_path_factory: pytest.TempPathFactory, columns: int, rows: int, data: st.DataObject
) -> None:
    """A grid with one whole row of main road from border to border: north and south meet at its
    two ends only, and every length along the sides is what it was."""
    places = {
        f"{x}_{y}": (x * 120.0, y * 90.0) for x in range(columns + 1) for y in range(rows + 1)
    }
    row = data.draw(st.integers(1, rows - 1))
    ways: list[str | Way] = []
    for y in range(rows + 1):
        names = tuple(f"{x}_{y}" for x in range(columns + 1))
        ways.append(Way(names, MAIN if y == row else STREET))
    inner = range(1, columns)  # streets across the road, not at its ends
    ways += [" ".join(f"{x}_{y}" for y in range(rows + 1)) for x in inner]
    world = draw(places, *ways)
    ruled = walkable(world, tmp_path_factory.mktemp("grid"), "main_road").network
    x = data.draw(st.sampled_from(list(inner)))
    north, south = f"{x}_{rows}", f"{x}_0"
    around = min(x, columns - x) * 240.0 + rows * 90.0
    assert metres(ruled, world, north, south) == pytest.approx(around, abs=6)


def test_without_main_roads_nothing_is_parted(tmp_path: Path) -> None:
    raw = streets_of(TWO_BANKS, tmp_path)
    assert part_by_main_roads(raw) is raw


def test_a_street_graph_tells_its_forms(tmp_path: Path) -> None:
    """The same crossroads as a networkx graph: the rule works, railways are refused before."""
    graph = nx.MultiDiGraph(crs="EPSG:4326")
    for number, (name, place) in enumerate(CROSSROADS.items()):
        lon, lat = draw(CROSSROADS).lonlat(place)
        graph.add_node(number, x=lon, y=lat, name=name)
    at = {name: number for number, name in enumerate(CROSSROADS)}
    for a, b, tags in (
        ("w", "m", MAIN), ("m", "k", MAIN), ("k", "e", MAIN), ("n", "m", STREET),
        ("m", "s", STREET), ("n", "kn", {"highway": "steps"}), ("s", "ks", STREET),
        ("kn", "ks", {"highway": ["footway"], "bridge": "yes"}),
    ):  # fmt: skip
        graph.add_edge(at[a], at[b], **tags)
    raw = streets_of_graph(graph, walk_rules(), form_of=forms())
    assert raw.form is not None
    assert sorted(raw.form.tolist()) == [0, 0, 0, 2, 4, 4, 4, 9]  # 9: off the ground, a bridge
    assert streets_of_graph(graph, walk_rules()).form is None
    found = walkable_network(raw, Terrain(barrier_rule=("main_road",)), load_policy())
    world = draw(CROSSROADS)
    assert metres(found.network, world, "n", "s") == near(300 + 400 + 300)
