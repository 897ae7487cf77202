"""Slope by hand: hills, stairs, bridges in drawn worlds; flat heights change nothing."""

from __future__ import annotations

from math import exp
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.access.isochrone import reach, reached_stretches
from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes
from lifecircle.analysis.access.walking import flat_costs, walk_costs
from lifecircle.analysis.city.streets.slope import tobler_km_h
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.policy import load_policy
from tests.worlds.drawn import ORIGIN, Town, Way, attachments, draw, nearest_cm
from tests.worlds.hills import east_ramp, rules, sloped, way_m, write_dem

rasterio = pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")

FOOT = {"highway": "footway"}
UP_10 = exp(3.5 * 0.10)  # Tobler(0) / Tobler(0.10) = exp(3.5 (0.15 - 0.05))
DOWN_10 = 1.0  # at 10 % downhill |s + 0.05| is again 0.05


def test_tobler_walks_5_04_km_h_on_the_flat_and_6_on_a_slight_descent() -> None:
    speed = tobler_km_h(np.array([0.0, -0.05, 0.10, -0.10]), rules())
    assert speed == pytest.approx([5.0367, 6.0, 3.5494, 5.0367], abs=1e-4)
    assert round(float(speed[0]), 2) == 5.04


def test_up_and_down_a_hill_differ_as_by_hand(tmp_path: Path) -> None:
    world = draw({"a": (0, 0), "b": (400, 0)}, "a b")
    network, facts = sloped(world, tmp_path, write_dem(tmp_path / "d.tif", east_ramp(10)))
    # 400 m at 10 %: up 400 exp(0.35) = 567.63 m on the flat, down 400 m
    assert way_m(world, network, "a", "b") == pytest.approx(400 * UP_10, abs=0.1)
    assert way_m(world, network, "b", "a") == pytest.approx(400 * DOWN_10, abs=0.1)
    assert facts.mean_slope == pytest.approx(0.10, abs=1e-4)
    assert facts.unknown_m == facts.steep_m == facts.stairs_m == 0


def test_a_hill_between_two_ends_of_one_height_costs_on_both_ways(tmp_path: Path) -> None:
    world = draw({"a": (-300, 0), "b": (300, 0)}, "a b")  # one straight edge over the top
    hill = write_dem(tmp_path / "d.tif", lambda e, n: 500 - 0.10 * np.abs(e) + 0 * n)
    network, _ = sloped(world, tmp_path, hill)
    by_hand = 300 * UP_10 + 300 * DOWN_10
    for start, end in (("a", "b"), ("b", "a")):  # the very top is rounded by a cell
        assert way_m(world, network, start, end) == pytest.approx(by_hand, abs=4)


def test_half_way_up_is_not_half_the_walk(tmp_path: Path) -> None:
    """Flat for 300 m, then 300 m up: positions inside the edge know on which part they are."""
    world = draw({"a": (-300, 0), "b": (300, 0)}, "a b")
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 200 + 0.10 * np.maximum(e, 0) + 0 * n)
    network, _ = sloped(world, tmp_path, dem)
    costs = walk_costs(network)
    at_m = np.array([150.0, 300.0, 450.0])
    if network.node_osm_id[network.edge_u[0]] != world.node_id("a"):
        at_m = 600 - at_m
    spot = Positions(np.zeros(3, np.int32), at_m, np.zeros(3), np.zeros((3, 2)))
    from_a = costs.ahead_cm(spot) if at_m[0] == 150 else costs.uv_cm[0] - costs.back_cm(spot)
    whole = costs.uv_cm[0] if at_m[0] == 150 else costs.vu_cm[0]
    if at_m[0] != 150:
        from_a = costs.vu_cm[0] - costs.back_cm(spot)
    assert from_a / 100 == pytest.approx([150, 300, 300 + 150 * UP_10], abs=2.5)
    assert whole / 100 == pytest.approx(300 + 300 * UP_10, abs=2.5)
    assert abs(from_a[1] / whole - 0.5) > 0.08  # an even share would say half


