"""What the documents tell people to type works: command lines, curls and Python, in their order.

The files they name are those of a small springcity and of a drawn district, under those names.
A curl asks the service itself, without a socket. What needs the internet, a server or a clone
is listed under `NOT_HERE`.
"""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import pandas as pd
import pytest
from fastapi.testclient import TestClient

from lifecircle.analysis.demo.samples import SpringCityFiles
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84
from lifecircle.service.app import create_app
from lifecircle.service.cli import main
from lifecircle.service.settings import Settings
from tests.house.test_policy_docs import snippets
from tests.worlds.drawn import ORIGIN, Way, World

ROOT = Path(__file__).resolve().parents[2]
DOCUMENTS = [ROOT / "README.md", ROOT / "README.zh.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.DOTALL | re.MULTILINE)
RUN = ("lifecircle ", "curl ")
NOT_HERE = ("scripts/", "pip install", "lifecircle serve", "jupytext", "docker ")
DATUM = "gcj02"
DRAWS = re.compile(
    r"(--draws )\d+"
)  # fewer than people ask for: the words are tried, not the bands


def blocks(path: Path) -> list[tuple[str, str]]:
    found = BLOCK.findall(path.read_text("utf-8"))
    return [(language, textwrap.dedent(text)) for _, language, text in found]


def lines(path: Path) -> list[str]:
    """The lines of a document to type, continued ones joined."""
    whole = [
        line
        for language, text in blocks(path)
        if language in ("", "sh", "bash")
        for line in text.replace("\\\n", " ").splitlines()
    ]
    typed = [line for line in whole if line.startswith(RUN) and not line.startswith(NOT_HERE)]
    few = [DRAWS.sub(r"\g<1>8", line) for line in typed]
    return [
        line.replace("robust ", "robust --draws 8 ", 1)
        if line.startswith("lifecircle robust ") and "--draws" not in line
        else line
        for line in few
    ]


def python(path: Path) -> list[str]:
    return [text for language, text in blocks(path) if language == "python"]


def draw_district(folder: Path) -> None:
    """Streets, cells and a charging station of a district of 1,200 residents."""
    names = [f"n{i}" for i in range(13)]
    World({name: (500.0 * i, 0.0) for i, name in enumerate(names)}, (Way(tuple(names)),)).write(
        folder / "district.osm.pbf"
    )
    lon, lat = ORIGIN
    step = 0.002  # about 200 m
    cells = pd.DataFrame({"lon": [lon + step * i for i in range(12)]})
    cells.assign(lat=lat + 0.0001, population=100).to_csv(folder / "cells.csv", index=False)
    charging = {"id": ["E1"], "type": ["充电站"], "name": ["一号站"], "lon": [lon], "lat": [lat]}
    pd.DataFrame(charging).to_csv(folder / "charging.csv", index=False)


@pytest.fixture(scope="module")
def desk(
    springcity: SpringCityFiles, springcity_runs: Path, tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """A folder with every file that the documents name, and a workspace with springcity."""
    folder = tmp_path_factory.mktemp("desk")
    files = springcity
    shutil.copytree(springcity_runs, folder / "workspace")
    for ours, theirs in (
        (files.osm, "kunming.osm.pbf"),
        (files.population, "grid.gpkg"),
        (files.statistics, "figures.csv"),
        (files.osm.with_name("units_subdistrict.gpkg"), "jiedao.gpkg"),
        (files.osm.with_name("units_community.gpkg"), "shequ.gpkg"),
    ):
        (folder / theirs).symlink_to(ours)
    table = pd.read_csv(files.facilities, dtype=str, keep_default_na=False)
    table.to_excel(folder / "设施.xlsx", index=False)
    shifted = from_wgs84(table[["lon", "lat"]].astype(float).to_numpy(), DATUM)
    table["lon"], table["lat"] = shifted[:, 0].round(7), shifted[:, 1].round(7)
    table.to_csv(folder / "facilities.csv", index=False, encoding="utf-8")
    draw_district(folder)
    (folder / "docs").symlink_to(ROOT / "docs")
    shutil.copy(ROOT / "docs" / "examples" / "edits.geojson", folder)
    (policy,) = snippets("policies.md", "A new service, step by step")
    (folder / "mine.toml").write_text('scorecard = "mine"\n' + policy, encoding="utf-8")
    card = "\n".join(snippets("scorecard.md", "A scorecard of your own"))
    (folder / "scorecard").mkdir()
    (folder / "scorecard" / "mine.toml").write_text(card, encoding="utf-8")
    return folder


@pytest.fixture
def at_desk(desk: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("LIFECIRCLE_WORKSPACE", "workspace")
    return desk


@pytest.fixture(scope="module")
def client(desk: Path) -> Iterator[TestClient]:
    settings = Settings(workspace=desk / "workspace", public_read=True)
    with TestClient(
        create_app(settings), base_url="http://127.0.0.1:8000", client=("127.0.0.1", 50_000)
    ) as one:
        yield one


def ask(client: TestClient, words: list[str]) -> None:
    """A curl, as far as the documents use it."""
    kept = dict(pairwise(words))
    url = next(word for word in words if word.startswith("http"))
    header = kept.get("-H")
    answer = client.request(
        kept.get("-X", "GET"),
        url,
        headers=dict([header.split(": ")]) if header else None,
        content=kept.get("-d"),
    )
    assert answer.status_code == 200, answer.text
    if "json" in answer.headers["content-type"]:
        assert json.loads(answer.content)


def first_of(path: Path) -> list[str]:
    """The lines that no document before has, as the Chinese README repeats the English one."""
    before = DOCUMENTS[: DOCUMENTS.index(path)] if path.name == "README.zh.md" else []
    said = {line for one in before for line in lines(one)}
    return [line for line in lines(path) if line not in said]


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if lines(p)], ids=lambda path: path.name)
def test_command_lines(
    path: Path, at_desk: Path, client: TestClient, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    for line in first_of(path):
        words = shlex.split(line, comments=True)
        if words[0] == "curl":
            ask(client, words)
            continue
        monkeypatch.setattr(sys, "argv", words)
        code = main()
        told = capsys.readouterr()
        assert code == 0, f"{line}\n{told.out}\n{told.err}"
        outs = [word for word in words if word.endswith((".xlsx", ".html"))]
        assert [out for out in outs if not (at_desk / out).is_file()] == []


@pytest.mark.parametrize("path", [p for p in DOCUMENTS if python(p)], ids=lambda path: path.name)
def test_python(path: Path, at_desk: Path) -> None:
    names: dict[str, object] = {}
    for text in python(path):
        exec(compile(text, path.name, "exec"), names)
    frames = [one for one in names.values() if isinstance(one, gpd.GeoDataFrame)]
    assert [frame for frame in frames if frame.crs is None] == []


def test_something_is_run() -> None:
    assert sum(len(lines(path)) for path in DOCUMENTS) > 30
    assert {path.name for path in DOCUMENTS if python(path)} >= {"maps.md", "springcity.md"}
