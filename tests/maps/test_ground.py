"""The ground under a map: read from a drawn file, kept with a run, packed into a page."""

from __future__ import annotations

from dataclasses import fields, replace
from pathlib import Path

import numpy as np
import osmium
import pytest

from lifecircle.analysis.measures.question import Question
from lifecircle.analysis.readers.osm.ground import KINDS, NAMES, Ground, read_ground
from lifecircle.analysis.results.run_files.city import read_city, write_city
from lifecircle.service.maps import context_layers
from lifecircle.service.maps.pages import Page, map_page
from tests.pages.map_pages import HOSTILE, blocks, drawn_run

LON, LAT, STEP = 102.0, 25.0, 0.001
SQUARE = ((0, 0), (4, 0), (4, 4), (0, 4), (0, 0))


def drawn_ground(path: Path) -> Ground:
    """A lake with an island, a park, two buildings, a road over a stream, a railway, a tunnel."""
    ways = [
        (SQUARE, {}),  # 1: outer ring of the lake
        (((1, 1), (2, 1), (2, 2), (1, 2), (1, 1)), {}),  # 2: the island
        (((5, 0), (7, 0), (7, 2), (5, 2), (5, 0)), {"leisure": "park", "name": "翠湖公园"}),
        (((8, 0), (9, 0), (9, 1), (8, 1), (8, 0)), {"building": "yes", "name": "一号楼"}),
        (((8, 3), (8.2, 3), (8.2, 3.2), (8, 3.2), (8, 3)), {"building": "house"}),
        (((0, 6), (9, 6)), {"highway": "primary", "name": "人民路", "name:en": "Renmin Road"}),
        (((0, 7), (1, 7)), {"highway": "residential", "name": "人民路"}),
        (((3, 5), (3, 8)), {"waterway": "stream"}),
        (((0, 8), (9, 8)), {"railway": "rail"}),
        (((0, 9), (9, 9)), {"railway": "rail", "tunnel": "yes"}),
        (((0, 9.5), (9, 9.5)), {"highway": "footway"}),
    ]
    with osmium.SimpleWriter(str(path), overwrite=True) as writer:
        make = osmium.osm.mutable
        writer.add_node(
            make.Node(id=1, location=(LON, LAT), tags={"place": "suburb", "name": "城关"})
        )
        number, rows = 10, []
        for places, tags in ways:
            refs = []
            for x, y in places[:-1] if places[0] == places[-1] else places:
                number += 1
                writer.add_node(make.Node(id=number, location=(LON + x * STEP, LAT + y * STEP)))
                refs.append(number)
            rows.append(([*refs, refs[0]] if places[0] == places[-1] else refs, tags))
        for k, (refs, tags) in enumerate(rows, start=1):
            writer.add_way(make.Way(id=k, nodes=refs, tags=tags))
        lake = {"type": "multipolygon", "natural": "water", "name": "大湖"}
        rings = [("w", 1, "outer"), ("w", 2, "inner")]
        writer.add_relation(make.Relation(id=1, members=rings, tags=lake))
    return read_ground(path)


@pytest.fixture(scope="module")
def ground(tmp_path_factory: pytest.TempPathFactory) -> Ground:
    return drawn_ground(tmp_path_factory.mktemp("ground") / "g.osm.pbf")


def test_what_is_drawn(ground: Ground) -> None:
    counts = {kind: int((ground.kind == k).sum()) for k, kind in enumerate(KINDS)}
    assert counts == {"water": 2, "green": 1, "building": 2, "stream": 1, "rail": 1, "road": 1}
    water = np.flatnonzero(ground.kind == KINDS.index("water"))
    assert len(set(ground.feature[water].tolist())) == 1  # the island is a hole of the lake
    assert np.all(np.diff(ground.start)[water] == 5)
    road = int(np.flatnonzero(ground.kind == KINDS.index("road"))[0])
    assert ground.rank[road] == 2  # primary, after motorway and trunk
    line = ground.lonlat[ground.start[road] : ground.start[road + 1]]
    assert line.tolist() == [[10_200_000, 2_500_600], [10_200_900, 2_500_600]]


