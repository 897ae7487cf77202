"""Scales, words and shapes of the map pages."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
import shapely

from lifecircle.analysis.quantities import UNREACHED_CM
from lifecircle.service.figures import percent
from lifecircle.service.maps import scales, shapes
from tests.worlds import parts as world_parts
from tests.worlds import tiny as worlds


def test_fifteen_minutes_part_the_scale_as_the_legend_says() -> None:
    scale = scales.minute_scale(15)
    assert scale.edges == (5, 10, 15, 20, 30)
    assert scales.minute_scale(10).edges == (3, 7, 10, 13, 20)
    assert scales.minute_scale(4.5).edges == (1.5, 3.0, 4.5, 6.0, 9.0)
    speed = Fraction(1000, 900)
    walks = np.array([0, 33_333, 33_334, 100_000, 100_001, 200_001, UNREACHED_CM], dtype=np.int32)
    assert scale.classes(walks, speed).tolist() == [0, 0, 1, 2, 3, 5, 6]


def test_percent_is_cut_and_says_all_and_nothing_only_when_it_is_so() -> None:
    assert [percent(x) for x in (0.0, 0.0001, 0.3926, 0.9999, 1.0, None)] == [
        "0.0%",
        "<0.1%",
        "39.2%",
        "99.9%",
        "100.0%",
        None,
    ]


def test_shares_fall_into_classes_by_their_lower_bound() -> None:
    asked = [0.0, 0.199, 0.2, 0.8, 1.0, None]
    assert [scales.class_of(x, scales.SHARE_EDGES) for x in asked] == [0, 0, 1, 4, 4, 5]


def test_rounded_bounds_rise() -> None:
    edges = scales.round_edges([1, 1, 1, 1, 2])
    assert list(edges) == sorted(set(edges))
    assert scales.round_edges([]) == (1, 2, 3, 4)
    assert scales.round_edges([1000, 2000, 3000, 4000, 5000]) == (1800, 2600, 3400, 4200)


def test_a_colour_laid_over_the_ground() -> None:
    assert scales.laid_over("#000000", 0.0) == scales.GROUND_COLOUR
    assert scales.laid_over("#123456", 1.0) == "#123456"


def test_streets_beyond_the_budget_keep_the_longer_edges(monkeypatch: pytest.MonkeyPatch) -> None:
    network = world_parts.make_network([worlds.Street(0), worlds.Street(300, 0, 50, 10)])
    whole, partial = shapes.pack_streets(network)
    assert (len(whole["n"]), partial) == (11, False)
    monkeypatch.setattr(shapes, "STREET_VERTICES", 12)
    longer, partial = shapes.pack_streets(network)
    assert (longer["n"].tolist(), partial) == ([2] * 6, True)


def test_too_many_polygon_vertices_fall_back_to_dots(monkeypatch: pytest.MonkeyPatch) -> None:
    city = worlds.tiny_city()
    packed = shapes.pack_polygons(city.cells, city.crs)
    assert packed is not None
    assert sum(packed["own"]) == 7
    assert packed["n"].tolist() == [4] * 7  # squares, whose last vertex is the first
    monkeypatch.setattr(shapes, "POLYGON_VERTICES", 10)
    assert shapes.pack_polygons(city.cells, city.crs) is None


def test_shared_borders_stay_shared_when_simplified() -> None:
    rng = np.random.default_rng(7)
    border = [(500.0 + x, 1000.0 * i / 200) for i, x in enumerate(rng.normal(0, 0.5, 201))]
    origin = np.array(worlds.ORIGIN)
    left = shapely.Polygon(np.array([(0, 0), *border, (0, 1000)]) + origin)
    right = shapely.Polygon(np.array([(1000, 0), *border, (1000, 1000)]) + origin)
    both = world_parts.texts([left, right])
    thin = shapes.polygons_degrees(both, worlds.CRS, shared=True)
    assert shapely.get_num_coordinates(thin).sum() < shapely.get_num_coordinates(both).sum() / 2
    assert shapely.area(shapely.intersection(thin[0], thin[1])) == pytest.approx(0, abs=1e-12)
