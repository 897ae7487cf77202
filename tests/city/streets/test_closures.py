"""Closures: they cut exactly where they lie, and what is left is the rest."""

from __future__ import annotations

import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.city.crs import metric_crs, to_lonlat, to_metric
from lifecircle.analysis.city.streets.erase import cut_inside, widen_shapes
from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.city.streets.walkable import Terrain, Walkable, walkable_network
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.grouping.pair_blocks import PairBudget
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import RawStreets, read_streets
from lifecircle.analysis.readers.tables.closures import read_closures
from tests.oracles import walks as oracle
from tests.worlds.drawn import ORIGIN, World, draw, near, walk_rules
from tests.worlds.walked import keys, metres, streets_of

CRS = "EPSG:4543"


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


def length_of(raw: RawStreets) -> float:
    rows = np.ones(len(raw.node_ref), dtype=bool)
    rows[raw.way_start[1:] - 1] = False
    tail = np.flatnonzero(rows)
    return float(oracle.geodesic_m(raw.lonlat[tail], raw.lonlat[tail + 1]).sum())
