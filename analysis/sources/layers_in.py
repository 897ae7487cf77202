"""Geographic layers: GeoPackage, shapefile, GeoParquet; and every table by its suffix.

GDAL opens GeoPackages (driver forced, no views) and shapefiles (magic bytes checked) only.
"""

from __future__ import annotations

import codecs
import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from analysis.errors import Fault, InputError
from analysis.sources import limits
from analysis.sources.archives import checked_members, members_of_suffix, unpack_member
from analysis.sources.columns_in import Column, objects
from analysis.sources.declared import SILENT, Declaration, Declarations
from analysis.sources.files_in import SUFFIXES, checked_path, guard_gdal, refuse, steady
from analysis.sources.findings import ObjectArray
from analysis.sources.geojson_in import read_geojson
from analysis.sources.kml_in import kml_in_archive, read_kml, read_kmz
from analysis.sources.records import Records
from analysis.sources.sheets_in import read_text_table, read_workbook
from analysis.sources.titles_in import cut_titles, with_said_columns

_SHAPE_PARTS: Final = (".shx", ".dbf")
_SHAPE_ALL: Final = (".shp", ".shx", ".dbf", ".prj", ".cpg")
_SQL_SECONDS: Final = 5.0


def read_records(path: Path, declared: Declarations = SILENT) -> Records:
    """Records of any supported file.

    Raises
    ------
    InputError
        The file is missing, empty, something else than its suffix says, too large, damaged, or
        changes while it is read; a column the user names is not in it.
    """
    given = Path(path)
    whole = checked_path(given, SUFFIXES)
    readers = {
        ".csv": read_text_table,
        ".tsv": read_text_table,
        ".txt": read_text_table,
        ".gpkg": _read_geopackage,
        ".geojson": read_geojson,
        ".json": read_geojson,
        ".kml": read_kml,
        ".kmz": read_kmz,
        ".shp": _read_shapefile,
        ".zip": _read_zip,
        ".parquet": _read_parquet,
        ".geoparquet": _read_parquet,
    }
    said = declared.of(given)
    records = readers.get(whole.suffix.lower(), read_workbook)(whole, said)
    if len(records) == 0:
        raise refuse(whole, "input_no_rows")
    return with_said_columns(replace(records, path=given, said=said))


def _read_geopackage(path: Path, said: Declaration) -> Records:
    guard_gdal()
    import pyogrio

    with steady(path):
        layer = _geopackage_layer(path, said.layer)
        try:
            frame = pyogrio.read_dataframe(f"GPKG:{path}", layer=layer)
        except _unreadable() as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    return _from_frame(path, frame)


