"""Every lawful way to write OpenStreetMap gives the same town; what is dropped is counted."""

from __future__ import annotations

import bz2
import errno
import gzip
import os
import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import osmium
import pytest

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.clock import Clock
from lifecircle.analysis.errors import InputError
from lifecircle.analysis.facts import read_facts
from lifecircle.analysis.policy import load_policy
from lifecircle.analysis.readers.osm.source import broken_file
from lifecircle.analysis.readers.osm.streets import read_streets
from tests.files.o5m import as_o5m
from tests.worlds.drawn import draw, walk_rules

HEAD = "<?xml version='1.0' encoding='UTF-8'?>\n<osm version='0.6'>\n"
Lines = list[str]


def node(number: int, x: int, y: int, more: str = "version='1'", tags: str = "") -> str:
    lat, lon = 25.0 + y * 1e-5, 102.7 + x * 1e-5
    return f"<node id='{number}' lat='{lat:.7f}' lon='{lon:.7f}' {more}>{tags}</node>"


def way(number: int, nodes: list[int], tags: dict[str, str], more: str = "version='1'") -> str:
    refs = "".join(f"<nd ref='{ref}'/>" for ref in nodes)
    said = "".join(f"<tag k='{k}' v='{v}'/>" for k, v in tags.items())
    return f"<way id='{number}' {more}>{refs}{said}</way>"


STREET = {"highway": "residential"}
POLICY = load_policy()


def town(sign: int = 1) -> Lines:
    """Two streets, a park drawn as a relation of two half rings, and a pharmacy."""
    pharmacy = "<tag k='amenity' v='pharmacy'/>"
    corners = {10: (0, 50), 11: (100, 50), 12: (100, 150), 13: (0, 150)}
    return [
        *[node(sign * k, 100 * k, 0) for k in range(1, 6)],
        *[node(sign * k, x, y) for k, (x, y) in corners.items()],
        node(20, 250, 10, tags=pharmacy),
        way(1, [sign * 1, sign * 2, sign * 3], STREET),
        way(sign * 2, [sign * 3, sign * 4, sign * 5], STREET),
        way(3, [sign * 10, sign * 11, sign * 12], {}),
        way(sign * 4, [sign * 12, sign * 13, sign * 10], {}),
        f"<relation id='{sign * 9}' version='1'><member type='way' ref='3' role='outer'/>"
        f"<member type='way' ref='{sign * 4}' role='outer'/><tag k='type' v='multipolygon'/>"
        "<tag k='leisure' v='park'/><tag k='name' v='翠湖公园'/></relation>",
    ]


def text(lines: Lines) -> str:
    return HEAD + "\n".join(lines) + "\n</osm>\n"


def read(path: Path) -> tuple[float, int, list[str], list[str]]:
    """Metres of streets, nodes of them, kinds of facilities, and what was said of the file."""
    request = BuildRequest("t", osm=path)
    facts = read_facts(request, POLICY, Clock(None))
    assert facts.places is not None
    streets, places = facts.streets, facts.places
    steps = np.hypot(*np.diff(streets.lonlat, axis=0).T)
    inside = np.ones(len(steps), bool)
    inside[streets.way_start[1:-1] - 1] = False
    length = float(steps[inside].sum() / 1e-5)
    kinds = sorted(places.facilities.service)
    said = [str(w.params["fault"]) for w in facts.warnings if "fault" in w.params]
    return round(length, 3), len(set(streets.node_ref.tolist())), kinds, said


PLAIN = (400.0, 5, ["park", "pharmacy"])


def shuffled(lines: Lines) -> Lines:
    lines = list(lines)
    random.Random(4).shuffle(lines)
    return lines


@pytest.mark.parametrize(
    "turn",
    [
        lambda lines: lines,
        lambda lines: lines[::-1],
        shuffled,
        lambda lines: lines[10:14] + lines[:10] + lines[14:],
        lambda lines: lines[14:] + lines[:14],
    ],
    ids=["sorted", "backwards", "shuffled", "ways first", "relations first"],
)
@pytest.mark.parametrize("sign", [1, -1], ids=["positive", "both signs"])
def test_any_order_and_any_sign(tmp_path: Path, turn: Callable[[Lines], Lines], sign: int) -> None:
    path = tmp_path / "town.osm"
    path.write_text(text(turn(town(sign))), encoding="utf-8")
    *found, said = read(path)
    assert tuple(found) == PLAIN
    assert said == ([] if sign == 1 else ["osm_aside"])


