"""Outlines told from shared edges are those that GEOS unites, corner for corner."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from lifecircle.analysis.grouping.shared_edges import SharedEdges
from lifecircle.analysis.measures.outlines import outline, outlines
from tests.worlds.tiny import TINY_PLACES, Cell, tiny_city

SIDE = 6


def squares() -> np.ndarray:
    """A board of squares; one is a ring round another, and one lies apart in two parts."""
    west, south = np.divmod(np.arange(SIDE * SIDE), SIDE)
    board = shapely.box(west, south, west + 1.0, south + 1.0)
    inner = shapely.box(0.25, 0.25, 0.75, 0.75)
    board[0] = shapely.difference(board[0], inner)
    apart = shapely.multipolygons([shapely.box(9, 0, 10, 1), shapely.box(11, 0, 12, 1)])
    return np.array([*board, inner, apart], dtype=object)


BOARD = squares()
EDGES = SharedEdges.of(BOARD, np.ones(len(BOARD), dtype=np.bool_))


def drawn(edges: SharedEdges, groups: list[list[int]]) -> np.ndarray:
    size = np.array([len(group) for group in groups], dtype=np.int64)
    end = np.cumsum(size)
    area = np.array([one for group in groups for one in group], dtype=np.int32)
    return shapely.normalize(edges.outlines(area, end - size, end))


def united(areas: np.ndarray, group: list[int]) -> shapely.Geometry:
    return shapely.normalize(shapely.coverage_union_all(areas[group]))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sets(st.integers(0, len(BOARD) - 1), min_size=1), min_size=1, max_size=4))
def test_any_choices_of_squares_are_united_as_by_geos(chosen: list[set[int]]) -> None:
    groups = [sorted(one) for one in chosen]
    for shape, group in zip(drawn(EDGES, groups), groups, strict=True):
        assert shapely.equals_identical(shape, united(BOARD, group))
        assert shapely.is_valid(shape)


def test_squares_that_meet_at_a_corner_stay_apart_and_a_ring_that_meets_itself_has_a_hole() -> None:
    corner = [1 * SIDE + 1, 2 * SIDE + 2]
    ring = [
        SIDE * x + y for x in range(1, 4) for y in range(1, 4) if (x, y) not in {(2, 2), (3, 3)}
    ]
    pair, pinched = drawn(EDGES, [corner, ring])
    assert shapely.get_num_geometries(pair) == 2
    assert shapely.equals_identical(pinched, united(BOARD, ring))
    assert shapely.is_valid(pinched)


def test_random_areas_of_a_plane_are_united_as_by_geos() -> None:
    rng = np.random.default_rng(5)
    plane = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(rng.random((300, 2)))))
    edges = SharedEdges.of(plane, np.ones(len(plane), dtype=np.bool_))
    groups = [
        np.flatnonzero(rng.random(len(plane)) < share).tolist() for share in (0.1, 0.4, 0.6, 0.9, 1)
    ]
    for shape, group in zip(drawn(edges, groups), groups, strict=True):
        assert shapely.equals_identical(shape, united(plane, group))


@pytest.mark.parametrize(
    "chosen", [[0], [1], [4], [5], [0, 1], [0, 1, 2, 3], [4, 5], [0, 1, 2, 3, 4, 5]]
)
def test_many_outlines_at_once_are_those_drawn_one_by_one(chosen: list[int]) -> None:
    at = ((3000, 100), (3100, 100), (3250, 100), (3300, 100), (3600, None), (3610, None))
    city = tiny_city(
        cells=tuple(Cell(f"c{i}", x, 0, 1, side=side) for i, (x, side) in enumerate(at)),
        places=TINY_PLACES,
    )
    cell = np.array([*chosen, *range(6)], dtype=np.int32)
    start, end = np.array([0, len(chosen)]), np.array([len(chosen), len(cell)])
    for shape, group in zip(
        outlines(city.cells, (cell, start, end), 100.0), (chosen, range(6)), strict=True
    ):
        alone = outline(city.cells, np.array(group, dtype=np.int32), 100.0)
        assert shapely.equals_identical(shape, alone)


def test_no_areas_have_no_edges() -> None:
    none = np.array([None, None], dtype=object)
    edges = SharedEdges.of(none, np.zeros(2, dtype=np.bool_))
    zero = np.zeros(1, dtype=np.int64)
    assert edges.outlines(np.empty(0, dtype=np.int32), zero, zero).tolist() == [None]


def test_areas_that_lie_on_each_other_after_all_lead_no_walk_astray() -> None:
    rng = np.random.default_rng(8)
    for _ in range(50):
        areas = BOARD[rng.integers(0, len(BOARD), 30)]  # some stand there twice
        edges = SharedEdges.of(areas, np.ones(len(areas), dtype=np.bool_))
        twin = edges.twin[edges.twin >= 0]
        assert (edges.twin[twin] == np.flatnonzero(edges.twin >= 0)).all()
        assert len(drawn(edges, [list(range(30)), [3, 5, 7]])) == 2


def test_an_area_apart_is_not_laid_over_what_overlaps() -> None:
    at = (3000, 3100, 3150, 5000, 5100, 8000)  # the second and third overlap
    cells = tuple(Cell(f"c{i}", x, 0, 1, side=100) for i, x in enumerate(at))
    city = tiny_city(cells=cells, places=TINY_PLACES)
    for group in ([0, 1, 2, 3, 4, 5], [2, 5], [1, 2, 3], [0, 1, 2]):
        shape = outline(city.cells, np.array(group, dtype=np.int32), 100.0)
        whole = shapely.normalize(shapely.union_all(city.cells.polygon[group]))
        assert shapely.equals_exact(shape, whole, tolerance=1e-6)
        assert shapely.is_valid(shape)
