"""A run of an earlier lifecircle still opens, and says what it said then (tests/kept)."""

from __future__ import annotations

import json
import re
import zipfile
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.results.frozen.policy import policy_from, policy_text
from lifecircle.analysis.results.run_files.manifest import manifest_content, read_manifest
from lifecircle.analysis.results.store import Workspace
from tests.pages.map_pages import plain
from tests.pages.served import ask, client

ARCHIVE = Path(__file__).parents[1] / "kept" / "town.zip"
# Words for people may be written better; everything else is as it was.
WORDS = frozenset({"text", "title", "note", "title_zh", "title_en", "detail_zh", "detail_en"})
OTHERWISE = {
    "rule_or": "B", "overload": "not_met", "adjacent_m": "300", "adjacent_by": "straight",
    "elder_headline": "P15", "childcare_base": "township", "catchment": "closed",
    "population": "units", "walk": "floor", "missing": "worst", "unquantified": "judge",
}  # fmt: skip
QUESTIONS: dict[str, tuple[str, dict[str, Any]]] = {
    "coverage": ("coverage", {"lang": "zh"}),
    "coverage_older": (
        "coverage",
        {"service": "health_centre", "minutes": 10, "walker": "older", "by": "community",
         "lang": "en"},
    ),
    "gaps": ("gaps", {"service": "convenience_store", "lang": "en"}),
    "scorecard": ("scorecard", {"lang": "zh"}),
    "scorecard_set": ("scorecard", {"lang": "en", **OTHERWISE}),
    "catchments": ("catchments", {"service": "health_centre"}),
}  # fmt: skip


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("kept")
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def served(kept: Path) -> Iterator[TestClient]:
    yield client(kept / "workspace")


SAID_SINCE = frozenset({"scorecard_earlier"})  # remarks that a run of then had not yet


def turned(ring: list[Any]) -> list[Any]:
    """A ring one way round, from its least corner."""
    (lon, lat), corners = ring[0], ring[:-1]
    area = sum((a[0] - lon) * (b[1] - lat) - (b[0] - lon) * (a[1] - lat) for a, b in pairwise(ring))
    corners = corners if area > 0 else corners[::-1]
    first = corners.index(min(corners))
    return [*corners[first:], *corners[:first]]


def without_direction(answer: Any) -> Any:
    """An answer whose rings all run one way, and without what is said since."""
    if isinstance(answer, dict):
        if answer.get("type") == "Polygon":
            return answer | {"coordinates": [turned(r) for r in answer["coordinates"]]}
        if answer.get("type") == "MultiPolygon":
            parts = [[turned(r) for r in part] for part in answer["coordinates"]]
            return answer | {"coordinates": parts}
        return {key: without_direction(value) for key, value in answer.items()}
    if isinstance(answer, list):
        kept = [one for one in answer if not _since(one)]
        return [without_direction(one) for one in kept]
    return answer


def _since(one: Any) -> bool:
    return isinstance(one, dict) and one.get("key") in SAID_SINCE


def lost(old: Any, new: Any, at: str = "") -> Iterator[str]:
    """What an answer of then holds and today's does not."""
    if isinstance(old, dict) and isinstance(new, dict):
        for key, value in old.items():
            if key in WORDS:
                continue
            if key not in new:
                yield f"{at}/{key} is gone"
            else:
                yield from lost(value, new[key], f"{at}/{key}")
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for i, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from lost(one, other, f"{at}[{i}]")
    elif old != new or type(old) is not type(new):
        yield f"{at}: {str(old)[:80]} | {str(new)[:80]}"


def then(kept: Path, name: str) -> Any:
    return json.loads((kept / "answers" / f"{name}.json").read_text("utf-8"))


@pytest.mark.parametrize("name", QUESTIONS)
def test_it_says_what_it_said(name: str, kept: Path, served: TestClient) -> None:
    path, query = QUESTIONS[name]
    today = without_direction(ask(served, f"/areas/town/{path}", **query))
    assert list(lost(without_direction(then(kept, name)), today)) == []


