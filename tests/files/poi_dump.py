"""A dump of points of interest as scripts save them from Amap: 900 kinds, GCJ-02."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Final

import numpy as np

from lifecircle.analysis.readers.records.coordinates.datums import wgs84_to_gcj02

# kind, code, ending of names, the service it is
SERVICES: Final = (
    ("医疗保健服务;医药保健销售店;药房", "090601", "大药房", "pharmacy"),
    ("医疗保健服务;综合医院;卫生院", "090102", "社区卫生服务中心", "health_centre"),
    ("医疗保健服务;综合医院;卫生院", "090102", "社区卫生服务站", "health_station"),
    ("科教文化服务;学校;小学", "141203", "小学", "primary_school"),
    ("科教文化服务;学校;幼儿园", "141204", "幼儿园", "kindergarten"),
    ("购物服务;便民商店/便利店;便民商店/便利店", "060200", "便利店", "convenience_store"),
    ("购物服务;超级市场;超市", "060400", "超市", "supermarket"),
    ("购物服务;综合市场;农副产品市场", "060703", "农贸市场", "market"),
    ("风景名胜;公园广场;公园", "110101", "公园", "park"),
    ("生活服务;美容美发店;美容美发店", "071100", "美发", "hairdresser"),
)
BOX: Final = (102.66, 24.96, 102.78, 25.08)  # eastern Kunming
_SHARE: Final = 0.12  # of the rows are a service
_OTHERS: Final = ("餐饮服务", "公司企业", "住宿服务", "金融保险服务", "交通设施服务", "汽车服务")
_KINDS: Final = 890


def write_dump(
    path: Path, *, rows: int, seed: int, box: tuple[float, float, float, float] = BOX
) -> dict[str, int]:
    """Write a dump of places in a box (degrees of WGS84: west, south, east, north).

    Returns how many rows each service has.
    """
    rng = np.random.default_rng(seed)
    west, south, east, north = box
    lonlat = np.column_stack([rng.uniform(west, east, rows), rng.uniform(south, north, rows)])
    lonlat = wgs84_to_gcj02(lonlat)
    served = rng.random(rows) < _SHARE
    which = rng.integers(len(SERVICES), size=rows)
    other = rng.integers(_KINDS, size=rows)
    planted: dict[str, int] = {}
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(["id", "name", "type", "typecode", "address", "location", "adname"])
        for row in range(rows):
            if served[row]:
                kind, code, ending, service = SERVICES[which[row]]
                planted[service] = planted.get(service, 0) + 1
                name = f"第{row}{ending}"
            else:
                number = int(other[row])
                first = _OTHERS[number % len(_OTHERS)]
                kind, code = f"{first};{first}相关;{first}{number}", "050000"
                name = f"某某{row}"
            place = f"{lonlat[row, 0]:.6f},{lonlat[row, 1]:.6f}"
            sheet.writerow([f"B{row:09d}", name, kind, code, f"某路{row % 900}号", place, "官渡区"])
    return planted
