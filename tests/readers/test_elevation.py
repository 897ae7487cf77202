"""Heights from rasters: what is refused, what is read, and that it is the ground's own."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.rasters.elevation import Elevation, read_elevation
from tests.worlds.drawn import ORIGIN
from tests.worlds.hills import east_ramp, rules, write_dem, write_raster

rasterio = pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")


def north_up(west: float, north: float, wide: float, tall: float):
    return rasterio.Affine(wide, 0.0, west, 0.0, -tall, north)


def key_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_elevation(path, np.array([ORIGIN]), rules())
    assert all(f.text("en") and f.text("zh") for f in caught.value.faults)
    return caught.value.faults[0].key


def test_rasters_that_are_refused(tmp_path: Path) -> None:
    ramp = east_ramp(1)
    assert key_of(tmp_path / "none.tif") == "file_missing"
    assert key_of(write_dem(tmp_path / "crs.tif", ramp, crs=None)) == "input_raster_crs"
    assert key_of(write_dem(tmp_path / "unit.tif", ramp, unit="fathom")) == "elevation_unit"
    empty = write_dem(tmp_path / "empty.tif", lambda e, n: 0 * e - 1, nodata=-1.0)
    assert key_of(empty) == "elevation_nothing"
    wild = write_dem(tmp_path / "wild.tif", lambda e, n: 0 * e - 32768)
    assert key_of(wild) == "elevation_impossible"
    torn = tmp_path / "torn.tif"
    torn.write_bytes(write_dem(tmp_path / "whole.tif", ramp).read_bytes()[:3000])
    assert key_of(torn) == "input_broken"
    text = tmp_path / "text.tif"
    text.write_text("<VRTDataset>")
    assert key_of(text) == "input_really"


def test_a_raster_in_one_huge_block_is_refused(tmp_path: Path) -> None:
    """Nine thousand rows in one strip: small on disk, large once unpacked."""
    rows = np.zeros((12_000, 12_000), dtype=np.uint8)
    huge = write_raster(
        tmp_path / "huge.tif", rows, north_up(102.6, 25.1, 1e-5, 1e-5), dtype="uint8",
        compress="deflate", tiled=False, blockysize=9_000,
    )  # fmt: skip
    assert huge.stat().st_size < 1_000_000
    assert key_of(huge) == "elevation_block"


def test_a_turned_raster_has_the_same_heights(tmp_path: Path) -> None:
    turn = np.radians(20)
    cell = 1e-4
    cos, sin = cell * np.cos(turn), cell * np.sin(turn)
    across = rasterio.Affine(cos, sin, ORIGIN[0] - 0.016, sin, -cos, ORIGIN[1] + 0.008)
    rows, columns = np.indices((240, 240)) + 0.5
    lon = across.a * columns + across.b * rows + across.c
    lat = across.d * columns + across.e * rows + across.f
    plane = 1000 + 5e3 * (lon - ORIGIN[0]) - 2e3 * (lat - ORIGIN[1])
    found = read_elevation(
        write_raster(tmp_path / "d.tif", plane, across), np.array([ORIGIN]), rules()
    )
    assert found.at(np.array([ORIGIN]))[0] == pytest.approx(1000, abs=1e-6)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(-60, 760), st.integers(-60, 560)), min_size=1, max_size=20),
       st.sets(st.integers(0, 47), max_size=5))  # fmt: skip
def test_bilinear_heights_equal_scipy(places: list[tuple[int, int]], holes: set[int]) -> None:
    """Columns and rows of cell centres; NaN where a cell that counts is unknown."""
    from pyproj import CRS
    from scipy.ndimage import map_coordinates

    rng = np.random.default_rng(len(places))
    grid = rng.uniform(0, 100, (6, 8))
    grid.ravel()[list(holes)] = np.nan
    raster = Elevation(grid, (1.0, 0, 0, 0, 1.0, 0), CRS(4326), 10.0, ())
    at = np.array(places) / 100
    expected = map_coordinates(np.nan_to_num(grid, nan=1e9), at.T[::-1], order=1, mode="nearest")
    expected[(np.abs(at - [3.5, 2.5]) > [4.0, 3.0]).any(axis=1)] = np.nan
    found = raster.at(at)
    sure = np.isnan(expected) | (expected < 1000)
    assert np.allclose(found[sure], expected[sure], atol=1e-9, equal_nan=True)
    assert np.isnan(found[expected > 1e5]).all()


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.integers(0, 4000), st.integers(0, 255)), min_size=1, max_size=12),
       st.integers(0, 4000))  # fmt: skip
def test_damaged_rasters_are_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, flips: list[tuple[int, int]], cut: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    whole = bytearray(write_dem(folder / "d.tif", east_ramp(3), 0.002).read_bytes())
    for place, value in flips:
        whole[place % len(whole)] = value
    torn = folder / "torn.tif"
    torn.write_bytes(bytes(whole[: len(whole) - cut]))
    try:
        found = read_elevation(torn, np.array([ORIGIN]), rules())
    except InputError as error:
        assert error.text("zh")
    else:
        height = found.at(np.array([ORIGIN]))
        assert np.isnan(height[0]) or -450 <= height[0] <= 8_900


def test_rasterio_is_asked_for_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    dem = write_dem(tmp_path / "d.tif", east_ramp(1))
    monkeypatch.setattr("lifecircle.analysis.readers.rasters.geotiff.find_spec", lambda name: None)
    assert key_of(dem) == "elevation_extra"


@pytest.mark.parametrize(("unit", "per_m"), [("ft", 0.3048), ("US survey foot", 1200 / 3937)])
def test_declared_feet_become_metres(tmp_path: Path, unit: str, per_m: float) -> None:
    dem = write_dem(tmp_path / "d.tif", east_ramp(10), unit=unit)
    found = read_elevation(dem, np.array([ORIGIN]), rules())
    assert found.at(np.array([ORIGIN]))[0] == pytest.approx(100 * per_m, abs=1e-6)
    assert [fault.key for fault in found.warnings] == ["elevation_feet"]


@pytest.mark.parametrize("crs", ["EPSG:4543", "EPSG:4490", "EPSG:32648", "EPSG:3857"])
def test_any_coordinate_system_gives_the_same_heights(tmp_path: Path, crs: str) -> None:
    from pyproj import Transformer

    move = Transformer.from_crs("EPSG:4326", crs, always_xy=True)
    x, y = move.transform(*ORIGIN)
    cell = 1e-4 if crs == "EPSG:4490" else 10.0
    xs, ys = np.meshgrid((np.arange(400) - 199.5) * cell + x, y - (np.arange(400) - 199.5) * cell)
    lon, lat = move.transform(xs, ys, direction="INVERSE")
    height = 1000 + 4e3 * (lon - ORIGIN[0]) + 2e3 * (lat - ORIGIN[1])
    dem = write_raster(
        tmp_path / "d.tif", height, north_up(x - 200 * cell, y + 200 * cell, cell, cell), crs=crs
    )
    places = np.array(ORIGIN) + np.array([[0, 0], [0.003, 0.001], [-0.004, 0.0042]])
    found = read_elevation(dem, places, rules())
    by_hand = 1000 + 4e3 * (places[:, 0] - ORIGIN[0]) + 2e3 * (places[:, 1] - ORIGIN[1])
    assert found.at(places) == pytest.approx(by_hand, abs=0.02)
    assert found.step_m == pytest.approx(10.5, abs=1.1)


def test_fine_heights_are_averaged_to_ten_metres(tmp_path: Path) -> None:
    """A metre grid of ±1 m in every other cell is a level street, not a saw."""

    fine = 1e-5  # about a metre
    rows, columns = np.indices((800, 800))
    saw = 100.0 + ((rows + columns) % 2) * 2 - 1
    dem = write_raster(
        tmp_path / "d.tif", saw, north_up(ORIGIN[0] - 0.004, ORIGIN[1] + 0.004, fine, fine)
    )
    found = read_elevation(dem, np.array([ORIGIN, (102.7003, 25.0402)]), rules())
    assert found.step_m == pytest.approx(9.5, abs=0.6)
    heights = found.at(np.array([ORIGIN]) + np.linspace(0, 2e-4, 30)[:, None])
    assert np.abs(heights - 100).max() < 0.1


@pytest.mark.parametrize(("wide", "tall", "left"), [(1, 10, 0.15), (10, 1, 0.15), (2, 5, 0.45)])
def test_cells_that_are_not_square_are_averaged_each_way_by_itself(
    tmp_path: Path, wide: int, tall: int, left: float
) -> None:
    """A saw across the short side of the cells is level, and the long side is no longer than ten.

    Five cells of a saw of two leave a fifth of it (`left`, metres from low to high).

    A slope of 10 % along the long side stays: its heights are those of the plane.
    """
    size = np.array([wide, tall]) * 1e-5  # about a metre in both directions
    rows, columns = np.indices((8000 // tall // 10, 8000 // wide // 10))
    short, along = (columns, rows) if wide < tall else (rows, columns)
    long_m = max(wide, tall) * 1.0
    corner = north_up(ORIGIN[0] - 0.004, ORIGIN[1] + 0.004, *size)
    saw = 100.0 + (short % 2) * 2 - 1
    dem = write_raster(tmp_path / "d.tif", saw + 0.1 * long_m * along, corner)
    found = read_elevation(dem, np.array(ORIGIN) + np.array([[-4e-4], [4e-4]]), rules())
    assert found.step_m == pytest.approx(10, abs=1)
    step = np.array([0.0, -1.0]) if wide < tall else np.array([1.0, 0.0])  # along the long side
    heights = found.at(np.array([ORIGIN]) + np.arange(20)[:, None] * 1e-5 * step)
    assert np.diff(heights) == pytest.approx(np.full(19, 0.1), abs=0.005)
    across = np.array(ORIGIN) + np.linspace(0, 2e-4, 30)[:, None] * np.abs(step[::-1])
    assert np.ptp(found.at(across)) < left
