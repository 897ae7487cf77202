"""How the process ``lifecircle`` ends: with its code, whoever reads what it says."""

from __future__ import annotations

import atexit
import io
import os
import sys
import threading

import pytest

from lifecircle.service import cli, start


class _EndedError(BaseException):
    """The process ended at once."""


class _GoneReader(io.StringIO):
    def flush(self) -> None:
        raise BrokenPipeError


@pytest.fixture
def build(monkeypatch: pytest.MonkeyPatch) -> None:
    """A command ``build`` that ends with 3, in a process that nobody measures."""

    def end(code: int) -> None:
        raise _EndedError(code)

    monkeypatch.setattr(sys, "argv", ["lifecircle", "build"])
    monkeypatch.setattr(cli, "main", lambda _foreseen: 3)
    monkeypatch.setattr(os, "_exit", end)
    monkeypatch.setattr(atexit, "_run_exitfuncs", lambda: None)
    monkeypatch.setattr(threading, "active_count", lambda: 1)
    for name in ("gettrace", "getprofile"):
        monkeypatch.setattr(sys, name, lambda: None)


@pytest.mark.usefixtures("build")
def test_a_build_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdout", None)  # closed by who began the process
    with pytest.raises(_EndedError) as ended:
        start.run()
    assert ended.value.args == (3,)


@pytest.mark.usefixtures("build")
@pytest.mark.parametrize(
    ("place", "name", "other"),
    [
        (sys, "stdout", _GoneReader()),
        (sys, "getprofile", lambda: print),
        (sys, "gettrace", lambda: print),
        (threading, "active_count", lambda: 2),
        (sys, "argv", ["lifecircle", "coverage"]),
    ],
)
def test_it_ends_as_python_does_where_somebody_may_need_that(
    monkeypatch: pytest.MonkeyPatch, place: object, name: str, other: object
) -> None:
    monkeypatch.setattr(place, name, other)
    with pytest.raises(SystemExit) as ended:
        start.run()
    assert ended.value.code == 3


def test_who_interrupts_it_early_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(start, "foresee", interrupt)
    with pytest.raises(SystemExit) as ended:
        start.run()
    assert ended.value.code == start.INTERRUPTED