def test_the_archive_holds_what_is_worth_keeping(kept: Path) -> None:
    assert ARCHIVE.stat().st_size < 300_000
    run = Workspace(kept / "workspace").open("town")
    assert run.policy.scorecard is not None
    assert len(run.policy.scorecard.rows) == 47
    assert set(run.catchments) == {"health_centre", "childcare", "shelter"}
    assert run.city.statistics is not None
    assert len(run.city.statistics.value) == 17
    values = [row["value"] for row in then(kept, "scorecard")["rows"]]
    assert sum(value is not None for value in values) == 17
    changed = [row["status"] for row in then(kept, "scorecard_set")["rows"]]
    assert changed != [row["status"] for row in then(kept, "scorecard")["rows"]]


def test_settings_may_come_as_pairs(served: TestClient, kept: Path) -> None:
    pairs = [f"{name}={value}" for name, value in OTHERWISE.items()]
    found = ask(served, "/areas/town/scorecard", lang="en", set=pairs)
    assert list(lost(then(kept, "scorecard_set"), without_direction(found))) == []


def without_headings(found: Any) -> Any:
    """What a page holds for its scripts, without headings and figures that are not told.

    Words may improve, and there may be more figures since.
    """
    if isinstance(found, list):
        return [without_headings(one) for one in found]
    if not isinstance(found, dict):
        return found
    told = {key: without_headings(one) for key, one in found.items() if key != "labels"}
    if isinstance(values := found.get("values"), list):
        told["values"] = [one for one in values if one is not None]
    return told


def test_its_map_shows_the_same_figures(kept: Path, served: TestClient) -> None:
    page = served.get("/maps/town/coverage", params={"service": "health_centre", "lang": "zh"})
    assert page.status_code == 200
    old, new = (kept / "answers" / "map.html").read_text("utf-8"), page.text
    streets, *drawn = blocks(old)
    today = blocks(new)
    assert vertices(today[0]["features"].pop("shapes")) == outlines(drawn[0]["features"])
    assert without_headings(today) == without_headings(drawn)
    run = next((kept / "workspace" / "town" / "runs").iterdir()).name
    piece = served.get("/maps/town/pieces/streets", params={"run": run, "lang": "zh"})
    assert json.loads(piece.text, object_hook=plain) == streets | {"partial": False}
    total = then(kept, "coverage")["services"]
    covered = next(one["total"]["covered"] for one in total if one["service"] == "health_centre")
    assert f"{covered:,}" in new


def outlines(features: dict[str, Any]) -> list[tuple[float, ...]]:
    """Vertices of the units of then, taken from their features; a ring ends before it closes."""
    found: list[tuple[float, ...]] = []
    for feature in features["features"]:
        feature["properties"].pop("b")
        shape = feature.pop("geometry")
        assert shape["type"] == "Polygon"
        found += [tuple(vertex) for ring in shape["coordinates"] for vertex in ring[:-1]]
    return found


def vertices(packed: dict[str, Any]) -> list[tuple[float, ...]]:
    """Vertices of the units of today, packed as steps of whole hundred-thousandths of a degree."""
    steps = np.array(packed["d"]).reshape(-1, 2)
    lonlat = (np.cumsum(steps, axis=0) + packed["o"]) / packed["s"]
    return [tuple(vertex) for vertex in lonlat.round(5).tolist()]


def blocks(page: str) -> list[Any]:
    """The figures that a map holds: units, cells, facilities; once its streets as well."""
    found = re.findall(r'application/json" id="data_(?!panel)[a-z_]+">(.*?)</script>', page, re.S)
    assert len(found) in (3, 4)
    return [json.loads(block, object_hook=plain) for block in found]


def test_pages_of_its_scorecard_stand_in_the_groups_of_then(served: TestClient) -> None:
    page = served.get("/areas/town/scorecard", params={"f": "html", "lang": "zh"}).text
    heads = re.findall("<h2>(.*?)</h2>", page)
    assert heads[:3] == ["专栏1 主要发展指标", "设施与覆盖", "按单元统计"]
    assert "平方米/百户" in page
    assert "其他指标" not in page


def test_policy_and_manifest_round_trip(kept: Path) -> None:
    folder = next((kept / "workspace" / "town" / "runs").iterdir())
    text = (folder / "policy.json").read_text("utf-8")
    policy = policy_from(text)
    assert policy_from(policy_text(policy)) == policy
    assert policy_text(policy_from(policy_text(policy))) == policy_text(policy)
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    assert manifest_content(read_manifest(folder)) == manifest
    kept_policy = json.loads(text)
    again = json.loads(policy_text(policy))
    rest = {k: v for k, v in kept_policy.items() if k != "scorecard"}
    assert list(lost(rest, again)) == []
