"""A run's layers as tables of a schema: typed, keyed, indexed, every column explained.

Tables that are there already keep their grants and the views upon them: their rows are exchanged
in one transaction, so that a reader sees the run of before or the new one, never a half.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from lifecircle.analysis.errors import ParameterError, UnsolvedError
from lifecircle.analysis.postgis.connecting import connected
from lifecircle.analysis.results.columns import OPTIONAL_LAYERS, Column
from lifecircle.analysis.results.layers.layers import layer_columns, layer_frame, layers_of
from lifecircle.analysis.results.model import Manifest, Run
from lifecircle.analysis.texts import MESSAGES

if TYPE_CHECKING:
    import psycopg

RUN_TABLE: Final = "run"
_MARK: Final = "lifecircle"  # begins the comment of every table that is ours
_SRID: Final = 4326
_LONGEST_NAME: Final = 63  # bytes of an identifier in PostgreSQL
_TYPES: Final = {"text": "text", "integer": "bigint", "number": "double precision",
                 "boolean": "boolean"}  # fmt: skip
_INDEXED: Final = ("unit_code", "service", "code", "level", "facility")
_GEOMETRIES: Final = {"units": "MultiPolygon", "gaps": "MultiPolygon",
                      "catchments": "MultiPolygon", "network": "LineString",
                      "proposals": "Point"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Published:
    """What a run is in the database: rows by table of a schema."""

    schema: str
    rows: dict[str, int]


def publish(run: Run, address: str, schema: str | None = None) -> Published:
    """Write all layers of a run in one transaction.

    Parameters
    ----------
    address : ``postgresql://[user@]host[:port]/database``; the password by ``PGPASSWORD`` or
        ``~/.pgpass``.
    schema : where the tables stand, made where there is none; the area's name by default.

    Raises
    ------
    ParameterError : psycopg is missing, the address is none, a name is too long.
    UnsolvedError
        The database cannot be reached or refuses; a table of that name is not ours; a view
        stands upon a table whose columns have changed. Nothing is written then.
    """
    from psycopg import sql

    named = schema or run.manifest.area
    rows: dict[str, int] = {}
    with connected(address) as connection:
        connection.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", (f"lifecircle {named}",))
        _ensure_postgis(connection)
        connection.execute(sql.SQL("CREATE SCHEMA IF NOT EXISTS {}").format(sql.Identifier(named)))
        for layer in layers_of(run):
            table = _table(run, layer)
            _write(connection, named, table)
            rows[layer] = len(table.frame)
        _write(connection, named, _run_table(run.manifest))
        for name in OPTIONAL_LAYERS:
            if name not in rows:
                _empty(connection, named, name)
    return Published(named, rows)


@dataclass(frozen=True, slots=True)
class _Table:
    """A table as it is to be: columns with their types and comments, and its rows."""

    name: str
    about: str
    columns: tuple[tuple[str, str, str], ...]
    frame: pd.DataFrame
    key: str


def _table(run: Run, layer: str) -> _Table:
    frame = layer_frame(run, layer)
    columns = layer_columns(run, layer)
    for column in columns:
        if len(column.name.encode()) > _LONGEST_NAME:
            raise ParameterError("postgis_long_name", name=column.name, most=_LONGEST_NAME)
    kind, shapes = _shapes(layer, frame)
    plain = pd.DataFrame({column.name: _plain(frame[column.name], column) for column in columns})
    plain["geometry"] = shapely.to_wkb(shapely.set_srid(shapes, _SRID), hex=True, include_srid=True)
    told = [(column.name, _TYPES[column.dtype], _comment(column)) for column in columns]
    told.append(("geometry", f"geometry({kind},{_SRID})", _said("postgis_geometry", srid=_SRID)))
    title = run.manifest.title
    about = f"{_MARK}: {title.zh} / {title.en}, {layer}, {run.manifest.run}"
    return _Table(layer, about, tuple(told), plain, "id")


def _run_table(manifest: Manifest) -> _Table:
    """One row: which run the tables hold, and its whole manifest."""
    content = json.dumps(asdict(manifest), ensure_ascii=False, default=str)
    values = {
        "run": manifest.run, "area": manifest.area, "title_zh": manifest.title.zh,
        "title_en": manifest.title.en, "created": manifest.created,
        "policy": manifest.policy_id, "manifest": content,
    }  # fmt: skip
    kinds = {"created": "timestamptz", "manifest": "jsonb"}
    columns = tuple(
        (name, kinds.get(name, "text"), _said(f"postgis_run_{name}")) for name in values
    )
    frame = pd.DataFrame([values], dtype=object)
    return _Table(RUN_TABLE, f"{_MARK}: {manifest.run}", columns, frame, "run")


def _plain(values: pd.Series[Any], column: Column) -> pd.Series[Any]:
    """Values as Python objects, None where there is none."""
    held = values.astype(object)
    if column.dtype == "integer":
        held = held.map(lambda one: one if pd.isna(one) else int(one))
    return held.where(held.notna(), None)


def _comment(column: Column) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    return _said("postgis_column", title=column.title, unit=unit, null=column.null)


def _said(key: str, **params: Any) -> str:
    """A text in both languages, as a comment has it."""
    both = MESSAGES.both(key, **params)
    return f"{both.zh} / {both.en}"


def _shapes(layer: str, frame: gpd.GeoDataFrame) -> tuple[str, np.ndarray[Any, Any]]:
    """The kind of geometry of a layer, the same in every run, and its shapes of that kind."""
    kind = _GEOMETRIES.get(layer, "Geometry")
    shapes = np.array(frame.geometry, dtype=object)
    if kind == "MultiPolygon":
        single = shapely.get_type_id(shapes) == shapely.GeometryType.POLYGON
        shapes[single] = [shapely.MultiPolygon([one]) for one in shapes[single]]
    return kind, shapes


def _ensure_postgis(connection: psycopg.Connection[Any]) -> None:
    found = connection.execute("SELECT 1 FROM pg_extension WHERE extname = 'postgis'").fetchone()
    if found is None:
        connection.execute("CREATE EXTENSION postgis")


def _write(connection: psycopg.Connection[Any], schema: str, table: _Table) -> None:
    """Exchange the rows of a table, or make it anew where its columns are others."""
    from psycopg import sql

    place = sql.Identifier(schema, table.name)
    held = _columns_of(connection, schema, table.name)
    if held is not None:
        _refuse_foreign(connection, schema, table.name)
    if held == [(name, kind) for name, kind, _ in table.columns]:
        connection.execute(sql.SQL("DELETE FROM {}").format(place))
    else:
        if held is not None:
            _drop(connection, schema, table.name)
        _create(connection, schema, table)
    names = sql.SQL(", ").join(sql.Identifier(name) for name, _, _ in table.columns)
    order = sql.SQL("COPY {} ({}) FROM STDIN").format(place, names)
    with connection.cursor() as cursor, cursor.copy(order) as copy:
        for row in table.frame.itertuples(index=False, name=None):
            copy.write_row(row)
    _say(connection, schema, table)


def _create(connection: psycopg.Connection[Any], schema: str, table: _Table) -> None:
    from psycopg import sql

    place = sql.Identifier(schema, table.name)
    lines = [
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind))
        for name, kind, _ in table.columns
    ]
    lines.append(sql.SQL("PRIMARY KEY ({})").format(sql.Identifier(table.key)))
    connection.execute(sql.SQL("CREATE TABLE {} ({})").format(place, sql.SQL(", ").join(lines)))
    for name, _, _ in table.columns:
        if name in _INDEXED or name == "geometry":
            how = sql.SQL("USING gist" if name == "geometry" else "")
            connection.execute(
                sql.SQL("CREATE INDEX ON {} {} ({})").format(place, how, sql.Identifier(name))
            )


def _say(connection: psycopg.Connection[Any], schema: str, table: _Table) -> None:
    """Comments on a table and every column, also where an earlier lifecircle made it."""
    from psycopg import sql

    place, about = sql.Identifier(schema, table.name), sql.Literal(table.about)
    connection.execute(sql.SQL("COMMENT ON TABLE {} IS {}").format(place, about))
    for name, _, told in table.columns:
        column, comment = sql.Identifier(schema, table.name, name), sql.Literal(told)
        connection.execute(sql.SQL("COMMENT ON COLUMN {} IS {}").format(column, comment))


def _columns_of(
    connection: psycopg.Connection[Any], schema: str, name: str
) -> list[tuple[str, str]] | None:
    """Names and types of a table's columns, None where there is no such table."""
    rows: Sequence[tuple[str, str]] = connection.execute(
        "SELECT attname, CASE atttypid WHEN 'timestamptz'::regtype "
        "THEN 'timestamptz' ELSE format_type(atttypid, atttypmod) END FROM pg_attribute "
        "WHERE attrelid = to_regclass(%s) AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
        (_quoted(schema, name),),
    ).fetchall()
    return list(rows) or None


