"""Rasters that many have: what they are is told, their own signs are read, age bands add up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyproj
import pytest

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.checker.check import check_file
from lifecircle.analysis.readers.rasters.population import read_raster_share
from lifecircle.analysis.readers.rasters.products import recognise
from tests.readers.test_rasters import rasterio, write

DEGREES, MOLLWEIDE = pyproj.CRS("EPSG:4326"), pyproj.CRS("ESRI:54009")
AGES = (0, 1, *range(5, 85, 5))


@pytest.mark.parametrize(
    ("name", "said", "crs", "nodata"),
    [
        ("chn_ppp_2020_constrained.tif", "WorldPop 2020", DEGREES, None),
        ("CHN_F_0_2020.tif", "WorldPop 2020, age band 0, women and girls", DEGREES, None),
        ("chn_m_1_2020_constrained_UNadj.tif", "WorldPop 2020, age band 1–4, men and boys",
         DEGREES, None),
        ("chn_f_80_2020.tif", "WorldPop 2020, age band 80+, women and girls", DEGREES, None),
        ("chn_t_80_2025_CN_100m_R2025A_v1.tif", "WorldPop 2025, age band 80–84, both sexes",
         DEGREES, None),
        ("chn_pd_2020_1km.tif", "WorldPop 2020", DEGREES, None),
        ("GHS_POP_E2020_GLOBE_R2023A_54009_100_V1_0.tif", "GHSL (GHS-POP) 2020", MOLLWEIDE, None),
        ("cut.tif", "GHSL (GHS-POP)", MOLLWEIDE, -200.0),
        ("landscan-global-2021.tif", "LandScan 2021", DEGREES, None),
        ("cut.tif", "LandScan", DEGREES, -2147483647.0),
        ("cut.tif", None, DEGREES, -200.0),
        ("people_2020.tif", None, DEGREES, -99999.0),
    ],
)  # fmt: skip
def test_what_a_raster_is(name, said, crs, nodata):
    found = recognise(name, crs, nodata)
    assert (None if found is None else found.title().en) == said


def ask(path: Path, **params: str) -> list[str]:
    checked = check_file(path)
    return [f"{fault.severity} {fault.key}" for fault in (*checked.notes, *checked.faults)]


def test_check_names_the_product_and_a_density_is_refused(tmp_path):
    counts = np.array([[1, 2], [3, -99999]], np.float32)
    assert ask(write(tmp_path / "chn_ppp_2020.tif", counts)) == ["note raster_product"]
    band = ask(write(tmp_path / "chn_f_65_2020.tif", counts))
    assert band == ["note raster_product", "warning raster_band_alone"]
    assert ask(write(tmp_path / "chn_pd_2020_1km.tif", counts)) == ["error raster_density"]
    with pytest.raises(InputError, match="women and girls"):
        read_raster_share(tmp_path / "chn_f_65_2020.tif")


@pytest.mark.parametrize(
    ("name", "crs", "blank", "dtype"),
    [
        ("chn_ppp_2020.tif", "EPSG:4326", -99999, np.float32),
        ("landscan-global-2021.tif", "EPSG:4326", -2147483647, np.int32),
        ("GHS_POP_E2020_GLOBE_R2023A_54009_100_V1_0.tif", "ESRI:54009", -200, np.float64),
    ],
)
def test_a_products_own_sign_for_no_data_needs_no_declaration(tmp_path, name, crs, blank, dtype):
    options = {"crs": crs, "nodata": None}
    if crs != "EPSG:4326":  # 100 m pixels at about 102.7 E, 25.0 N
        options["transform"] = rasterio.Affine(100, 0, 9_700_000, 0, -100, 3_050_000)
    counts = np.array([[1, 2, blank], [3, 0, 4]], dtype)
    table, share = read_raster_share(write(tmp_path / name, counts, **options))
    assert table.residents.sum() == share.kept == 10
    (told,) = [one for one in table.warnings if one.key == "raster_blank"]
    assert told.params["count"] == 1
    declared = write(tmp_path / name, counts, **(options | {"nodata": blank}))
    assert [one.key for one in read_raster_share(declared)[0].warnings] == ["raster_product"]
    other = write(tmp_path / "people.tif", counts, **options)
    with pytest.raises(InputError, match="negative"):
        read_raster_share(other)
    (west, south), (east, north) = table.where.centres().min(0), table.where.centres().max(0)
    assert 90 < west <= east < 110
    assert 20 < south <= north < 30


def write_bands(folder: Path, ages=AGES, sexes="fm", year=2020) -> list[Path]:
    """One raster per band: a pixel each of its age + 1 (women) or twice that (men), and of 0."""
    return [
        write(
            folder / f"chn_{sex}_{age}_{year}.tif",
            np.array([[(age + 1) * (1 if sex == "f" else 2), 0]], np.float32),
        )
        for age in ages
        for sex in sexes
    ]


def test_all_bands_add_up_to_residents_children_and_old_people(tmp_path):
    table, share = read_raster_share(write_bands(tmp_path))
    # 3 x (age + 1) a band: ages 0, 1, 5, ..., 80
    assert table.residents.tolist() == [3 * sum(age + 1 for age in AGES)] == [share.kept]
    # under 1: 3; ages 1 to 4: 6, three quarters of them 4.5; together 7.5, rounded up
    assert table.groups["0_3"].value.tolist() == [8]
    assert table.groups["65"].value.tolist() == [3 * (66 + 71 + 76 + 81)]
    assert [one.key for one in table.warnings] == ["raster_band_1_4", "raster_product"]
    assert str(table.warnings[1].params["product"].en) == "WorldPop 2020"  # no one band


def test_a_raster_of_all_residents_stands_for_missing_bands(tmp_path):
    bands = write_bands(tmp_path, (65, 70, 75, 80))
    with pytest.raises(InputError, match="28 age bands are missing"):
        read_raster_share(bands)
    whole = write(tmp_path / "chn_ppp_2020.tif", np.array([[2000, 5]], np.float32))
    table, _ = read_raster_share([whole, *bands])
    assert table.residents.tolist() == [2000, 5]
    assert table.groups["65"].value.tolist() == [882, 0]
    assert "0_3" not in table.groups


def test_bands_that_do_not_belong_together_are_refused(tmp_path):
    one = write_bands(tmp_path, (65,), "f")
    two = write_bands(tmp_path, (65,), "m", 2015)
    with pytest.raises(InputError, match="different years"):
        read_raster_share([*one, *two])
    other = write(tmp_path / "chn_m_65_2020.tif", np.ones((3, 3), np.float32))
    with pytest.raises(InputError, match="different pixels"):
        read_raster_share([*one, other])
    plain = [write(tmp_path / f"{name}.tif", np.ones((1, 2), np.float32)) for name in "ab"]
    with pytest.raises(InputError, match="not the age bands"):
        read_raster_share(plain)
