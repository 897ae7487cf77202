"""Rivers, railways, main roads and closures: the detour by hand, and the rule that cuts."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.walking import flat_costs
from lifecircle.analysis.city.crs import metric_crs, to_lonlat, to_metric
from lifecircle.analysis.city.streets.erase import cut_inside, widen_shapes
from lifecircle.analysis.city.streets.main_roads import part_by_main_roads
from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.streets.walkable import Terrain, Walkable, walkable_network
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.grouping.pair_blocks import PairBudget
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.analysis.readers.graphs.nodes import streets_of_graph
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets
from lifecircle.analysis.readers.tables.closures import read_closures
from tests.oracles import walks as oracle
from tests.worlds.drawn import ORIGIN, STREET, Town, Way, World, draw, near, nearest_cm, walk_rules
from tests.worlds.hills import forms

CRS = "EPSG:4543"
BRIDGE = STREET | {"bridge": "yes"}
MAIN = {"highway": "primary"}
RAIL = {"railway": "rail"}
RIVER = {"waterway": "river"}


def walkable(world: World, folder: Path, *rule: str) -> Walkable:
    path = world.write(folder / "drawn.osm.pbf")
    terrain = Terrain(barrier_rule=rule)
    policy = load_policy()
    raw = read_streets(path, policy.walk, terrain.form_of(policy))
    return walkable_network(raw, terrain, policy, path)


def metres(network: WalkNetwork, world: World, person, place) -> float | None:
    """The walk between two places, each joined to its nearest street."""
    index = EdgeIndex.build(network, 0)
    at = [
        index.snap(to_metric(world.lonlats([each]), network.crs), 250) for each in (person, place)
    ]
    cm, _ = nearest_cm(flat_costs(network), *at)
    return None if cm[0] == UNREACHED_CM else float(cm[0]) / 100


def keys(found: Walkable) -> list[str]:
    assert all(warn.text("zh") and warn.text("en") for warn in found.warnings)
    return [warn.key for warn in found.warnings]


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


# ---- closures -----------------------------------------------------------------------------


def closed(world: World, folder: Path, *shapes: shapely.Geometry) -> Walkable:
    """The network with closures drawn in metres, through a file."""
    placed = [
        shapely.transform(shape, lambda xy: world.lonlats([tuple(p) for p in xy.tolist()]))
        for shape in shapes
    ]
    path = folder / "closed.geojson"
    gpd.GeoDataFrame(geometry=placed, crs="EPSG:4326").to_file(path, driver="GeoJSON")
    osm = world.write(folder / "drawn.osm.pbf")
    table = read_closures(path)
    terrain = Terrain(closures=(path,))
    return walkable_network(read_streets(osm, walk_rules()), terrain, load_policy(), osm, (table,))


RING = draw(
    {"a": (0, 0), "b": (400, 0), "c": (400, 300), "d": (0, 300)},
    "a b c d a",
)


@pytest.mark.parametrize(
    ("shape", "removed"),
    [
        (shapely.Point(200, 1), 2 * (25 - 1) ** 0.5),  # 5 m around a point a metre off the street
        (shapely.LineString([(200, -30), (200, 30)]), 10),  # a fence across: 5 m either side
        (shapely.LineString([(150, 0), (250, 0)]), 110),  # along the street, and 5 m at its ends
        (shapely.box(100, -20, 300, 20), 200),
    ],
)
def test_closures_cut_exactly_where_they_lie(
    tmp_path: Path, shape: shapely.Geometry, removed: float
) -> None:
    found = closed(RING, tmp_path, shape)
    network = found.network
    assert network.edge_length_m.sum() == pytest.approx(1400 - removed, abs=0.15)
    (said,) = found.warnings
    assert said.key == "closures_used"
    assert said.params["metres"] == round(removed)
    assert metres(network, RING, (20.0, 0.0), (380.0, 0.0)) == near(1400 - 360)
    assert metres(network, RING, (20.0, 0.0), (90.0, 0.0)) == near(70)  # both stumps stay
    assert metres(network, RING, (310.0, 0.0), (380.0, 0.0)) == near(70)


def test_a_closed_junction_closes_every_way_through_it(tmp_path: Path) -> None:
    cross = draw({"m": (0, 0), "w": (-300, 0), "e": (300, 0), "n": (0, 300), "s": (0, -300)},
                 "w m e", "n m s")  # fmt: skip
    found = closed(cross, tmp_path, shapely.box(-10, -10, 10, 10))
    assert found.network.edge_count == 4
    assert found.network.edge_length_m.tolist() == near([290] * 4)
    for one, other in (("w", "e"), ("n", "s"), ("n", "e")):
        assert metres(found.network, cross, one, other) is None


def test_two_closures_on_one_segment_and_one_that_touches_nothing(tmp_path: Path) -> None:
    found = closed(
        RING, tmp_path, shapely.box(50, -5, 100, 5), shapely.Point(200, 150),
        shapely.box(200, -5, 250, 5), shapely.box(90, -5, 120, 5),
    )  # fmt: skip
    assert found.network.edge_length_m.sum() == pytest.approx(1400 - 70 - 50, abs=0.1)
    assert keys(found) == ["closures_used", "closures_loose"]
    assert found.warnings[1].params == {"count": 1, "rows": "2"}
    assert metres(found.network, RING, (130.0, 0.0), (190.0, 0.0)) == near(60)
    assert metres(found.network, RING, (130.0, 0.0), (300.0, 0.0)) is None


def test_a_huge_closure_is_quick(tmp_path: Path) -> None:
    """A border of 200,000 points around two hundred streets."""
    places = {f"{i}{end}": (i * 2.0, y) for i in range(200) for end, y in (("a", 0), ("b", 300))}
    comb = draw(places | {"w": (-5, 300), "e": (400, 300)}, *[f"{i}a {i}b" for i in range(200)])
    turn = np.linspace(0, 2 * np.pi, 200_000)
    ring = np.column_stack([200 + 900 * np.cos(turn), -800 + 900 * np.sin(turn)])
    raw = streets_of(comb, tmp_path)
    area = shapely.transform(
        shapely.Polygon(ring), lambda xy: to_lonlat(xy + to_metric(np.array([ORIGIN]), CRS), CRS)
    )
    begin = time.process_time()
    cut = cut_inside(raw, np.array([area], dtype=object))
    assert time.process_time() - begin < 20  # it takes about a second
    # the circle's top lies 100 m north of the combs' feet, in the middle of them
    assert 200 * 45 < cut.removed_m < 200 * 100.5


def test_closures_on_one_heap_cut_the_same_joined(tmp_path: Path, monkeypatch) -> None:
    raw = streets_of(RING, tmp_path)
    boxes = [shapely.box(100 + i, -30, 150 + i, 30) for i in range(20)]
    boxes.append(shapely.box(5_000, 5_000, 5_010, 5_010))  # meets no street
    areas = np.array([
        shapely.transform(one, lambda xy: RING.lonlats([tuple(p) for p in xy.tolist()]))
        for one in boxes
    ], dtype=object)  # fmt: skip
    plain = cut_inside(raw, areas)
    monkeypatch.setattr(PairBudget, "of", lambda *_: PairBudget(1))
    joined = cut_inside(raw, areas)
    assert joined.removed_m == pytest.approx(plain.removed_m, abs=1e-4)
    assert joined.met.tolist() == plain.met.tolist() == [True] * 20 + [False]


def test_closing_everything_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as refused:
        closed(RING, tmp_path, shapely.box(-100, -100, 600, 500))
    assert refused.value.faults[0].key == "closures_nothing_left"


BOXES = st.lists(
    st.tuples(st.floats(-50, 450), st.floats(-50, 350), st.floats(1, 150), st.floats(1, 150)),
    min_size=1, max_size=4,
)  # fmt: skip


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(BOXES)
def test_what_is_left_and_what_was_cut_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, boxes: list[tuple[float, float, float, float]]
) -> None:
    raw = streets_of(RING, tmp_path_factory.mktemp("ring"))
    crs = metric_crs(raw.lonlat)
    shapes = np.array([
        shapely.transform(shapely.box(x, y, x + w, y + h),
                          lambda xy: RING.lonlats([tuple(p) for p in xy.tolist()]))
        for x, y, w, h in boxes
    ] + [None], dtype=object)[:-1]  # fmt: skip
    cut = cut_inside(raw, widen_shapes(shapes, 5, crs))
    whole = build_network(raw)
    left = float(length_of(cut.streets))
    assert left + cut.removed_m == pytest.approx(float(whole.edge_length_m.sum()), abs=0.01)
    if left > 1:
        lines = build_network(cut.streets, crs).lines()
        inside = shapely.transform(shapely.union_all(shapes), lambda xy: to_metric(xy, crs))
        assert shapely.length(shapely.intersection(lines, inside.buffer(-0.01))).max() < 0.01
    if not cut.met.any():
        assert cut.streets is raw


def streets_of(world: World, folder: Path) -> RawStreets:
    return read_streets(world.write(folder / "drawn.osm.pbf"), walk_rules(), forms())


def length_of(raw: RawStreets) -> float:
    rows = np.ones(len(raw.node_ref), dtype=bool)
    rows[raw.way_start[1:] - 1] = False
    tail = np.flatnonzero(rows)
    return float(oracle.geodesic_m(raw.lonlat[tail], raw.lonlat[tail + 1]).sum())


def test_without_main_roads_nothing_is_parted(tmp_path: Path) -> None:
    raw = streets_of(RING, tmp_path)
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
