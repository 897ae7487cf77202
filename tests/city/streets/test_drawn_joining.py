"""Drawn worlds: bridges and tunnels joined at their ends only, and the pieces of streets one may
live on; metres by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely

from lifecircle.analysis.access.nearest import goals_of, nearest_from_nodes, nearest_from_positions
from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.streets.attach import Attachments, attach_facilities
from lifecircle.analysis.city.streets.snap import EdgeIndex
from lifecircle.analysis.city.streets.walkable import without_forms
from tests.worlds.drawn import MAX_LEG_M, STREET, Place, Town, Way, World, draw, near

FOOTWAY = {"highway": "footway"}
BRIDGES = [
    {"bridge": "yes", "layer": "1"},
    {"bridge": "viaduct"},
    {"tunnel": "yes", "layer": "-1"},
    {"bridge": "boardwalk", "tunnel": "yes"},
]
ON_THE_GROUND = [
    {"covered": "yes"},
    {"bridge": "no"},
    {"bridge": "boardwalk"},
    {"tunnel": "building_passage"},
    {"tunnel": "culvert"},
]


def bridged(tags: dict[str, str]) -> World:
    """A street b--c on a bridge from b (300, 0) to c (700, 0); a bypass from b far around to c.

    ::

        a-------b=======c-------d     y = 0
    """
    places = {"a": (0, 0), "b": (300, 0), "c": (700, 0), "d": (1000, 0)}
    return draw(places, "a b", Way(("b", "c"), {**STREET, **tags}), "c d")


def entrances(town: Town, corners: list[Place]) -> Attachments:
    """How a park with these corners joins the streets."""
    outline = shapely.Polygon(to_metric(town.world.lonlats(corners), town.network.crs))
    return attach_facilities(np.array([outline]), np.array([True]), town.index, MAX_LEG_M)


def walks_m(town: Town, people: list[Place], goals: Attachments) -> list[float]:
    """Metres from people to a place."""
    found = goals_of(town.costs, goals)
    nodes = nearest_from_nodes(town.costs, found)
    at = nearest_from_positions(town.costs, found, nodes, town.snap(people))
    return (np.asarray(at.cm) / 100).tolist()


@pytest.mark.parametrize("tags", BRIDGES)
def test_bridge_is_joined_at_its_ends(tmp_path: Path, tags: dict[str, str]) -> None:
    """P stands 30 m beside the bridge, 100 m past b: it must walk to b, not up the pillars.

    ::

                  P (400, 30)
        a-------b=======c-------d
    """
    town = Town.build(bridged(tags), tmp_path)
    leg = float(np.hypot(100, 30))
    assert town.snap([(400, 30)]).leg_m == near([leg])
    metres, _ = town.nearest([(400, 30), (650, -20), (200, 10)], ["a"])
    assert metres == near([leg + 300, float(np.hypot(50, 20)) + 700, 10 + 200])
    assert town.nearest(["a"], [(400, 30)])[0] == near([300 + leg])
    assert town.snap([(500, 10)]).leg_m == near([float(np.hypot(200, 10))])  # either end: 200 m
    assert town.nearest(["d"], ["a"])[0] == near([1000])  # the bridge itself is walked


@pytest.mark.parametrize("tags", ON_THE_GROUND)
def test_covered_way_is_joined_anywhere(tmp_path: Path, tags: dict[str, str]) -> None:
    """What keeps to the ground is a street like others."""
    town = Town.build(bridged(tags), tmp_path)
    assert town.nearest([(400, 30)], ["a"])[0] == near([30 + 400])


def test_long_bridge_leaves_those_beside_its_middle_without_a_street(tmp_path: Path) -> None:
    """600 m of bridge, P 300 m from either end: farther than 250 m from the ground."""
    places = {"a": (-900, 0), "b": (-300, 0), "c": (300, 0), "d": (900, 0)}
    world = draw(places, "a b", Way(("b", "c"), {**STREET, "bridge": "yes"}), "c d")
    town = Town.build(world, tmp_path)
    assert town.snap([(0, 20), (-60, 20)]).snapped.tolist() == [False, True]


def test_bridge_of_several_ways_is_joined_where_the_ground_begins(tmp_path: Path) -> None:
    """m and n split the bridge (another layer, another name); a stair down at n touches ground.

    ::

        a----b==m==n==c----d     y = 0; b 300, m 400, n 500, c 600
                   |
                   s (500, -200)
    """
    places = {"a": (0, 0), "b": (300, 0), "m": (400, 0), "n": (500, 0), "c": (600, 0),
              "d": (900, 0), "s": (500, -200)}  # fmt: skip
    up = {**STREET, "bridge": "yes"}
    ways = ["a b", Way(("b", "m"), up), Way(("m", "n"), {**up, "layer": "2"}), Way(("n", "c"), up)]
    town = Town.build(draw(places, *ways, "c d", "n s"), tmp_path)
    metres, _ = town.nearest([(400, 10), (490, 10)], ["s"])
    # From (400, 10) b and n are alike; b is on the lower edge or n is: told by the oracle's leg.
    assert town.snap([(400, 10)]).leg_m == near([float(np.hypot(100, 10))])
    assert metres[1] == near(float(np.hypot(10, 10)) + 200)


def test_bridge_that_ends_blind_is_joined_there(tmp_path: Path) -> None:
    """A footbridge whose far stairs nobody mapped: its end is a place to get on.

    ::

        a----b=====c (600, 0)   P (600, 40)   Q (450, 40): 158 m from c, 155 from b
    """
    world = draw({"a": (0, 0), "b": (300, 0), "c": (600, 0)}, "a b",
                 Way(("b", "c"), {**FOOTWAY, "bridge": "yes"}))  # fmt: skip
    town = Town.build(world, tmp_path)
    metres, _ = town.nearest([(600, 40), (440, 40)], ["a"])
    assert metres == near([40 + 600, float(np.hypot(140, 40)) + 300])


@pytest.mark.parametrize("tags", [{"bridge": "yes"}, {"tunnel": "yes", "layer": "-1"}])
def test_bridge_over_a_park_is_no_entrance(tmp_path: Path, tags: dict[str, str]) -> None:
    """The park's one gate is in the north; a road crosses it from b to c on a bridge.

    ::

            n--------g--------m       y = 600, the way to the gate ends at t inside the park
            |   +----t----+   |       park x 300..700, y 100..500
            |   |         |   |
        a---b===============c---d     y = 300, b 200, c 800
    """
    places = {"a": (0, 300), "b": (200, 300), "c": (800, 300), "d": (1000, 300), "n": (0, 600),
              "g": (500, 600), "m": (1000, 600), "t": (500, 480)}  # fmt: skip
    ways = ["a b", Way(("b", "c"), {**STREET, **tags}), "c d", "a n g m d", "g t"]
    corners: list[Place] = [(300, 100), (700, 100), (700, 500), (300, 500)]
    town = Town.build(draw(places, *ways), tmp_path)
    assert walks_m(town, ["a", "d"], entrances(town, corners)) == near([900, 900])
    flat = Town.build(draw(places, "a b c d", "a n g m d", "g t"), tmp_path)
    assert walks_m(flat, ["a", "d"], entrances(flat, corners)) == near([300, 300])
    # A bridge that comes down inside is entered by at its end, 200 m past the outline.
    down = [Way(("a", "b", "x"), {**STREET, **tags}), "x t", "a n g m d"]
    ended = Town.build(draw({**places, "x": (500, 300)}, *down), tmp_path)
    assert walks_m(ended, ["a"], entrances(ended, corners)) == near([500])


def test_building_beside_a_bridge_joins_at_the_ground(tmp_path: Path) -> None:
    """A hall 10 m under the bridge, 60 m past b."""
    town = Town.build(bridged({"bridge": "yes"}), tmp_path)
    corners: list[Place] = [(360, 10), (400, 10), (400, 50), (360, 50)]
    outline = shapely.Polygon(to_metric(town.world.lonlats(corners), town.network.crs))
    at = attach_facilities(np.array([outline]), np.array([False]), town.index, MAX_LEG_M)
    assert at.position.leg_m == near([float(np.hypot(60, 10))])
    assert walks_m(town, ["a"], at) == near([300 + float(np.hypot(60, 10))])


def test_a_kept_run_remembers_bridges_and_nothing_else(tmp_path: Path) -> None:
    """What is asked of a run later joins as what was built."""
    town = Town.build(bridged({"bridge": "yes", "covered": "yes"}), tmp_path)
    kept = without_forms(town.network)
    assert kept.vertex_form is not None
    assert set(kept.vertex_form.tolist()) == {0, 8}
    again = EdgeIndex.build(kept, 0)
    xy = to_metric(town.world.lonlats([(400, 30)]), kept.crs)
    assert again.snap(xy, MAX_LEG_M).leg_m == near([float(np.hypot(100, 30))])
    level = Town.build(bridged({}), tmp_path)
    assert without_forms(level.network).vertex_form is None


VILLAGE = {"a": (0, 0), "b": (6000, 0), "m": (1000, 300), "n": (1000, 700)}


@pytest.mark.parametrize(
    ("length_m", "leg_m"), [(400, 40.0), (310, 40.0), (290, 200.0), (4990, 40.0), (5010, 40.0)]
)
def test_village_by_itself_is_joined_where_the_city_is_too_far(
    tmp_path: Path, length_m: float, leg_m: float
) -> None:
    """P lives 40 m from the village street and 300 m from the city's, Q 200 m from the city's.

    ::

            n  P' (1040, 340)
            |  P
            m  Q (1040, 200)
        a-----------------------b     y = 0, 6 km
    """
    world = draw({**VILLAGE, "n": (1000, 300 + length_m)}, "a b", "m n")
    town = Town.build(world, tmp_path, 5000, 300)
    at = town.snap([(1040, 300 + min(length_m, 40)), (1040, 200)])
    joined = length_m >= 300
    assert at.snapped.tolist() == [joined, True]
    if joined:
        assert at.leg_m[0] == near(leg_m)
    # Q prefers the city at 200 m to a village piece nearer by; a main piece of its own is nearer.
    assert at.leg_m[1] == near(200 if length_m < 5000 else float(np.hypot(40, 100)))


def test_village_with_its_own_clinic_is_served_by_it(tmp_path: Path) -> None:
    """And nobody walks from it to the city, or back."""
    town = Town.build(draw(VILLAGE, "a b", "m n"), tmp_path, 5000, 300)
    people: list[Place] = [(1000, 350), (1000, 690), (500, 20)]
    metres, who = town.nearest(people, [(1010, 500), "b"])
    assert metres == near([150 + 10, 190 + 10, 20 + 5500])
    assert who == [0, 0, 1]
    assert town.nearest(people[:1], ["b"]) == ([None], [None])


def test_park_on_both_is_entered_from_both(tmp_path: Path) -> None:
    """A park the city's street crosses is open to the village whose path leads into it too."""
    places = {**VILLAGE, "m": (1000, 100), "a": (0, 0)}
    town = Town.build(draw(places, "a b", "m n"), tmp_path, 5000, 300)
    corners: list[Place] = [(900, -50), (1100, -50), (1100, 200), (900, 200)]
    park = entrances(town, corners)
    assert walks_m(town, [(1000, 600), (500, 0)], park) == near([400, 400])
    # Paths of the park's own that lead nowhere else do not cut it off: it joins the city as before.
    lonely: list[Place] = [(900, 90), (1100, 90), (1100, 720), (900, 720)]
    assert walks_m(town, [(500, 0)], entrances(town, lonely))[0] == near(400 + 90, 1.0)
