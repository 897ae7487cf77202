"""An area built of parts is the area built at once, in every byte of every file but the times."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import geopandas as gpd
import orjson
import osmium
import pytest
import shapely

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.demo.build import springcity_request
from lifecircle.analysis.demo.samples import write_springcity
from lifecircle.analysis.demo.truth.write import SpringCityWithTruth
from lifecircle.analysis.errors import InputError, ParameterError
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.measures.siting.place import Siting
from lifecircle.analysis.parts.answer import read_answer
from lifecircle.analysis.parts.cutting import cut_area, read_part
from lifecircle.analysis.parts.joined import Joined, join_parts
from lifecircle.analysis.parts.working import part_folder, work_part
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations
from lifecircle.analysis.results.layers.layers import layer_frame
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.batch.cities import read_plan
from lifecircle.service.batch.run import run_batch, tasks_of
from lifecircle.service.batch.runners import Here
from lifecircle.service.batch.work import task_from
from lifecircle.service.catalog import (
    catchments_document,
    coverage_document,
    gaps_document,
    what_if_document,
)
from lifecircle.service.catalog.siting.siting import shown, siting_of
from lifecircle.service.catalog.siting.task import ALL, SitingTask
from lifecircle.service.errors import BatchError
from lifecircle.service.state import AreaState
from tests.parts.across import KINDS, across_cuts, parts_of_site, write_border_sites
from tests.parts.drawn import draw_blocks, draw_centres
from tests.parts.strip_town import PEOPLE, write_centres, write_town, write_units

PLAN = """
[defaults]
datum = "wgs84"
osm = "strips.osm.pbf"
parts = 2

[cities.strips]
units = ["communities.gpkg", "streets.gpkg"]
facilities = ["care.csv"]

