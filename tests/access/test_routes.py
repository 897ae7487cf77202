"""The walk itself: equal to the tables to the centimetre, and one line along the streets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes
from lifecircle.analysis.access.route import Route, find_route, route_ascent_m, route_line
from lifecircle.analysis.access.walking import WalkCosts, leg_cm, walk_costs
from lifecircle.analysis.city.streets.attach import Attachments
from lifecircle.analysis.city.streets.network import WalkNetwork
from lifecircle.analysis.city.streets.snap import EdgeIndex, Positions
from lifecircle.analysis.quantities import UNREACHED_CM
from tests.access.test_access_invariants import Case, built, cases, few
from tests.worlds.drawn import Town, Way, attachments, draw, near, nearest_cm
from tests.worlds.hills import rules, sloped, write_dem

ROUNDING_M = 0.03  # an edge, its shares and both legs are each rounded to whole centimetres


def routes(costs: WalkCosts, people: Positions, there: Attachments) -> list[Route | None]:
    """The walk of everyone to the nearest of some facilities."""
    field = nearest_from_nodes(costs, goals_of(costs, there))
    return [find_route(costs, there, field, people.take(np.array([i]))) for i in range(len(people))]


def hold(network: WalkNetwork, route: Route) -> None:
    """A walk adds up, and nobody jumps."""
    legs = int(leg_cm(route.start)[0])
    legs += 0 if route.goal is None else int(leg_cm(route.goal)[0])
    assert route.cost_cm.sum() + legs == route.cm
    line = route_line(network, route)
    assert np.allclose(line[0], route.start.xy_m[0], atol=1e-6)
    if route.goal is not None:
        assert np.allclose(line[-1], route.goal.xy_m[0], atol=1e-6)
    drawn_m = float(np.hypot(*np.diff(line, axis=0).T).sum())
    walked_m = float(np.abs(route.to_m - route.from_m).sum())
    assert drawn_m == pytest.approx(walked_m, rel=2e-3, abs=0.01)  # a jump would make it longer


@few
@given(cases())
def test_the_walk_is_that_of_the_table_and_of_the_oracle(case: Case) -> None:
    town = built(case.world)
    people, there = town.snap(case.people), town.snap(case.facilities)
    cm, facility = nearest_cm(town.costs, people, there)
    oracle_m = town.oracle_between_m(case.people, case.facilities)
    for i, route in enumerate(routes(town.costs, people, attachments(there))):
        if route is None:
            assert cm[i] == UNREACHED_CM
            continue
        assert (route.cm, route.facility) == (cm[i], facility[i])
        hold(town.network, route)
        bound = ROUNDING_M + 0.01 * len(route.edge)
        assert abs(route.length_m - oracle_m[i, route.facility]) <= bound


def test_the_streets_of_a_walk_by_hand(tmp_path: Path) -> None:
    # b---c---d   from 30 m east of b to 20 m south of d, by c: 70 + 100 + 80
    # |       |
    # a-------e   a is 300 m south: nobody goes round
    places = {"a": (0, -300), "b": (0, 0), "c": (100, 0), "d": (200, 0), "e": (200, -300)}
    town = Town.build(draw(places, "a b c d e a"), tmp_path)
    people, there = town.snap([(30.0, 4.0)]), town.snap([(203.0, -20.0), (100.0, -295.0)])
    (route,) = routes(town.costs, people, attachments(there))
    assert route is not None
    assert route.facility == 0
    assert route.length_m == near(4 + 170 + 20 + 3)
    assert route.cm == pytest.approx(100 * route.length_m, abs=4)
    line = route_line(town.network, route)
    assert len(line) == 4  # start, c, d, end
    hold(town.network, route)


def test_streets_of_no_length_lead_on(tmp_path: Path) -> None:
    places = {f"n{i}": (120.0 * i, 0.0) for i in range(5)}
    branch = {f"s{i}": (120.0 * i, 90.0) for i in range(5)}
    rungs = [f"n{i} s{i}" for i in range(5)]
    world = draw(places | branch, "n0 n1 n2 n3 n4", "s0 s1 s2 s3 s4", *rungs)
    town = Town.build(world, tmp_path)
    none = np.zeros_like(town.costs.uv_cm)
    costs = replace(
        town.costs, uv_cm=none, vu_cm=none, link=town.costs.link & 0xFFFFFFFF,
        away=town.costs.away & 0xFFFFFFFF, largest_cm=0,
    )  # fmt: skip
    people, there = town.snap([(1.0, 2.0), (240.0, 45.0)]), town.snap([(470.0, 88.0)])
    for route in routes(costs, people, attachments(there)):
        assert route is not None
        hold(town.network, route)


def test_no_way_is_no_walk(tmp_path: Path) -> None:
    world = draw({"a": (0, 0), "b": (99, 0), "c": (0, 500), "d": (99, 500)}, "a b", "c d")
    town = Town.build(world, tmp_path)
    people, there = town.snap([(10.0, 0.0), (10.0, 5000.0)]), town.snap([(10.0, 500.0)])
    assert routes(town.costs, people, attachments(there)) == [None, None]


def test_a_walk_uphill_climbs_what_the_hill_rises(tmp_path: Path) -> None:
    pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")
    places = {"a": (-400, 0), "b": (0, 0), "c": (400, 0)}
    stairs = Way(("b", "c"), {"highway": "steps"})
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 500 + 0.08 * e + 0 * n)
    network, _ = sloped(draw(places, "a b", stairs), tmp_path, dem)
    costs, index = walk_costs(network), EdgeIndex.build(network, 0)
    ends = index.snap(network.node_xy_m[[network.node_xy_m[:, 0].argmin()]], 1.0)
    top = index.snap(network.node_xy_m[[network.node_xy_m[:, 0].argmax()]], 1.0)
    for here, there, rise_m in ((ends, top, 64.0), (top, ends, 0.0)):
        (route,) = routes(costs, here, attachments(there))
        assert route is not None
        cm, _ = nearest_cm(costs, here, there)
        assert route.cm == cm[0]
        hold(network, route)
        climbed = route_ascent_m(network, route, rules())
        assert climbed == pytest.approx(rise_m, abs=0.3)
    flat = replace(network, slope=None)
    assert route_ascent_m(flat, route, rules()) is None


def test_walks_over_bumps_equal_the_table(tmp_path: Path) -> None:
    pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")
    places = {f"{x}{y}": (140.0 * x - 280, 130.0 * y - 260) for x in range(5) for y in range(5)}
    rows = [" ".join(f"{x}{y}" for x in range(5)) for y in range(5)]
    columns = [" ".join(f"{x}{y}" for y in range(5)) for x in range(5)]
    dem = write_dem(tmp_path / "d.tif", lambda e, n: 500 + 20 * np.sin(e / 90) * np.cos(n / 70))
    network, _ = sloped(draw(places, *rows, *columns), tmp_path, dem)
    costs, index = walk_costs(network), EdgeIndex.build(network, 0)
    rng = np.random.default_rng(11)
    low, high = network.node_xy_m.min(axis=0), network.node_xy_m.max(axis=0)
    people, there = (index.snap(rng.uniform(low, high, (k, 2)), 250) for k in (40, 5))
    cm, facility = nearest_cm(costs, people, there)
    for i, route in enumerate(routes(costs, people, attachments(there))):
        assert route is not None
        assert (route.cm, route.facility) == (cm[i], facility[i])
        hold(network, route)
        climbed = route_ascent_m(network, route, rules())
        assert climbed is not None
        assert 0 <= climbed <= 0.35 * route.length_m
