"""A file read ahead, in a process of its own, gives a build what it would have read itself."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest

from lifecircle.analysis import ahead as reading
from lifecircle.analysis import pipeline
from lifecircle.analysis.ahead import ChangedError, begin_reading
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.facts import Beside, Facts, read_facts
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import RawStreets
from tests.readers.osm.test_osm_writings import shuffled, text, town

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@pytest.fixture(autouse=True)
def _copies(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "may_fork", lambda: True)


def content(thing: object) -> list[object]:
    """What records, frames and arrays hold, however deep, as plain values."""
    if isinstance(thing, gpd.GeoDataFrame):
        return [*thing.columns, thing.crs, *(content(thing[name].to_numpy()) for name in thing)]
    if isinstance(thing, np.ndarray):
        return [thing.dtype, thing.shape, [str(one) for one in thing.ravel().tolist()]]
    if is_dataclass(thing):
        return [content(getattr(thing, field.name)) for field in fields(thing)]
    if isinstance(thing, Mapping):
        return [(key, content(value)) for key, value in thing.items()]
    return [repr(thing)]


def both(path: Path) -> tuple[Facts, Facts, list[RawStreets]]:
    """The facts of a file read ahead and read at once, and the streets told of early."""

    def all_of(facts: Facts) -> Facts:
        roads = facts.roads()
        return replace(facts.completed(), roads=lambda: roads)

    met: list[RawStreets] = []
    ahead = begin_reading(path, None)
    assert ahead is not None
    request = BuildRequest("t", osm=path, today=ahead.today)
    policy = load_policy()
    beside = Beside(ahead, lambda facts: met.append(facts.streets))
    early = all_of(read_facts(request, policy, Clock(None), beside=beside))
    return early, read_facts(request, policy, Clock(None)), met


@pytest.mark.parametrize("in_order", [True, False])
def test_a_file_read_ahead_is_the_file(tmp_path: Path, in_order: bool) -> None:
    lines = town()
    path = tmp_path / "town.osm"
    path.write_text(text(lines if in_order else shuffled(lines)), encoding="utf-8")
    early, late, met = both(path)
    assert met == [early.streets]
    assert early.remainder is None
    for name in ("streets", "ground", "warnings"):
        assert content(getattr(early, name)) == content(getattr(late, name)), name
    assert early.places is not None and late.places is not None
    assert content(early.places) == content(replace(late.places, incomplete=()))
    assert content(early.roads()) == content(late.roads())
    assert early.ground is not None
    assert not early.ground.lonlat.flags.writeable
    assert np.array_equal(early.streets.lonlat, late.streets.lonlat)


def test_what_is_wrong_with_a_file_is_told_by_the_build(tmp_path: Path) -> None:
    path = tmp_path / "empty.osm"
    path.write_text(text([]), encoding="utf-8")
    with pytest.raises(InputError, match=r"empty\.osm"):
        both(path)


def test_a_build_that_asks_for_something_else_reads_for_itself(tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    path.write_text(text(town()), encoding="utf-8")
    policy = load_policy()
    assert policy.scorecard is not None
    profiles = policy.scorecard.profiles
    ahead = begin_reading(path, None)
    assert ahead is not None
    asked = BuildRequest("t", osm=path, today=ahead.today)
    assert ahead.suits(asked, policy, profiles)
    assert not ahead.suits(replace(asked, today=None), policy, profiles)
    assert not ahead.suits(asked, policy, {*profiles, "bus"})
    assert not ahead.suits(replace(asked, policy=policy), policy, profiles)
    assert begin_reading(None, None) is None
    other = replace(asked, today=None)
    facts = read_facts(other, policy, Clock(None), beside=Beside(ahead))
    assert content(facts.places) == content(read_facts(other, policy, Clock(None)).places)
    with pytest.raises(StopIteration):  # it is read no further
        ahead.read(lambda _: None)


def test_what_changed_is_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    begun: list[object] = []

    def analyse(_request: object, _clock: object, _parts: object, ahead: object) -> str:
        begun.append(ahead)
        if ahead is not None:
            raise ChangedError
        return "city"

    monkeypatch.setattr(pipeline, "_analyse_city", analyse)
    ahead: object = object()
    assert pipeline.analyse_city(BuildRequest("t"), ahead=ahead) == "city"  # type: ignore[arg-type, comparison-overlap]
    assert begun == [ahead, None]


@pytest.mark.parametrize(
    ("module", "spared"),
    [("ahead", "numpy osmium pydantic"), ("readers.osm.extract", "pandas numba")],
)
def test_what_reads_ahead_imports_little(module: str, spared: str) -> None:
    """Importing what begins it costs nothing; the process itself needs no frames, no kernels."""
    told = f"print(*{{*{spared.split()}}} & {{*sys.modules}})"
    code = f"import sys, lifecircle.analysis.{module}; {told}"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == ""
