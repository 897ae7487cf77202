"""Population rasters: whole persons with the total kept, and rasters that are refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from lifecircle.analysis.city.crs import metric_crs
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.rasters import geotiff
from lifecircle.analysis.readers.rasters.population import read_population_raster, read_raster_share
from lifecircle.analysis.readers.tables.population_and_facilities import check_table

rasterio = pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")

COUNTS = np.array([[0.4, 0.4, -99999.0], [2.5, 0.0, 10.3]], np.float32)


def write(path: Path, counts: np.ndarray = COUNTS, **options: Any) -> Path:
    bands = counts if counts.ndim == 3 else counts[None]
    profile = {
        "driver": "GTiff", "count": len(bands), "height": bands.shape[1], "width": bands.shape[2],
        "dtype": bands.dtype, "crs": "EPSG:4326", "nodata": -99999.0,
        "transform": rasterio.Affine(0.1, 0.0, 102.0, 0.0, -0.1, 25.0),
    } | options  # fmt: skip
    with rasterio.open(path, "w", **profile) as target:
        target.write(bands)
    return path


def key_of(path: Path) -> str:
    with pytest.raises(InputError) as caught:
        read_population_raster(path)
    assert all(f.text("en") and f.text("zh") for f in caught.value.faults)
    return caught.value.faults[0].key


def test_counts_become_persons_and_keep_the_total(tmp_path):
    frame = read_population_raster(write(tmp_path / "p.tif")).frame
    # along the curve: 0.4 (r0c1) 0.4 (r0c0) 2.5 (r1c0) 10.3 (r1c2), running 0.4 0.8 3.3 13.6,
    # rounded 0 1 3 14
    assert dict(zip(frame["id"], frame["residents"], strict=True)) == {
        "r0c0": 1, "r0c1": 0, "r1c0": 2, "r1c2": 11,
    }  # fmt: skip
    assert frame.geometry.iloc[0].bounds == pytest.approx((102.0, 24.9, 102.1, 25.0))
    assert frame.geometry.iloc[3].bounds == pytest.approx((102.2, 24.8, 102.3, 24.9))
    assert frame.geometry.is_valid.all()
    assert frame.crs.to_epsg() == 4326


def test_many_strips_and_a_metric_crs(tmp_path):
    counts = np.random.default_rng(4).uniform(0, 3, (600, 5)).astype(np.float32)
    path = write(tmp_path / "p.tif", counts, crs="EPSG:32648",
                 transform=rasterio.Affine(100, 0, 300_000, 0, -100, 2_770_000))  # fmt: skip
    frame = read_population_raster(path).frame
    assert frame["residents"].sum() == round(float(counts.astype(np.float64).sum()))
    area = frame.to_crs(32648).geometry.area
    assert area.to_numpy() == pytest.approx(10_000, rel=1e-6)


@pytest.mark.parametrize(
    ("counts", "options", "key"),
    [
        (COUNTS, {"crs": None}, "input_raster_crs"),
        (COUNTS, {"transform": rasterio.Affine.identity()}, "input_raster_crs"),
        (COUNTS, {"nodata": None}, "input_raster_negative"),
        (np.stack([COUNTS, COUNTS]), {}, "input_raster_bands"),
        (np.array([[np.inf, 1.0]]), {}, "input_raster_infinite"),
        (np.zeros((2, 2)), {}, "input_raster_nobody"),
        (np.full((2, 2), np.nan), {}, "input_raster_nobody"),
        (np.array([[10, 65535], [65535, 3]], np.uint16), {"nodata": None}, "input_raster_filler"),
        (np.array([[10, 3.4e38], [7, 3]], np.float32), {"nodata": None}, "input_raster_filler"),
        (
            np.array([[1e12, 3.0]]),
            {"nodata": None, "transform": rasterio.Affine(0.001, 0, 102, 0, -0.001, 25)},
            "input_raster_dense",
        ),
        (np.ones((2, 2), np.complex64), {"nodata": None}, "input_raster_type"),
    ],
)
@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")
def test_rasters_that_are_refused(tmp_path, counts, options, key):
    assert key_of(write(tmp_path / "p.tif", counts, **options)) == key


def test_files_that_are_no_raster(tmp_path):
    path = tmp_path / "p.tif"
    path.write_bytes(b"<VRTDataset></VRTDataset>")
    assert key_of(path) == "input_really"
    path.write_bytes(b"II*\x00cut")
    assert key_of(path) == "input_broken"
    assert key_of(tmp_path / "no.tif") == "file_missing"
    assert [f.key for f in check_table(path)] == ["input_broken"]


def test_numbers_that_a_raster_scales_are_scaled(tmp_path):
    path = write(tmp_path / "p.tif", np.array([[100, 50, -1]], np.int16), nodata=-1)
    with rasterio.open(path, "r+") as raster:
        raster.scales, raster.offsets = (0.1,), (2.0,)
    table = read_population_raster(path)
    assert table.residents.tolist() == [12, 7]
    assert [w.key for w in table.warnings] == ["input_raster_scaled"]


def test_a_density_by_its_name_is_refused(tmp_path):
    for name in ("Population_Density_2020.tif", "人口密度.tif", "pop_per_sq_km.tif"):
        assert key_of(write(tmp_path / name)) == "raster_density_named"


def test_without_rasterio_it_says_how_to_install(tmp_path, monkeypatch):
    path = write(tmp_path / "p.tif")
    monkeypatch.setattr(geotiff, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"pip install 'lifecircle\[raster\]'"):
        read_population_raster(path)


def test_no_data_that_is_not_declared_is_refused_with_value_and_count(shared_data):
    with pytest.raises(InputError) as caught:
        read_population_raster(shared_data / "field" / "08_nodata_65535.tif")
    (fault,) = caught.value.faults
    assert (fault.params["value"], fault.params["count"]) == (65_535, 44)


@pytest.mark.parametrize("west", [179.8, -180.2, 179.85])
def test_a_raster_across_the_antimeridian_is_cut_on_both_sides(tmp_path, west):
    """Four pixels of 0.1 degrees and units across 180, drawn as one ring or in two parts."""
    counts = np.array([[1.0, 2.0, 5.0, 8.0]], np.float32)
    step = rasterio.Affine(0.1, 0.0, west, 0.0, -0.1, -16.5)
    path = write(tmp_path / "fiji.tif", counts, transform=step)
    ring = [(179.9, -16.7), (-179.9, -16.7), (-179.9, -16.4), (179.9, -16.4)]
    halves = [shapely.box(179.9, -16.7, 180, -16.4), shapely.box(-180, -16.7, -179.9, -16.4)]
    whole = read_population_raster(path)
    centres = whole.where.centres()
    assert whole.residents.tolist() == [1, 2, 5, 8]
    assert np.allclose(centres[:, 0] % 360, west % 360 + np.array([0.05, 0.15, 0.25, 0.35]))
    assert (np.abs(centres[:, 0]) <= 180).all()
    square = shapely.area(whole.where.in_metres(metric_crs(centres)))
    assert square == pytest.approx(np.full(4, square[0]), rel=0.01)
    for area in (shapely.Polygon(ring), shapely.MultiPolygon(halves)):
        table, share = read_raster_share(path, area)
        # at 179.85: half of the first, the second whole, half of the third
        kept = 2 + 5 if west != 179.85 else 0.5 + 2 + 2.5
        assert table.residents.sum() == share.kept == kept
