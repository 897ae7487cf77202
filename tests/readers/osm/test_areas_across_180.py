"""Areas of OpenStreetMap on both sides of the antimeridian: the town a degree west of it again."""

from __future__ import annotations

from pathlib import Path

import lifecircle as lc

STEP = 0.001  # degrees between streets
SPAN = 5  # streets to either side of the middle
Box = tuple[float, float, float, float]  # west, south, east, north, in streets from the middle
AREAS: tuple[tuple[Box, dict[str, str]], ...] = (
    ((-1.8, -1.2, 2.7, 1.7), {"leisure": "park"}),
    ((-0.4, 3.1, 0.3, 3.8), {"amenity": "pharmacy", "building": "yes"}),
    ((-0.2, -4.2, 0.25, -3.8), {"building": "apartments", "building:levels": "3"}),
    ((-5.5, -5.5, 0.1, 5.5), {"landuse": "residential"}),
)
PARTED: Box = (-3.5, 2.0, 3.5, 2.8)  # a park of two ways


def draw_town(path: Path, middle_lon: float) -> Path:
    """Streets 100 m apart with parks, a pharmacy, a home and land through their middle."""
    nodes: list[str] = []
    ways: list[str] = []

    def node(x: float, y: float) -> int:
        lon = (middle_lon + x * STEP + 180) % 360 - 180
        nodes.append(f'<node id="{len(nodes) + 1}" lon="{lon:.7f}" lat="{y * STEP - 17:.7f}"/>')
        return len(nodes)

    def way(refs: list[int], tags: dict[str, str]) -> int:
        inside = "".join(f'<nd ref="{ref}"/>' for ref in refs)
        inside += "".join(f'<tag k="{key}" v="{value}"/>' for key, value in tags.items())
        ways.append(f'<way id="{len(ways) + 1}">{inside}</way>')
        return len(ways)

    def corners(box: Box) -> list[int]:
        west, south, east, north = box
        return [node(west, south), node(east, south), node(east, north), node(west, north)]

    side = range(-SPAN, SPAN + 1)
    rows = [[node(x, y) for x in side] for y in side]
    for line in (*rows, *map(list, zip(*rows, strict=True))):
        way(line, {"highway": "residential"})
    home = {"building": "apartments", "building:levels": "2"}
    boxes = [((x + 0.3, y + 0.3, x + 0.7, y + 0.7), home) for x in side for y in side]
    for box, tags in (*AREAS, *boxes):
        ring = corners(box)
        way([*ring, ring[0]], tags)
    a, b, c, d = corners(PARTED)
    outer = [way([a, b, c], {}), way([c, d, a], {})]
    members = "".join(f'<member type="way" ref="{one}" role="outer"/>' for one in outer)
    tags = '<tag k="type" v="multipolygon"/><tag k="leisure" v="park"/>'
    relation = f'<relation id="1">{members}{tags}</relation>'
    body = "".join((*nodes, *ways, relation))
    path.write_text(f'<osm version="0.6">{body}</osm>', encoding="utf-8")
    return path


def test_areas_across_180_are_as_a_degree_west_of_it(tmp_path: Path) -> None:
    """Widths in metres differ by what the ellipsoid's zone does at its edge: 0.1 %."""
    answers = []
    for name, lon in (("at", 180.0), ("west", 178.9)):
        osm = draw_town(tmp_path / f"{name}.osm", lon)
        built = lc.build(name, osm, workspace=tmp_path / "ws", residents_from_buildings=40)
        city = built.run.city
        minutes = {
            service: lc.coverage(built.study, lc.Question(service, minutes=2)).units[0]
            for service in ("park", "pharmacy")
        }
        assert sorted(city.facilities.id) == ["relation/1", "way/23", "way/24"]
        answers.append((city, minutes))
    (city, here), (other, there) = answers
    assert city.crs != other.crs
    assert len(city.cells.id) == len(other.cells.id) == (2 * SPAN + 1) ** 2 + 1
    for service, row in here.items():
        assert abs(row.P - there[service].P) <= 0.001
        assert abs(row.L - there[service].L) <= 0.005
        assert 0 < row.P < 1
        assert 0 < row.L < 1
