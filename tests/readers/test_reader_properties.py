"""Whatever stands in a file, the checker answers with faults; what it reads is what was written."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import numpy as np
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyproj import Geod

from lifecircle.analysis.readers.records.cells import object_array, read_numbers
from lifecircle.analysis.readers.records.coordinates.datums import DATUMS, from_wgs84, to_wgs84
from lifecircle.analysis.readers.records.coordinates.grids import GRIDS
from lifecircle.analysis.readers.records.coordinates.located import Reading, read_again, write_as
from lifecircle.analysis.readers.tables.population_and_facilities import (
    check_table,
    read_population,
)
from tests.files.tables import said

SLOW = settings(
    max_examples=120,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
SUFFIXES = (".csv", ".tsv", ".xlsx", ".xls", ".ods", ".gpkg", ".geojson", ".json", ".kml", ".kmz",
            ".shp", ".zip", ".parquet", ".toml", "")  # fmt: skip
STARTS = (b"", b"\xff\xfe", b"\xef\xbb\xbf", b"PK\x03\x04", b"PAR1",
          b"SQLite format 3\x00",
          b"\x00\x00\x27\x0a", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b'{"type":',
          b"<kml>")  # fmt: skip
CELLS = st.one_of(
    st.text(max_size=8),
    st.sampled_from(["经度", "lat", "人口", "人口(万人)", "类型", "合计", "注：", "1.2万", "nan",
                     "1e309", "=1+1", "102.7", "25.04", "34571000", "POINT (1 2)", "", "是",
                     "药店"]),
)  # fmt: skip


@SLOW
@given(
    start=st.sampled_from(STARTS), rest=st.binary(max_size=400), suffix=st.sampled_from(SUFFIXES)
)
def test_any_bytes_are_answered(policy, start, rest, suffix):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"a{suffix}"
        path.write_bytes(start + rest)
        for fault in check_table(path, declared=said("bd09"), policy=policy):
            assert fault.text("zh")
            assert fault.text("en")


@SLOW
@given(
    lines=st.lists(st.lists(CELLS, min_size=1, max_size=5), min_size=1, max_size=8),
    kind=st.sampled_from([None, "population", "facilities", "units"]),
    encoding=st.sampled_from(["utf-8", "gb18030", "utf-16"]),
)
def test_any_table_is_answered(policy, lines, kind, encoding):
    text = io.StringIO()
    csv.writer(text).writerows(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.getvalue().encode(encoding, "replace"))
        for fault in check_table(path, kind, policy, said("wgs84")):
            assert fault.text("zh")


@SLOW
@given(
    people=st.lists(st.integers(0, 10**7), min_size=1, max_size=20),
    above=st.integers(0, 3),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "gb18030", "utf-16"]),
    separator=st.sampled_from([",", ";", "\t"]),
)
def test_residents_are_read_as_written(people, above, encoding, separator):
    lines = [["昆明市人口表"]] * above + [["编号", "经度", "纬度", "常住人口"]]
    lines += [[f"格{k}", "102.7", "25.04", f"{n:,}"] for k, n in enumerate(people)]
    lines.append(["合计", "", "", str(sum(people))])
    text = io.StringIO()
    csv.writer(text, delimiter=separator).writerows(lines)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.csv"
        path.write_bytes(text.getvalue().encode(encoding))
        frame = read_population(path, said("wgs84")).frame
    assert frame["residents"].tolist() == people
    assert int(frame["residents"].sum()) == sum(people)
    assert frame["id"].tolist() == [f"格{k}" for k in range(len(people))]


PLACES = st.tuples(st.floats(97.5, 106.2), st.floats(21.2, 29.2))


@settings(deadline=None)
@given(place=PLACES, datum=st.sampled_from(DATUMS), north=st.booleans(),
       grid=st.sampled_from([None, *(g for g in GRIDS if abs(g.meridian - 102) <= 6)]))  # fmt: skip
def test_every_reading_and_its_writing_undo_each_other(place, datum, north, grid):
    """The stated error: under a tenth of a millimetre, in every grid within reach."""
    here = np.array([place])
    crs = "EPSG:4326" if grid is None else f"EPSG:{grid.epsg}"
    reading = Reading("a", 1, crs, datum, north)
    back = read_again(write_as(here, reading), reading)
    off = Geod(ellps="WGS84").inv(here[:, 0], here[:, 1], back[:, 0], back[:, 1])[2]
    assert np.abs(off).max() < 1e-4


@settings(deadline=None)
@given(place=st.tuples(st.floats(73.0, 135.0), st.floats(3.5, 53.5)))
def test_datums_are_undone_exactly_all_over_china(place):
    here = np.array([place])
    for datum in ("gcj02", "bd09"):
        back = to_wgs84(from_wgs84(here, datum), datum)
        off = Geod(ellps="WGS84").inv(here[:, 0], here[:, 1], back[:, 0], back[:, 1])[2]
        assert np.abs(off).max() < 1e-6


@given(number=st.floats(-1e9, 1e9), unit=st.sampled_from(["", "人", " ㎡", "㎡", "张"]))
def test_numbers_with_plain_units(number, unit):
    parsed = read_numbers(object_array([f"{number!r}{unit}"]))
    assert parsed.value[0] == number or "e" in repr(number)
