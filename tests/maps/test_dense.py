"""Long lists of whole numbers in a page are read again as they were, by another reader."""

from __future__ import annotations

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lifecircle.service.maps.dense import SHORTEST, dense
from tests.pages.map_pages import plain

WHOLE = st.none() | st.integers(-(2**30) + 1, 2**30 - 1) | st.integers(-17, 17)


@given(st.lists(WHOLE, min_size=SHORTEST, max_size=SHORTEST + 20))
def test_a_list_comes_back_as_it_was(numbers: list[int | None]) -> None:
    written = dense({"shape": {"d": numbers}})
    assert list(written["shape"]["d"]) in (["vlq"], ["sum"])
    assert json.loads(json.dumps(written), object_hook=plain) == {"shape": {"d": numbers}}


def test_what_grows_is_written_by_its_steps() -> None:
    ids = list(range(1000, 1000 + SHORTEST))
    assert dense(ids) == dense(np.array(ids)) == {"sum": "w-B" + "C" * (SHORTEST - 1)}
    places = [102.5 + k / 1_000_000 for k in range(SHORTEST)]
    assert json.loads(json.dumps(dense(places)), object_hook=plain) == places


@given(st.lists(st.integers(-(2**33), 2**33), max_size=SHORTEST + 9))
def test_an_array_is_the_list_of_its_numbers(numbers: list[int]) -> None:
    written = dense({"a": np.array(numbers, dtype=np.int64)})
    assert json.loads(json.dumps(written), object_hook=plain) == {"a": numbers}


IDS = st.tuples(
    st.sampled_from(["node/", "F0", "", "\n"]), st.integers(0, 10**12), st.sampled_from(["", "@a"])
).map(lambda parts: "".join(map(str, parts)))


@given(st.lists(IDS, min_size=SHORTEST, max_size=SHORTEST + 9, unique=True))
def test_ids_come_back(ids: list[str]) -> None:
    assert json.loads(json.dumps(dense({"a": ids})), object_hook=plain) == {"a": ids}


def test_ids_that_begin_alike_are_short() -> None:
    ids = [f"node/{408_575 + k}" for k in range(2 * SHORTEST)]
    assert len(json.dumps(dense(ids))) < len(json.dumps(ids)) / 3
    padded = [f"F{k:05d}" for k in range(2 * SHORTEST)]
    assert json.loads(json.dumps(dense(padded)), object_hook=plain) == padded


TEXTS = st.sampled_from([None, "", "A", "未评估", "</script>"])
DECIMALS = st.none() | st.integers(-(10**9), 10**9).map(lambda n: n / 100_000)
ROWS = st.tuples(WHOLE, TEXTS, DECIMALS).map(list)


@given(st.lists(st.one_of(TEXTS, DECIMALS, WHOLE), min_size=SHORTEST, max_size=SHORTEST + 9))
def test_lists_of_anything_come_back(held: list[object]) -> None:
    assert json.loads(json.dumps(dense({"a": held})), object_hook=plain) == {"a": held}


@given(st.lists(ROWS, min_size=SHORTEST, max_size=SHORTEST + 9))
def test_rows_are_written_by_columns(rows: list[list[object]]) -> None:
    columns = [list(column) for column in zip(*rows, strict=True)]
    assert set(dense(rows)) == {"columns"}
    for held in (rows, columns):
        assert json.loads(json.dumps(dense({"a": held})), object_hook=plain) == {"a": held}


def test_as_source_maps_write_it() -> None:
    known = {0: "A", 1: "C", -1: "D", 16: "gB", -16: "hB", 123: "2H"}
    for number, text in known.items():
        assert dense([*[number] * SHORTEST, None]) == {"vlq": text * SHORTEST + "."}


def test_what_is_no_long_list_of_whole_numbers_stays() -> None:
    for held in ([1] * (SHORTEST - 1), [1 / 3] * 100, [True] * 100, [2**30] * 100, []):
        assert dense(held) == held
