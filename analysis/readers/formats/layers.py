"""Geographic layers: GeoPackage, shapefile, GeoParquet; and every table by its suffix.

GDAL opens GeoPackages (driver forced, no views) and shapefiles (magic bytes checked) only.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

import geopandas as gpd
import orjson
import pandas as pd
import pyproj
import shapely

from lifecircle.analysis.errors import InputError
from lifecircle.analysis.readers.formats.geojson import GEOJSON_CRS, read_geojson
from lifecircle.analysis.readers.formats.kml import read_archived_kml, read_kml, read_kmz
from lifecircle.analysis.readers.formats.shapefile import read_shapefile
from lifecircle.analysis.readers.formats.sheets import read_text_table, read_workbook
from lifecircle.analysis.readers.records import limits
from lifecircle.analysis.readers.records.archives import (
    check_members,
    members_of_suffix,
    unpack_member,
)
from lifecircle.analysis.readers.records.declarations import SILENT, Declaration, Declarations
from lifecircle.analysis.readers.records.files import (
    SUFFIXES,
    check_path,
    guard_gdal,
    refuse,
    watch_file,
)
from lifecircle.analysis.readers.records.frames import (
    pyogrio_errors,
    read_layer,
    records_of_frame,
    records_of_packed,
)
from lifecircle.analysis.readers.records.records import Records
from lifecircle.analysis.readers.records.titles import apply_said_columns

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
    whole = check_path(given, SUFFIXES)
    said, suffix = declared.of(given), whole.suffix.lower()
    if suffix in _ALONE:
        records = _ALONE[suffix](whole)
    else:
        records = _ONE_OF_MANY.get(suffix, read_workbook)(whole, said)
    if len(records) == 0:
        raise refuse(whole, "input_no_rows")
    return apply_said_columns(replace(records, path=given, said=said))


def _read_geopackage(path: Path, said: Declaration) -> Records:
    guard_gdal()
    with watch_file(path):
        layer = _find_layer(path, said.layer)
        try:
            return read_layer(path, f"GPKG:{path}", layer=layer)
        except pyogrio_errors() as error:
            raise refuse(path, "input_broken", detail=str(error)) from error


def _find_layer(path: Path, wanted: str | None) -> str:
    """The layer to read: the one that is said, or the only one with geometry.

    Looked up without GDAL: a layer has to be a table with a bounded number of rows, for a view
    of a stranger may run for ever.
    """
    try:
        with closing(sqlite3.connect(f"{path.as_uri()}?mode=ro&immutable=1", uri=True)) as base:
            ends = time.monotonic() + _SQL_SECONDS
            base.set_progress_handler(lambda: time.monotonic() > ends, 10_000)
            base.execute("PRAGMA trusted_schema = OFF")
            tables = {
                n for (n,) in base.execute("SELECT name FROM sqlite_master WHERE type='table'")
            }
            named = "SELECT table_name FROM gpkg_geometry_columns ORDER BY rowid"
            if not {"gpkg_geometry_columns", "gpkg_contents", "gpkg_spatial_ref_sys"} <= tables:
                raise refuse(path, "input_not_geopackage")
            layers = [str(name) for (name,) in base.execute(named)]
            layer = _choose_layer(path, layers, wanted)
            if layer not in tables:
                raise refuse(path, "input_layer_view", layer=layer)
            quoted = layer.replace('"', '""')
            count = base.execute(f'SELECT count(*) FROM "{quoted}"').fetchone()[0]  # noqa: S608
            width = len(base.execute(f'PRAGMA table_info("{quoted}")').fetchall())
    except (sqlite3.Error, UnicodeError, TypeError) as error:
        raise refuse(path, "input_broken", detail=str(error)) from None
    if count > limits.ROWS or width > limits.COLUMNS or count * width > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")
    return layer


def _choose_layer(path: Path, layers: list[str], wanted: str | None) -> str:
    if wanted is not None:
        if wanted not in layers:
            raise refuse(path, "input_layer_unknown", layer=wanted, layers=", ".join(layers))
        return wanted
    if len(layers) != 1:
        key = "input_layers_many" if layers else "input_layers_none"
        raise refuse(path, key, layers=", ".join(layers))
    return layers[0]


def _read_zip(path: Path, said: Declaration) -> Records:
    """Records of the one shapefile (or KML) inside an archive, unpacked under names of ours."""
    members = check_members(path)
    shapes = members_of_suffix(members, ".shp")
    if not shapes and members_of_suffix(members, ".kml"):
        return read_archived_kml(path, members, said)
    if not shapes:
        raise refuse(path, "input_zip_nothing")
    stems = {str(PurePosixPath(name).with_suffix("")): name for name in shapes}
    titles = {PurePosixPath(stem).name: stem for stem in stems}
    stem = titles[_choose_layer(path, list(titles), said.layer)]
    by_name = {member.filename.casefold(): member.filename for member in members}
    with watch_file(path), tempfile.TemporaryDirectory() as folder:
        for suffix in _SHAPE_ALL:
            name = by_name.get((stem + suffix).casefold())
            if name is not None:
                unpack_member(path, name, Path(folder) / f"layer{suffix}")
        try:
            records = read_shapefile(check_path(Path(folder) / "layer.shp", SUFFIXES))
        except InputError as error:
            raise InputError([replace(f, file=path.name) for f in error.faults]) from None
    told = tuple(replace(fault, file=path.name) for fault in records.remarks)
    return replace(records, path=path, remarks=told)


def _read_parquet(path: Path) -> Records:
    import pyarrow as pa
    import pyarrow.parquet as pq

    with watch_file(path):
        try:
            _check_parquet(path, pq.read_metadata(path))
            metadata = pq.read_schema(path).metadata or {}
            if b"geo" in metadata:
                return _read_geoparquet(path, metadata[b"geo"])
            frame = pd.read_parquet(path)
        except (
            pa.ArrowException, ValueError, KeyError, TypeError, AttributeError, OSError,
            pyproj.exceptions.ProjError, shapely.errors.ShapelyError,
        ) as error:  # fmt: skip
            if isinstance(error, InputError):
                raise
            raise refuse(path, "input_broken", detail=str(error)) from error
    return records_of_frame(path, frame)


def _read_geoparquet(path: Path, told: bytes) -> Records:
    """Records of a GeoParquet file; rings that are open are closed, with a remark."""
    try:
        return records_of_frame(path, gpd.read_parquet(path))
    except shapely.errors.GEOSException:
        said = orjson.loads(told)
        frame = pd.read_parquet(path)
    name = said["primary_column"]
    packed = frame[name].to_numpy(dtype=object)
    crs = said["columns"][name].get("crs", GEOJSON_CRS)
    return records_of_packed(path, frame.drop(columns=name), packed, crs)


def _check_parquet(path: Path, metadata: Any) -> None:
    """Refuse what would not fit once it is unpacked, by the file's own account."""
    groups = [metadata.row_group(at) for at in range(metadata.num_row_groups)]
    if sum(group.total_byte_size for group in groups) > limits.FILE_BYTES:
        raise refuse(path, "input_unpacks_large", gigabytes=limits.FILE_BYTES // 1024**3)
    if metadata.num_columns > limits.COLUMNS:
        raise refuse(path, "input_columns_many", most=limits.COLUMNS)
    cells = metadata.num_rows * metadata.num_columns
    if metadata.num_rows > limits.ROWS or cells > limits.CELLS:
        raise refuse(path, "input_table_large", most=f"{limits.ROWS:,}", cells=f"{limits.CELLS:,}")


# Readers by suffix: of files that hold one table, and of those that may hold several.
_ALONE: Final = {
    ".csv": read_text_table,
    ".tsv": read_text_table,
    ".txt": read_text_table,
    ".geojson": read_geojson,
    ".json": read_geojson,
    ".geojsonl": read_geojson,
    ".ndjson": read_geojson,
    ".kml": read_kml,
    ".shp": read_shapefile,
    ".parquet": _read_parquet,
    ".geoparquet": _read_parquet,
}
_ONE_OF_MANY: Final = {".gpkg": _read_geopackage, ".kmz": read_kmz, ".zip": _read_zip}