@pytest.mark.parametrize(("tag", "value"), [("bridge", "yes"), ("tunnel", "yes"),
                                            ("covered", "yes"), ("bridge", "viaduct")])  # fmt: skip
def test_a_bridge_runs_straight_over_a_valley(tmp_path: Path, tag: str, value: str) -> None:
    """A valley 40 m deep: the bridge is level, the street beside it goes down and up."""
    places = {"a": (-200, 0), "b": (-100, 0), "c": (0, 0), "d": (100, 0), "e": (200, 0),
              "f": (0, 300), "g": (0, -40)}  # fmt: skip
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 300 - 40 * (np.abs(e) < 90) + 0 * n)
    over = {"highway": "residential", tag: value}
    world = draw(places, "a b", Way(("b", "c", "d"), over), "d e", "b f d")
    network, facts = sloped(world, tmp_path, dem)
    assert facts.off_ground_m == pytest.approx(200, abs=0.1)
    assert way_m(world, network, "b", "d") == pytest.approx(200, abs=0.05)
    # the same way without the tag is steep twice
    plain = draw(places, "a b", "b c d", "d e", "b f d")
    network, _ = sloped(plain, tmp_path, dem)
    assert way_m(plain, network, "b", "d") > 230
    shut = draw(places, "a b", Way(("b", "c", "d"), over | {tag: "no"}), "d e", "b f d")
    network, _ = sloped(shut, tmp_path, dem)
    assert way_m(shut, network, "b", "d") > 230


def test_a_bridge_inside_a_longer_edge_is_level_there_alone(tmp_path: Path) -> None:
    """Contraction joins street, bridge and street into one edge; only the bridge is lifted."""
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 300 + 0.10 * e - 40 * (np.abs(e) < 60) + 0 * n)
    world = draw(
        {"a": (-400, 0), "b": (-100, 0), "c": (100, 0), "d": (400, 0)},
        "a b", Way(("b", "c"), {"highway": "residential", "bridge": "yes"}), "c d",
    )  # fmt: skip
    network, _ = sloped(world, tmp_path, dem)
    assert network.edge_count == 1
    # everywhere 10 %: the street on its ground, the bridge between its ends
    assert way_m(world, network, "a", "d") == pytest.approx(800 * UP_10, abs=0.3)
    assert way_m(world, network, "d", "a") == pytest.approx(800 * DOWN_10, abs=0.3)


def test_bridges_that_fork_have_heights_between_their_ends(tmp_path: Path) -> None:
    """Three arms of 100 m from a fork, their ends at 0, 0 and 30 m: the fork is at 10 m."""
    dem = write_dem(
        tmp_path / "d.tif", lambda e, n: 100.0 + 30 * (n > 60) - 50 * (np.hypot(e, n) < 40)
    )
    deck = {"highway": "footway", "bridge": "yes"}
    world = draw(
        {"o": (0, 0), "w": (-100, 0), "e": (100, 0), "n": (0, 100),
         "ww": (-200, 0), "ee": (200, 0), "nn": (0, 200)},
        Way(("o", "w"), deck), Way(("o", "e"), deck), Way(("o", "n"), deck),
        "w ww", "e ee", "n nn",
    )  # fmt: skip
    network, _ = sloped(world, tmp_path, dem)
    # the fork is a junction; w is not (contracted), so the edge is o-w-ww: 100 m up 10 %, 100 flat
    assert way_m(world, network, "ww", "o") == pytest.approx(100 + 100 * UP_10, abs=0.5)
    up_20 = exp(3.5 * 0.20)
    assert way_m(world, network, "o", "nn") == pytest.approx(100 * up_20 + 100, abs=0.5)


