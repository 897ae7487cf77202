"""Drawn worlds: how places join the streets, who wins a tie, where a limit ends; metres."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import attach_facilities
from lifecircle.analysis.policy import load_policy
from tests.worlds.drawn import MAX_LEG_M, Town, draw, near


def test_components_too_small_to_live_in_are_passed_over(tmp_path: Path) -> None:
    """A stub of 80 m lies nearer to P, but nobody lives on it.

    ::

        m--n             y = 60, 80 m: too small
           P             y = 50
        a--------F b     y = 0, 800 m
    """
    places = {"a": (0, 0), "b": (800, 0), "m": (0, 60), "n": (80, 60)}
    world = draw(places, "a b", "m n")
    big = Town.build(world, tmp_path, min_component_m=500)
    metres, _ = big.nearest([(40, 50)], ["b"])
    assert metres == near([50 + 760])
    with_stub = Town.build(world, tmp_path, min_component_m=0)
    assert with_stub.nearest([(40, 50)], ["b"]) == ([None], [None])
    assert with_stub.snap([(40, 50)]).leg_m == near([10])


@pytest.mark.parametrize(("length_m", "lives"), [(4990, False), (5010, True)])
def test_a_component_needs_five_kilometres(tmp_path: Path, length_m: float, lives: bool) -> None:
    """Two branches sum up: 1,000 m and the rest."""
    world = draw({"a": (0, 0), "b": (1000, 0), "c": (1000, length_m - 1000)}, "a b", "b c")
    town = Town.build(world, tmp_path, load_policy().attachment.min_component_m.value)
    assert town.snap([(500, 10)]).snapped.tolist() == [lives]


def test_park_with_three_entrances(tmp_path: Path) -> None:
    """A park counts from where a walkable way crosses its outline, or runs inside.

    ::

        n---------+-----------m      y = 400
                  |E3 (150, 300)
             +----|----+             park x 100..200, y 200..300, no way inside but these stubs
             |    t    |
             |         |
        w----E1-u   v--E2----e       y = 250: E1 (100, 250), E2 (200, 250)
        |    +---------+     |
        s0-------------------s1      y = 0
        0                   1000
    """
    places = {
        "s0": (0, 0), "s1": (1000, 0), "w": (0, 250), "u": (120, 250), "v": (180, 250),
        "e": (1000, 250), "t": (150, 280), "n": (150, 400), "m": (1000, 400),
    }  # fmt: skip
    world = draw(places, "s0 s1", "s0 w u", "s1 e v", "t n", "n m e")
    town = Town.build(world, tmp_path)
    corners = [(100, 200), (200, 200), (200, 300), (100, 300)]
    outline = shapely.Polygon(to_metric(world.lonlats(corners), town.network.crs))
    park = attach_facilities(np.array([outline]), np.array([True]), town.index, MAX_LEG_M)
    entrances = to_metric(world.lonlats([(100, 250), (200, 250), (150, 300)]), town.network.crs)
    gaps = [np.hypot(*(park.position.xy_m - place).T).min() for place in entrances]
    assert gaps == near([0, 0, 0])
    assert park.position.leg_m == near([0] * len(park.facility))
    people = [(0, 0), (1000, 0), (150, 380), (400, 0), (60, 250)]
    goals = goals_of(town.costs, park)
    nodes = nearest_from_nodes(town.costs, goals)
    found = nearest_from_positions(town.costs, goals, nodes, town.snap(people))
    # 250 + 100 | 250 + 800 | 80 | 400 + 350 | 40
    assert found.cm / 100 == near([350, 1050, 80, 750, 40])


def test_building_counts_from_the_nearest_point_of_its_outline(tmp_path: Path) -> None:
    """A hall 40 m deep whose front is 20 m off the street.

    ::

            +--------+  y = 60
            |  hall  |
            +--------+  y = 20
        a---------P---------b    the front's nearest point is straight above the street
    """
    world = draw({"a": (0, 0), "b": (1000, 0)}, "a b")
    town = Town.build(world, tmp_path)
    corners = [(480, 20), (520, 19), (520, 60), (480, 60)]
    hall = shapely.Polygon(to_metric(world.lonlats(corners), town.network.crs))
    at = attach_facilities(np.array([hall]), np.array([False]), town.index, MAX_LEG_M)
    assert at.position.leg_m == near([19])
    goals = goals_of(town.costs, at)
    nodes = nearest_from_nodes(town.costs, goals)
    found = nearest_from_positions(town.costs, goals, nodes, town.snap([(0, 0), (600, 0)]))
    assert found.cm / 100 == near([520 + 19, 80 + 19])


def test_tie_of_two_facilities_goes_to_the_lower_index(tmp_path: Path) -> None:
    """P stands exactly midway, on a drawing that mirrors itself.

    ::

        F1 a----------j----------b F0
          -700        P         700
                      |
                      d
    """
    world = draw({"a": (-700, 0), "j": (0, 0), "b": (700, 0), "d": (0, -200)}, "a j b", "j d")
    town = Town.build(world, tmp_path)
    for order in (["a", "b"], ["b", "a"]):
        metres, who = town.nearest(["j", "d"], order)
        assert metres == near([700, 900])
        assert who == [0, 0]
    assert town.nearest(["a"], ["b", "b"])[1] == [0]


def test_tie_of_two_edges_goes_to_the_lower_edge(tmp_path: Path) -> None:
    """Points at a junction, or past the end all three edges share, lie on three edges alike.

    ::

        a------j------b
               |
               c
    """
    places = {"a": (-400, 0), "j": (0, 0), "b": (400, 0), "c": (0, -400)}
    town = Town.build(draw(places, "a j b", "j c"), tmp_path)
    position = town.snap(["j"])
    assert position.edge.tolist() == [0]
    assert position.leg_m == near([0])
    corner = Town.build(draw({"a": (-400, 0), "j": (0, 0), "b": (-400, 50), "c": (-400, -50)},
                             "a j b", "j c"), tmp_path)  # fmt: skip
    past = corner.snap([(30, 0)])
    assert past.edge.tolist() == [0]
    assert past.leg_m == near([30])


def test_unsnapped_beyond_250_metres(tmp_path: Path) -> None:
    """The access leg is straight and at most 250 m, past the end of a street too.

    ::

             P 249 m, Q 251 m
        a---------------------b   R
        0                    1000 1249 / 1251
    """
    town = Town.build(draw({"a": (0, 0), "b": (1000, 0)}, "a b"), tmp_path)
    places = [(500.0, 249.0), (500.0, 251.0), (1249.0, 0.0), (1251.0, 0.0), (5000.0, 5000.0)]
    at = town.snap(places)
    assert at.snapped.tolist() == [True, False, True, False, False]
    assert at.leg_m[[0, 2]] == near([249, 249])
    metres, who = town.nearest(places, ["a"])
    assert metres == [near(749), None, near(1249), None, None]
    assert who == [0, None, 0, None, None]
    assert town.nearest(["a"], [(500, 251)]) == ([None], [None])


def test_access_legs_count_at_both_ends(tmp_path: Path) -> None:
    """30 m to the street, 500 m along it, 40 m to the door; on one edge and over several.

    ::

           P (100, 30)
        a--+-----------j-----------+--b
                       |           F (600, -40)
                       c
    """
    places = {"a": (0, 0), "j": (300, 0), "b": (1000, 0), "c": (300, -300)}
    one_edge = Town.build(draw(places, "a b"), tmp_path)
    assert one_edge.nearest([(100, 30)], [(600, -40)])[0] == near([570])
    two_edges = Town.build(draw(places, "a j b", "j c"), tmp_path)
    assert two_edges.nearest([(100, 30)], [(600, -40)])[0] == near([570])
    metres, who = two_edges.nearest([(300, 30)], [(300, -150), (100, 0), (420, -20)])
    assert metres == near([170])  # 30 + 120 + 20 beats 30 + 150 and 30 + 200
    assert who == [2]


def test_cutoff_is_compared_after_both_legs(tmp_path: Path) -> None:
    """930 m along the street and legs of 30 and 40 m: 1,000 m in all.

    ::

           P (20, 30)
        a--+--------------------------+--b
                                      F (950, -40)
    """
    town = Town.build(draw({"a": (0, 0), "b": (2000, 0)}, "a b"), tmp_path)
    people, facility = [(20.0, 30.0)], [(950.0, -40.0)]
    metres = town.nearest(people, facility)[0][0]
    assert metres == near(1000)
    exact_cm = round(100 * (metres or 0))
    assert town.nearest(people, facility, exact_cm) == ([metres], [0])
    assert town.nearest(people, facility, exact_cm - 1) == ([None], [None])
    assert town.nearest(people, facility, 96_500) == ([None], [None])  # one leg would still fit


def test_cutoff_over_junctions(tmp_path: Path) -> None:
    """The same with junctions between: the search must not stop a leg too early or too late.

    ::

           P                 F
        a--+--j------k------+--b     P (100,60), j 300, k 600, F (800,-50): 60 + 700 + 50
              |      |
              c      d
    """
    places = {"a": (0, 0), "j": (300, 0), "k": (600, 0), "b": (1000, 0), "c": (300, -200),
              "d": (600, -200)}  # fmt: skip
    town = Town.build(draw(places, "a j k b", "j c", "k d"), tmp_path)
    people, facility = [(100.0, 60.0)], [(800.0, -50.0)]
    metres = town.nearest(people, facility)[0][0]
    assert metres == near(810)
    exact_cm = round(100 * (metres or 0))
    assert town.nearest(people, facility, exact_cm) == ([metres], [0])
    assert town.nearest(people, facility, exact_cm - 1) == ([None], [None])