def test_names_and_where_they_stand(ground: Ground) -> None:
    told = {
        name: (NAMES[kind], english)
        for name, kind, english in zip(ground.name, ground.name_kind, ground.name_en, strict=True)
    }
    assert told == {
        "城关": ("suburb", ""),
        "大湖": ("water", ""),
        "翠湖公园": ("park", ""),
        "人民路": ("street", "Renmin Road"),  # once, on its longest piece
    }
    street = ground.name.tolist().index("人民路")
    assert ground.name_at[street].tolist() == [10_200_450, 2_500_600]


def test_a_run_keeps_its_ground_and_one_of_before_has_none(ground: Ground, tmp_path: Path) -> None:
    run = drawn_run()
    for name, kept in (("with", ground), ("without", None)):
        (tmp_path / name).mkdir()
        write_city(tmp_path / name, replace(run.city, ground=kept), run.travel)
    city, _ = read_city(tmp_path / "with")
    assert city.ground is not None
    for field in fields(ground):
        assert np.array_equal(getattr(city.ground, field.name), getattr(ground, field.name))
    assert read_city(tmp_path / "without")[0].ground is None


def test_a_file_of_nothing_but_paths_has_an_empty_ground(tmp_path: Path) -> None:
    with osmium.SimpleWriter(str(tmp_path / "e.osm.pbf"), overwrite=True) as writer:
        make = osmium.osm.mutable
        writer.add_node(make.Node(id=1, location=(LON, LAT)))
        writer.add_node(make.Node(id=2, location=(LON, LAT + STEP)))
        writer.add_way(make.Way(id=1, nodes=[1, 2], tags={"highway": "footway"}))
    empty = read_ground(tmp_path / "e.osm.pbf")
    assert (len(empty.kind), len(empty.name)) == (0, 0)
    run = drawn_run()
    folder = tmp_path / "run"
    folder.mkdir()
    city = replace(run.city, ground=empty)
    write_city(folder, city, run.travel)
    opened = read_city(folder)[0].ground
    assert opened is not None
    assert len(opened.kind) == 0
    page = map_page(replace(run, city=city), "coverage", Question(), Page())
    assert 'data-layer="ground"' not in page


def test_a_page_holds_the_ground_and_its_switch(ground: Ground) -> None:
    run = drawn_run()
    run = replace(run, city=replace(run.city, ground=ground))
    page = map_page(run, "coverage", Question(), Page(mode="inline", lang="en"))
    (block,) = [data for name, data in blocks(page).items() if "ground" in name.lower()]
    assert isinstance(block, dict)
    assert block["n"] == np.diff(ground.start).tolist()
    assert "Renmin Road" in block["names"]
    assert 'data-layer="ground"' in page
    assert 'data-layer="ground"' not in map_page(drawn_run(), "coverage", Question(), Page())


def test_names_of_the_map_are_data_only(ground: Ground) -> None:
    run = drawn_run()
    hostile = replace(ground, name=np.array(list(HOSTILE[:4])), name_en=np.array([""] * 4))
    page = map_page(
        replace(run, city=replace(run.city, ground=hostile)), "coverage", Question(), Page()
    )
    assert "<img src=x" not in page
    assert "<svg onload" not in page
    (block,) = [data for name, data in blocks(page).items() if "ground" in name.lower()]
    assert isinstance(block, dict)
    assert set(block["names"]) == set(HOSTILE[:4])


def test_what_does_not_fit_goes_from_the_smallest_building(ground: Ground) -> None:
    kept = context_layers._kept(ground, len(ground.lonlat) - 1)
    dropped = np.flatnonzero(~kept)
    assert [KINDS[k] for k in ground.kind[dropped]] == ["building"]
    first = ground.lonlat[ground.start[dropped[0]]]
    assert first.tolist() == [10_200_800, 2_500_300]  # the house, not the larger one


def test_a_page_that_is_full_has_no_room_for_ground(ground: Ground) -> None:
    packed = context_layers.pack_ground(ground, "zh", 0, "EPSG:4543")
    assert (len(packed["d"]), len(packed["n"])) == (0, 0)
    assert packed["names"]  # names are few