def test_stairs_cost_by_their_rise_and_not_by_tobler(tmp_path: Path) -> None:
    """60 m of stairs rising 18 m: 36 m of them are steps at 1 : 2, the rest is landings."""
    dem = write_dem(tmp_path / "d.tif", east_ramp(30))
    world = draw({"a": (0, 0), "b": (60, 0)}, Way(("a", "b"), {"highway": "steps"}))
    network, facts = sloped(world, tmp_path, dem)
    up, down = 36 * (1.34 / 0.61 - 1), 36 * (1.34 / 0.69 - 1)
    assert way_m(world, network, "a", "b") == pytest.approx(60 + up, abs=0.1)
    assert way_m(world, network, "b", "a") == pytest.approx(60 + down, abs=0.1)
    assert facts.stairs_m == pytest.approx(60, abs=0.05)
    assert facts.mean_slope == 0  # no street that is not stairs
    path = draw({"a": (0, 0), "b": (60, 0)}, Way(("a", "b"), FOOT))
    sloping, _ = sloped(path, tmp_path, dem)
    assert way_m(path, sloping, "a", "b") == pytest.approx(60 * exp(3.5 * 0.30), abs=0.1)


def test_stairs_are_never_more_than_all_steps(tmp_path: Path) -> None:
    """Heights that rise 80 % along stairs are noise: no more than the whole way is steps."""
    dem = write_dem(tmp_path / "d.tif", east_ramp(80))
    world = draw({"a": (0, 0), "b": (60, 0)}, Way(("a", "b"), {"highway": "steps"}))
    network, _ = sloped(world, tmp_path, dem)
    assert way_m(world, network, "a", "b") == pytest.approx(60 * 1.34 / 0.61, abs=0.1)


def test_stairs_inside_a_longer_edge(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 100 + np.clip(e - 15, 0, 20) + 0 * n)
    world = draw(
        {"a": (-100, 0), "b": (0, 0), "c": (50, 0), "d": (150, 0)},
        "a b", Way(("b", "c"), {"highway": "steps"}), "c d",
    )  # fmt: skip
    network, _ = sloped(world, tmp_path, dem)
    assert network.edge_count == 1
    by_hand = 200 + 50 + 40 * (1.34 / 0.61 - 1)  # 20 m of rise are 40 m of steps
    assert way_m(world, network, "a", "d") == pytest.approx(by_hand, abs=0.1)


def test_slopes_beyond_the_steepest_street_count_as_that(tmp_path: Path) -> None:
    world = draw({"a": (0, 0), "b": (100, 0)}, "a b")
    network, facts = sloped(world, tmp_path, write_dem(tmp_path / "d.tif", east_ramp(60)))
    assert way_m(world, network, "a", "b") == pytest.approx(100 * exp(3.5 * 0.35), abs=0.1)
    assert facts.steep_m == pytest.approx(100, abs=0.1)


def test_unknown_heights_are_walked_as_flat_and_told(tmp_path: Path) -> None:
    dem = write_dem(
        tmp_path / "d.tif",
        lambda e, n: np.where(e > 150, -9999.0, 100 + 0.10 * e),
        nodata=-9999.0,
    )
    world = draw({"a": (0, 0), "b": (400, 0)}, "a b")
    network, facts = sloped(world, tmp_path, dem)
    assert facts.unknown_m == pytest.approx(250, abs=25)
    known = 400 - facts.unknown_m
    expected = known * UP_10 + facts.unknown_m
    assert way_m(world, network, "a", "b") == pytest.approx(expected, abs=0.2)


def test_streets_beyond_the_raster_are_unknown_and_one_elsewhere_is_refused(tmp_path: Path) -> None:
    dem = write_dem(tmp_path / "d.tif", east_ramp(10), half_deg=0.005)  # about 500 m each way
    world = draw({"a": (0, 0), "b": (1000, 0)}, "a b")
    _, facts = sloped(world, tmp_path, dem)
    assert facts.unknown_m == pytest.approx(1000 - 504.8, abs=11)  # 0.005° are 504.8 m
    far = draw({"a": (30_000, 0), "b": (31_000, 0)}, "a b")
    with pytest.raises(InputError) as refused:
        sloped(far, tmp_path, dem)
    assert refused.value.faults[0].key == "elevation_elsewhere"
    assert "102.7" in refused.value.text("zh")


