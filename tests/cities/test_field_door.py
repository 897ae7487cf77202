"""Tables of other people as facilities of one small town: the right share, or the true cause.

The files lie in ../shared/data/field; the town holds 4,000 residents in 400 cells.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import lifecircle as lc
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.policy import Policy, load_policy
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84, to_wgs84
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.readers.tables.population_and_facilities import read_facilities
from lifecircle.service.cli import app

Served = Callable[..., tuple[int, lc.Area]]


@pytest.fixture(scope="module")
def policy() -> Policy:
    return load_policy()


@pytest.fixture
def field(shared_data: Path) -> Path:
    """Folder of the field cases."""
    folder = shared_data / "field"
    if not folder.is_dir():
        pytest.skip("the field cases (../shared/data/field) are not here")
    return folder


@pytest.fixture
def served(field: Path, tmp_path: Path) -> Served:
    """Residents of the town who reach a health centre of a file, and the area."""

    def build(facilities: Path | str, **further: object) -> tuple[int, lc.Area]:
        path = field / facilities
        area = lc.build("town", field / "town.osm", field / "town_cells.csv", facilities=path,
                        workspace=tmp_path / "ws", **further)  # type: ignore[arg-type]  # fmt: skip
        total = area.coverage("health_centre").attrs["total"]["health_centre"]
        return int(total["covered"]), area

    return build


@pytest.mark.parametrize(
    "word", ["gcj02", "GCJ02", "GCJ-02", "gcj 02", "火星坐标", "高德", "高德地图", "腾讯坐标系"]
)
def test_a_datum_in_any_spelling_is_that_datum(word):
    assert Declaration(datum=word).datum == "gcj02"


def test_a_datum_that_nobody_knows_is_never_wgs84(tmp_path):
    here = np.array([[102.7, 25.0]])
    with pytest.raises(ParameterError, match="wgs85"):
        to_wgs84(here, "wgs85")
    with pytest.raises(ParameterError, match="gcj03"):
        from_wgs84(here, "gcj03")
    with pytest.raises(ParameterError, match="wgs85"):
        BuildRequest("a", datum="wgs85").declared()
    table = tmp_path / "a.csv"
    table.write_text("类型,经度,纬度\n药店,102.7,25.0\n", "utf-8")
    told = CliRunner().invoke(app, ["check", str(table), "--datum", "wgs85"])
    assert isinstance(told.exception, ParameterError)


def test_two_pairs_give_the_places_of_one(served, field, policy):
    """Both pairs of a row are one place; the GCJ-02 one was rounded to a centimetre.

    (Six cells of the lattice stand exactly at the limit: that centimetre moves 60 residents.)
    """
    path = field / "02_two_pairs.csv"
    one, other = (
        read_facilities(path, policy, Declarations(Declaration(datum=datum))).where.centres()
        for datum in ("wgs84", "gcj02")
    )
    assert one.tolist() == [[102.6950471, 24.9954862], [102.7059435, 25.0054166]]
    assert other == pytest.approx(one, abs=1e-7)
    assert served("02_two_pairs.csv", datum="wgs84")[0] == 2_600


def test_a_closed_centre_is_no_facility(served):
    covered, area = served("03_closed.csv", datum="wgs84")
    assert covered == 1_400
    (row,) = area.run.city.notes.not_open
    assert (row.state, row.name, row.why) == ("gone", "西园中心", "状态=已关闭")
    assert any("已关闭" in told.text("zh") and "第 3 行" in told.text("zh")
               for told in area.run.manifest.warnings)  # fmt: skip


def test_an_export_of_overpass_turbo_is_read_by_its_tags(served):
    """The field case 27: 甲社区医院 alone is the health centre, as in the list with one closed."""
    covered, area = served("18_overpass_export.geojson", datum="wgs84")
    assert covered == 1_400
    assert sorted(area.layer("facilities")["service"]) == ["health_centre", "park", "pharmacy"]


def test_what_a_status_says(tmp_path, policy):
    """Planned rows are candidates whatever is wrong with them; unknown words count as open."""
    path = tmp_path / "a.csv"
    rows = ["正常运营", "待定", "拟建", "已撤销（2021年）", "在建"]
    lines = [f"药店,店{k},{102.7 + k / 1000},25.0,{word}" for k, word in enumerate(rows)]
    text = "\n".join(["类型,名称,经度,纬度,状态", *lines, "药店,店5,,,规划"])
    path.write_text(text, "utf-8")
    table = read_facilities(path, policy, Declarations(Declaration(datum="wgs84")))
    assert table.name.tolist() == ["店0", "店1"]
    assert table.rows.tolist() == [2, 3]
    assert table.not_open is not None
    assert table.not_open["name"].tolist() == ["店2", "店3", "店4"]
    assert table.not_open["state"].tolist() == ["planned", "gone", "planned"]
    told = [
        (fault.key, fault.params["value"]) for fault in table.warnings if "value" in fault.params
    ]
    assert told == [
        ("input_status_unknown", "待定"),
        ("input_status_planned", "拟建"),
        ("input_status_gone", "已撤销（2021年）"),
        ("input_status_planned", "在建"),
        ("input_status_planned", "规划"),
    ]


def test_a_locked_workbook_is_called_locked(field, policy):
    with pytest.raises(InputError) as caught:
        read_facilities(field / "17_locked.xlsx", policy)
    (fault,) = caught.value.faults
    assert fault.key == "input_password"
    assert "rights management" in fault.text("en")
