"""The corners of places are the least and the greatest of each coordinate."""

from __future__ import annotations

import numpy as np
import pytest

from lifecircle.analysis.quantities import corners_of


@pytest.mark.parametrize("dtype", [np.int64, np.float64])
@pytest.mark.parametrize("count", [1, 2, 50])
def test_corners_are_those_that_sorting_finds(dtype: type, count: int) -> None:
    places = (np.random.default_rng(77).normal(size=(count, 2)) * 1e6).astype(dtype)
    low, high = corners_of(places)
    ordered = np.sort(places, axis=0)
    assert low.tolist() == ordered[0].tolist()
    assert high.tolist() == ordered[-1].tolist()
    assert low.dtype == high.dtype == dtype
