"""Copies of a process: what they make, in order; what they cannot make is made here."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

import numpy as np
import pytest

from lifecircle.analysis import working_copy
from lifecircle.analysis.machine import may_fork, using_threads
from lifecircle.analysis.working_copy import WorkingCopy, begin_in_copy

linux = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")


@linux
def test_things_come_in_order_from_another_process() -> None:
    def make(give: Callable[[object], None]) -> None:
        for thing in (os.getpid(), np.arange(3), "last"):
            give(thing)

    process, numbers, last = WorkingCopy(make)
    assert process != os.getpid()
    assert np.array_equal(numbers, [0, 1, 2])
    assert last == "last"


@linux
@pytest.mark.parametrize("code", [0, 1, 9])
def test_what_a_dead_process_did_not_make_is_made_here(code: int) -> None:
    here = os.getpid()

    def make(give: Callable[[str], None]) -> None:
        give("one")
        if os.getpid() != here:
            os._exit(code)
        give("two")

    assert list(WorkingCopy(make)) == ["one", "two"]


@linux
def test_an_error_is_raised_where_it_would_have_been() -> None:
    def make(give: Callable[[int], None]) -> None:
        give(1)
        raise ValueError("file")

    made = WorkingCopy(make)
    assert next(made) == 1
    with pytest.raises(ValueError, match="file"):
        next(made)


def test_where_no_process_can_be_begun_all_is_made_here(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> int:
        raise BlockingIOError

    monkeypatch.setattr(working_copy, "_fork", refuse)
    made = WorkingCopy(lambda give: give(os.getpid()))
    assert next(made) == os.getpid()


@pytest.mark.parametrize(
    ("lacking", "error"), [("TemporaryFile", FileNotFoundError), ("die_with_parent", OSError)]
)
def test_where_a_process_cannot_begin_its_work_all_is_made_here(
    monkeypatch: pytest.MonkeyPatch, lacking: str, error: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise error

    monkeypatch.setattr(working_copy, lacking, refuse)
    assert list(WorkingCopy(lambda give: give(os.getpid()))) == [os.getpid()]


@linux
def test_a_process_nobody_asks_any_more_is_ended() -> None:
    def make(give: Callable[[int], None]) -> None:
        give(os.getpid())
        time.sleep(600)

    made = WorkingCopy(make)
    process = next(made)
    made.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
    assert list(made) == []
    made.close()


def test_copies_are_made_only_where_they_are_asked_for() -> None:
    assert not may_fork()
    with using_threads(1, copies=True):
        assert not may_fork()
    assert begin_in_copy(os.getpid)() == os.getpid()


@linux
def test_after_an_error_nothing_more_is_read_from_a_closed_pipe() -> None:
    def make(give: Callable[[int], None]) -> None:
        raise ValueError("file")

    made = WorkingCopy(make)
    with pytest.raises(ValueError, match="file"):
        next(made)
    with pytest.raises(StopIteration):
        next(made)


@linux
def test_whoever_waits_twice_is_told_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working_copy, "may_fork", lambda: True)
    waited = begin_in_copy(os.getpid)
    assert waited() == waited() != os.getpid()
