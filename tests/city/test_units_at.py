"""The units of a place, looked up on a grid, are those that its polygons say."""

from __future__ import annotations

import numpy as np
import shapely

from lifecircle.analysis.city.units.units_at import UnitsAt, units_meeting


def halves(polygon: shapely.Polygon) -> list[shapely.Geometry]:
    west, south, east, north = polygon.bounds
    cut = shapely.box(west, south, (west + east) / 2 + 3, north)
    return [polygon & cut, polygon - cut]


def test_places_lie_where_the_polygons_say() -> None:
    """Nested, slanted, holed, in two parts, undrawn; inside, outside, on corners and borders."""
    town = shapely.Polygon([(0, 0), (900, 130), (1_000, 800), (240, 990)])
    lake = shapely.box(400, 300, 520, 470)
    island = shapely.MultiPolygon(
        [shapely.box(1_100, 0, 1_150, 40), shapely.box(1_200, 5, 1_210, 9)]
    )
    shapes = np.array([town - lake, *halves(town), island, None, lake], dtype=object)
    found = UnitsAt.of(shapes)
    drawn = shapes[~shapely.is_missing(shapes)]
    random = np.random.default_rng(5)
    corners = shapely.get_coordinates(drawn)
    lines = shapely.boundary(drawn)
    on_lines = shapely.get_coordinates(
        shapely.line_interpolate_point(lines[random.integers(len(lines), size=300)],
                                       random.random(300), normalized=True)
    )  # fmt: skip
    anywhere = random.uniform((-50, -50), (1_300, 1_050), (2_000, 2))
    grid = np.array([found.origin_m]) + found.side_m * random.integers(0, 40, (200, 2))
    looked = 0
    for x, y in np.concatenate((corners, on_lines, anywhere, grid)).tolist():
        rows = found.rows(x, y)
        assert rows == units_meeting(found.tree, x, y)
        looked += bool(rows)
    assert looked > 1_000
    assert (found.held >= 0).mean() > 0.9  # most places are not asked of the polygons


def test_without_polygons_no_place_lies_anywhere() -> None:
    for shapes in (np.array([], dtype=object), np.array([None, None], dtype=object)):
        assert UnitsAt.of(shapes).rows(1.0, 2.0) == ()