def _quoted(*names: str) -> str:
    return ".".join('"' + name.replace('"', '""') + '"' for name in names)


def _refuse_foreign(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    found = connection.execute(
        "SELECT obj_description(to_regclass(%s), 'pg_class')", (_quoted(schema, name),)
    ).fetchone()
    if found is None or not str(found[0] or "").startswith(_MARK):
        raise UnsolvedError("postgis_foreign", table=f"{schema}.{name}")


def _drop(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Drop a table of ours, unless somebody's view stands upon it."""
    from psycopg import errors, sql

    try:
        connection.execute(sql.SQL("DROP TABLE {}").format(sql.Identifier(schema, name)))
    except errors.DependentObjectsStillExist as error:
        upon = ", ".join(_views(str(error.diag.message_detail or "")))
        raise UnsolvedError("postgis_views", table=f"{schema}.{name}", views=upon) from error


def _views(detail: str) -> Iterator[str]:
    """The objects that PostgreSQL says depend on a table."""
    for line in detail.splitlines():
        yield line.partition(" depends on")[0]


def _empty(connection: psycopg.Connection[Any], schema: str, name: str) -> None:
    """Take out what an earlier run had in a layer that this one has not."""
    from psycopg import sql

    if _columns_of(connection, schema, name) is not None:
        _refuse_foreign(connection, schema, name)
        place = sql.Identifier(schema, name)
        connection.execute(sql.SQL("DELETE FROM {}").format(place))