def _geopackage_layer(path: Path, wanted: str | None) -> str:
    """The layer to read: the one that is said, or the only one with geometry.

    Looked up without GDAL: a layer has to be a table with a bounded number of rows, for a view
    of a stranger may run for ever.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            ends = time.monotonic() + _SQL_SECONDS
            base.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
            base.execute("PRAGMA trusted_schema = OFF")
            tables = {n for (n,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")}
            named = "SELECT table_name FROM gpkg_geometry_columns ORDER BY rowid"
            if not {"gpkg_geometry_columns", "gpkg_contents", "gpkg_spatial_ref_sys"} <= tables:
                raise refuse(path, "input_not_geopackage")
            layers = [str(name) for (name,) in base.execute(named)]
            layer = _one_layer(path, layers, wanted)
            if layer not in tables:
                raise refuse(path, "input_layer_view", layer=layer)
            quoted = layer.replace('"', '""')
            count = base.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0]  # noqa: S608
            width = len(base.execute(f'PRAGMA table_info("{quoted}")').fetchall())
    except sqlite3.Error as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    if count > limits.ROWS or width > limits.COLUMNS or count * width > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")
    return layer


def _one_layer(path: Path, layers: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in layers:
            raise refuse(path, "input_layer_unknown", layer=wanted, layers=", ".join(layers))
        return wanted
    if len(layers) != 1:
        key = "input_layers_many" if layers else "input_layers_none"
        raise refuse(path, key, layers=", ".join(layers))
    return layers[0]


def _unreadable() -> tuple[type[Exception], ...]:
    """What pyogrio raises on a damaged file."""
    import pyogrio

    return (
        pyogrio.errors.DataSourceError,
        pyogrio.errors.DataLayerError,
        pyogrio.errors.FeatureError,
        pyogrio.errors.FieldError,
        pyogrio.errors.GeometryError,
        pyogrio.errors.CRSError,
        shapely.errors.ShapelyError,
        UnicodeDecodeError,
        ValueError,
        OverflowError,
    )


def _read_shapefile(path: Path, said: Declaration) -> Records:
    guard_gdal()
    import pyogrio

    missing = [part for part in _SHAPE_PARTS if not _beside(path, part).exists()]
    if missing:
        raise refuse(path, "input_shape_parts", missing=", ".join(missing))
    with steady(path):
        table = _beside(path, ".dbf")
        _check_dbf(path, table)
        encoding, told = _shape_encoding(path, table)
        try:
            frame = pyogrio.read_dataframe(path, encoding=encoding)
        except _unreadable() as error:
            raise refuse(path, "input_broken", detail=str(error)) from error
    records = _from_frame(path, frame)
    columns, cut = cut_titles(records.columns, encoding, path.name)
    return replace(records, columns=columns, remarks=(told, *cut))


def _shape_encoding(path: Path, table: Path) -> tuple[str, Fault]:
    """Encoding of a shapefile's words: its .cpg, unless that says UTF-8 and it is not."""
    label = ""
    if _beside(path, ".cpg").exists():
        label = _beside(path, ".cpg").read_bytes()[:32].decode("ascii", "replace").strip()
    unicode = label.upper().replace("-", "") in ("UTF8", "65001", "CP65001")
    try:
        known = codecs.lookup(label).name if label and not unicode else ""
    except LookupError:
        known = ""
    by_bytes = known or _dbf_encoding(table)
    if unicode and by_bytes != "UTF-8":
        params = {"encoding": by_bytes, "label": label}
        return by_bytes, Fault("input_cpg_wrong", path.name, params=params, severity="warning")
    params = {"encoding": by_bytes.upper(), "label": ".cpg" if known or unicode else ".dbf"}
    return by_bytes, Fault("input_dbf_encoding", path.name, params=params, severity="note")


def _check_dbf(path: Path, table: Path) -> None:
    """Refuse a dbf whose header promises another size than it has."""
    head = table.read_bytes()[:32]
    if len(head) < 32:
        raise refuse(path, "input_broken", detail=".dbf")
    count = int.from_bytes(head[4:8], "little")
    start, width = int.from_bytes(head[8:10], "little"), int.from_bytes(head[10:12], "little")
    if start < 33 or width < 1 or start + count * width > table.stat().st_size + width:
        raise refuse(path, "input_broken", detail=".dbf")
    columns = (start - 33) // 32
    if count > limits.ROWS or columns * count > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")


def _beside(path: Path, suffix: str) -> Path:
    """The companion of a shapefile, whatever the case of its suffix."""
    upper = path.with_suffix(suffix.upper())
    return upper if upper.exists() else path.with_suffix(suffix)


def _dbf_encoding(path: Path) -> str:
    """Encoding by the bytes of a dbf: UTF-8 where every word allows it, else GB18030.

    A word that its column cuts off in the middle of a sign is forgiven.
    """
    raw = path.read_bytes()
    start = int.from_bytes(raw[8:10], "little")
    fields = [raw[at : at + 32] for at in range(32, start - 1, 32) if raw[at : at + 1] != b"\r"]
    names = all(_is_utf8(field[:11].split(b"\x00")[0]) for field in fields)
    return "UTF-8" if names and _utf8_cells(raw, start, fields) else "GB18030"


