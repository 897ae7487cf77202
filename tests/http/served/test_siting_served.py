"""Siting of the tiny city kept, served over HTTP, drawn and by command; what-if, accessibility."""

from __future__ import annotations

import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from starlette.testclient import TestClient

from lifecircle.analysis.city.crs import to_lonlat
from lifecircle.analysis.city.model import City
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84
from lifecircle.analysis.results.proposals import keep, kept, sites_of, walks_with
from lifecircle.service.app import create_app
from lifecircle.service.catalog.siting.siting import positions_of, shown, siting_of
from lifecircle.service.catalog.siting.task import SitingTask
from lifecircle.service.cli import main
from lifecircle.service.maps.pages import Page, map_page
from lifecircle.service.settings import Settings
from tests.files.tables import said
from tests.worlds.tiny import CRS, ORIGIN, tiny_run

SERVICE = "health_centre"


@pytest.fixture(scope="module")
def served(root: Path) -> TestClient:
    app = create_app(Settings(workspace=root))
    return TestClient(app, base_url="http://127.0.0.1", client=("127.0.0.1", 50_000))


def ask(served: TestClient, path: str, **query: object) -> dict:
    told = served.get(path, params=query)
    assert told.status_code == 200, told.text
    return told.json()


def test_siting_over_http(served: TestClient) -> None:
    told = ask(served, "/areas/tiny/siting", service=SERVICE, add=2)
    assert told["before"] == {"covered": 600, "share": 600 / 1910}
    assert told["after"]["covered"] == 600 + sum(p["residents_new"] for p in told["proposals"])
    assert told["curve"][0] == {"sites": 0, "covered": 600, "share": 600 / 1910}
    assert told["not_coverable"]["largest"][0]["cell"] == "c8"
    kinds = told["candidates"]["kinds"]
    assert told["candidates"]["source"] == "all" and kinds["generated"] == 6
    assert told["candidates"]["count"] == sum(kinds.values())
    other = ask(served, "/areas/tiny/siting", service=SERVICE, add=2, candidates="generated")
    assert other["after"]["covered"] <= told["after"]["covered"]
    assert sum(u["covered_after"] for u in told["units"]) == told["after"]["covered"]
    places = ask(served, "/areas/tiny/siting", service=SERVICE, add=1, candidates="places:pharmacy")
    assert places["proposals"][0]["residents_new"] == 400
    few = ask(served, "/areas/tiny/siting", service=SERVICE, target=0.9)
    assert few["after"]["share"] >= 0.9


@pytest.mark.parametrize(
    ("path", "query", "status"),
    [
        ("siting", {"service": SERVICE}, 400),
        ("siting", {"service": "palace", "add": 1}, 404),
        ("siting", {"service": "market", "add": 1}, 400),
        ("siting", {"service": SERVICE, "add": 51}, 400),
        ("siting", {"service": SERVICE, "add": 1, "candidates": "../../etc/passwd"}, 400),
        ("siting", {"service": SERVICE, "add": 20, "objective": "capacity"}, 400),
        ("accessibility", {"service": "palace"}, 404),
        ("accessibility", {"service": SERVICE, "method": "huff"}, 400),
        ("accessibility", {}, 400),
    ],
)
def test_impossible_requests(
    served: TestClient, path: str, query: dict[str, object], status: int
) -> None:
    told = served.get(f"/areas/tiny/{path}", params=query)
    assert told.status_code == status, told.text
    assert told.headers["content-type"] == "application/problem+json"


def test_accessibility_over_http(served: TestClient) -> None:
    told = ask(served, "/areas/tiny/accessibility", service="pharmacy", method="2sfca")
    assert told["total"]["access"] == pytest.approx(1000 * 2 / 1910)
    assert told["total"]["residents_none"] == 1910 - 550
    assert told["cells"]["most"] == pytest.approx(4)
    assert told["units"][0]["access"] == pytest.approx(1000 / 300)
    unknown = ask(served, "/areas/tiny/accessibility", service="market")
    assert (unknown["total"]["access"], unknown["cells"]) == (None, None)


