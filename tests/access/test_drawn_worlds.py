"""Drawn worlds with answers worked out by hand: ways through edges, loops, islands; metres."""

from __future__ import annotations

from pathlib import Path

from tests.worlds.drawn import Town, Way, draw, near


def test_straight_street_two_facilities_on_the_same_edge(tmp_path: Path) -> None:
    """Everybody and everything on one edge.

    ::

        a----F0--------P----------------F1---b
        0    200       500              900  1000
    """
    town = Town.build(draw({"a": (0, 0), "b": (1000, 0)}, "a b"), tmp_path)
    metres, who = town.nearest([(500, 0), (0, 0), (990, 0), (549, 0), (551, 0)],
                               [(200, 0), (900, 0)])  # fmt: skip
    assert metres == near([300, 200, 90, 349, 349])
    assert who == [0, 0, 1, 0, 1]


def test_a_person_at_the_very_place_of_a_facility(tmp_path: Path) -> None:
    """No walk at all is 0, not null.

    ::

        a-------(P=F)-------b
    """
    town = Town.build(draw({"a": (0, 0), "b": (600, 0)}, "a b"), tmp_path)
    assert town.nearest([(250, 0)], [(250, 0)]) == ([0.0], [0])


def test_facilities_at_both_ends_of_an_edge(tmp_path: Path) -> None:
    """The edge b-c is left by either end.

    ::

                   F1 c (600,200)
                      |
        a(0,0)===F0 b(200,0)      b-c = |(400,200)| = 447.21
    """
    world = draw({"a": (0, 0), "b": (200, 0), "c": (600, 200), "d": (600, 500), "e": (200, -300)},
                 "a b c d", "b e")  # fmt: skip
    town = Town.build(world, tmp_path)
    quarter, most = (300.0, 50.0), (500.0, 150.0)
    metres, who = town.nearest([quarter, most], ["b", "c"])
    assert metres == near([111.803, 111.803])
    assert who == [0, 1]
    metres, who = town.nearest(["a", "d", "e"], ["b", "c"])
    assert metres == near([200, 300, 300])
    assert who == [0, 1, 0]


LOOP = {"s": (-300, 0), "j": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}


def test_loop_edge_is_walked_both_ways_round(tmp_path: Path) -> None:
    """A street into a loop of 400 m that is one edge from j to j.

    ::

              d-------c
              F1      F0
        s-----j---P---b        P 50 m, F0 150 m, F1 350 m along the loop
    """
    town = Town.build(draw(LOOP, "s j b c d j"), tmp_path)
    loop = town.network.edge_u == town.network.edge_v
    assert town.network.edge_length_m[loop] == near([400])
    metres, who = town.nearest([(50, 0)], [(100, 50)])
    assert metres == near([100])  # along the edge
    metres, who = town.nearest([(50, 0)], [(0, 50)])
    assert metres == near([100])  # through j: 50 + 50, not 300 along
    metres, who = town.nearest([(50, 100), (50, 0)], ["s"])
    assert metres == near([450, 350])
    metres, who = town.nearest(["s", "c"], [(100, 50), (0, 50)])
    assert metres == near([350, 50])
    assert who == [1, 0]


def test_a_ring_without_any_junction(tmp_path: Path) -> None:
    """A square of 400 m alone: some node must stand in as the junction.

    ::

        d----F----c
        |         |
        a----P----b     P and F are 200 m apart either way; Q at (100, 30) is 120 m from F
    """
    world = draw({"a": (0, 0), "b": (100, 0), "c": (100, 100), "d": (0, 100)}, "a b c d a")
    town = Town.build(world, tmp_path)
    assert town.network.edge_length_m == near([400])
    metres, _ = town.nearest([(50, 0), (100, 30), (0, 30)], [(50, 100)])
    assert metres == near([200, 120, 120])


PARALLEL = {"u": (0, 0), "v": (100, 0), "p": (0, 250), "q": (100, 250), "x": (-300, 0),
            "y": (400, 0)}  # fmt: skip


