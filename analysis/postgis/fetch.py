"""A table of PostGIS as an input file: fetched whole, written as a GeoPackage or a CSV.

``postgresql://host/database#schema.table``: what is read is the file, and its digest is kept with
the run as that of any other.
"""

from __future__ import annotations

import datetime
import decimal
from pathlib import Path
from typing import Any, Final

import geopandas as gpd
import pandas as pd
import shapely

from lifecircle.analysis.errors import ParameterError, UnsolvedError
from lifecircle.analysis.postgis.connecting import connected, is_postgis, shown

_PLAIN: Final = (str, int, float, bool, type(None))


def fetch_inputs(given: tuple[Path, ...], folder: Path) -> tuple[Path, ...]:
    """The files of some inputs: those that are tables of a database fetched into `folder`."""
    return tuple(fetch_table(str(one), folder) if is_postgis(str(one)) else one for one in given)


def fetch_table(address: str, folder: Path) -> Path:
    """A table of a database as a file, ``schema.table.gpkg`` (``.csv`` where it has no geometry).

    Raises
    ------
    ParameterError : psycopg is missing; the address names no table.
    UnsolvedError
        The database cannot be reached; no such table; several geometries; shapes without a
        coordinate system.
    """
    whole = address if "://" in address else address.replace(":/", "://", 1)
    base, _, named = whole.partition("#")
    if "@" in named and "@" not in base:  # a password with a # in it
        base, named = whole, ""
    schema, _, table = named.rpartition(".")
    if not table:
        raise ParameterError("postgis_no_table", address=shown(base))
    schema = schema or "public"
    with connected(base) as connection:
        from psycopg import sql

        kinds = connection.execute(
            "SELECT a.attname, t.typname FROM pg_attribute a JOIN pg_type t ON t.oid = a.atttypid "
            "JOIN pg_class c ON c.oid = a.attrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            "WHERE n.nspname = %s AND c.relname = %s AND a.attnum > 0 AND NOT a.attisdropped "
            "ORDER BY a.attnum",
            (schema, table),
        ).fetchall()
        if not kinds:
            raise UnsolvedError("postgis_unknown_table", table=named, address=shown(base))
        shapes = [name for name, kind in kinds if kind in ("geometry", "geography")]
        if len(shapes) > 1:
            raise UnsolvedError("postgis_geometries", table=named, names=", ".join(shapes))
        picked = [
            sql.SQL("ST_AsEWKB({}::geometry)").format(sql.Identifier(name))
            if name in shapes
            else sql.Identifier(name)
            for name, _ in kinds
        ]
        rows = connection.execute(
            sql.SQL("SELECT {} FROM {} ORDER BY 1").format(
                sql.SQL(", ").join(picked), sql.Identifier(schema, table)
            )
        ).fetchall()
    frame = pd.DataFrame(rows, columns=[name for name, _ in kinds], dtype=object)
    for name in frame.columns:
        if name not in shapes:
            frame[name] = frame[name].map(_value)
    return _written(frame, shapes[0] if shapes else None, folder, f"{schema}.{table}", named)


def _value(value: Any) -> Any:
    """A value as a file can hold it."""
    if isinstance(value, decimal.Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, (datetime.date, datetime.datetime)):
        return value.isoformat()
    return value if isinstance(value, _PLAIN) else str(value)


def _written(frame: pd.DataFrame, shape: str | None, folder: Path, stem: str, named: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    if shape is None:
        file = folder / f"{stem}.csv"
        frame.to_csv(file, index=False)
        return file
    geometry = shapely.from_wkb([None if one is None else bytes(one) for one in frame[shape]])
    srids = {int(one) for one in shapely.get_srid(geometry) if one > 0}
    if len(srids) != 1:
        raise UnsolvedError("postgis_no_srid", table=named, srids=", ".join(map(str, srids)) or "0")
    rest = frame.drop(columns=shape).infer_objects()
    placed = gpd.GeoDataFrame(rest, geometry=geometry, crs=srids.pop())
    file = folder / f"{stem}.gpkg"
    placed.to_file(file, layer=stem.rpartition(".")[2], engine="pyogrio")
    return file