def test_what_if_over_http(served: TestClient, root: Path) -> None:
    lon, lat = to_lonlat(np.array([[3000 + ORIGIN[0], ORIGIN[1]]]), CRS)[0]
    before = digests(root)
    add = {"service": SERVICE, "lon": lon, "lat": lat}
    told = served.post("/areas/tiny/what-if", json={"add": [add], "remove": ["h1"]})
    assert told.status_code == 200, told.text
    (change,) = told.json()["services"]
    assert (change["gained"], change["lost"]) == (650, 600)
    assert change["total"]["covered_after"] == 650
    assert told.json()["add"][0]["snapped"]["access_m"] == pytest.approx(0, abs=0.05)
    assert told.json()["stored"] is False
    assert digests(root) == before
    far = served.post("/areas/tiny/what-if", json={"add": [{**add, "lat": lat + 0.015}]}).json()
    assert far["services"][0]["gained"] == 0
    assert far["warnings"][0]["key"] == "what_if_unsnapped"


@pytest.mark.parametrize(
    ("body", "status", "key"),
    [
        ({}, 400, "what_if_nothing"),
        ({"remove": ["nobody"]}, 400, "what_if_unknown_facility"),
        ({"add": [{"service": "palace", "lon": 102, "lat": 25}]}, 404, "unknown_service"),
        ({"add": [{"service": SERVICE, "lon": 999, "lat": 25}]}, 400, "bad_parameters"),
        ({"add": "x"}, 400, "bad_parameters"),
        ({"remove": ["h1"], "walker": "bird"}, 404, "unknown_walker"),
        ({"remove": ["h1"] * 101}, 400, "bad_parameters"),
    ],
)
def test_impossible_changes(served: TestClient, body: dict, status: int, key: str) -> None:
    told = served.post("/areas/tiny/what-if", json=body)
    assert (told.status_code, told.json()["key"]) == (status, key)


@pytest.mark.parametrize(
    ("body", "kind", "key"),
    [
        (b"{", "application/json", "fault_json"),
        (b"", "application/json", "fault_body"),
        (b"[]", "application/json", "fault_body"),
        (b'{"remove": ["h1"]}', "text/plain", "fault_body"),
    ],
)
def test_a_body_that_is_no_object_is_explained(
    served: TestClient, body: bytes, kind: str, key: str
) -> None:
    for lang in ("zh", "en"):
        told = served.post(
            f"/areas/tiny/what-if?lang={lang}", content=body, headers={"content-type": kind}
        )
        (fault,) = told.json()["faults"]
        assert (told.status_code, fault["key"], fault["parameter"]) == (400, key, "body")
        assert told.json()["detail"] == fault["text"]
        assert "JSON" in fault["text"] and "{" not in fault["text"]


def test_what_if_answers_only_here_unless_opened(root: Path) -> None:
    body = {"remove": ["h1"]}
    elsewhere = {"base_url": "http://127.0.0.1", "client": ("10.0.0.9", 1)}
    shut = TestClient(create_app(Settings(workspace=root)), **elsewhere)
    assert shut.post("/areas/tiny/what-if", json=body).status_code == 401
    opened = TestClient(create_app(Settings(workspace=root, public_read=True)), **elsewhere)
    assert opened.post("/areas/tiny/what-if", json=body).status_code == 200
    passed = TestClient(
        create_app(Settings(workspace=root)),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 1),
        headers={"x-forwarded-for": "10.0.0.9"},
    )
    assert passed.post("/areas/tiny/what-if", json=body).status_code == 401


