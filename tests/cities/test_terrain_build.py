"""Whole builds with heights, closures and the barrier rule: files, figures, answers."""

from __future__ import annotations

import csv
import hashlib
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from typer.testing import CliRunner

from lifecircle.analysis.access.nearest import from_positions
from lifecircle.analysis.access.point_query import NearestQuery
from lifecircle.analysis.access.walking import walk_costs
from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.city.streets.walkable import walkable_network
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.streets import read_streets
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.analysis.results.upkeep import content_digest
from lifecircle.service.catalog.compare import answer_compare
from lifecircle.service.cli import app
from tests.pages.served import client
from tests.worlds.drawn import ORIGIN, Way, draw
from tests.worlds.hills import write_dem

pytest.importorskip("rasterio", reason="the extra 'raster' is not installed")

# A long street uphill to the east, a health centre in its middle, homes on both sides.
TOWN = draw(
    {"w": (-6000, 0), "m": (0, 0), "e": (6000, 0), "r": (-7000, -50), "s": (7000, -50)},
    "w m e", Way(("r", "s"), {"waterway": "river"}),
)  # fmt: skip
HOMES = {"low": (-950, 8, 300), "near": (-400, 8, 50), "high": (980, 8, 200)}


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("town")
    (folder / "homes.csv").write_text(
        "id,lon,lat,population\n" + "".join(
            "{},{:.7f},{:.7f},{}\n".format(name, *TOWN.lonlat((x, y)), people)
            for name, (x, y, people) in HOMES.items()
        ),
        encoding="utf-8",
    )  # fmt: skip
    (folder / "places.csv").write_text(
        "id,type,name,lon,lat\nh1,health_centre,中心,{:.7f},{:.7f}\n".format(*TOWN.lonlat((0, 8))),
        encoding="utf-8",
    )
    wide = {"half_deg": 0.065, "pixel": 5e-4}
    return {
        "osm": TOWN.write(folder / "town.osm.pbf"),
        "population": folder / "homes.csv",
        "facilities": (folder / "places.csv",),
        "datum": "wgs84",
        "folder": folder,
        "hill": write_dem(folder / "hill.tif", lambda e, n: 1900 + 0.06 * e + 0 * n, **wide),
        "flat": write_dem(folder / "flat.tif", lambda e, n: 0 * e + 1888.3, **wide),
    }


def build(inputs: dict[str, Any], root: Path, area: str = "town", **more: Any) -> Run:
    files = {k: inputs[k] for k in ("osm", "population", "facilities", "datum")}
    return build_area(BuildRequest(area, **(files | more)), Workspace(root))


def covered(run: Run) -> int | None:
    return coverage(run.study, Question(service="health_centre")).total.covered


FIGURES = ("cells.parquet", "facilities.parquet", "units.parquet")


