"""One contract for what is kept, in SQLite and in PostgreSQL: versions, history, nobody lost."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, create_engine, inspect, text

from lifecircle.service.database.audit import Writer, history_of
from lifecircle.service.database.engine import migrate, open_database
from lifecircle.service.database.kept import REVIEWS, SCENARIOS, runs_held
from lifecircle.service.database.keys import add_key, find_key
from lifecircle.service.database.tables import Base
from lifecircle.service.errors import ConflictError, LifecircleError, MissingError

ME = Writer("王工")
REVIEW: dict[str, Any] = {
    "kind": "facility", "target": "h1", "name": "中心", "service": "health_centre", "lon": 102.7,
    "lat": 25.04, "run": "r1", "verdict": "confirmed", "note": "", "author": "王工",
}  # fmt: skip
SCENARIO: dict[str, Any] = {
    "title": "<b>一</b>", "author": "王工", "note": "说明\n二", "run": "r1",
    "asked": {"minutes": None, "walker": "adult", "by": None},
    "edits": [{"op": "remove_facility", "id": "h1"}], "results": {"services": []},
}  # fmt: skip


@pytest.fixture(params=["sqlite", "postgresql"])
def engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    if request.param == "sqlite":
        opened = open_database(tmp_path)
    else:
        opened = open_database(tmp_path, request.getfixturevalue("postgres"))
        with opened.begin() as line:
            line.execute(text("TRUNCATE scenarios, reviews, jobs, audit, sessions, keys"))
    yield opened
    opened.dispose()


def test_the_tables_are_those_of_the_migrations(engine: Engine) -> None:
    found = inspect(engine)
    for name, table in Base.metadata.tables.items():
        there = {column["name"]: column["nullable"] for column in found.get_columns(name)}
        assert there == {column.name: bool(column.nullable) for column in table.columns}
    migrate(engine)


def test_a_record_is_kept_changed_and_put_away(engine: Engine) -> None:
    key, _ = add_key(engine, "key", "planner", None, "test")
    kept = SCENARIOS.add(engine, "tiny", SCENARIO, Writer("李工", key.id))
    assert (kept.version, dict(kept.held)) == (1, SCENARIO)
    assert SCENARIOS.all_of(engine, "tiny") == [kept] == [SCENARIOS.one(engine, "tiny", kept.id)]
    assert SCENARIOS.all_of(engine, "other") == []
    with pytest.raises(MissingError):
        SCENARIOS.one(engine, "other", kept.id)
    assert runs_held(engine, "tiny") == {"r1"}
    assert runs_held(engine, "other") == frozenset()
    second = SCENARIOS.change(engine, kept, {"title": "二", "run": "r2"}, ME, "rebase")
    assert (second.version, second.held["title"], second.held["edits"]) == (
        2, "二", SCENARIO["edits"],
    )  # fmt: skip
    assert second.changed >= second.created == kept.created
    assert runs_held(engine, "tiny") == {"r2"}
    with pytest.raises(ConflictError) as refused:
        SCENARIOS.change(engine, kept, {"title": "三"}, ME)
    assert refused.value.params == {"version": 1, "now": 2}
    with pytest.raises(ConflictError):
        SCENARIOS.put_away(engine, "tiny", kept.id, 1, ME)
    assert SCENARIOS.one(engine, "tiny", kept.id).held["title"] == "二"
    SCENARIOS.put_away(engine, "tiny", kept.id, 2, ME)
    assert SCENARIOS.all_of(engine, "tiny") == []
    assert runs_held(engine, "tiny") == frozenset()
    with pytest.raises(MissingError):
        SCENARIOS.change(engine, second, {"title": "四"}, ME)
    history = history_of(engine, f"scenario/{kept.id}")
    assert [(one["action"], one["actor"]) for one in history] == [
        ("scenario.add", "李工"), ("scenario.rebase", "王工"), ("scenario.delete", "王工"),
    ]  # fmt: skip
    assert history[0]["before"] is None and history[2]["after"] is None
    assert (history[1]["before"]["title"], history[1]["after"]["title"]) == ("<b>一</b>", "二")
    assert history[2]["before"] == history[1]["after"]
    assert history[2]["before"]["version"] == 2


def test_two_at_once_are_both_kept_or_one_is_told(engine: Engine) -> None:
    """Eight add marks at once: eight marks. Eight change one: one does, seven are told."""
    ready = threading.Barrier(8)
    done: list[Any] = []

    def add(number: int) -> None:
        ready.wait()
        done.append(REVIEWS.add(engine, "tiny", {**REVIEW, "note": str(number)}, ME))

    every([threading.Thread(target=add, args=(one,)) for one in range(8)])
    kept = REVIEWS.all_of(engine, "tiny")
    assert sorted(one.held["note"] for one in kept) == [str(one) for one in range(8)]
    first, told = kept[0], []

    def change(number: int) -> None:
        ready.wait()
        try:
            told.append(REVIEWS.change(engine, first, {"note": f"by {number}"}, ME))
        except LifecircleError as error:
            told.append(error)

    every([threading.Thread(target=change, args=(one,)) for one in range(8)])
    wrote = [one for one in told if not isinstance(one, Exception)]
    assert len(wrote) == 1
    assert [type(one) for one in told if isinstance(one, Exception)] == [ConflictError] * 7
    assert REVIEWS.one(engine, "tiny", first.id) == wrote[0]
    assert len(history_of(engine, f"review/{first.id}")) == 2


def every(threads: list[threading.Thread]) -> None:
    for one in threads:
        one.start()
    for one in threads:
        one.join()


def test_a_database_of_the_first_version_goes_on(tmp_path: Path) -> None:
    file = tmp_path / ".service" / "lifecircle.sqlite3"
    file.parent.mkdir()
    first = create_engine(f"sqlite:///{file}")
    migrate(first, "0001")
    assert set(inspect(first).get_table_names()) == {"keys", "audit", "alembic_version"}
    key, written = add_key(first, "a", "planner", None, "test")
    first.dispose()
    engine = open_database(tmp_path)
    assert find_key(engine, written) == key
    assert SCENARIOS.all_of(engine, "tiny") == []
    engine.dispose()
