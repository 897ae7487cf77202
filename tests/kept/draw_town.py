"""Draws the input files of the kept town; how the archive was made is told in README.md.

::

    y    6 rows of streets, 250 m apart          S1 (west)      | S2 (east)
    x    9 columns, 250 m apart                  C1 C2 communities | C3, V1 a village
"""

# ruff: noqa: E501

from __future__ import annotations

import json
import sys
from pathlib import Path

LON, LAT, STEP_LON, STEP_LAT = 102.70, 25.00, 0.00248, 0.00226
COLUMNS, ROWS = 9, 6
PEOPLE = {"C1": 260, "C2": 340, "C3": 180, "V1": 60}

FACILITIES = """id,type,name,lon_step,lat_step,ownership,standardised,built_area,activity_area,opening_hours,capacity,places,inclusive,parcel,level
h1,health_centre,东风社区卫生服务中心,1.2,1.1,government,,2400,,Mo-Su 08:00-18:00,12000,,,P1,
h2,health_centre,民办中心,6.3,4.2,private,,900,,,,,,,
h3,health_station,向阳卫生室,7.1,0.9,government,yes,120,,,,,,P9,
d1,day_care,东风日间照料,1.25,1.12,,,200,,,,,,P1,
e1,elder_care,综合养老服务中心,3.1,3.0,,,1500,,,,,,,subdistrict
s1,service_station,东风社区服务站,1.9,1.9,,,900,600,Mo-Su 08:30-17:30,,,,,
s2,service_station,河湾社区服务站,3.9,4.1,,,500,250,Mo-Fr 09:00-16:00,,,,,
s3,service_station,向阳村服务站,7.4,1.4,,,,,,,,,,
c1,convenience_store,便利店一,2.1,0.8,,,,,24/7,,,,,
c2,convenience_store,便利店二,5.6,2.2,,,,,Mo-Su 07:00-23:00,,,,,
m1,market,菜市场,2.9,2.4,,,,,,,,,,
k1,childcare,托育园,2.4,1.7,,,,,,,30,yes,,
p1,park,河湾公园,4.4,2.6,,,,,,,,,,
t1,culture_centre,文化中心,3.6,1.2,,,,,,,,,,
x1,shelter,应急避难场所,5.2,3.4,,,,,,2000,,,,
"""

STATISTICS = """unit_code,attribute,value,year,source
C1,households,2100,2024,统计表
C2,households,2900,2024,统计表
C3,households,1500,2024,统计表
V1,households,420,2024,统计表
C1,parent_school,yes,2024,统计表
C2,parent_school,no,2024,统计表
C3,parent_school,yes,2024,统计表
V1,parent_school,yes,2024,统计表
C1,disabled_association,yes,2024,统计表
C2,disabled_association,yes,2024,统计表
V1,disabled_association,no,2024,统计表
area,community_workers,25,2024,统计表
area,urban_residents,11000,2024,统计表
area,ethnic_unity_models,2,2023,统计表
area,ethnic_unity_models,3,2024,统计表
C1,legal_advisers,1,2024,统计表
C1,mediation_teams,0,2024,统计表
"""


def point(x: float, y: float) -> tuple[float, float]:
    """Longitude and latitude of a place counted in steps of the grid."""
    return round(LON + x * STEP_LON, 7), round(LAT + y * STEP_LAT, 7)


def streets() -> str:
    """The grid as OpenStreetMap XML, with one area of housing."""
    out = ['<?xml version="1.0" encoding="UTF-8"?>', '<osm version="0.6" generator="drawn">']
    for y in range(ROWS):
        for x in range(COLUMNS):
            lon, lat = point(x, y)
            out.append(f'<node id="{100 + y * 20 + x}" version="1" lat="{lat}" lon="{lon}"/>')
    corners = [(2.2, 1.2), (5.8, 1.2), (5.8, 2.8), (2.2, 2.8)]
    for i, (x, y) in enumerate(corners):
        lon, lat = point(x, y)
        out.append(f'<node id="{900 + i}" version="1" lat="{lat}" lon="{lon}"/>')
    lines = [[100 + y * 20 + x for x in range(COLUMNS)] for y in range(ROWS)]
    lines += [[100 + y * 20 + x for y in range(ROWS)] for x in range(COLUMNS)]
    for i, line in enumerate(lines):
        nodes = "".join(f'<nd ref="{node}"/>' for node in line)
        name = f'<tag k="name" v="第{i + 1}街"/>'
        out.append(
            f'<way id="{1000 + i}" version="1">{nodes}'
            f'<tag k="highway" v="residential"/>{name}</way>'
        )
    ring = "".join(f'<nd ref="{900 + i % 4}"/>' for i in range(5))
    out.append(f'<way id="2000" version="1">{ring}<tag k="landuse" v="residential"/></way>')
    return "\n".join([*out, "</osm>"])


def square(x0: float, y0: float, x1: float, y1: float) -> list[list[float]]:
    """A ring of a polygon."""
    corners = [(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)]
    return [list(point(x, y)) for x, y in corners]


def layer(units: list[tuple[str, str, str, str, tuple[float, float, float, float]]]) -> str:
    """Units as GeoJSON: code, name, level, class, extent in steps."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": name, "level": level, "class": kind},
            "geometry": {"type": "Polygon", "coordinates": [square(*extent)]},
        }
        for code, name, level, kind, extent in units
    ]
    return json.dumps({"type": "FeatureCollection", "features": features}, ensure_ascii=False)


def cells() -> str:
    """One cell in the middle of each block, with residents by community."""
    rows = ["id,lon,lat,population,pop_0_3,pop_65,households"]
    for y in range(ROWS - 1):
        for x in range(COLUMNS - 1):
            home = ("C1" if y < 2 else "C2") if x < 4 else ("V1" if y < 2 else "C3")
            people = PEOPLE[home] + 7 * x + 11 * y
            lon, lat = point(x + 0.5, y + 0.42)
            rows.append(f"b{x}{y},{lon},{lat},{people},{people // 33},{people // 7},{people // 3}")
    return "\n".join(rows) + "\n"


def facilities() -> str:
    """The table above with longitude and latitude."""
    head, *rows = FACILITIES.strip().splitlines()
    out = [head.replace("lon_step", "lon").replace("lat_step", "lat")]
    for row in rows:
        parts = row.split(",")
        parts[3], parts[4] = map(str, point(float(parts[3]), float(parts[4])))
        out.append(",".join(parts))
    return "\n".join(out) + "\n"


def main(folder: Path) -> None:
    """Write all files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    streets_of = [
        ("S1", "东风街道", "subdistrict", "", (-0.3, -0.3, 4, 5.3)),
        ("S2", "河湾街道", "subdistrict", "", (4, -0.3, 8.3, 5.3)),
    ]
    communities = [
        ("C1", "东风社区", "community", "城", (-0.3, -0.3, 4, 2)),
        ("C2", "河湾社区", "community", "城", (-0.3, 2, 4, 5.3)),
        ("C3", "新村社区", "community", "", (4, 2, 8.3, 5.3)),
        ("V1", "向阳村", "village", "乡", (4, -0.3, 8.3, 2)),
    ]
    written = {
        "town.osm": streets(),
        "subdistricts.geojson": layer(streets_of),
        "communities.geojson": layer(communities),
        "cells.csv": cells(),
        "facilities.csv": facilities(),
        "statistics.csv": STATISTICS,
    }
    for name, text in written.items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