def digests(root: Path) -> dict[str, str]:
    """Every file of the workspace with the digest of its bytes."""
    files = [file for file in root.rglob("*") if file.is_file() and ".cache" not in file.parts]
    return {str(f.relative_to(root)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def test_kept_proposals(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    served = TestClient(
        create_app(Settings(workspace=tmp_path)),
        base_url="http://127.0.0.1",
        client=("127.0.0.1", 50_000),
    )
    layers = {c["id"] for c in ask(served, "/collections")["collections"]}
    assert "tiny.proposals" not in layers
    assert served.get("/collections/tiny.proposals").status_code == 404
    assert served.get("/collections/tiny.proposals/items").status_code == 404
    before = digests(tmp_path)
    found = siting_of(run.study, Question(SERVICE), SitingTask(add=2))
    document = shown(run, found, "generated", "en")
    name = keep(run, document, positions_of(found))
    assert keep(run, document, positions_of(found)) == name  # the same answer is one file
    after = digests(tmp_path)
    assert {k: v for k, v in after.items() if k in before} == before
    assert set(after) - set(before) == {f"tiny/proposals/{run.manifest.run}/{name}.json"}
    (one,) = kept(run)
    cm = walks_with(run, run.study.costs, SERVICE, sites_of(one))
    assert cm.tolist() == found.cell_cm_after.tolist()
    layers = {c["id"] for c in ask(served, "/collections")["collections"]}
    assert "tiny.proposals" in layers
    items = ask(served, "/collections/tiny.proposals/items")
    rows = [feature["properties"] for feature in items["features"]]
    assert [row["residents_new"] for row in rows] == [p.residents_new for p in found.proposals]
    assert rows[0]["residents_65"] == found.proposals[0].groups_new["65"]
    more = siting_of(run.study, Question(SERVICE), SitingTask(add=1))
    keep(run, shown(run, more, "generated", "en"), positions_of(more))
    assert ask(served, "/collections/tiny.proposals/items")["numberMatched"] == 3
    page = map_page(run, "proposals", Question(service=SERVICE), Page(lang="en", mode="inline"))
    assert "kept" in page
    with pytest.raises(ParameterError):
        keep(run, {**document, "proposals": []}, [])


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_map_of_proposals(tmp_path: Path, lang: str) -> None:
    run = tiny_run(tmp_path)
    page = map_page(run, "proposals", Question(service=SERVICE), Page(lang=lang, mode="inline"))  # type: ignore[arg-type]
    found = siting_of(run.study, Question(SERVICE), SitingTask(add=5))
    assert f"+{found.covered_after - found.covered_before:,}" in page
    assert '<svg class="lc-curve"' in page
    assert page.count('class="lc-row"') == len(found.proposals)
    silent = map_page(run, "proposals", Question(service="market"), Page(lang=lang))  # type: ignore[arg-type]
    assert "lc-curve" not in silent.split("</head>")[1]


def in_english(city: City) -> City:
    """The city with a plain name on all its places, and an English one."""
    places = city.facilities
    name, english = (
        np.array([f"{word}{k}" for k in range(len(places))], dtype=object)
        for word in ("甲处", "Place ")
    )
    attributes = {**places.attributes, "name_en": english}
    return replace(city, facilities=replace(places, name=name, attributes=attributes))


def test_a_site_at_a_place_is_called_by_its_name_in_the_language_of_the_page(
    tmp_path: Path,
) -> None:
    run = tiny_run(tmp_path, change=in_english)
    task = SitingTask(add=1, source="places:pharmacy")
    found = siting_of(run.study, Question(SERVICE), task)
    document = shown(run, found, task.source, "en")
    (row,) = document["proposals"]
    places = run.city.facilities
    ids = [f"{one}@pharmacy" for one in places.id]
    assert row["name_en"] == f"Place {ids.index(row['site'])}"
    assert row["name"] == places.name[ids.index(row["site"])] != row["name_en"]
    keep(run, document, positions_of(found))
    for lang, told, other in (("zh", "name", "name_en"), ("en", "name_en", "name")):
        page = map_page(run, "proposals", Question(service=SERVICE), Page(lang=lang, mode="inline"))  # type: ignore[arg-type]
        ranked = page[page.index('class="lc-row"') :]
        assert row[told] in ranked and row[other] not in ranked


def lifecircle(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], root: Path, *words: str
) -> tuple[int, str, str]:
    """Run the command in this process: exit code, what it printed, what it complained of."""
    monkeypatch.setenv("LIFECIRCLE_WORKSPACE", str(root))
    monkeypatch.setenv("LIFECIRCLE_LANGUAGE", "en")
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setattr(sys, "argv", ["lifecircle", *words])
    code = main()
    told = capsys.readouterr()
    return code, told.out, told.err


def test_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = tiny_run(tmp_path)

    def site(*words: str) -> tuple[int, str, str]:
        asked = ("site", "tiny", "--service", SERVICE, *words)
        return lifecircle(monkeypatch, capsys, tmp_path, *asked)

    code, out, err = site("--add", "2", "--json", "--keep")
    assert code == 0, err
    document = json.loads(out)
    assert document["proven"] is True
    assert [one["id"] for one in kept(run)] == [document["id"]]
    table = tmp_path / "sites.csv"
    assert site("--target", "0.9", "--out", str(table))[0] == 0
    assert len(table.read_text(encoding="utf-8-sig").splitlines()) == 1 + 3
    assert "Best among" in site("--add", "1")[1]
    code, _, err = site()
    assert (code, "how many sites" in err) == (2, True)
    assert site("--add", "1", "--candidates", str(tmp_path / "no.csv"))[0] == 2


def test_the_command_takes_candidates_in_any_system(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One site written in degrees, shifted degrees, metres and under other titles is one site."""
    tiny_run(tmp_path)
    place = np.array([[3010 + ORIGIN[0], ORIGIN[1]]])
    degrees = to_lonlat(place, CRS)
    written = {
        "wgs84": (degrees, "lon,lat", ("--datum", "wgs84")),
        "gcj02": (from_wgs84(degrees, "gcj02"), "lon,lat", ("--datum", "gcj02")),
        "metres": (place, "x,y", ("--crs", CRS)),
        "north": (place[:, ::-1], "x,y", ("--crs", CRS, "--x-north")),
        "mapped": (from_wgs84(degrees, "bd09"), "横,竖", ("--mapping", str(tmp_path / "m.toml"))),
    }
    mapping = '[files."mapped.csv"]\ndatum = "bd09"\ncolumns = { lon = "横", lat = "竖" }\n'
    (tmp_path / "m.toml").write_text(mapping, encoding="utf-8")
    places = {}
    for name, (xy, titles, asked) in written.items():
        table = tmp_path / f"{name}.csv"
        table.write_text(f"id,{titles}\ns,{xy[0, 0]:.9f},{xy[0, 1]:.9f}\n", encoding="utf-8")
        words = ("site", "tiny", "--service", SERVICE, "--add", "1", "--json")
        code, out, err = lifecircle(
            monkeypatch, capsys, tmp_path, *words, "--candidates", str(table), *asked
        )
        assert code == 0, err
        (proposal,) = json.loads(out)["proposals"]
        places[name] = (proposal["lon"], proposal["lat"])
    first = np.array(places["wgs84"])
    assert np.allclose(first, degrees[0], atol=2e-6)
    for found in places.values():
        assert np.allclose(found, first, atol=2e-6)


def test_hostile_names_of_candidates_stay_text(tmp_path: Path) -> None:
    run = tiny_run(tmp_path)
    lon, lat = to_lonlat(np.array([[3010 + ORIGIN[0], ORIGIN[1]]]), CRS)[0]
    table = tmp_path / "sites.csv"
    name = "<img src=x onerror=alert(1)> {{ 7*7 }} </script>"
    table.write_text(f"id,name,lon,lat\n=1+1,{name},{lon},{lat}\n", encoding="utf-8")
    task = SitingTask(add=1, source=table, declared=said("wgs84"))
    found = siting_of(run.study, Question(SERVICE), task)
    document = shown(run, found, table, "zh")
    assert document["proposals"][0]["name"] == name
    assert document["candidates"] == {"source": "sites.csv", "count": 1, "kinds": {"given": 1}}
    keep(run, document, positions_of(found))
    for mode in ("inline", "linked"):
        page = map_page(run, "proposals", Question(service=SERVICE), Page(mode=mode))  # type: ignore[arg-type]
        assert "<img src=x" not in page
        assert "alert(1)> {{ 7*7 }} </script>" not in page
        assert ">49<" not in page