def test_flat_heights_give_the_same_figures_byte_for_byte(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    plain = build(inputs, tmp_path, "plain")
    flat = build(inputs, tmp_path, "flat", elevation=inputs["flat"])
    names = sorted(f.name for f in plain.path.iterdir())
    extra = {f.name for f in flat.path.iterdir()} - set(names)
    assert extra == {f"slope.{n}.npy" for n in
                     ("point_start", "point_at_m", "extra_uv_m", "extra_vu_m")}  # fmt: skip
    told = {"manifest.json", "city.json"}  # these say that heights were used
    same = [n for n in names if n not in told]
    assert set(FIGURES) < set(same)
    assert len(same) > 20
    for name in same:
        assert (plain.path / name).read_bytes() == (flat.path / name).read_bytes(), name
    assert plain.city.network.slope is None
    assert flat.city.network.slope is not None


def test_heights_change_who_is_covered(inputs: dict[str, Any], tmp_path: Path) -> None:
    """Flat, all three homes are within 1,000 m. Uphill at 6 % the walk is exp(0.21) as long."""
    plain, hill = build(inputs, tmp_path), build(inputs, tmp_path, elevation=inputs["hill"])
    assert covered(plain) == 550
    row = hill.travel.row("health_centre")
    metres = dict(zip(hill.city.cells.id, hill.travel.cell_cm[row] / 100, strict=True))
    up, down = np.exp(3.5 * 0.06), np.exp(3.5 * (0.01 - 0.05))
    assert metres["low"] == pytest.approx(16 + 950 * up, abs=0.5)
    assert metres["near"] == pytest.approx(16 + 400 * up, abs=0.5)
    assert metres["high"] == pytest.approx(16 + 980 * down, abs=0.5)
    assert covered(hill) == 250


def test_comparing_flat_with_sloped_says_so(inputs: dict[str, Any], tmp_path: Path) -> None:
    plain, again = build(inputs, tmp_path), build(inputs, tmp_path)
    hill = build(inputs, tmp_path, elevation=inputs["hill"])
    for later, told in ((again, False), (hill, True)):
        found = answer_compare(plain, later, Question("health_centre"))
        assert ("compare_walking" in [warning.key for warning in found.warnings]) is told


def test_a_run_with_slope_answers_as_it_was_built(inputs: dict[str, Any], tmp_path: Path) -> None:
    build(inputs, tmp_path, elevation=inputs["hill"])
    run = Workspace(tmp_path).open("town")  # from its files
    streets = run.study
    assert streets.costs.uv_bend is not None
    cells = run.city.cells.position
    cm, facility = from_positions(run.city, streets.costs, run.travel, cells)
    assert np.array_equal(cm, run.travel.cell_cm)
    assert np.array_equal(facility, run.travel.cell_facility)
    asker = NearestQuery.of(run.city, streets.costs, run.travel)
    for i in range(len(cells)):
        assert asker.nearest(cells.take(np.array([i])))[0] == cm[:, i].tolist()

    http = client(tmp_path)
    area = http.get("/areas/town?lang=en").json()
    assert area["slope"] is True
    assert area["walking"]["slope"]["mean_slope"] == pytest.approx(0.06, abs=1e-3)
    assert area["walking"]["slope"]["unknown_share"] == 0
    assert any("Tobler" in warning["text"] for warning in area["warnings"])
    held = {one["role"]: one for one in area["manifest"]["inputs"]}
    digest = hashlib.sha256(inputs["hill"].read_bytes()).hexdigest()
    assert held["elevation"]["sha256"] == digest
    layer = http.get("/collections/town.network/items").json()["features"]
    (edge,) = layer
    told = edge["properties"]
    assert sorted((told["forth_m"], told["back_m"])) == pytest.approx(
        sorted((12_000 * np.exp(0.21), 12_000 * np.exp(-0.14))), abs=1
    )
    lon, lat = TOWN.lonlat((-950, 8))
    asked = http.get(f"/areas/town/point?lon={lon}&lat={lat}").json()
    told = {row["service"]: row for row in asked["services"]}["health_centre"]
    assert told["metres"] == pytest.approx(16 + 950 * np.exp(0.21), abs=0.5)
    assert told["within"] is False


def test_isochrones_from_and_to_a_place_on_a_slope(inputs: dict[str, Any], tmp_path: Path) -> None:
    """From the centre one gets farther down (west), to it one comes from farther up (east)."""
    build(inputs, tmp_path, elevation=inputs["hill"])
    build(inputs, tmp_path, "plain")
    http = client(tmp_path)
    lon, lat = TOWN.lonlat((0, 0))
    up, down = 1000 / np.exp(3.5 * 0.06), 1000 / np.exp(-3.5 * 0.04)

    def reach(area: str, direction: str) -> tuple[float, float]:
        asked = f"/areas/{area}/isochrone?lon={lon}&lat={lat}&minutes=15&direction={direction}"
        answer = http.get(asked).json()
        assert answer["direction"] == direction
        assert answer["slope"] is (area == "town")
        west, _, east, _ = shapely.geometry.shape(answer["features"][0]["geometry"]).bounds
        per_degree = 6000 / (TOWN.lonlat((6000, 0))[0] - ORIGIN[0])
        return (ORIGIN[0] - west) * per_degree, (east - ORIGIN[0]) * per_degree

    band = 50  # of land drawn on either side, at the ends too
    assert reach("town", "from") == pytest.approx((down + band, up + band), abs=6)
    assert reach("town", "to") == pytest.approx((up + band, down + band), abs=6)
    assert reach("plain", "from") == reach("plain", "to")
    refused = http.get(f"/areas/town/isochrone?lon={lon}&lat={lat}&direction=sideways")
    assert refused.status_code == 400


def test_closures_and_the_rule_are_told_in_the_run(inputs: dict[str, Any], tmp_path: Path) -> None:
    closed = inputs["folder"] / "closed.csv"
    with closed.open("w", encoding="utf-8", newline="") as handle:
        table = csv.writer(handle)
        table.writerow(["lon", "lat"])
        table.writerow([f"{x:.7f}" for x in TOWN.lonlat((-200, 0))])
    run = build(inputs, tmp_path, closures=(closed,), barrier_rule=("river",))
    assert covered(run) == 200  # the two homes in the west are cut off
    keys = [warning.key for warning in run.manifest.warnings]
    assert keys[:2] == ["closures_used", "barrier_rule_on"]
    assert [one.role for one in run.manifest.inputs][-1] == "closures"
    assert run.manifest.parameters["closures"] == ["closed.csv"]
    area = client(tmp_path).get("/areas/town").json()
    assert area["walking"]["barrier_rule"] == ["river"]
    assert area["slope"] is False
    with pytest.raises(InputError) as refused:
        build(inputs, tmp_path, closures=(closed,), datum=None)
    assert {fault.file for fault in refused.value.faults} == {
        "homes.csv", "places.csv", "closed.csv",
    }  # fmt: skip


def test_the_command_takes_heights_and_says_so(inputs: dict[str, Any], tmp_path: Path) -> None:
    words = [
        "build", "town", "--osm", inputs["osm"], "--population", inputs["population"],
        "--facilities", inputs["facilities"][0], "--datum", "wgs84", "--elevation",
        inputs["hill"], "--barrier-rule", "river", "--workspace", tmp_path, "--lang", "zh",
    ]  # fmt: skip
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    said = done.output.replace("\n", "")
    assert "Tobler" in said
    assert "生活圈不跨越" in said
    run = Workspace(tmp_path).open("town")
    assert covered(run) == 250
    assert run.manifest.parameters["barrier_rule"] == ["river"]


def test_heights_of_another_place_are_refused_and_the_workspace_stays(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    import rasterio

    with rasterio.open(inputs["hill"]) as source:
        profile, values = source.profile, source.read(1)
    away = inputs["folder"] / "away.tif"
    profile["transform"] = rasterio.Affine(1e-4, 0, 10.0, 0, -1e-4, 60.0)
    with rasterio.open(away, "w", **profile) as target:
        target.write(values, 1)
    with pytest.raises(InputError) as refused:
        build(inputs, tmp_path, elevation=away)
    assert refused.value.faults[0].key == "elevation_elsewhere"
    assert Workspace(tmp_path).areas() == []


def test_heights_in_feet_on_a_steep_street_are_doubted(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    feet = write_dem(
        inputs["folder"] / "feet.tif",
        lambda e, n: (1900 + 0.06 * e + 0 * n) / 0.3048,
        0.065,
        5e-4,
    )
    run = build(inputs, tmp_path, elevation=feet)
    doubted = [w for w in run.manifest.warnings if w.key == "slope_implausible"]
    assert len(doubted) == 1
    assert "19.7" in doubted[0].text("zh")


def test_porto_alegre_with_and_without_its_heights(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "porto_alegre"
    hexagons = folder / "poa_hexgrid.csv"
    with hexagons.open(encoding="utf-8") as source:
        rows = list(csv.DictReader(source))
    table = tmp_path / "facilities.csv"
    lines = ["id,type,name,lon,lat"]
    for service, column in (("health_centre", "healthcare"), ("kindergarten", "schools")):
        lines += [
            f"{service}-{r['id']},{service},{r['id']},{r['lon']},{r['lat']}"
            for r in rows
            if int(r[column] or 0) > 0
        ]
    table.write_text("\n".join(lines) + "\n", encoding="utf-8")
    asked = {
        "osm": folder / "poa_osm.pbf", "population": hexagons, "facilities": (table,),
        "datum": "wgs84",
    }  # fmt: skip
    plain = build(asked, tmp_path, "flat")
    hilly = build(asked, tmp_path, "hilly", elevation=folder / "poa_elevation.tif")
    told = {warning.key: warning for warning in hilly.manifest.warnings}
    assert {"slope_used", "slope_unknown"} <= set(told)
    assert (
        2 < float(told["slope_unknown"].params["percent"]) < 5
    )  # the raster ends before the streets
    for service in ("health_centre", "kindergarten"):
        before, after = (coverage(r.study, Question(service=service)).total for r in (plain, hilly))
        assert before.residents == after.residents == 812_935
        assert before.covered is not None
        assert after.covered is not None
        lost = (before.covered - after.covered) / before.covered
        print(f"{service}: {before.covered} covered, with slope {after.covered} ({-lost:.1%})")
        assert 0.005 < lost < 0.10
    row = plain.travel.row("health_centre")
    flat_cm, hill_cm = plain.travel.cell_cm[row], hilly.travel.cell_cm[row]
    known = (flat_cm < 2**31 - 1) & (hill_cm < 2**31 - 1)
    change_s = (hill_cm[known].astype(float) - flat_cm[known]) / 100 * 0.9
    assert np.abs(change_s).max() > 60
    assert (change_s < -1).any()  # some walk downhill and are faster
    assert (change_s > 1).sum() > (change_s < -1).sum()


def test_maps_say_whether_slope_counts(inputs: dict[str, Any], tmp_path: Path) -> None:
    build(inputs, tmp_path, "hilly", elevation=inputs["hill"])
    build(inputs, tmp_path, "plain")
    http = client(tmp_path)
    for area, zh, en in (("hilly", "已计入（Tobler）", "counted (Tobler)"),
                         ("plain", "未计入（按平地）", "not counted: level ground")):  # fmt: skip
        for lang, words in (("zh", zh), ("en", en)):
            page = http.get(f"/maps/{area}/coverage?service=health_centre&lang={lang}")
            assert page.status_code == 200
            assert words in page.text
    assert "6.0 %" in http.get("/maps/hilly/coverage?service=health_centre&lang=en").text


def test_springcity_on_its_hills_and_without_rasterio(
    tmp_path: Path,
) -> None:
    files = write_springcity(tmp_path / "with", scale=0.1)
    assert springcity_request(files).elevation is None
    hilly = springcity_request(files, slope=True)
    assert hilly.elevation == files.elevation
    assert hilly.remarks == ()
    policy = load_policy(hilly.policy)
    raw = read_streets(files.osm, policy.walk, hilly.terrain.form_of(policy))
    walkable = walkable_network(raw, hilly.terrain, policy, files.osm)
    assert walkable.network.slope is not None
    assert walkable.warnings[0].key == "slope_used"
    assert walkable.parameters["slope"]["mean_slope"] > 0.005
    there = walk_costs(walkable.network).uv_cm / 100 / walkable.network.edge_length_m
    assert (np.abs(there - 1) > 0.1).mean() > 0.01  # the hills of the countryside
    assert np.median(np.abs(there - 1)) < 0.02  # the flat city

    without = springcity_request(replace(files, elevation=None), slope=True)
    assert without.elevation is None
    (said,) = without.remarks
    assert "rasterio" in said.text("en")
    assert "平地" in said.text("zh")


def test_runs_from_before_there_was_slope_still_open(
    inputs: dict[str, Any], tmp_path: Path
) -> None:
    run = build(inputs, tmp_path)
    for name, forgotten in (("city.json", ("slope",)), ("policy.json", ("terrain", "barriers"))):
        file = run.path / name
        content = json.loads(file.read_text(encoding="utf-8"))
        for key in forgotten:
            del content[key]
        file.write_text(json.dumps(content), encoding="utf-8")
    named = run.path.with_name(f"{run.path.name.partition('-')[0]}-{content_digest(run.path)[:8]}")
    run.path.rename(named)
    (tmp_path / "town" / "current").write_text(named.name, encoding="utf-8")
    old = Workspace(tmp_path).open("town")
    assert old.policy.terrain is None
    assert old.city.network.slope is None
    assert covered(old) == 550
    area = client(tmp_path).get("/areas/town").json()
    assert area["slope"] is False