def test_parallel_edges_and_the_shorter_way_around_on_the_same_edge(tmp_path: Path) -> None:
    """Two edges between u and v: 100 m straight, 600 m over p and q.

    ::

              p-----------q       P (0, 100): 100 m from u on the long edge
              |           |       F (100, 100): 100 m from v on the long edge
              P           F       along the edge 150 + 100 + 150 = 400,
        x-----u-----------v---y   around 100 + 100 + 100 = 300
    """
    town = Town.build(draw(PARALLEL, "x u v y", "u p q v"), tmp_path)
    assert sorted(town.network.edge_length_m) == near([100, 300, 300, 600])
    metres, _ = town.nearest([(0, 100), (0, 200), "x"], [(100, 100)])
    assert metres == near([300, 300, 500])
    metres, who = town.nearest([(0, 100)], [(100, 100), (0, 245)])
    assert metres == near([145])
    assert who == [1]


def test_dead_end(tmp_path: Path) -> None:
    """Out of a cul-de-sac the way one came.

    ::

              P (200,300)
              |
        a-----j-----F b
        0    200   500
    """
    world = draw({"a": (0, 0), "j": (200, 0), "b": (500, 0), "t": (200, 300)}, "a j b", "j t")
    town = Town.build(world, tmp_path)
    metres, _ = town.nearest(["t", (200, 120)], ["b"])
    assert metres == near([600, 420])
    assert town.network.node_count == 4
    assert town.network.edge_count == 3


def test_one_bridge_across_a_river(tmp_path: Path) -> None:
    """Near as the crow flies, far on foot.

    ::

        n0---F----------------n1      north bank, y = 100
                              |       the only bridge, x = 1000
        s0---P----------------s1      south bank, y = 0
        0   300              1000
    """
    world = draw({"n0": (0, 100), "n1": (1000, 100), "s0": (0, 0), "s1": (1000, 0)},
                 "n0 n1", "s0 s1", Way(("s1", "n1"), {"highway": "footway"}))  # fmt: skip
    metres, _ = Town.build(world, tmp_path).nearest([(300, 0), (1000, 40)], [(300, 100)])
    assert metres == near([700 + 100 + 700, 60 + 700])


ISLAND = {"a": (0, 0), "b": (800, 0), "i": (0, 2000), "k": (600, 2000)}


def test_island_component_has_no_way_off(tmp_path: Path) -> None:
    """The island is large enough to live in, and F is not on it.

    ::

        i---P---k        y = 2000, 600 m
        ~~~~~~~~~
        a--------F b     y = 0, 800 m
    """
    town = Town.build(draw(ISLAND, "a b", "i k"), tmp_path)
    metres, who = town.nearest([(300, 2000), (100, 0)], ["b"])
    assert metres == [None, near(700)]
    assert who == [None, 0]


def test_longer_ways_round_a_lake_share_one_component(tmp_path: Path) -> None:
    """A figure of eight through one node: two loops at one junction.

    ::

        d---c   g---f
        |    \\ /    |       j in the middle, loops of 400 m each
        b-----j-----e
    """
    places = {"j": (0, 0), "b": (-100, 0), "d": (-100, 100), "c": (0, 100), "e": (100, 0),
              "f": (100, -100), "g": (0, -100)}  # fmt: skip
    town = Town.build(draw(places, "j b d c j e f g j"), tmp_path)
    assert (town.network.node_count, town.network.edge_count) == (1, 2)
    assert town.network.edge_length_m == near([400, 400])
    metres, _ = town.nearest([(-100, 50), (0, 50)], [(100, -50)])
    assert metres == near([300, 200])


def test_no_facility_at_all(tmp_path: Path) -> None:
    """Nobody reaches what is not there: absent, not zero."""
    town = Town.build(draw({"a": (0, 0), "b": (600, 0)}, "a b"), tmp_path)
    assert town.nearest(["a", (3000, 0)], []) == ([None, None], [None, None])
