"""One table of facilities, written the way Chinese offices write: any encoding, any grid."""

from __future__ import annotations

import csv
import io
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

import geopandas as gpd
import numpy as np
import openpyxl
import pandas as pd
import pyogrio
import pyproj
import shapely

from lifecircle.analysis.city.streets.network import WalkNetwork, build_network
from lifecircle.analysis.readers.osm.streets import RawStreets
from lifecircle.analysis.readers.records.coordinates.datums import from_wgs84
from lifecircle.analysis.readers.records.declarations import Declaration, Declarations

CENTRE = (102.7123, 25.0406)
SYSTEMS = {
    "wgs84": Declaration(datum="wgs84"),
    "gcj02": Declaration(datum="gcj02"),
    "bd09": Declaration(datum="bd09"),
    "cgcs2000": Declaration(datum="cgcs2000"),
    "EPSG:4543": Declaration(crs="EPSG:4543"),
    "EPSG:4522": Declaration(crs="EPSG:4522"),
}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16-le", "utf-16-be", "gb18030")
SHAPE_ENCODINGS = (
    ("UTF-8", True), ("UTF-8", False), ("GB18030", True), ("GB18030", False), ("GBK", True)
)  # fmt: skip
TITLES = ("机构名称", "设施类型", "举办主体", "建筑面积(㎡)", "床位数")


def said(system: str) -> Declarations:
    return Declarations(SYSTEMS[system])


def rows(count: int = 30) -> list[tuple[str, str, str, float, int]]:
    kinds = ("社区卫生服务中心", "药店", "菜市场")
    owners = ("政府举办", "民营", "公办")
    return [(f"翠湖第{k}站", kinds[k % 3], owners[k % 3], 100.5 + k, 10 + k) for k in range(count)]


def places(count: int = 30, seed: int = 3) -> np.ndarray:
    """WGS84 degrees (count, 2) around the middle of Kunming."""
    rng = np.random.default_rng(seed)
    return np.array(CENTRE) + rng.uniform(-0.05, 0.05, (count, 2))


def written(lonlat: np.ndarray, system: str) -> np.ndarray:
    """Coordinates as an office of that system writes them: 1e-9 degrees or millimetres."""
    if system.startswith("EPSG:"):
        move = pyproj.Transformer.from_crs("EPSG:4326", system, always_xy=True)
        return np.round(np.column_stack(move.transform(lonlat[:, 0], lonlat[:, 1])), 3)
    return np.round(from_wgs84(lonlat, system), 9)


def titles_of(system: str) -> tuple[str, str]:
    return ("X", "Y") if system.startswith("EPSG:") else ("经度", "纬度")


def table(lonlat: np.ndarray, system: str) -> list[list[object]]:
    xy = written(lonlat, system)
    lines: list[list[object]] = [[*TITLES, *titles_of(system)]]
    for row, (x, y) in zip(rows(len(lonlat)), xy.tolist(), strict=True):
        lines.append([*row, x, y])
    return lines


def write_csv(
    path: Path, lines: Sequence[Sequence[object]], encoding: str, mark: str = ","
) -> Path:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(lines)
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    path.write_bytes(marks.get(encoding, b"") + text.getvalue().encode(encoding))
    return path


def write_xlsx(path: Path, lines: Sequence[Sequence[object]], sheet: str = "Sheet1") -> Path:
    book = openpyxl.Workbook()
    book.active.title = sheet
    for line in lines:
        book.active.append(list(line))
    book.save(path)
    return path


def layer_frame(lonlat: np.ndarray, system: str) -> gpd.GeoDataFrame:
    """The table as a layer; shifted datums have no CRS of their own."""
    crs = {"wgs84": 4326, "cgcs2000": 4490, "EPSG:4543": 4543, "EPSG:4522": 4522}.get(system)
    frame = pd.DataFrame(rows(len(lonlat)), columns=list(TITLES))
    return gpd.GeoDataFrame(frame, geometry=shapely.points(written(lonlat, system)), crs=crs)


def write_layer(path: Path, frame: gpd.GeoDataFrame, encoding: str | None = None) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # no CRS, long titles
        frame.to_file(path, encoding=encoding, engine="pyogrio")
    return path


def write_shapefile(path: Path, frame: gpd.GeoDataFrame, encoding: str, label: bool) -> Path:
    write_layer(path, frame, encoding)
    cpg = path.with_suffix(".cpg")
    if label:
        cpg.write_text(encoding)
    else:
        cpg.unlink(missing_ok=True)
    return path


def write_gpkg(path: Path, frame: gpd.GeoDataFrame, layer: str) -> Path:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        pyogrio.write_dataframe(frame, path, layer=layer, append=path.exists())
    return path


def streets(size_m: float = 6_000.0, seed: int = 5) -> WalkNetwork:
    """Streets of a drawn town at Kunming: two families of lines at uneven distances."""
    rng = np.random.default_rng(seed)
    to_xy = pyproj.Transformer.from_crs("EPSG:4326", "EPSG:4543", always_xy=True)
    back = pyproj.Transformer.from_crs("EPSG:4543", "EPSG:4326", always_xy=True)
    x0, y0 = to_xy.transform(*CENTRE)

    def lines() -> np.ndarray:
        at = np.cumsum(rng.uniform(70, 260, 200))
        return at[at < size_m] - size_m / 2

    east, north = lines(), lines()
    xy = np.stack(np.meshgrid(east, north, indexing="ij"), axis=-1)
    xy = xy + rng.uniform(-15, 15, xy.shape)
    number = np.arange(len(east) * len(north)).reshape(len(east), len(north))
    ways = [*number, *number.T]
    ref = np.concatenate(ways)
    start = np.concatenate([[0], np.cumsum([len(way) for way in ways])])
    flat = xy.reshape(-1, 2)[ref] + (x0, y0)
    lonlat = np.column_stack(back.transform(flat[:, 0], flat[:, 1]))
    raw = RawStreets(np.arange(len(ways)), start.astype(np.int64), ref.astype(np.int64), lonlat)
    return build_network(raw)


def along(network: WalkNetwork, count: int, seed: int = 9) -> np.ndarray:
    """Places (count, 2) in degrees, 4 to 14 m beside streets: where shops are."""
    rng = np.random.default_rng(seed)
    lines = network.lines()
    edge = rng.choice(len(lines), count, p=network.edge_length_m / network.edge_length_m.sum())
    at = shapely.line_interpolate_point(lines[edge], rng.uniform(0, 1, count), normalized=True)
    turn, far = rng.uniform(0, 2 * np.pi, count), rng.uniform(4, 14, count)
    xy = shapely.get_coordinates(at) + np.column_stack((far * np.cos(turn), far * np.sin(turn)))
    back = pyproj.Transformer.from_crs(network.crs, "EPSG:4326", always_xy=True)
    return np.column_stack(back.transform(xy[:, 0], xy[:, 1]))


Writer = Callable[[Path, np.ndarray, str], Path]
