"""Maps of areas on both sides of the antimeridian draw them side by side."""

from __future__ import annotations

import numpy as np
import pytest

from lifecircle.analysis.city.crs import to_metric
from lifecircle.service.maps.shapes import degrees


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
