"""No warning and no traceback of a library reaches a screen, whatever the files are."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
import rasterio

from tests.command.run import lifecircle

_OF_LIBRARIES = re.compile(r"Warning\b|Traceback|File \"|site-packages|\bnumpy\b|\bshapely\b")
_HEAD = "id,lon,lat,population\n"
_BAD = {
    "empty.csv": b"",
    "head.csv": _HEAD.encode(),
    "inf.csv": (_HEAD + "a,inf,25,1\nb,102.7,nan,1e400\nc,1e308,-1e308,-5\n").encode(),
    "lost.csv": (_HEAD + "a,102.7,25,1\nb,102712345,25,1\nc,102.71,25,1\n").encode(),
    "zero.csv": (_HEAD + "a,0,0,1\nb,,,\nc,102.7,25,#N/A\n").encode(),
    "bytes.csv": bytes(range(256)),
    "wkt.csv": "name,code,population,wkt\n甲,A,1,POLYGON((0 0))\n乙,B,2,POINT(nan nan)\n".encode(),
    "bow.geojson": b'{"type":"FeatureCollection","features":[{"type":"Feature","properties":'
    b'{"name":"a","code":"A","population":3},"geometry":{"type":"Polygon","coordinates":'
    b"[[[102,25],[103,26],[103,25],[102,26],[102,25]]]}},"
    b'{"type":"Feature","properties":{"name":"b","code":"B"},"geometry":null},'
    b'{"type":"Feature","properties":{"name":"c","code":"C"},"geometry":{"type":"Polygon",'
    b'"coordinates":[[[1e308,1e308],[-1e308,0],[0,-1e308],[1e308,1e308]]]}}]}',
    "broken.gpkg": b"SQLite format 3\x00" + b"\xff" * 200,
    "broken.xlsx": b"PK\x03\x04" + b"\x00" * 60,
    "broken.xls": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600,
    "broken.parquet": b"PAR1" + b"\x00" * 40 + b"PAR1",
    "broken.tif": b"II*\x00" + b"\xff" * 40,
}


def say(folder: Path, *words: str | Path) -> str:
    """What the command writes; a warning given on the way is a failure, even a swallowed one."""
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("always")
        for unseen in (DeprecationWarning, PendingDeprecationWarning, ResourceWarning):
            warnings.simplefilter("ignore", unseen)  # as Python does where nobody develops
        done = lifecircle(*words, workspace=folder / "ws")
    assert [str(one.message) for one in given] == []
    assert done.returncode in (0, 2), done.stderr
    return done.stdout + done.stderr


@pytest.mark.parametrize("name", sorted(_BAD))
def test_a_check_of_bad_files_shows_nothing_of_libraries(tmp_path, name):
    path = tmp_path / name
    path.write_bytes(_BAD[name])
    told = say(tmp_path, "check", path, "--datum", "wgs84")
    assert told.strip()
    assert not _OF_LIBRARIES.search(told), told


@pytest.mark.parametrize("value", [3.4e38, -3.4e38, np.inf, np.nan])
def test_a_check_of_strange_pixels_shows_nothing_of_libraries(tmp_path, value):
    path = tmp_path / "people.tif"
    pixels = np.full((4, 4), 10.0, np.float32)
    pixels[0] = value
    grid = rasterio.Affine(0.001, 0.0, 102.7, 0.0, -0.001, 25.1)
    with rasterio.open(path, "w", driver="GTiff", height=4, width=4, count=1, dtype="float32",
                       crs="EPSG:4326", transform=grid) as target:  # fmt: skip
        target.write(pixels, 1)
    assert not _OF_LIBRARIES.search(say(tmp_path, "check", path))


def test_builds_of_bad_files_show_nothing_of_libraries(shared_data, tmp_path):
    field = shared_data / "field"
    for name in ("inf.csv", "wkt.csv", "zero.csv"):
        path = tmp_path / name
        path.write_bytes(_BAD[name])
        told = say(tmp_path, "build", "t", "--osm", field / "town.osm", "--population", path,
                   "--datum", "wgs84")  # fmt: skip
        assert not _OF_LIBRARIES.search(told), told
    told = say(tmp_path, "build", "t", "--osm", field / "town.osm", "--population",
               field / "town_cells.csv", "--facilities", field / "03_closed.csv",
               "--units", field / "10_enclave.geojson", "--datum", "wgs84")  # fmt: skip
    assert not _OF_LIBRARIES.search(told), told
