"""Cities that share one map: each one's piece, cut for all at once, and the runs made of them."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import osmium
import pytest
import shapely

from lifecircle.analysis import build_request
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.measures.coverage import coverage
from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.parts.province import least_margin_m
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.pieces import Piece, cut_map
from lifecircle.analysis.readers.osm.service_boxes import read_service_boxes
from lifecircle.analysis.results.store import Workspace
from lifecircle.service.batch.cities import Plan, read_plan
from lifecircle.service.batch.maps import cut_maps
from lifecircle.service.batch.records import Record
from lifecircle.service.batch.run import run_batch, tasks_of
from lifecircle.service.batch.runners import Here
from lifecircle.service.errors import BatchError
from tests.parts.strip_town import write_town, write_units

AREAS = {"multipolygon", "boundary"}
PLAN = """
[defaults]
datum = "wgs84"
map = "strips.osm.pbf"
margin_km = {margin}

[cities.west]
units = ["west.gpkg"]

[cities.east]
units = ["east.gpkg"]
{more}
"""


def things(path: Path) -> dict[str, dict[int, Any]]:
    """Everything in a file: nodes with their places, ways and relations with their members."""
    found: dict[str, dict[int, Any]] = {"n": {}, "w": {}, "r": {}}
    for thing in osmium.FileProcessor(str(path)):
        kind, tags = thing.type_str(), {tag.k: tag.v for tag in thing.tags}
        said = {
            "n": lambda t: (t.lon, t.lat),
            "w": lambda t: [node.ref for node in t.nodes],
            "r": lambda t: [(one.type, one.ref) for one in t.members],
        }[kind](thing)
        found[kind][thing.id] = (tags, said)
    return found


def piece_by_hand(
    whole: dict[str, dict[int, Any]], ground: shapely.Geometry
) -> dict[str, set[int]]:
    """What a piece holds, thing by thing."""
    on = {i for i, (_, place) in whole["n"].items() if ground.contains(shapely.Point(place))}
    ways = {i for i, (_, nodes) in whole["w"].items() if on.intersection(nodes)}
    relations = {
        i
        for i, (_, held) in whole["r"].items()
        if any(ref in {"n": on, "w": ways}.get(kind, ()) for kind, ref in held)
    }
    areas = [whole["r"][i][1] for i in relations if whole["r"][i][0].get("type") in AREAS]
    members = {one for held in areas for one in held}
    ways |= {i for i in whole["w"] if ("w", i) in members}
    on |= {i for i in whole["n"] if ("n", i) in members}
    on |= {node for i in ways for node in whole["w"][i][1] if node in whole["n"]}
    return {"n": on, "w": ways, "r": relations}


def grounds(path: Path) -> Iterator[shapely.Geometry]:
    """A left and a right part, a spot, two spots apart, and somewhere else."""
    nodes = [place for _, place in things(path)["n"].values()]
    west, south, east, north = shapely.MultiPoint(nodes).bounds
    wide, high = east - west, north - south
    yield shapely.box(west, south, west + 0.3 * wide, north)
    yield shapely.box(west + 0.55 * wide, south - 1, east + 1, north + 1)
    spots = shapely.points([(west + 0.62 * wide, south + 0.2 * high), (west, north)])
    yield shapely.buffer(spots[0], 0.05 * wide)
    yield shapely.union_all(shapely.buffer(spots, 0.04 * wide))
    yield shapely.box(10, 10, 11, 11)


def test_pieces_are_those_found_thing_by_thing(tmp_path: Path) -> None:
    path = write_town(tmp_path)
    some = [Piece(one, tmp_path / f"{i}.osm.pbf") for i, one in enumerate(grounds(path))]
    cut_map(path, some)
    whole, sizes = things(path), []
    for piece in some:
        got = things(piece.target)
        wanted = piece_by_hand(whole, piece.ground)
        assert {kind: {*held} for kind, held in got.items()} == wanted
        assert all(got[kind][i] == whole[kind][i] for kind in "nwr" for i in got[kind])
        sizes.append(sum(map(len, wanted.values())))
        header = osmium.io.Reader(str(piece.target), osmium.osm.NOTHING).header()
        assert header.get("sorting") == "Type_then_ID"
        assert [*got["n"]] == sorted(got["n"])
    assert sizes[-1] == 0
    assert len({*sizes}) == len(sizes)
    (area,) = [i for i, (tags, _) in whole["r"].items() if tags.get("landuse") == "industrial"]
    holding = [area in things(one.target)["r"] for one in some]
    assert any(holding)
    assert not all(holding)


def test_more_pieces_than_one_go_holds_and_a_map_out_of_order(tmp_path: Path) -> None:
    path = write_town(tmp_path)
    turned = tmp_path / "turned.osm.pbf"
    with osmium.SimpleWriter(str(turned)) as writer:
        for kind in (osmium.osm.RELATION, osmium.osm.WAY, osmium.osm.NODE):
            for thing in osmium.FileProcessor(str(path), kind):
                writer.add(thing)
    ground = [*grounds(path)][2]
    many = [Piece(ground, tmp_path / f"{i}.osm.pbf") for i in range(66)]
    cut_map(turned, many)
    cut_map(path, [Piece(ground, tmp_path / "one.osm.pbf")])
    one = (tmp_path / "one.osm.pbf").read_bytes()
    assert all(piece.target.read_bytes() == one for piece in many)


def test_what_breaks_off_is_refused(tmp_path: Path) -> None:
    path = write_town(tmp_path)
    path.write_bytes(path.read_bytes()[:-40])
    with pytest.raises(InputError, match=r"strips\.osm\.pbf"):
        cut_map(path, [Piece(shapely.box(0, 0, 1, 1), tmp_path / "a.osm.pbf")])


def write_cities(folder: Path, margin: float = 1.5, more: str = "") -> Path:
    """The town, its first two strips and its last as two cities, and their plan."""
    write_town(folder)
    strips = gpd.read_file(write_units(folder)[0])
    known = strips[strips["population"].notna()]
    known.iloc[:2].to_file(folder / "west.gpkg")
    known.iloc[-2:].to_file(folder / "east.gpkg")
    plan = folder / "cities.toml"
    plan.write_text(PLAN.format(margin=margin, more=more), encoding="utf-8")
    return plan


def built(plan: Path, workspace: Path, **how: Any) -> dict[str, Record]:
    return {one.city: one for one in run_batch(read_plan(plan), workspace, Here(), **how)}


def test_a_city_cut_out_of_a_map_has_the_figures_of_the_whole_map(tmp_path: Path) -> None:
    whole = '[cities.all]\nosm = "strips.osm.pbf"\nunits = ["west.gpkg"]\n'
    plan = write_cities(tmp_path, more=whole)
    found = built(plan, workspace := tmp_path / "ws")
    assert {name: one.state for name, one in found.items()} == dict.fromkeys(
        ("west", "east", "all"), "done"
    )
    cut, at_once = (Workspace(workspace).open(name) for name in ("west", "all"))
    assert cut.city.network.edge_count < at_once.city.network.edge_count
    assert np.array_equal(cut.city.cells.residents, at_once.city.cells.residents)
    for service in ("pharmacy", "convenience_store", "park"):
        ours, theirs = (coverage(one.study, Question(service)) for one in (cut, at_once))
        assert (ours.total.P, ours.total.covered) == (theirs.total.P, theirs.total.covered)
        assert 0 < ours.total.residents == theirs.total.residents
    told = [warn.key for warn in cut.manifest.warnings]
    assert "cut_from_map" in told
    assert "cut_from_map" not in {warn.key for warn in at_once.manifest.warnings}


def test_what_lies_beyond_the_cut_is_told_with_the_margin_that_takes_it_in(tmp_path: Path) -> None:
    plan = write_cities(tmp_path, margin=0.1)
    built(plan, workspace := tmp_path / "ws")
    run = Workspace(workspace).open("west")
    told = {warn.key: warn for warn in run.manifest.warnings}
    assert told["cut_from_map"].params["km"] == "0.1"
    assert told["cut_nearest_beyond"].params["residents"] > 0
    assert "0.1" in told["cut_nearest_beyond"].text("zh")


def test_a_piece_is_cut_again_only_where_it_has_to_be(tmp_path: Path) -> None:
    plan = write_cities(tmp_path)
    built(plan, workspace := tmp_path / "ws")
    maps = workspace / ".batch" / "maps"
    (maps / ".aside-left").mkdir()
    pieces = {name: maps / f"{name}.osm.pbf" for name in ("west", "east")}
    before = {name: file.stat().st_mtime_ns for name, file in pieces.items()}
    again = built(plan, workspace, resume=True)
    assert all(one.again for one in again.values())
    assert {name: file.stat().st_mtime_ns for name, file in pieces.items()} == before
    assert not (maps / ".aside-left").exists()
    own = replace(read_plan(plan).cities["east"], margin_km=0.2)
    changed = read_plan(plan)
    changed = replace(changed, cities={**changed.cities, "east": own})
    found = {one.city: one for one in run_batch(changed, workspace, Here(), resume=True)}
    assert (found["west"].again, found["east"].again) == (True, False)
    assert pieces["west"].stat().st_mtime_ns == before["west"]
    assert pieces["east"].stat().st_mtime_ns != before["east"]


def test_units_of_an_address_are_those_that_lie_there_now(tmp_path: Path) -> None:
    plan = write_cities(tmp_path)
    moved = f'["file://{tmp_path}/west.gpkg"]'
    plan.write_text(plan.read_text(encoding="utf-8").replace('["west.gpkg"]', moved))
    tasks = tasks_of(read_plan(plan), tmp_path / "ws", resume=False)
    piece = tmp_path / "ws" / ".batch" / "maps" / "west.osm.pbf"
    cut_maps(tasks)
    before = piece.stat().st_mtime_ns
    cut_maps(tasks)
    assert piece.stat().st_mtime_ns == before
    shutil.copy(tmp_path / "east.gpkg", tmp_path / "west.gpkg")
    _, failed = cut_maps(tasks)
    assert failed == []
    assert things(piece) == things(piece.with_name("east.osm.pbf"))


def test_units_of_a_database_say_where_a_city_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plan = write_cities(tmp_path)
    there = '["postgresql://db/d#west"]'
    plan.write_text(plan.read_text(encoding="utf-8").replace('["west.gpkg"]', there))

    def fetch(given: tuple[Path, ...], _folder: Path) -> tuple[Path, ...]:
        return tuple(tmp_path / "west.gpkg" if "#west" in one.name else one for one in given)

    monkeypatch.setattr(build_request, "fetch_inputs", fetch)
    ready, failed = cut_maps(tasks_of(read_plan(plan), tmp_path / "ws", resume=False))
    assert (sorted(task.name for task in ready), failed) == (["east", "west"], [])


def test_wrong_units_stop_no_other_city_and_a_wrong_map_all_of_them(tmp_path: Path) -> None:
    plan = write_cities(tmp_path)
    (tmp_path / "east.gpkg").write_bytes(b"no layer")
    found = built(plan, tmp_path / "ws")
    assert {name: one.state for name, one in found.items()} == {"west": "done", "east": "failed"}
    assert "east.gpkg" in (found["east"].error or {})["zh"]
    (tmp_path / "strips.osm.pbf").write_bytes(b"no map")
    found = built(plan, tmp_path / "ws")
    assert {one.state for one in found.values()} == {"failed"}
    assert all("strips.osm.pbf" in (one.error or {})["en"] for one in found.values())


def test_a_plan_says_where_a_city_is_cut(tmp_path: Path) -> None:
    plan = write_cities(tmp_path)
    own = '[cities.own]\nosm = "strips.osm.pbf"\n'
    plan.write_text(plan.read_text(encoding="utf-8") + own, encoding="utf-8")
    cities = read_plan(plan).cities
    assert (cities["own"].map, cities["own"].margin_km) == (None, None)
    assert cities["west"].map == str(tmp_path / "strips.osm.pbf")
    for text, told in (
        ('[cities.a]\nmap = "strips.osm.pbf"', "units"),
        ('[cities.a]\nosm = "strips.osm.pbf"\nmargin_km = 3', "margin_km"),
        ('[cities.a]\nmap = "strips.osm.pbf"\nunits = ["west.gpkg"]\nmargin_km = 0', "margin_km"),
        ('[cities.a]\nmap = "strips.osm.pbf"\nosm = "strips.osm.pbf"', "exactly one"),
    ):
        plan.write_text(text, encoding="utf-8")
        with pytest.raises(BatchError, match=told):
            read_plan(plan)


def test_the_margin_holds_the_longest_walk_and_a_piece_of_streets_that_counts() -> None:
    policy = load_policy(None)
    longest = max(service.minutes.value for service in policy.services.values())
    flat_m = longest * 60 * max(float(one.speed_m_per_s) for one in policy.walkers.values())
    assert least_margin_m(policy) >= flat_m + 2 * policy.attachment.max_leg_m.value
    assert least_margin_m(policy) >= policy.attachment.min_component_m.value


def test_where_places_lie_is_known_without_their_shapes(tmp_path: Path) -> None:
    path, policy = write_town(tmp_path), load_policy(None)
    boxes = read_service_boxes(path, policy)
    assert {"pharmacy", "convenience_store", "park"} <= {*boxes}
    nodes = things(path)["n"].values()
    drawn = [place for tags, place in nodes if tags.get("amenity") == "pharmacy"]
    assert np.allclose(sorted(boxes["pharmacy"][:, :2].tolist()), sorted(map(list, drawn)))
    assert np.array_equal(boxes["pharmacy"][:, :2], boxes["pharmacy"][:, 2:])


def test_a_map_is_cut_within_the_limits_and_ready_pieces_need_none(tmp_path: Path) -> None:
    plan = read_plan(write_cities(tmp_path))
    west, east = plan.cities["west"], replace(plan.cities["east"], margin_km=1.4)
    cut_maps(tasks_of(plan, tmp_path / "ws", resume=False))

    def cut(*, apart: bool = True, **limits: Any) -> tuple[list[str], dict[str, str]]:
        asked = Plan({"west": replace(west, memory_gb=0.01), "east": replace(east, **limits)})
        workspace = tmp_path / ("ws" if apart else "here")
        ready, failed = cut_maps(tasks_of(asked, workspace, resume=True), apart=apart)
        return [task.name for task in ready], {one.city: (one.error or {})["en"] for one in failed}

    ready, failed = cut(memory_gb=0.05)
    assert (ready, [*failed]) == (["west"], ["east"])
    assert "needs more memory than the 0.05 GB" in failed["east"]
    ready, failed = cut(timeout_minutes=0.0001)
    assert (ready, [*failed]) == (["west"], ["east"])
    assert "timeout_minutes" in failed["east"]
    assert cut(memory_gb=4) == (["west", "east"], {})
    assert cut(apart=False) == (["west", "east"], {})
    pieces = [tmp_path / where / ".batch" / "maps" / "east.osm.pbf" for where in ("ws", "here")]
    assert pieces[0].read_bytes() == pieces[1].read_bytes()
    assert not [*pieces[0].parent.glob(".aside-*")]