def _utf8_cells(raw: bytes, start: int, fields: list[bytes]) -> bool:
    """Whether every text cell of a dbf is UTF-8, perhaps cut off at its width."""
    try:
        raw[start:].decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return True
    count, width = int.from_bytes(raw[4:8], "little"), int.from_bytes(raw[10:12], "little")
    at = 1
    for field in fields:
        size = field[16]
        places = range(start + at, start + at + count * width, width)
        texts = field[11:12] == b"C"
        if texts and not all(_is_utf8(raw[p : p + size].rstrip(b" \x00")) for p in places):
            return False
        at += size
    return True


def _is_utf8(cell: bytes) -> bool:
    """Whether bytes are UTF-8, the last sign perhaps cut off."""
    for short in range(min(4, len(cell) + 1)):
        try:
            cell[: len(cell) - short].decode("utf-8")
        except UnicodeDecodeError:
            continue
        return True
    return False


def _read_zip(path: Path, said: Declaration) -> Records:
    """Records of the one shapefile (or KML) inside an archive, unpacked under names of ours."""
    members = checked_members(path)
    shapes = members_of_suffix(members, ".shp")
    if not shapes and members_of_suffix(members, ".kml"):
        return kml_in_archive(path, members, said)
    if not shapes:
        raise refuse(path, "input_zip_nothing")
    stems = {str(PurePosixPath(name).with_suffix("")): name for name in shapes}
    titles = {PurePosixPath(stem).name: stem for stem in stems}
    stem = titles[_one_layer(path, list(titles), said.layer)]
    by_name = {member.filename.casefold(): member.filename for member in members}
    with steady(path), tempfile.TemporaryDirectory() as folder:
        for suffix in _SHAPE_ALL:
            name = by_name.get((stem + suffix).casefold())
            if name is not None:
                unpack_member(path, name, Path(folder) / f"layer{suffix}")
        try:
            records = _read_shapefile(checked_path(Path(folder) / "layer.shp", SUFFIXES), said)
        except InputError as error:
            raise InputError([replace(f, file=path.name) for f in error.faults]) from None
    told = tuple(replace(fault, file=path.name) for fault in records.remarks)
    return replace(records, path=path, remarks=told)


def _read_parquet(path: Path, said: Declaration) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with steady(path):
        try:
            _check_parquet(path, pq.read_metadata(path))
            metadata = pq.read_schema(path).metadata or {}
            read = gpd.read_parquet if b"geo" in metadata else pd.read_parquet
            frame = read(path)
        except (
            pa.ArrowException, ValueError, KeyError, TypeError, AttributeError, OSError,
            shapely.errors.ShapelyError,
        ) as error:  # fmt: skip
            if isinstance(error, InputError):
                raise
            raise refuse(path, "input_broken", detail=str(error)) from error
    return _from_frame(path, frame)


def _check_parquet(path: Path, metadata: Any) -> None:
    """Refuse what would not fit once it is unpacked, by the file's own account."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > limits.FILE_BYTES:
        raise refuse(path, "input_unpacks_large", gigabytes=limits.FILE_BYTES // 1024**3)
    cells = metadata.num_rows * metadata.num_columns
    if metadata.num_rows > limits.ROWS or cells > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")


def _from_frame(path: Path, frame: pd.DataFrame) -> Records:
    """Records of a frame; its CRS counts only where it names a place on the Earth."""
    shape, crs = None, None
    if isinstance(frame, gpd.GeoDataFrame):
        shape = objects(list(frame.geometry))
        crs = frame.crs if is_earthly(frame.crs) else None
        frame = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    columns = tuple(
        Column(str(title), _cells(frame.iloc[:, place]))
        for place, title in enumerate(frame.columns)
    )
    return Records(path, columns, np.arange(1, len(frame) + 1, dtype=np.int64), shape, crs)


def _cells(series: pd.Series[Any]) -> ObjectArray:
    """Cells as Python objects, None where missing."""
    plain = series.astype(object)
    return objects(list(plain.where(series.notna(), None)))


def is_earthly(crs: Any) -> bool:
    """Whether a CRS says where on the Earth: not undefined, not an engineering grid."""
    if crs is None or str(crs.name).lower().startswith(("undefined", "unknown")):
        return False
    return bool(crs.is_geographic or crs.is_projected)
