"""Runs in a real PostGIS: types, keys, comments, exchange in one transaction, tables as inputs."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import psycopg
import pytest
import shapely
from psycopg import sql

from lifecircle.analysis.build_request import BuildRequest
from lifecircle.analysis.errors import LifecircleError, ParameterError, UnsolvedError
from lifecircle.analysis.pipeline import build_area
from lifecircle.analysis.postgis.connecting import connected, is_postgis, shown
from lifecircle.analysis.postgis.fetch import fetch_table
from lifecircle.analysis.postgis.publish import publish
from lifecircle.analysis.results.layers.layers import layer_columns, layer_frame, layers_of
from lifecircle.analysis.results.model import Run
from lifecircle.analysis.results.store import Workspace
from tests.batch.towns import write_town
from tests.command.run import lifecircle
from tests.worlds.tiny import tiny_run


@pytest.fixture
def database(postgres: str, request: pytest.FixtureRequest) -> Iterator[str]:
    """A database of the test's own."""
    name = f"t{abs(hash(request.node.name)) % 10**9}"
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    yield postgres.replace("/postgres?", f"/{name}?")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return tiny_run(tmp_path_factory.mktemp("tiny"))


def rows(address: str, query: str, *values: Any) -> list[tuple[Any, ...]]:
    with psycopg.connect(address) as connection:
        return connection.execute(query.encode(), values).fetchall()


def test_every_layer_holds_what_the_run_says(database: str, run: Run) -> None:
    done = publish(run, database, "tiny")
    assert done.schema == "tiny"
    assert set(done.rows) == set(layers_of(run))
    for layer in layers_of(run):
        frame = layer_frame(run, layer)
        columns = layer_columns(run, layer)
        names = ", ".join(f'"{column.name}"' for column in columns)
        held = rows(
            database,
            f'SELECT {names}, ST_AsBinary(geometry), ST_SRID(geometry) FROM tiny."{layer}"',
        )
        assert len(held) == len(frame) == done.rows[layer]
        by_id = {row[0]: row for row in held}
        for row in frame.itertuples(index=False):
            mine = by_id[row[0]]
            for i, column in enumerate(columns):
                if pd.isna(row[i]):
                    assert mine[i] is None, (layer, column.name)
                elif column.dtype == "number":
                    assert mine[i] == pytest.approx(row[i], rel=1e-15)
                else:
                    assert mine[i] == row[i], (layer, column.name)
            assert shapely.from_wkb(mine[-2]).equals(row[-1])
            assert mine[-1] == 4326
    held = rows(database, "SELECT run, area, manifest ->> 'run' FROM tiny.run")
    assert held == [(run.manifest.run, run.manifest.area, run.manifest.run)]


def test_keys_indices_and_comments_are_there(database: str, run: Run) -> None:
    publish(run, database, "tiny")
    keys = rows(
        database,
        "SELECT table_name FROM information_schema.table_constraints "
        "WHERE table_schema = 'tiny' AND constraint_type = 'PRIMARY KEY'",
    )
    assert {key for (key,) in keys} == {*layers_of(run), "run"}
    indices = rows(database, "SELECT indexdef FROM pg_indexes WHERE schemaname = 'tiny'")
    gist = [one for (one,) in indices if "USING gist" in one]
    assert len(gist) == len(layers_of(run))
    ((comment,),) = rows(
        database,
        "SELECT col_description('tiny.cells'::regclass, attnum) FROM pg_attribute "
        "WHERE attrelid = 'tiny.cells'::regclass AND attname = 'access_m'",
    )
    assert "(m)" in comment
    assert "空值" in comment
    kinds = dict(rows(database, "SELECT f_table_name, type FROM geometry_columns"))
    assert (kinds["units"], kinds["network"]) == ("MULTIPOLYGON", "LINESTRING")
    assert kinds["facilities"] == "GEOMETRY"  # points, and the outlines of parks


_COMMENTS = (
    "SELECT relname || '.' || attname, coalesce(col_description(attrelid, attnum), '') "
    "FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid "
    "WHERE relnamespace = 'tiny'::regnamespace AND relkind = 'r' "
    "AND attnum > 0 AND NOT attisdropped"
)


def test_every_column_is_explained_in_chinese_and_in_english(database: str, run: Run) -> None:
    publish(run, database, "tiny")
    told = dict(rows(database, _COMMENTS))
    assert {name.partition(".")[0] for name in told} == {*layers_of(run), "run"}
    both = re.compile(r"[\u4e00-\u9fff].* / .*[a-z]{2}", re.DOTALL)
    assert [name for name, comment in told.items() if not both.search(comment)] == []
    with psycopg.connect(database) as connection:  # as an earlier lifecircle left it
        connection.execute("COMMENT ON COLUMN tiny.run.area IS NULL")
    publish(run, database, "tiny")
    assert dict(rows(database, _COMMENTS)) == told


def test_publishing_again_keeps_views_and_grants_and_never_shows_a_half(
    database: str, run: Run
) -> None:
    publish(run, database, "tiny")
    with psycopg.connect(database) as connection:
        connection.execute("CREATE VIEW public.near AS SELECT id FROM tiny.cells")
        connection.execute("GRANT SELECT ON tiny.cells TO PUBLIC")
    count = len(layer_frame(run, "cells"))
    seen: set[int] = set()
    over = threading.Event()

    def read() -> None:
        with psycopg.connect(database, autocommit=True) as connection:
            while not over.is_set():
                found = connection.execute("SELECT count(*) FROM public.near").fetchone()
                assert found is not None
                seen.add(found[0])

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(3):
        publish(run, database, "tiny")
    over.set()
    reader.join()
    assert seen == {count}
    grants = rows(
        database,
        "SELECT grantee FROM information_schema.role_table_grants "
        "WHERE table_schema = 'tiny' AND table_name = 'cells' AND grantee = 'PUBLIC'",
    )
    assert grants == [("PUBLIC",)]


