"""Pieces of graphs beside scipy's, and the machine's threads, which change nothing."""

from __future__ import annotations

import gc
import threading

import numpy as np
import pytest
from scipy import ndimage
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from lifecircle.analysis import machine
from lifecircle.analysis.city.datum_shift import convolve_nearest
from lifecircle.analysis.errors import ParameterError
from lifecircle.analysis.grouping.connected import connected_pieces
from lifecircle.analysis.machine import (
    begin,
    collecting_seldom,
    map_side_by_side,
    thread_count,
    using_threads,
)


@pytest.mark.parametrize(("nodes", "links"), [(1, 0), (7, 3), (100, 60), (2_000, 1_500)])
def test_pieces_are_numbered_as_scipy_numbers_them(nodes: int, links: int) -> None:
    rng = np.random.default_rng(nodes)
    for _ in range(20):
        one, other = rng.integers(0, nodes, (2, links))
        graph = coo_array((np.ones(links, np.int8), (one, other)), shape=(nodes, nodes))
        expected = connected_components(graph, directed=False)[1]
        assert np.array_equal(connected_pieces(nodes, one, other), expected)


def test_a_convolution_is_scipys_to_the_last_bit() -> None:
    rng = np.random.default_rng(1)
    half = rng.random((5, 7)) * (rng.random((5, 7)) < 0.6)
    weight = half + half[::-1, ::-1]  # the same through its middle
    values = rng.random((19, 23))
    expected = ndimage.convolve(values, weight, mode="nearest")
    assert np.array_equal(convolve_nearest(values, weight), expected)


@pytest.mark.parametrize("threads", [None, 1, 3])
def test_what_is_made_side_by_side_keeps_its_order(threads: int | None) -> None:
    names: set[str] = set()

    def make(number: int) -> int:
        names.add(threading.current_thread().name)
        return number**2

    with using_threads(threads):
        assert map_side_by_side(make, range(9)) == [n**2 for n in range(9)]
        assert begin(lambda: make(3))() == 9
        with pytest.raises(ZeroDivisionError):
            begin(lambda: 1 // (make(0)))()
    assert (names == {threading.current_thread().name}) is (threads == 1)


@pytest.mark.parametrize("threads", [1, 3])
def test_of_several_faults_the_first_is_told(threads: int) -> None:
    def make(number: int) -> None:
        raise ValueError(number)

    with using_threads(threads):
        for count in (2, 3, 9):
            with pytest.raises(ValueError, match=r"^0$"):
                map_side_by_side(make, range(count))


def test_threads_that_begin_others_keep_to_the_limit() -> None:
    with using_threads(3):
        assert begin(thread_count)() == 3
        assert map_side_by_side(lambda _: thread_count(), range(4)) == [3] * 4


def test_no_threads_at_all_are_refused() -> None:
    with pytest.raises(ParameterError), using_threads(0):
        pass


def test_the_collector_is_as_before_whatever_happens() -> None:
    before = gc.get_threshold()
    with pytest.raises(RuntimeError), collecting_seldom():
        assert gc.get_threshold()[0] > before[0]
        raise RuntimeError
    assert gc.get_threshold() == before


def test_what_was_made_meanwhile_is_old_and_still_collected() -> None:
    with collecting_seldom():
        circle: list[object] = []
        circle.append(circle)
    assert gc.get_count()[0] < gc.get_threshold()[0]
    assert any(one is circle for one in gc.get_objects(generation=2))
    assert gc.get_freeze_count() == 0


def test_the_collector_is_as_before_when_the_last_of_several_ends() -> None:
    before = gc.get_threshold()
    one, other = collecting_seldom(), collecting_seldom()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)  # threads end in any order
    assert gc.get_threshold()[0] > before[0]
    other.__exit__(None, None, None)
    assert gc.get_threshold() == before


def test_what_a_server_has_frozen_and_set_stays_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "_seldom", machine._Seldom())
    before = gc.get_threshold()
    try:
        with collecting_seldom():
            machine.collect_no_more()
            gc.set_threshold(12_345, 10, 10)
            frozen = gc.get_freeze_count()
        assert gc.get_threshold()[0] == 12_345
        assert gc.get_freeze_count() >= frozen - 100 > 0  # what has ended since is no more
    finally:
        gc.unfreeze()
        gc.set_threshold(*before)
