"""The units of many cities as one table, a city at a time: in memory is never more than one.

Columns by service are known only when every city was read: each city's rows wait in a file of its
own (Arrow), and are written then, a row group of GeoParquet a city.
"""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from pyarrow import ipc

from lifecircle.analysis.results.export_blocks import box_around

HEADS: Final = ("city", "run", "code", "name", "name_en", "level", "residents")
_GEO: Final = b"geo"
_CRS: Final = "EPSG:4326"
_Columns = dict[str, dict[int, Any]]


class UnitTables:
    """One row a city and unit of its coverage: residents, and covered and P of every service.

    `count`: of the rows.
    """

    def __init__(self, folder: Path) -> None:
        self.count = 0
        self._folder = folder
        self._files: list[Path] = []
        self._columns: set[str] = set()
        self._types: set[str] = set()
        self._bounds: list[tuple[float, ...]] = []

    def add(self, city: str, found: Mapping[str, Any]) -> None:
        """Keep the units of a city's figures (`figures.figures_of`)."""
        table = _table_of(city, found)
        if not table.num_rows:
            return
        self.count += table.num_rows
        shapes = shapely.from_wkb(table["geometry"].to_numpy(zero_copy_only=False))
        there = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
        if len(there):
            self._bounds.append(tuple(shapely.total_bounds(there).tolist()))
        self._types |= {shape.geom_type for shape in shapes if shape is not None}
        self._columns |= set(table.column_names) - set(HEADS) - {"geometry"}
        file = self._folder / f"{len(self._files)}.arrow"
        with ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
        self._files.append(file)

    @property
    def columns(self) -> list[str]:
        """Names of the columns but the shapes', those of services by name."""
        return [*HEADS, *sorted(self._columns)]

    def tables(self) -> Iterator[pa.Table]:
        """The units of one city after the other, all with the same columns."""
        schema = self._schema()
        for file in self._files:
            with ipc.open_file(file) as reader:
                table = reader.read_all()
            yield pa.table(
                [
                    table[field.name]
                    if field.name in table.column_names
                    else pa.nulls(table.num_rows, field.type)
                    for field in schema
                ],
                schema=schema,
            )

    def writer(self, path: Path) -> pq.ParquetWriter:
        """A GeoParquet file for `tables`."""
        return pq.ParquetWriter(path, self._schema())

    def _schema(self) -> pa.Schema:
        """As geopandas writes such a frame, with the bounds and kinds of all shapes."""
        schema = _written_schema(tuple(sorted(self._columns)))
        told = json.loads(schema.metadata[_GEO])
        column = told["columns"]["geometry"]
        column["geometry_types"] = sorted(self._types)
        if self._bounds:
            column["bbox"] = box_around(self._bounds)
        else:
            column.pop("bbox", None)
        return schema.with_metadata({**schema.metadata, _GEO: json.dumps(told).encode()})


def _table_of(city: str, found: Mapping[str, Any]) -> pa.Table:
    shapes = {shape["code"]: shape for shape in found["shapes"]}
    lines: list[tuple[Any, ...]] = []
    outlines: list[bytes | None] = []
    columns: _Columns = {}
    at: dict[str, int] = {}
    for block in found["services"]:
        covered = columns.setdefault(f"{block['service']}_covered", {})
        share = columns.setdefault(f"{block['service']}_P", {})
        for unit in block["units"]:
            code = unit["code"]
            line = at.get(code)
            if line is None:
                line = at[code] = len(lines)
                shape = shapes.get(code)
                named = None if shape is None else shape["name_en"]
                told = (unit["name"], named, block["by"], unit["residents"])
                lines.append((city, found["run"], code, *told))
                outlines.append(None if shape is None else bytes.fromhex(shape["wkb"]))
            covered[line], share[line] = unit["covered"], unit["P"]
    schema = _written_schema(tuple(sorted(columns)))
    held: list[Any] = [list(values) for values in zip(*lines, strict=True)] or [[] for _ in HEADS]
    held += [[columns[name].get(i) for i in range(len(lines))] for name in sorted(columns)]
    return pa.table(
        [
            pa.array(values, field.type)
            for values, field in zip((*held, outlines), schema, strict=True)
        ],
        schema=schema,
    )


def _written_schema(columns: tuple[str, ...]) -> pa.Schema:
    """The schema of a file of such units, as geopandas writes one of a single row."""
    row: dict[str, Any] = dict.fromkeys(HEADS, "")
    kinds = {"residents": "Int64"} | {
        name: "Int64" if name.endswith("_covered") else "float64" for name in columns
    }
    frame = pd.DataFrame([row | dict.fromkeys(kinds, 0)]).astype(kinds)
    told = io.BytesIO()
    gpd.GeoDataFrame(frame, geometry=[shapely.Point(0, 0)], crs=_CRS).to_parquet(told, index=False)
    return pq.read_schema(told)