@pytest.mark.parametrize("suffix", ["gz", "bz2", "bom"])
@pytest.mark.parametrize("order", [1, -1])
def test_any_packing(tmp_path: Path, suffix: str, order: int) -> None:
    content = text(town()[::order]).encode()
    pack = {"gz": gzip.compress, "bz2": bz2.compress, "bom": lambda raw: b"\xef\xbb\xbf" + raw}
    path = tmp_path / ("town.osm" if suffix == "bom" else f"town.osm.{suffix}")
    path.write_bytes(pack[suffix](content))
    assert read(path)[:3] == PLAIN


@pytest.mark.parametrize(
    ("form", "name"),
    [
        ("osm.pbf", "town.osm"),
        ("osm.pbf", "town"),
        ("osm", "town.osm.pbf"),
        ("osm.gz", "town.xml"),
        ("osm.bz2", "town.osm.gz"),
        ("o5m", "town.osm"),
        ("o5m", "town.o5m"),
    ],
)
def test_the_form_is_told_by_the_content(tmp_path: Path, form: str, name: str) -> None:
    """What a browser or a colleague named as another form is read as what it is."""
    plain = tmp_path / "written.osm"
    plain.write_text(text(town()), encoding="utf-8")
    path = tmp_path / name
    if form == "o5m":
        path.write_bytes(as_o5m(plain))
    else:
        with osmium.SimpleWriter(str(tmp_path / f"w.{form}")) as writer:
            for thing in osmium.FileProcessor(str(plain)):
                writer.add(thing)
        path.write_bytes((tmp_path / f"w.{form}").read_bytes())
    *found, said = read(path)
    assert (tuple(found), said) == (PLAIN, [])


@pytest.mark.parametrize("order", [1, -1])
def test_roads_are_whole_in_any_order(tmp_path: Path, order: int) -> None:
    """A packed file with negative ids, sorted and backwards: roads are read as streets are."""
    plain, path = tmp_path / "town.osm", tmp_path / "town.osm.pbf"
    plain.write_text(text(town(-1)[::order]), encoding="utf-8")
    with osmium.SimpleWriter(str(path)) as writer:
        osmium.apply(osmium.io.Reader(str(plain)), writer)
    facts = read_facts(BuildRequest("t", osm=path, profiles=("car",)), POLICY, Clock(None))
    roads, streets = facts.roads(), facts.streets
    assert roads is not None
    assert not np.isnan(roads.lonlat).any()
    assert sorted(roads.node_ref.tolist()) == sorted(streets.node_ref.tolist())
    assert roads.way_id.tolist() == streets.way_id.tolist()


@pytest.mark.parametrize("sign", [1, -1])
def test_o5m_in_any_order(tmp_path: Path, sign: int) -> None:
    """Shuffled, and with negative ids, as from JOSM."""
    plain, path = tmp_path / "written.osm", tmp_path / "town.o5m"
    plain.write_text(text(shuffled(town(sign))), encoding="utf-8")
    path.write_bytes(as_o5m(plain))
    assert read(path)[:3] == PLAIN
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InputError, match=r"town\.o5m: the file breaks off"):
        read(path)


@pytest.mark.parametrize(
    "more", ["version='2' visible='false'", "version='2' action='delete'", "action='delete'"]
)
def test_deleted_objects_are_read_nowhere(tmp_path: Path, more: str) -> None:
    """A street, a pharmacy and a square that somebody deleted."""
    ring = [1, 2, 11, 10, 1]
    gone = [
        node(30, 260, 10, more, "<tag k='amenity' v='pharmacy'/>"),
        way(31, [1, 10], STREET, more),
        way(32, ring, {"place": "square", "name": "广场"}, more),
    ]
    path = tmp_path / "town.osm"
    path.write_text(text([*town(), *gone]), encoding="utf-8")
    *found, said = read(path)
    assert tuple(found) == PLAIN
    assert said == ["osm_aside"]


