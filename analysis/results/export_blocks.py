"""Long layers as exchange files, some rows at a time: no file needs a second copy of its layer."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from lifecircle.analysis.results.columns import Column

ROWS: Final = 20_000  # at a time
GROUP_ROWS: Final = 100_000  # of GeoParquet that are packed together: smaller groups pack worse
_ARROW: Final = {"integer": pa.int64(), "number": pa.float64(), "boolean": pa.bool_()}
_GEO: Final = b"geo"


@dataclass(frozen=True, slots=True)
class Blocks:
    """The rows of a layer, some at a time, each a frame in EPSG:4326 with all its columns.

    `kinds`: the types of its shapes (``Point``, ...); `make` gives the frames anew.
    """

    rows: int
    kinds: frozenset[str]
    make: Callable[[], Iterator[gpd.GeoDataFrame]]


def frame_blocks(frame: gpd.GeoDataFrame, rows: int = ROWS) -> Iterator[gpd.GeoDataFrame]:
    """Some rows of a frame after the other, one empty block of an empty one."""
    for start in range(0, max(len(frame), 1), rows):
        yield frame.iloc[start : start + rows]


def write_geopackage(blocks: Blocks, columns: Sequence[Column], path: Path, name: str) -> None:
    """Write a GeoPackage; areas of one and of many parts all stand as areas of many, as elsewhere.

    Raises
    ------
    OSError, RuntimeError : the file cannot be written.
    """
    from pyogrio.raw import write_arrow

    kinds = blocks.kinds
    many = kinds == {"Polygon", "MultiPolygon"}
    kind = "MultiPolygon" if many else next(iter(kinds)) if len(kinds) == 1 else "Unknown"
    schema = pa.schema(
        [(one.name, _ARROW.get(one.dtype, pa.string())) for one in columns]
        + [pa.field("geometry", pa.binary(), metadata={"ARROW:extension:name": "geoarrow.wkb"})]
    )

    def batches() -> Iterator[pa.RecordBatch]:
        for frame in blocks.make():
            shapes = frame.geometry.to_numpy()
            if many:
                shapes = [None if one is None else _parts_of(one) for one in shapes]
            held: list[Any] = [
                pa.array(frame[one.name], schema.field(one.name).type, from_pandas=True)
                for one in columns
            ]
            held.append(pa.array(shapely.to_wkb(shapes), pa.binary()))
            yield pa.RecordBatch.from_arrays(held, schema=schema)

    write_arrow(
        pa.RecordBatchReader.from_batches(schema, batches()), str(path), layer=name, driver="GPKG",
        geometry_name="geometry", geometry_type=kind, crs="EPSG:4326",
        layer_options={"GEOMETRY_NAME": "geometry", "FID": "fid"},
    )  # fmt: skip


def _parts_of(area: Any) -> shapely.MultiPolygon:
    return area if area.geom_type == "MultiPolygon" else shapely.MultiPolygon([area])


def write_geoparquet(
    blocks: Blocks,
    columns: Sequence[Column],
    path: Path,
    write: Callable[[gpd.GeoDataFrame, Sequence[Column], io.BytesIO], None],
) -> None:
    """Write GeoParquet, each block as `write` writes a frame, `GROUP_ROWS` a row group."""

    def table_of(frame: gpd.GeoDataFrame) -> pa.Table:
        held = io.BytesIO()
        write(frame, columns, held)
        return pq.read_table(held)

    schema: pa.Schema | None = None
    told: dict[str, Any] = {}
    boxes: list[Sequence[float]] = []
    kinds: set[str] = set()
    writer: pq.ParquetWriter | None = None
    group: list[pa.Table] = []
    try:
        for frame in blocks.make():
            table = table_of(frame)
            told = json.loads(table.schema.metadata[_GEO])
            column = told["columns"][told["primary_column"]]
            kinds |= set(column["geometry_types"])
            boxes += [column["bbox"]] if "bbox" in column and len(frame) else []
            if schema is None or writer is None:
                schema = table.schema.with_metadata(_without_geo(table.schema.metadata))
                writer = pq.ParquetWriter(path, schema, compression="zstd")
            group.append(table.cast(schema))
            if sum(map(len, group)) >= GROUP_ROWS:
                writer.write_table(pa.concat_tables(group))
                group.clear()
        if writer is not None:
            if group:
                writer.write_table(pa.concat_tables(group))
            column["geometry_types"] = sorted(kinds)
            if boxes:
                column["bbox"] = box_around(boxes)
            writer.add_key_value_metadata({_GEO: json.dumps(told).encode()})
    finally:
        if writer is not None:
            writer.close()


def box_around(boxes: Sequence[Sequence[float]]) -> list[float]:
    """The box (west, south, east, north) around some, one at least."""
    west, south, east, north = zip(*boxes, strict=True)
    return [min(west), min(south), max(east), max(north)]


def _without_geo(metadata: Mapping[bytes, bytes]) -> dict[bytes, bytes]:
    return {key: value for key, value in metadata.items() if key != _GEO}
