"""Drawn worlds: from the ways of a file to the edges of the network; metres."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np
import pytest

from lifecircle.analysis.city.streets.network import build_network
from lifecircle.analysis.readers.osm.streets import read_streets
from tests.oracles import walks as oracle
from tests.worlds.drawn import STREET, Town, Way, World, draw, near, walk_rules


def test_chain_of_degree_two_is_one_edge_with_its_length_kept(tmp_path: Path) -> None:
    """Five bends over three ways become one edge; nothing of its shape is lost.

    ::

           b     d          a(0,0) b(30,40) c(60,0) d(90,40) e(120,0)
          / \\   / \\         four sides of 50 m
         a   c    e
    """
    places = {"a": (0, 0), "b": (30, 40), "c": (60, 0), "d": (90, 40), "e": (120, 0)}
    town = Town.build(draw(places, "a b", "d c b", "d e"), tmp_path)
    network = town.network
    assert (network.node_count, network.edge_count) == (2, 1)
    assert network.edge_length_m == near([200])
    assert sorted(network.vertex_at_m) == near([0, 50, 100, 150, 200])
    assert len(network.vertex_xy_m) == 5
    assert set(network.node_osm_id) == {1, 5}
    assert network.edge_way[0] in (1, 2, 3)
    metres, _ = town.nearest(["a", (75, 20)], ["e"])
    assert metres == near([200, 75])


def test_doubled_ways_repeated_nodes_and_crossings_without_a_node(tmp_path: Path) -> None:
    """Two ways on the same nodes are one edge, a repeated node adds nothing, a bridge no junction.

    ::

               n
        a------+------b      s-n passes over a-b and shares no node with it
               s
    """
    places = {"a": (0, 0), "m": (500, 0), "b": (1000, 0), "n": (300, 400), "s": (300, -400)}
    town = Town.build(draw(places, "a m m b", "b m a", "s n"), tmp_path)
    assert sorted(town.network.edge_length_m) == near([800, 1000])
    assert town.network.component_length_m.sum() == near(1800)
    metres, who = town.nearest([(300, 100)], ["a", "b"])
    assert (metres, who) == ([None], [None])


def test_way_cut_at_the_border_of_an_extract(tmp_path: Path) -> None:
    """A node the extract left out breaks the way there, and no straight line bridges it.

    ::

        a------b      ?      d------e      the file names c but does not hold it
    """
    places = {"a": (0, 0), "b": (300, 0), "c": (450, 0), "d": (600, 0), "e": (1000, 0)}
    town = Town.build(draw(places, "a b c d e", absent=["c"]), tmp_path)
    assert sorted(town.network.edge_length_m) == near([300, 400])
    assert town.nearest(["a"], ["e"]) == ([None], [None])


def test_who_may_walk_where() -> None:
    """Every combination of tags that the table names gets the answer of the table."""
    highways = [None, *sorted(oracle.NO_HIGHWAY), "residential", "footway", "trunk", "steps",
                "cycleway", "path", "track", "service"]  # fmt: skip
    feet = [None, "no", "private", "use_sidepath", "yes", "designated", "permissive",
            "destination", "official"]  # fmt: skip
    rules = walk_rules()
    accesses, yes_no = [None, "no", "private", "customers", "yes"], [None, "yes", "no"]
    for highway, foot, access, area, motorroad in product(highways, feet, accesses, yes_no, yes_no):
        given = {"highway": highway, "foot": foot, "access": access, "area": area}
        given["motorroad"] = motorroad
        tags = {key: value for key, value in given.items() if value is not None}
        assert rules.walkable(tags) == oracle.may_walk(tags), tags


@pytest.mark.parametrize(
    ("tags", "walkable"),
    [
        ({"highway": "motorway", "foot": "yes"}, False),
        ({"highway": "trunk"}, True),
        ({"highway": "trunk", "motorroad": "yes"}, False),
        ({"highway": "trunk", "motorroad": "yes", "foot": "yes"}, True),
        ({"highway": "trunk", "motorroad": "yes", "foot": "permissive"}, False),
        ({"highway": "trunk", "motorroad": "no"}, True),
        ({"highway": "busway"}, False),
        ({"highway": "residential", "access": "private"}, False),
        ({"highway": "residential", "access": "private", "foot": "yes"}, True),
        ({"highway": "residential", "foot": "use_sidepath"}, False),
        ({"highway": "pedestrian", "area": "yes", "foot": "yes"}, False),
        ({"highway": "residential", "oneway": "yes"}, True),
        ({"railway": "rail"}, False),
    ],
)
def test_walkable_ways_reach_the_network(
    tmp_path: Path, tags: dict[str, str], walkable: bool
) -> None:
    """One way with other tags beside a plain street.

    ::

        a======b------c
    """
    places = {"a": (0, 0), "b": (300, 0), "c": (500, 0)}
    world = World(places, (Way(("a", "b"), STREET), Way(("b", "c"), tags)))
    town = Town.build(world, tmp_path)
    assert town.network.component_length_m.sum() == near(500 if walkable else 300)
    metres, _ = town.nearest(["a"], ["c"])
    assert metres == near([500 if walkable else 300 + 200])


def test_osm_xml_and_pbf_are_the_same(tmp_path: Path) -> None:
    """The same drawing in both encodings is the same network, to the bit."""
    places = {"u": (0, 0), "v": (100, 0), "p": (0, 250), "q": (100, 250), "x": (-300, 0),
              "y": (400, 0)}  # fmt: skip
    world = draw(places, "x u v y", "u p q v")
    networks = [
        build_network(read_streets(world.write(tmp_path / name), walk_rules()))
        for name in ("a.osm", "a.osm.pbf")
    ]
    assert networks[0].crs == networks[1].crs
    for name in ("node_xy_m", "edge_u", "edge_v", "edge_length_m", "vertex_xy_m"):
        assert np.array_equal(getattr(networks[0], name), getattr(networks[1], name))
