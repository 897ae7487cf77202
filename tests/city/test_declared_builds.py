"""A whole build from office files: what is declared arrives, what is wrong is said or refused."""

from __future__ import annotations

import dataclasses
import itertools
from pathlib import Path

import numpy as np
import pyproj
import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.pipeline import analyse_city
from tests.files.office import table, write_csv, write_xlsx, written
from tests.worlds.drawn import ORIGIN, Way, World

MAPPING = """
[files."设施.xlsx"]
datum = "{0}"
sheet = "医疗"
[files."人口.csv"]
crs = "{1}"
[files."人口.csv".columns]
population = "登记人数"
"""


def town() -> World:
    """Streets of 3 by 3 km at uneven distances, the crossings a little out of line."""
    rng = np.random.default_rng(4)
    at = [np.cumsum(rng.uniform(90, 240, 18)) - 1500 for _ in range(2)]
    places = {
        f"n{i}_{j}": (float(x + rng.uniform(-15, 15)), float(y + rng.uniform(-15, 15)))
        for (i, x), (j, y) in itertools.product(enumerate(at[0]), enumerate(at[1]))
    }
    rows = [Way(tuple(f"n{i}_{j}" for j in range(18))) for i in range(18)]
    columns = [Way(tuple(f"n{i}_{j}" for i in range(18))) for j in range(18)]
    return World(places, (*rows, *columns))


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, np.ndarray]:
    """A folder with the streets, and places of 80 facilities close to them, degrees."""
    folder = tmp_path_factory.mktemp("town")
    world = town()
    world.write(folder / "town.osm.pbf")
    rng = np.random.default_rng(8)
    ends = [way.places[k : k + 2] for way in world.ways for k in range(17)]
    near = []
    for k in rng.choice(len(ends), 80, replace=False):
        (ax, ay), (bx, by) = (world.places[name] for name in ends[k])
        t = rng.uniform(0.1, 0.9)
        near.append((ax + t * (bx - ax) + rng.uniform(-8, 8), ay + t * (by - ay) + 4))
    return folder, world.lonlats(near)


def request(folder: Path, truth: np.ndarray, datum: str, crs: str) -> BuildRequest:
    """Facilities written in GCJ-02, residents in EPSG:4543, declared as said."""
    shops = write_xlsx(folder / "设施.xlsx", table(truth, "gcj02"), "医疗")
    xy = written(truth + 0.0005, "EPSG:4543").tolist()
    people = write_csv(
        folder / "人口.csv",
        [
            ["编号", "X", "Y", "登记人数"],
            *[[f"c{k}", x, y, "0.01万"] for k, (x, y) in enumerate(xy)],
        ],
        "gb18030",
    )
    mapping = folder / "说明.toml"
    mapping.write_text(MAPPING.format(datum, crs), encoding="utf-8")
    osm = folder / "town.osm.pbf"
    return BuildRequest("t", osm=osm, population=people, facilities=(shops,), mapping=mapping)


def test_what_is_declared_arrives(drawn):
    folder, truth = drawn
    manifest, _, city, _ = analyse_city(request(folder, truth, "gcj02", "EPSG:4543"))
    assert int(city.cells.residents.sum()) == 100 * len(truth) == manifest.residents
    assert not [w for w in city.warnings if "映射" in w.text("zh") and "疑" in w.text("zh")]
    back = pyproj.Transformer.from_crs(city.crs, "EPSG:4326", always_xy=True)
    middle = np.column_stack(back.transform(*city.cells.xy_m.T))
    order = np.argsort([int(name[1:]) for name in city.cells.id])
    off = pyproj.Geod(ellps="WGS84").inv(*middle[order].T, *(truth + 0.0005).T)[2]
    assert np.abs(off).max() < 0.05
    assert np.median(city.facilities.attachment.leg_m) < 20
    assert ("mapping", "说明.toml") in {(one.role, one.name) for one in manifest.inputs}


def test_a_wrong_datum_stops_the_build_unless_accepted_and_then_is_warned(drawn):
    folder, truth = drawn
    asked = request(folder, truth, "wgs84", "EPSG:4543")
    with pytest.raises(InputError) as caught:
        analyse_city(asked)
    assert [fault.key for fault in caught.value.faults] == ["placed_datum"]
    _, _, city, _ = analyse_city(dataclasses.replace(asked, accept_datum=True))
    (said,) = [w.text("zh") for w in city.warnings if "坐标疑为" in w.text("zh")]
    assert said.startswith("设施.xlsx：坐标疑为 gcj02 而非 wgs84")


def test_a_wrong_zone_stops_the_build(drawn):
    folder, truth = drawn
    with pytest.raises(InputError) as caught:
        analyse_city(request(folder, truth, "gcj02", "EPSG:4545"))
    (fault,) = caught.value.faults
    assert (fault.key, fault.file, fault.params["epsg"]) == ("placed_zone", "人口.csv", 4543)
    assert ORIGIN[0] < 103