HILLY = st.tuples(*[st.floats(-0.2, 0.2) for _ in range(3)])


@settings(max_examples=8, deadline=None, suppress_health_check=list(HealthCheck))
@given(HILLY, st.lists(st.floats(0, 1), min_size=2, max_size=6))
def test_walks_on_hills_add_up(
    tmp_path_factory: pytest.TempPathFactory, hill: tuple[float, ...], shares: list[float]
) -> None:
    """Along an edge costs only grow, from any place to any other they are the difference."""
    folder = tmp_path_factory.mktemp("hill")
    a, b, c = hill
    dem = write_dem(folder / "d.tif", lambda e, n: 500 + a * e + b * n + 20 * np.sin(e / 60) * c)
    world = draw({"a": (-200, 0), "b": (200, 90), "c": (150, 400)}, "a b c")
    network, _ = sloped(world, folder, dem)
    costs = walk_costs(network)
    at_m = np.sort(np.array(shares)) * network.edge_length_m[0]
    spots = Positions(
        np.zeros(len(at_m), np.int32), at_m, np.zeros(len(at_m)), np.zeros((len(at_m), 2))
    )
    ahead, back = costs.ahead_cm(spots), costs.back_cm(spots)
    assert np.all(np.diff(ahead) >= 0)
    assert np.all(np.diff(back) >= 0)
    assert ahead[-1] <= costs.uv_cm[0]
    assert back[-1] <= costs.vu_cm[0]
    if costs.uv_bend is not None:
        there = costs.uv_bend.place_of(np.zeros(len(at_m), np.int32), ahead.astype(float))
        assert there == pytest.approx(at_m, abs=0.02)
    # there is no way round: the walk between the outer two is the difference of what lies before
    people, goals = spots.take(np.array([0])), spots.take(np.array([len(at_m) - 1]))
    there, _ = nearest_cm(costs, people, goals)
    home, _ = nearest_cm(costs, goals, people)
    assert there[0] == ahead[-1] - ahead[0]
    assert home[0] == back[-1] - back[0]


def test_flat_heights_change_nothing_to_the_bit(tmp_path: Path) -> None:
    world = draw(
        {"a": (0, 0), "b": (333.3, 17), "c": (711, 205), "d": (400, -300), "e": (20, -350)},
        "a b c", "b d", Way(("d", "e"), {"highway": "steps"}), "e a",
        Way(("c", "d"), {"highway": "residential", "bridge": "yes"}),
    )  # fmt: skip
    for height in (0.0, 1888.3, -12.7):
        dem = write_dem(tmp_path / "d.tif", lambda e, n, h=height: np.full(e.shape, h))
        network, facts = sloped(world, tmp_path, dem)
        assert network.slope is not None
        assert not network.slope.extra_uv_m.any()
        assert not network.slope.extra_vu_m.any()
        assert facts.extra_share == facts.mean_slope == 0
        costs, flat = walk_costs(network), flat_costs(network)
        assert costs.uv_bend is None
        for name in ("uv_cm", "vu_cm", "link", "away"):
            assert np.array_equal(getattr(costs, name), getattr(flat, name))


def test_people_walk_up_to_the_school_and_down_from_it(tmp_path: Path) -> None:
    """Home below, school above: the resident's way is the way up; isochrones tell both."""
    world = draw({"a": (-500, 0), "b": (500, 0), "c": (500, 300)}, "a b c")
    dem = write_dem(tmp_path / "d.tif", east_ramp(10, 500))
    network, _ = sloped(world, tmp_path, dem)
    town = Town.build(world, tmp_path)
    index = EdgeIndex.build(network, 0)
    home, school = (index.snap(town.snap([(x, 0.0)]).xy_m, 250) for x in (-300, 300))
    costs = walk_costs(network)
    up, _ = nearest_cm(costs, home, school)
    down, _ = nearest_cm(costs, school, home)
    assert up[0] / 100 == pytest.approx(600 * UP_10, abs=0.5)
    assert down[0] / 100 == pytest.approx(600 * DOWN_10, abs=0.5)
    turned, _ = nearest_cm(costs.reversed(), school, home)
    assert turned[0] == up[0]
    # outward from home the school lies just at its walk; coming to home it is much nearer
    for limit, walk, expected in (
        (int(up[0]), costs, (-800, 300)),  # 851.6 m: 600 up, or down to the street's end
        (int(down[0]), costs.reversed(), (-500, 300)),
    ):
        found = reached_stretches(network, walk, home, reach(walk, home, limit), limit)
        east = _reached_east(network, found)
        assert east[1] == pytest.approx(expected[1], abs=0.5)
        assert east[0] == pytest.approx(-500, abs=0.5)


