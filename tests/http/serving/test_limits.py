"""A key's requests are counted over all workers; what was refused does not count."""

from __future__ import annotations

from collections import deque
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lifecircle.service.app import create_app
from lifecircle.service.database.engine import open_database
from lifecircle.service.database.keys import add_key
from lifecircle.service.edge.limits import MOST_KEYS, KeyLimit
from lifecircle.service.settings import Settings

BEGIN = 1_700_000_000.0


class Clock:
    def __init__(self) -> None:
        self.now = BEGIN

    def __call__(self) -> float:
        return self.now


def test_two_workers_share_what_a_key_may_ask(tmp_path: Path) -> None:
    clock = Clock()
    one, two = KeyLimit(10, tmp_path, clock), KeyLimit(10, tmp_path, clock)
    waits = [worker.wait_s("a" * 12) for _ in range(8) for worker in (one, two)]
    assert [wait == 0 for wait in waits] == [True] * 10 + [False] * 6
    assert two.wait_s("b" * 12) == 0
    clock.now += waits[-1] - 1
    assert one.wait_s("a" * 12) > 0
    clock.now += 1
    assert one.wait_s("a" * 12) == 0


def test_a_worker_that_is_new_knows_what_was_asked_before(tmp_path: Path) -> None:
    clock = Clock()
    old = KeyLimit(3, tmp_path, clock)
    assert [old.wait_s("a" * 12) for _ in range(3)] == [0, 0, 0]
    assert KeyLimit(3, tmp_path, clock).wait_s("a" * 12) > 0


@given(
    st.lists(st.tuples(st.integers(0, 2), st.floats(0, 40)), max_size=60), st.integers(1, 8)
)  # fmt: skip
def test_nobody_asks_more_than_twice_the_limit_in_any_minute(
    asked: list[tuple[int, float]], most: int
) -> None:
    """Against the times themselves: a count by minutes is never off by more than its own."""
    clock = Clock()
    limit = KeyLimit(most, None, clock)
    let_in: deque[float] = deque()
    for _, after_s in asked:
        clock.now += after_s
        within = [when for when in let_in if when > clock.now - 60]
        if limit.wait_s("a" * 12) == 0:
            assert len(within) < 2 * most
            let_in.append(clock.now)
        else:
            assert len([when for when in let_in if when > clock.now - 120]) >= most


def test_more_keys_than_columns_share_the_last(tmp_path: Path) -> None:
    limit = KeyLimit(1, None, Clock())
    assert not any(limit.wait_s(f"{k:012x}") for k in range(MOST_KEYS))
    assert limit.wait_s("f" * 12) > 0


def test_too_many_requests_are_told_to_come_back(root: Path) -> None:
    _, written = add_key(open_database(root), "王工", "viewer", None, "test")
    app = create_app(Settings(workspace=root, requests_per_minute=3))
    asked = TestClient(app, base_url="http://127.0.0.1", client=("10.0.0.9", 1))
    answers = [
        asked.get("/areas/tiny/coverage", headers={"authorization": f"Bearer {written}"})
        for _ in range(5)
    ]
    assert [one.status_code for one in answers] == [200] * 3 + [429] * 2
    told = answers[-1].json()
    assert told["key"] == "key_too_often"
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 120