[cities.wrong]
population = ["broken.csv"]
"""
SPREAD = ("units_subdistrict", "units_community")  # one level of totals is spread
NOBODY = 9  # the unit whose strip is empty
ANSWER = orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS
CENTRE = "health_centre"
PORTO = (-8.68, 41.12, -8.55, 41.20)  # the inner city and its neighbours, degrees
INHABITED = [i for i, people in enumerate(PEOPLE) if people]
SAID = ("warnings", "residents", "counts", "parameters", "services", "modelled", "bbox")


def request_in(folder: Path, **changes: Any) -> BuildRequest:
    asked = BuildRequest(
        "strips", osm=write_town(folder), units=write_units(folder),
        facilities=(write_centres(folder),), datum="wgs84", today=date(2026, 11, 29),
    )  # fmt: skip
    return replace(asked, **changes)


def in_parts(request: BuildRequest, folder: Path, count: int) -> Joined:
    cut_area(request, count, folder, Clock(None))
    for number in reversed(range(count)):
        work_part(request, folder, number, Clock(None))
    return join_parts(folder)


def content(run: Run) -> dict[str, str]:
    files = sorted(file for file in run.path.iterdir() if file.name != "manifest.json")
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def said(run: Run) -> dict[str, Any]:
    held = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    return {key: held[key] for key in SAID}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[BuildRequest, Run]:
    folder = tmp_path_factory.mktemp("strips")
    request = request_in(folder)
    return request, build_area(request, Workspace(folder / "ws"))


def test_the_town_has_something_across_every_border(whole: tuple[BuildRequest, Run]) -> None:
    _, run = whole
    city, units = run.city, run.city.units
    assert {row.method for row in city.notes.spread} == {"buildings", "land", "unit"}
    assert int(city.cells.residents.sum()) == sum(filter(None, PEOPLE))
    assert len(city.cells.groups["65"]) == len(city.cells)
    strips = units.geometry[units.of_level("community")]
    parks = city.facilities.geometry[city.facilities.of_service("park")]
    assert all(
        shapely.intersects(parks, left).any() and (shapely.overlaps(parks, left)).any()
        for left in strips
    )
    of = units.code[city.cells.unit["community"]]
    nearest = run.travel.cell_facility[run.travel.row("health_centre")]
    assert {*of[nearest >= 0]} == {f"10{i}" for i in INHABITED}  # one natural catchment
    gaps = layer_frame(run, "gaps")
    far = gaps[(gaps["service"] == "health_centre") & (gaps["reason"] == "too_far")]
    assert {*far["unit_code"]} == {f"10{i}" for i in INHABITED[2:]}
    assert far["region"].nunique() == 1


@pytest.mark.parametrize("count", [2, 3, 7])
def test_parts_give_the_run_that_is_built_at_once(
    whole: tuple[BuildRequest, Run], tmp_path: Path, count: int
) -> None:
    request, at_once = whole
    joined = in_parts(request, tmp_path / "cut", count)
    run = build_area(request, Workspace(tmp_path / "ws"), parts=joined)
    assert content(run) == content(at_once)
    assert said(run) == said(at_once)
    parts = [read_part(request, tmp_path / "cut", i) for i in range(count)]
    working = {i for i, part in enumerate(parts) if (part.units != NOBODY).any()}
    found = across_cuts(at_once, [part.units for part in parts])
    assert found["facility"] >= working  # a park lies across every border of strips
    assert len(found["gap"]) > 1
    assert found["catchment"] >= working


@pytest.mark.whole
def test_a_real_city_in_parts_is_the_city_built_at_once(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "malta"
    units = tuple(sorted(folder.glob("*.gpkg")))
    (osm,) = folder.glob("*.osm.pbf")
    request = BuildRequest("malta", osm=osm, units=units, datum="wgs84", today=date(2026, 11, 29))
    compare(request, tmp_path, crossed=())


@pytest.mark.whole
def test_residents_drawn_on_porto_have_places_gaps_and_sites_across_its_cuts(
    shared_data: Path, tmp_path: Path
) -> None:
    (osm,) = (shared_data / "porto").glob("*.osm.pbf")
    request = BuildRequest(
        "porto", osm=osm, units=(draw_blocks(tmp_path, PORTO, 9),),
        facilities=(draw_centres(tmp_path, PORTO, 12),), datum="wgs84", today=date(2026, 11, 29),
    )  # fmt: skip
    compare(request, tmp_path, crossed=("gap", "catchment"), asked=True)


def test_a_town_in_parts_answers_as_the_one_built_at_once(tmp_path: Path) -> None:
    compare(request_in(tmp_path), tmp_path, crossed=KINDS, counts=(3,), asked=True)


@pytest.mark.whole
def test_a_springcity_in_parts_answers_as_the_one_built_at_once(
    springcity: SpringCityWithTruth, tmp_path: Path
) -> None:
    request = replace(
        springcity_request(springcity), population=None, statistics=(), today=date(2026, 11, 29),
        units=tuple(one for one in springcity.units if one.stem in SPREAD),
    )  # fmt: skip
    compare(request, tmp_path, crossed=("gap", "catchment"), counts=(2, 7), asked=True)


@pytest.mark.whole
def test_springcity_of_five_millions_in_parts_is_the_city_built_at_once(tmp_path: Path) -> None:
    files = write_springcity(tmp_path / "files", seed=77, scale=5)
    request = replace(
        springcity_request(files), population=None, today=date(2026, 11, 29),
        units=tuple(one for one in files.units if one.stem in SPREAD),
    )  # fmt: skip
    compare(request, tmp_path, crossed=("gap", "catchment"))  # its places are points


def compare(
    request: BuildRequest, tmp_path: Path, *, crossed: Sequence[str],
    counts: Sequence[int] = (2, 7, 30), asked: bool = False,
) -> None:  # fmt: skip
    """The run in parts is that built at once, and something lies across the cuts.

    `asked`: it answers alike, and a site proposed for it covers residents of two parts.
    """
    at_once = build_area(request, Workspace(tmp_path / "ws"))
    for count in counts:
        joined = in_parts(request, tmp_path / f"cut{count}", count)
        parts = [read_part(request, tmp_path / f"cut{count}", i) for i in range(count)]
        units = [part.units for part in parts]
        found = across_cuts(at_once, units)
        for kind in crossed:
            assert found[kind], (count, kind)
        told = {kind: len(found[kind]) for kind in KINDS}
        print(request.area, count, "parts that something lies across the border of:", told)
        workspace = Workspace(tmp_path / f"ws{count}")
        run = build_area(request, workspace, parts=joined)
        assert content(run) == content(at_once), count
        assert said(run) == said(at_once), count
        if asked:
            file = write_border_sites(tmp_path / f"sites{count}.csv", at_once, units)
            wanted, site = answers(tmp_path / "ws", request.area, file)
            across = parts_of_site(site, at_once, units)
            print("parts whose residents the proposed place newly covers:", across)
            assert len(across) > 1, count
            assert answers(workspace.root, request.area, file)[0] == wanted, count


def answers(workspace: Path, area: str, candidates: Path) -> tuple[dict[str, Any], Siting]:
    """What a run answers about its health centres, and the place proposed among candidates."""
    run = Workspace(workspace).open(area)
    question, study = Question(CENTRE), run.study
    given = SitingTask(add=1, source=candidates, declared=Declarations(Declaration(datum="wgs84")))
    best = siting_of(study, question, given)
    site = shown(run, best, candidates, "zh")
    three = shown(run, siting_of(study, question, SitingTask(add=3)), ALL, "zh")
    added = [
        {"service": CENTRE, "lon": one["lon"], "lat": one["lat"]}
        for one in (*site["proposals"], *three["proposals"])
    ]
    documents = {
        "coverage": coverage_document(run, question),
        "gaps": gaps_document(run, question),
        "catchments": catchments_document(run, question),
        "site": site,
        "three_sites": three,
        "what_if": what_if_document(AreaState(run), question, add=added, remove=()),
    }
    plain = orjson.loads(orjson.dumps(documents, option=ANSWER))
    return without(plain, {"run", "seconds"}), best


def without(said: Any, keys: set[str]) -> Any:
    """A document without what is another in each run."""
    if isinstance(said, dict):
        return {key: without(value, keys) for key, value in said.items() if key not in keys}
    return [without(one, keys) for one in said] if isinstance(said, list) else said


def test_a_map_out_of_order_is_cut_as_it_is_read(tmp_path: Path) -> None:
    request = request_in(tmp_path)
    assert request.osm is not None
    turned = tmp_path / "turned.osm.pbf"
    with osmium.SimpleWriter(str(turned)) as writer:
        for kind in (osmium.osm.RELATION, osmium.osm.WAY, osmium.osm.NODE):
            for thing in osmium.FileProcessor(str(request.osm), kind):
                writer.add(thing)
    request = replace(request, osm=turned)
    at_once = build_area(request, Workspace(tmp_path / "ws"))
    joined = in_parts(request, tmp_path / "cut", 3)
    run = build_area(request, Workspace(tmp_path / "parts"), parts=joined)
    assert content(run) == content(at_once)
    assert said(run) == said(at_once)


def test_counted_residents_leave_only_the_map_to_the_parts(tmp_path: Path) -> None:
    cells = tmp_path / "cells.csv"
    cells.write_text("lon,lat,population\n0.001,0.001,10\n0.02,0.003,20.5\n", encoding="utf-8")
    request = request_in(tmp_path, units=(), population=cells, facilities=())
    at_once = build_area(request, Workspace(tmp_path / "ws"))
    joined = in_parts(request, tmp_path / "cut", 3)
    assert joined.spreads == ()
    run = build_area(request, Workspace(tmp_path / "parts"), parts=joined)
    assert content(run) == content(at_once)
    assert said(run) == said(at_once)


def test_parts_spread_the_residents_of_the_year_asked_for(tmp_path: Path) -> None:
    request = request_in(tmp_path, facilities=())
    file = request.units[0]
    units = gpd.read_file(file).drop(columns="pop_65")
    units["population_2030"] = units["population"] * 2
    units.rename(columns={"population": "population_2025"}).to_file(file)
    for year, times in ((2025, 1), (2030, 2)):
        joined = in_parts(replace(request, year=year), tmp_path / f"cut{year}", 2)
        lived = sum(int(one.result.seed.residents.sum()) for one in joined.spreads)
        assert lived == times * sum(filter(None, PEOPLE))


def test_every_thing_is_at_home_once_and_more_parts_than_units_are_empty(
    whole: tuple[BuildRequest, Run], tmp_path: Path
) -> None:
    request, _ = whole
    cut_area(request, 20, tmp_path, Clock(None))
    parts = [read_part(request, tmp_path, i) for i in range(20)]
    homes = [name for part in parts for name in part.home]
    assert len(homes) == len(set(homes)) > 0
    assert sorted(unit for part in parts for unit in part.units.tolist()) == [*range(2, 8), 9]
    assert any(len(part.units) == 0 for part in parts)
    (nobody,) = [i for i, part in enumerate(parts) if part.units.tolist() == [9]]
    work_part(request, tmp_path, nobody, Clock(None))
    spread = read_answer(part_folder(tmp_path, nobody)).spread
    assert spread is not None
    assert (len(spread.result.seed), spread.rows) == (0, ())
    guests = [part.things.names() - part.home for part in parts if len(part.units)]
    assert all(guests)  # something of a neighbour touches every unit


def test_what_cannot_be_cut_is_refused_before_any_part(
    whole: tuple[BuildRequest, Run], tmp_path: Path
) -> None:
    request, _ = whole
    for changed, count in ((replace(request, osm=None, place="x"), 2), (request, 0)):
        with pytest.raises(ParameterError):
            cut_area(changed, count, tmp_path, Clock(None))
    broken = tmp_path / "broken.csv"
    broken.write_text("lon,lat,population\nx,y,z\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"broken\.csv"):
        cut_area(replace(request, population=broken), 2, tmp_path, Clock(None))
    with pytest.raises(OSError, match=r"cut\.json"):
        join_parts(tmp_path)


def test_a_batch_cuts_a_city_and_lays_it_together(
    whole: tuple[BuildRequest, Run], tmp_path: Path
) -> None:
    _, at_once = whole
    write_town(tmp_path)
    write_units(tmp_path)
    write_centres(tmp_path)
    (tmp_path / "broken.csv").write_text("lon,lat,population\nx,y,z\n", encoding="utf-8")
    plan = tmp_path / "cities.toml"
    plan.write_text(PLAN, encoding="utf-8")
    workspace = tmp_path / "ws"
    tasks = tasks_of(read_plan(plan), workspace, resume=False)
    part = replace(tasks[0], step=1)
    assert task_from(part.to_json()) == part
    found = {one.city: one for one in run_batch(read_plan(plan), workspace, Here())}
    assert {name: one.state for name, one in found.items()} == {"strips": "done", "wrong": "failed"}
    assert "broken.csv" in (found["wrong"].error or {})["zh"]
    run = Workspace(workspace).open("strips")
    assert content(run) == content(at_once)
    assert not [*(workspace / ".batch" / "cut").glob("strips*")]
    again = [*run_batch(read_plan(plan).only(plan, ("strips",)), workspace, Here(), resume=True)]
    assert [(one.state, one.again) for one in again] == [("done", True)]


def test_only_a_map_can_be_cut(tmp_path: Path) -> None:
    write_centres(tmp_path)
    for table in ('place = "x"\nparts = 2', 'osm = "care.csv"\nparts = 0'):
        plan = tmp_path / "cities.toml"
        plan.write_text(f"[cities.a]\n{table}", encoding="utf-8")
        with pytest.raises(BatchError, match="parts"):
            read_plan(plan)