def _reached_east(network, found) -> tuple[float, float]:
    """How far west and east (metres from ORIGIN) the stretches on the one long edge reach."""
    from lifecircle.analysis.city.crs import to_metric

    origin_x = float(to_metric(np.array([ORIGIN]), network.crs)[0, 0])
    from_u = network.vertex_xy_m[0, 0] - origin_x < 0  # the west end first
    xs = np.concatenate((found.from_m, found.to_m))
    places = -500 + xs if from_u else 800 - xs  # the edge is a b c: 1000 m east, then 300 m north
    return float(places.min()), float(places.max())


def test_reach_with_slope_equals_the_walk_to_a_lone_facility_the_other_way(tmp_path: Path) -> None:
    world = draw(
        {"a": (-400, 0), "b": (0, 0), "c": (400, 0), "d": (0, 400), "e": (0, -400),
         "f": (300, 300)},
        "a b c", "d b e", "c f d", "a e",
    )  # fmt: skip
    dem = write_dem(
        tmp_path / "d.tif", lambda e, n: 400 + 0.08 * e - 0.05 * n + 12 * np.sin(n / 70)
    )
    network, _ = sloped(world, tmp_path, dem)
    costs = walk_costs(network)
    index = EdgeIndex.build(network, 0)
    origin = index.snap(network.node_xy_m[:1] + np.array([[30.0, 12.0]]), 250)
    for limit in (20_000, 60_000, 200_000):
        for outward in (costs, costs.reversed()):
            found = reach(outward, origin, limit)
            alone = goals_of(outward.reversed(), attachments(origin))
            field = nearest_from_nodes(outward.reversed(), alone, limit)
            near = np.flatnonzero(field.cm <= limit)
            assert np.array_equal(np.sort(found.node), near)
            assert np.array_equal(field.cm[found.node], found.cm)
    assert not np.array_equal(
        reach(costs, origin, 200_000).cm, reach(costs.reversed(), origin, 200_000).cm
    )


def test_every_number_of_the_docs_is_the_policy_s() -> None:
    text = (Path(__file__).resolve().parents[3] / "docs" / "walking.md").read_text("utf-8")
    policy, terrain = load_policy(), rules()
    assert policy.barriers is not None
    said = (
        f"−{terrain.tobler_steepness.value:g} · |s + {terrain.tobler_offset.value:g}|",
        f"{terrain.tobler_peak_km_h.value:g} · exp(",
        f"beyond {100 * terrain.steepest.value:g} %",
        f"finer than {terrain.cell_m.value:g} m",
        f"h ÷ {terrain.stairs_gradient.value:g} m",
        f"{terrain.stairs_level_m_per_s.value} ÷ {terrain.stairs_up_m_per_s.value} ",
        f"{terrain.stairs_level_m_per_s.value} ÷ {terrain.stairs_down_m_per_s.value} ",
        f"above {100 * terrain.implausible_slope.value:g} %",
        f"within {policy.barriers.closure_margin_m.value:g} m",
        f"`highway` = {', '.join(policy.barriers.main_road)}",
        f"`railway` = {', '.join(policy.barriers.railway)}",
        f"`waterway` = {', '.join(policy.barriers.river)}",
        *(f"`{tag}`" for tag in terrain.off_ground),
    )
    assert [words for words in said if words not in text] == []