def test_the_later_version_of_an_object_counts(tmp_path: Path) -> None:
    """Two extracts of different days, pasted: way 1 has grown shorter, way 2 was deleted."""
    later = [
        way(1, [1, 2], STREET, "version='2'"),
        way(2, [3, 4, 5], STREET, "version='3' visible='false'"),
    ]
    for lines in ([*town(), *later], [*later, *town()]):
        path = tmp_path / "town.osm"
        path.write_text(text(lines), encoding="utf-8")
        assert read(path) == (100.0, 2, ["park", "pharmacy"], ["osm_aside"])


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("t.osc", "<?xml version='1.0'?>\n<osmChange version='0.6'></osmChange>", "apply-changes"),
        ("t.osh", text(town()), "time-filter"),
        ("t.osm", text(town()[10:]), "its nodes are missing"),
        ("t.osm", text([way(1, [], STREET), "<node id='1' lat='1' lon='1'/>"]), "out center"),
        ("t.osm.pbf", "\n<!DOCTYPE html>\n<html><h1>503</h1></html>", "web page (HTML)"),
        ("t.osm", "<?xml version='1.0'?>\n<!-- a --><HTML lang='en'>", "web page (HTML)"),
        ("t.osm", '{"version": 0.6, "elements": []}', "[out:xml]"),
        ("t.osm.pbf", "PK\x03\x04", "ZIP"),
        ("t.osm", "node", "not an OpenStreetMap file"),
        ("t.osm", text([*town(), "<remark>runtime error: out of time</remark>"]), "out of time"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_cause(
    tmp_path: Path, name: str, content: str, words: str
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as refused:
        read(path)
    assert words in refused.value.text("en")


def test_missing_references_are_counted(tmp_path: Path) -> None:
    """Ways a-b-c-d and e-f; c, e and f are not there: 3 of 8 references, one way lost, one cut."""
    places = {name: (100.0 * k, 0.0) for k, name in enumerate("abcdefg")}
    world = draw(places, "a b c d", "e f", "a g", absent=["c", "e", "f"])
    for suffix in ("osm", "osm.pbf"):
        path = world.write(tmp_path / f"drawn.{suffix}")
        dropped = read_streets(path, walk_rules()).dropped
        assert (dropped.references, dropped.missing) == (8, 3)
        assert (dropped.lost, dropped.cut) == (1, 1)
        assert read(path)[3] == ["osm_dropped"]
    whole = draw(places, "a b c d", "e f", "a g").write(tmp_path / "whole.osm.pbf")
    assert read_streets(whole, walk_rules()).dropped.missing == 0
    assert read(whole)[3] == []


@pytest.mark.parametrize(("there", "refused"), [(4, False), (3, True)])
def test_too_many_missing_references_are_refused(tmp_path: Path, there: int, refused: bool) -> None:
    """60 % of ten references may be missing, 70 % not."""
    names = "abcdefghij"
    places = {name: (100.0 * k, 0.0) for k, name in enumerate(names)}
    world = draw(places, " ".join(names), absent=list(names[there:]))
    path = world.write(tmp_path / "drawn.osm.pbf")
    if not refused:
        assert read(path)[3] == ["osm_dropped"]
        return
    with pytest.raises(InputError, match="7"):
        read(path)


def out_geom() -> Lines:
    """What Overpass answers to `out geom`: no nodes but tagged ones, no members."""

    def nds(*refs: int, named: bool = True) -> str:
        places = {1: (100, 0), 2: (200, 0), 3: (300, 0), 4: (400, 0), 5: (500, 0),
                  10: (0, 50), 11: (100, 50), 12: (100, 150), 13: (0, 150)}  # fmt: skip
        at = {k: f"lat='{25 + y * 1e-5:.7f}' lon='{102.7 + x * 1e-5:.7f}'"
              for k, (x, y) in places.items()}  # fmt: skip
        return "".join(
            f"<nd {f'ref={chr(39)}{k}{chr(39)} ' if named else ''}{at[k]}/>" for k in refs
        )

    box = "<bounds minlat='25' minlon='102' maxlat='26' maxlon='103'/>"
    street = "<tag k='highway' v='residential'/>"
    return [
        node(20, 250, 10, tags="<tag k='amenity' v='pharmacy'/>"),
        f"<way id='1'>{box}{nds(1, 2, 3)}{street}</way>",
        f"<way id='2'>{box}{nds(3, 4, 5)}{street}</way>",
        f"<relation id='9'>{box}<member type='way' ref='3' role='outer'>"
        f"{nds(10, 11, 12, named=False)}</member><member type='way' ref='4' role='outer'>"
        f"{nds(12, 13, 10, named=False)}</member><tag k='type' v='multipolygon'/>"
        "<tag k='leisure' v='park'/></relation>",
    ]


def test_places_inside_ways_and_members(tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    path.write_text(text(out_geom()), encoding="utf-8")
    *found, said = read(path)
    assert (tuple(found), said) == (PLAIN, [])


def test_a_centre_beside_the_nodes_is_no_matter(tmp_path: Path) -> None:
    """`out center` beside `>; out;`, and a `<delete>` block."""
    lines = [line.replace("<nd ", "<center lat='25' lon='102.7'/><nd ", 1) for line in town()]
    street = way(40, [1, 10], STREET)
    lines += [street, "<delete><way id='40'/></delete>"]
    path = tmp_path / "town.osm"
    path.write_text(text(lines), encoding="utf-8")
    *found, said = read(path)
    assert (tuple(found), said) == (PLAIN, ["osm_aside"])


def test_nodes_with_their_tags_and_again_without(tmp_path: Path) -> None:
    """Overpass `out body; >; out skel;` writes tagged nodes of ways twice, without versions."""
    lines = [line.replace("version='1'", "") for line in town()]
    bare = node(20, 250, 10, more="")
    for more in ([*lines, bare], [bare, *lines]):
        path = tmp_path / "town.osm"
        path.write_text(text(more), encoding="utf-8")
        assert read(path)[:3] == PLAIN


def test_nodes_without_a_place_are_told(tmp_path: Path) -> None:
    path = tmp_path / "town.osm"
    path.write_text(
        text([*town(), "<node id='50' version='1'><tag k='amenity' v='pharmacy'/></node>"]),
        encoding="utf-8",
    )
    *found, said = read(path)
    assert (tuple(found), said) == (PLAIN, ["osm_placeless"])


def test_areas_cut_by_the_border_are_named(tmp_path: Path) -> None:
    """A park without one of its ways, one without a node, one that does not close, and a border."""
    park = "<tag k='leisure' v='park'/>"
    multi = "<tag k='type' v='multipolygon'/>" + park
    lines = [
        *town()[:-1],
        way(50, [10, 11, 99, 13, 10], {"leisure": "park", "name": "缺点公园"}),
        "<relation id='60' version='1'><member type='way' ref='3' role='outer'/>"
        f"<member type='way' ref='98' role='outer'/>{multi}<tag k='name' v='截断公园'/></relation>",
        "<relation id='61' version='1'><member type='way' ref='3' role='outer'/>"
        f"{multi}</relation>",
        "<relation id='62' version='1'><member type='way' ref='97' role='outer'/>"
        "<tag k='type' v='boundary'/><tag k='boundary' v='administrative'/></relation>",
    ]
    for suffix in ("osm", "osm.gz"):
        path = tmp_path / f"town.{suffix}"
        content = text(lines).encode()
        path.write_bytes(gzip.compress(content) if suffix == "osm.gz" else content)
        facts = read_facts(BuildRequest("t", osm=path), POLICY, Clock(None))
        told = {str(w.params["fault"]): w.text("zh") for w in facts.warnings}
        assert set(told) == {"osm_areas_cut", "osm_areas_broken", "osm_land_incomplete"}
        assert "2 处" in told["osm_areas_cut"]
        for name in ("缺点公园 (way/50)", "截断公园 (relation/60)"):
            assert name in told["osm_areas_cut"]
        assert "relation/61" in told["osm_areas_broken"]
        assert "行政界线 1 个" in told["osm_land_incomplete"]


def test_what_the_machine_lacks_is_no_fault_of_the_file() -> None:
    path = Path("town.osm.pbf")
    for code in (errno.EAGAIN, errno.ENOMEM):  # no room for one more thread, no memory
        with pytest.raises(MemoryError):
            broken_file(path, RuntimeError(os.strerror(code)))
    with pytest.raises(OSError, match=os.strerror(errno.ENOSPC)):
        broken_file(path, RuntimeError(f"write failed: {os.strerror(errno.ENOSPC)}"))
    assert "town.osm.pbf" in broken_file(path, RuntimeError("truncated")).text("en")
