"""What the arguments of a command alone tell is refused before anything heavy is imported."""

from __future__ import annotations

from pathlib import Path

import pytest

from lifecircle.analysis import pipeline
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.facts import BuildRequest
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
