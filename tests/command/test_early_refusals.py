"""What the arguments of a command alone tell is refused before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis import facts, pipeline
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import ParameterError
from tests.command.run import lifecircle

_TELL_HEAVY = """
import atexit, sys
heavy = {"numpy", "pandas", "shapely", "geopandas"}
atexit.register(lambda: print("heavy:", sorted(heavy & set(sys.modules))))
"""


def test_missing_files_are_named_at_once_before_heavy_imports(tmp_path: Path):
    (tmp_path / "there.csv").write_text("a\n")
    done = lifecircle(
        "build", "x", "--osm", "no.osm", "--population", "no.csv", "--facilities",
        "none.csv=park", "--units", tmp_path / "there.csv", workspace=tmp_path / "ws",
        first=_TELL_HEAVY,
    )  # fmt: skip
    assert done.returncode == 2
    assert [name in done.stderr for name in ("no.osm", "no.csv", "none.csv", "there.csv")] == [
        True, True, True, False,
    ]  # fmt: skip
    assert done.stdout == "heavy: []\n"


@pytest.mark.parametrize(
    ("asked", "key"),
    [
        ({"calibrate": True}, "pipeline_calibrate_what"),
        (
            {"residents_from_buildings": 30.0, "population": Path("p.csv")},
            "pipeline_residents_twice",
        ),
    ],
)
def test_residents_that_cannot_be_are_refused_before_any_file_is_read(monkeypatch, asked, key):
    monkeypatch.setattr(pipeline, "read_facts", None)
    with pytest.raises(ParameterError) as refused:
        pipeline.analyse_city(BuildRequest("x", osm=Path("no.osm"), **asked))
    assert refused.value.key == key


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("no.csv",), "no.csv"),
        (("there.csv", "--kind", "shops"), "shops"),
        (("there.csv=park", "--mapping", "no.toml"), "no.toml"),
    ],
)
def test_a_check_says_what_its_words_tell_before_heavy_imports(tmp_path: Path, words, told):
    (tmp_path / "there.csv").write_text("a\n")
    words = [str(tmp_path / word) if word.startswith("there") else word for word in words]
    done = lifecircle("check", *words, workspace=tmp_path, first=_TELL_HEAVY)
    assert (done.returncode, told in done.stderr, done.stdout) == (2, True, "heavy: []\n")


def test_floor_no_home_has_and_nothing_to_calibrate_are_refused_before_any_file(monkeypatch):
    monkeypatch.setattr(pipeline, "read_facts", None)
    for asked, key in (
        ({"residents_from_buildings": 0.5}, "pipeline_floor_per_resident"),
        ({"calibrate": True, "population": Path("p.csv")}, "pipeline_calibrate_what"),
    ):
        with pytest.raises(ParameterError) as refused:
            pipeline.analyse_city(BuildRequest("x", osm=Path("no.osm"), **asked))
        assert refused.value.key == key


def test_residents_named_twice_are_refused_before_the_streets_are_read(monkeypatch, tmp_path: Path):
    units = tmp_path / "units.csv"
    shape = "POLYGON((102.69 24.99,102.71 24.99,102.71 25.01,102.69 25.01,102.69 24.99))"
    units.write_text(f'code,name,population,wkt\nA,甲街道,10,"{shape}"\n', encoding="utf-8")
    (tmp_path / "a.osm").write_text("<osm/>")
    monkeypatch.setattr(facts, "read_extract", None)
    request = BuildRequest("x", osm=tmp_path / "a.osm", units=(units,), datum="wgs84",
                           residents_from_buildings=30.0)  # fmt: skip
    with pytest.raises(ParameterError) as refused:
        pipeline.analyse_city(request)
    assert refused.value.key == "pipeline_totals_beside_floor"
    assert "1 of 1 unit has" in str(refused.value)