def test_what_is_not_ours_or_stood_upon_is_left_and_nothing_is_written(
    database: str, run: Run
) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE SCHEMA own")
        connection.execute("CREATE TABLE own.units (id text)")
        connection.execute("INSERT INTO own.units VALUES ('kept')")
    with pytest.raises(UnsolvedError, match="did not make"):
        publish(run, database, "own")
    assert rows(database, "SELECT id FROM own.units") == [("kept",)]
    assert rows(database, "SELECT to_regclass('own.cells')::text") == [(None,)]
    publish(run, database, "tiny")
    with psycopg.connect(database) as connection:
        connection.execute("ALTER TABLE tiny.units ADD COLUMN note text")
        connection.execute("CREATE VIEW public.upon AS SELECT note FROM tiny.units")
    with pytest.raises(UnsolvedError, match="upon"):
        publish(run, database, "tiny")
    with psycopg.connect(database) as connection:
        connection.execute("DROP VIEW public.upon")
    publish(run, database, "tiny")
    columns = rows(
        database,
        "SELECT 1 FROM information_schema.columns WHERE table_schema = 'tiny' "
        "AND table_name = 'units' AND column_name = 'note'",
    )
    assert columns == []


def test_hostile_names_are_data(database: str, run: Run) -> None:
    name = 'a"; DROP SCHEMA public CASCADE; --'
    publish(run, database, name)
    assert rows(database, "SELECT nspname FROM pg_namespace WHERE nspname = %s", name) == [(name,)]
    assert rows(database, "SELECT 1 FROM pg_namespace WHERE nspname = 'public'") == [(1,)]


@pytest.mark.parametrize(
    "address",
    [
        "host=127.0.0.1 password=secret",
        "postgres://planner:secret@[::bad/x",
        "postgresql://planner:sec/ret@127.0.0.1:1/city",
        "postgresql://planner:12/secret@127.0.0.1:1/city",
        "postgresql://planner:12#secret@127.0.0.1:1/city",
        "postgresql://planner:secret@127.0.0.1:port/city",
        "postgresql://planner:secret@127.0.0.1:1/city?nonsense=%zz",
        "secret@127.0.0.1",
    ],
)
def test_what_is_no_address_shows_no_password(address: str, tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as published, connected(address):
        pass
    with pytest.raises(ParameterError) as fetched:
        fetch_table(f"{address}#a.b", tmp_path)
    for lang in ("zh", "en"):
        assert "secret" not in published.value.text(lang) + fetched.value.text(lang)


def test_refusals_tell_no_password(run: Run) -> None:
    address = "postgresql://planner:secret@127.0.0.1:1/city"
    with pytest.raises(UnsolvedError) as caught:
        publish(run, address)
    assert caught.value.exit_code == 3
    for lang in ("zh", "en"):
        assert "secret" not in caught.value.text(lang)
        assert "127.0.0.1:1/city" in caught.value.text(lang)
    assert shown(address) == "postgresql://127.0.0.1:1/city"
    with pytest.raises(ParameterError):
        publish(run, "mysql://x/y")


def test_tables_are_inputs(database: str, tmp_path: Path) -> None:
    write_town(tmp_path, "town", residents=100)
    with psycopg.connect(database) as connection:
        connection.execute("CREATE EXTENSION postgis")
        connection.execute(
            "CREATE TABLE people AS SELECT * FROM (VALUES "
            "(1, 100::numeric, ST_SetSRID(ST_MakePoint(0.0001, 0), 4326)), "
            "(2, 200::numeric, ST_SetSRID(ST_MakePoint(0.017, 0), 4326))) "
            "AS t(id, population, geom)"
        )
        connection.execute(
            "CREATE TABLE shops AS SELECT * FROM (VALUES "
            "('pharmacy', '一店', 0.0002::float8, 0::float8)) AS t(type, name, lon, lat)"
        )
    base = f"{database}#public."
    request = BuildRequest(
        "town", osm=tmp_path / "town.osm", population=Path(f"{base}people"),
        facilities=(Path(f"{base}shops"),), datum="wgs84", policy="cn-15min",
    )  # fmt: skip
    run = build_area(request, Workspace(tmp_path / "ws"))
    assert run.manifest.residents == 300
    assert {one.name for one in run.manifest.inputs} >= {"public.people.gpkg", "public.shops.csv"}
    assert "tester" not in str(run.manifest)
    for table, told in (("nobody", "no table"), ("", "behind a #")):
        with pytest.raises(LifecircleError, match=told):
            build_area(
                replace(request, population=Path(f"{base}{table}") if table else Path(database)),
                Workspace(tmp_path / "ws"),
            )
    with psycopg.connect(database) as connection:
        connection.execute("CREATE TABLE lost AS SELECT 1 AS id, ST_MakePoint(0, 0) AS geom")
    with pytest.raises(UnsolvedError, match="SRID"):
        fetch_table(f"{base}lost", tmp_path)


def test_a_path_is_no_database() -> None:
    assert is_postgis("postgresql://x/y#a.b")
    assert is_postgis(str(Path("postgresql://x/y#a.b")))
    assert not is_postgis("postgresql.csv")
    assert not is_postgis("C:/x.csv")


def test_the_command_publishes(database: str, run: Run) -> None:
    root = run.path.parents[2]
    done = lifecircle("publish", run.manifest.area, "--to", database, "--schema", "s",
                      workspace=root, lang="zh")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "s.cells" in done.stdout
    assert rows(database, "SELECT count(*) FROM s.run") == [(1,)]
