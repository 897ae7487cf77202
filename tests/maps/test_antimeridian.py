"""Maps of areas on both sides of the antimeridian draw them side by side."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.crs import to_metric
from lifecircle.analysis.city.shapes import project_located
from lifecircle.analysis.readers.records.coordinates.located import Located
from lifecircle.service.maps.shapes import beside, degrees


@pytest.mark.parametrize("crs", ["EPSG:32701", "EPSG:32760"])
def test_places_across_180_are_drawn_beside_each_other(crs: str) -> None:
    fiji = np.array([[179.98, -16.5], [-179.97, -16.6], [179.99, -16.7], [-179.96, -16.8]])
    drawn = degrees(to_metric(fiji, crs), crs)
    assert np.ptp(drawn[:, 0]) == pytest.approx(0.06)
    assert np.allclose(drawn[:, 0] % 360, fiji[:, 0] % 360)
    assert np.allclose(drawn[:, 1], fiji[:, 1])


def test_elsewhere_nothing_moves() -> None:
    kunming = np.array([[102.7, 25.0], [103.1, 25.3]])
    assert np.allclose(degrees(to_metric(kunming, "EPSG:4543"), "EPSG:4543"), kunming)


def test_ground_on_both_sides_is_drawn_as_one() -> None:
    lake = np.array([[179.998, -16.5], [-179.998, -16.5], [-179.998, -16.51], [179.998, -16.5]])
    drawn = beside(lake, "EPSG:32701")
    assert np.ptp(drawn[:, 0]) == pytest.approx(0.004)
    kunming = np.array([[102.7, 25.0], [103.1, 25.3]])
    assert np.array_equal(beside(kunming, "EPSG:4543"), kunming)


def test_a_unit_in_two_parts_at_180_is_one_on_the_map() -> None:
    west, east = (
        shapely.box(179.99, -16.51, 180, -16.49),
        shapely.box(-180, -16.51, -179.99, -16.49),
    )
    unit = shapely.MultiPolygon([west, east])
    (drawn,) = project_located(Located.of_degrees(np.array([unit], dtype=object)), "EPSG:32701")
    assert shapely.get_num_geometries(drawn) == 1
    (lone,) = project_located(Located.of_degrees(np.array([west], dtype=object)), "EPSG:32701")
    assert drawn.area == pytest.approx(2 * lone.area, rel=1e-4)
